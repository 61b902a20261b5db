//! Events, and what stands in the document's head.

use std::borrow::Cow;

use super::{Operation, Operations, Target};

/// # Events and the document's head
impl Operations {
    /// Dispatches a bubbling, cancelable `CustomEvent` on the target; say [`document`](crate::document) for one that
    /// is not about an element.
    ///
    /// ```
    /// use serde_json::json;
    /// use sinew_cable_ready::{Operations, document};
    /// let mut operations = Operations::new();
    /// operations
    ///     .dispatch_event(document(), "cart:changed")
    ///     .with(|event| event.detail(json!({"item_count": 2})));
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r#"[{"selector":null,"name":"cart:changed","detail":{"itemCount":2},"operation":"dispatchEvent"}]"#
    /// );
    /// ```
    pub fn dispatch_event(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        self.push(
            Operation::new("dispatchEvent")
                .at(target)
                .text("name", name),
        )
    }

    /// Creates or updates `<meta name content>` in the head.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.set_meta("theme-color", "#222").set_title("Inbox (3)");
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r##"[{"name":"theme-color","content":"#222","operation":"setMeta"},{"title":"Inbox (3)","operation":"setTitle"}]"##
    /// );
    /// ```
    pub fn set_meta(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        content: impl Into<String>,
    ) -> &mut Self {
        let operation = Operation::new("setMeta").text("name", name);
        self.push(operation.text("content", content.into()))
    }

    /// Sets the title of the document.
    pub fn set_title(&mut self, title: impl Into<String>) -> &mut Self {
        self.push(Operation::new("setTitle").text("title", title.into()))
    }
}

//! A list of operations and the methods that add to it.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::VERSION;
use crate::error::ApplyError;
use crate::json::write_camelized_json;
use crate::operation::{ClassNames, Operation, Position, Scope, Storage};
use crate::selector::Target;

/// Operations to be sent together, in the order they were added.
///
/// Each method adds one operation; what an operation must have is an argument, what it may have is added with
/// [`with`](Self::with):
///
/// ```
/// use std::time::Duration;
/// use sinew_cable_ready::Operations;
///
/// let mut operations = Operations::new();
/// operations
///     .text_content("#title", "Saved")
///     .inner_html("#hint", "<i>gone soon</i>")
///     .with(|operation| operation.delay(Duration::from_millis(100)))
///     .set_title("Saved");
/// assert_eq!(operations.len(), 3);
/// assert_eq!(
///     operations.to_json(),
///     r##"[{"selector":"#title","text":"Saved","operation":"textContent"},{"selector":"#hint","html":"<i>gone soon</i>","delay":100,"operation":"innerHtml"},{"title":"Saved","selector":"#hint","operation":"setTitle"}]"##
/// );
/// ```
///
/// It is a list like others:
///
/// ```
/// use sinew_cable_ready::{Operation, Operations};
///
/// let mut operations = Operations::new();
/// assert!(operations.is_empty());
/// operations.push(Operation::new("reload"));
/// operations.extend(Operations::new().remove("#a").take());
/// let names: Vec<_> = operations.iter().map(Operation::name).collect();
/// assert_eq!(names, ["reload", "remove"]);
/// assert!(operations.reset().is_empty());
/// ```
///
/// HTML is whatever converts into a `String`: text, and what template engines render, such as maud's `Markup`.
///
/// **Selector memory.** An operation without a target of its own takes over the target of the one before, as in the
/// original: this holds for operations aimed at [`previous`](crate::previous) and for those about the whole document
/// or window, where the browser ignores it. Where it would matter, for [`dispatch_event`](Self::dispatch_event), the
/// target is an argument. The memory ends with [`reset`](Self::reset) and [`take`](Self::take).
#[derive(Debug, Clone, Default)]
pub struct Operations {
    list: Vec<Operation>,
    /// Target of the last operation, and of the one before: amending the last may change its target.
    memory: Memory,
    memory_before: Memory,
}

type Memory = Option<Target>;

impl Operations {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The operations in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Operation> {
        self.list.iter()
    }

    /// Forgets everything, the selector memory too.
    pub fn reset(&mut self) -> &mut Self {
        *self = Self::default();
        self
    }

    /// Hands out what was gathered and starts anew.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let operations = Operations::new().remove("#a").reload().take();
    /// assert_eq!(operations.len(), 2);
    /// ```
    pub fn take(&mut self) -> Operations {
        std::mem::take(self)
    }

    /// Adds a finished operation.
    pub fn push(&mut self, mut operation: Operation) -> &mut Self {
        if operation.is_raw() {
            self.list.push(operation);
            return self;
        }
        self.memory_before = self.memory.clone();
        match &operation.target {
            Target::Previous => {
                if let Some(remembered) = &self.memory {
                    operation.target = remembered.clone();
                    operation.inherited = true;
                }
            }
            Target::Document => self.memory = None,
            own => self.memory = Some(own.clone()),
        }
        self.list.push(operation);
        self
    }

    /// Amends the operation added last; nothing happens if there is none or it is raw.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.remove(".note").with(|operation| operation.select_all());
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r#"[{"selector":".note","selectAll":true,"operation":"remove"}]"#
    /// );
    /// ```
    pub fn with(&mut self, amend: impl FnOnce(Operation) -> Operation) -> &mut Self {
        let Some(mut operation) = self.list.pop_if(|last| !last.is_raw()) else {
            return self;
        };
        if operation.inherited {
            operation.inherited = false;
            operation.target = Target::Previous;
        }
        self.memory = self.memory_before.take();
        self.push(amend(operation))
    }

    /// Adds raw operations: the JSON text of one operation or of an array of them. Keys are rewritten to lower camel
    /// case.
    ///
    /// # Errors
    ///
    /// [`ApplyError`] if the text is not JSON, something in it is not an object, or an object has no `operation`.
    /// Nothing is added then.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.apply(r##"[{"operation":"innerHtml","selector":"#a","html":"x","some_key":1}]"##)?;
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r##"[{"operation":"innerHtml","selector":"#a","html":"x","someKey":1}]"##
    /// );
    /// assert!(operations.apply("[1]").is_err());
    /// # Ok::<(), sinew_cable_ready::ApplyError>(())
    /// ```
    pub fn apply(&mut self, json: &str) -> Result<&mut Self, ApplyError> {
        #[derive(serde::Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            operation: Option<Cow<'a, str>>,
        }
        let json = json.trim();
        let objects: Vec<&RawValue> = if json.starts_with('[') {
            serde_json::from_str(json).map_err(ApplyError::NotJson)?
        } else {
            vec![serde_json::from_str(json).map_err(ApplyError::NotJson)?]
        };
        for object in &objects {
            if !object.get().starts_with('{') {
                return Err(ApplyError::NotAnOperation);
            }
            let named: Named<'_> =
                serde_json::from_str(object.get()).map_err(|_| ApplyError::Unnamed)?;
            if named.operation.is_none() {
                return Err(ApplyError::Unnamed);
            }
        }
        for object in objects {
            let mut rewritten = String::new();
            write_camelized_json(&mut rewritten, object.get());
            self.list.push(Operation::raw(rewritten));
        }
        Ok(self)
    }

    /// Adds an operation by name, for those that an application registered in the browser. `options` are the keys
    /// and values of an object; anything else is ignored.
    ///
    /// ```
    /// use serde_json::json;
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.custom("#slot", "jazz_hands", json!({"finger_count": 10}));
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r##"[{"selector":"#slot","fingerCount":10,"operation":"jazzHands"}]"##
    /// );
    /// ```
    pub fn custom(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
        options: Value,
    ) -> &mut Self {
        let mut operation = Operation::new(name).at(target);
        if let Value::Object(options) = options {
            for (key, value) in options {
                operation = match (key.as_str(), value) {
                    // Written among the options, it wins over the argument.
                    ("selector", Value::String(selector)) => operation.at(selector),
                    ("selector", Value::Null) => operation.at(Target::Document),
                    (_, value) => operation.option(key, value),
                };
            }
        }
        self.push(operation)
    }

    /// The JSON array of the operations, as HTTP responses carry it.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_operations(&mut out, &self.list, Scope::Plain);
        out
    }

    /// The message to broadcast: the operations in their envelope. With `reflex_id` every operation carries it.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let operations = Operations::new().reload().take();
    /// assert_eq!(
    ///     operations.message(Some("1")),
    ///     r#"{"cableReady":true,"operations":[{"reflexId":"1","operation":"reload"}],"version":"5.0.6"}"#
    /// );
    /// ```
    pub fn message(&self, reflex_id: Option<&str>) -> String {
        let scope = match reflex_id {
            Some(id) => Scope::Reflex(Some(id)),
            None => Scope::Plain,
        };
        let mut out = String::new();
        write_message(&mut out, &self.list, scope);
        out
    }
}

impl IntoIterator for Operations {
    type Item = Operation;
    type IntoIter = std::vec::IntoIter<Operation>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Operations {
    type Item = &'a Operation;
    type IntoIter = std::slice::Iter<'a, Operation>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl Extend<Operation> for Operations {
    fn extend<I: IntoIterator<Item = Operation>>(&mut self, operations: I) {
        for operation in operations {
            self.push(operation);
        }
    }
}

/// Appends the JSON array of `operations`.
///
/// ```
/// use sinew_cable_ready::{Operations, Scope, write_operations};
/// let operations = Operations::new().reload().go(-1).take();
/// let mut json = String::new();
/// write_operations(&mut json, &operations, Scope::Plain);
/// assert_eq!(json, r#"[{"operation":"reload"},{"delta":-1,"operation":"go"}]"#);
/// ```
pub fn write_operations<'a>(
    out: &mut String,
    operations: impl IntoIterator<Item = &'a Operation>,
    scope: Scope<'_>,
) {
    out.push('[');
    let mut first = true;
    for operation in operations {
        if !first {
            out.push(',');
        }
        first = false;
        operation.write(out, scope);
    }
    out.push(']');
}

/// Appends the message that carries `operations` over a cable:
/// `{"cableReady":true,"operations":[..],"version":"5.0.6"}`.
///
/// ```
/// use sinew_cable_ready::{Operation, Scope, write_message};
/// let mut json = String::new();
/// write_message(&mut json, [&Operation::new("reload")], Scope::Reflex(Some("1")));
/// assert_eq!(
///     json,
///     r#"{"cableReady":true,"operations":[{"reflexId":"1","operation":"reload"}],"version":"5.0.6"}"#
/// );
/// ```
pub fn write_message<'a>(
    out: &mut String,
    operations: impl IntoIterator<Item = &'a Operation>,
    scope: Scope<'_>,
) {
    out.push_str("{\"cableReady\":true,\"operations\":");
    write_operations(out, operations, scope);
    out.push_str(",\"version\":\"");
    out.push_str(VERSION);
    out.push_str("\"}");
}

mod browser;
mod dom;
mod event;
mod notification;
mod property;

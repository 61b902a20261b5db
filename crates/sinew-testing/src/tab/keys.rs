//! The focus, keys and double clicks.

use std::panic::Location;

use dom_query::NodeId;

use super::Tab;

/// The focus, keys and double clicks.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// # struct Notes;
/// # #[reflex]
/// # impl Notes {
/// #     async fn save(&self, cx: &mut Reflex) -> Result {
/// #         let note = cx.params().await?.get("note").unwrap_or_default().to_owned();
/// #         cx.cable_ready().text_content("#saved", note);
/// #         cx.morph_nothing();
/// #         Ok(())
/// #     }
/// #     async fn discard(&self, cx: &mut Reflex) {
/// #         cx.cable_ready().text_content("#saved", "");
/// #         cx.morph_nothing();
/// #     }
/// # }
/// # async fn index(client: ClientTags) -> Html<String> {
/// #     Html(format!("<head>{client}</head><body><form data-reflex='submit->Notes#save'>\
/// #         <input id=note name=note data-reflex='blur->Notes#save'></form>\
/// #         <p id=saved data-reflex='dblclick->Notes#discard'></p></body>"))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Notes));
/// let mut tab = app.visit("/").await;
/// tab.fill("#note", "tea").await;
/// tab.press("#note", "Enter").await;
/// tab.assert_text("#saved", "tea");
///
/// tab.fill("#note", "tea with milk").await;
/// tab.blur("#note").await;
/// tab.assert_text("#saved", "tea with milk");
///
/// tab.focus("#note").await;
/// assert!(tab.is_focused("#note"));
/// tab.double_click("#saved").await;
/// tab.assert_text("#saved", "");
/// # }
/// ```
impl Tab {
    /// Presses and releases a key at an element, which gets the focus: `Enter`, `Space`, `Escape`,
    /// `ArrowDown` and so on, as browsers name them.
    ///
    /// A reflex on `keydown` is called and keeps the key from doing anything else, as in the
    /// client. Else Enter in a field submits its form the way a browser does, Enter and Space click
    /// a button, and Space checks a box. Then a reflex on `keyup` is called.
    ///
    /// # Panics
    ///
    /// When nothing comes of it: a key that only a script listens to is for
    /// [`trigger`](Self::trigger), with the event that the script makes of it.
    #[track_caller]
    pub fn press(&mut self, selector: &str, key: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_press(selector, key).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Gives an element the focus; the one that had it is left, which `blur` tells its reflex.
    #[track_caller]
    pub fn focus(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = match self.usable(selector) {
                Ok(element) if self.page.is_focusable(element) => {
                    self.move_focus(Some(element)).await
                }
                Ok(_) => Err(format!("{selector:?} cannot have the focus")),
                Err(sentence) => Err(sentence),
            };
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Takes the focus away from an element, as clicking beside it does: a reflex on `blur` is
    /// called.
    ///
    /// # Panics
    ///
    /// When it does not have the focus.
    #[track_caller]
    pub fn blur(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = match self.find(selector) {
                Ok(element) if self.page.focused == Some(element) => self.move_focus(None).await,
                Ok(_) => Err(format!("{selector:?} does not have the focus")),
                Err(sentence) => Err(sentence),
            };
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Clicks an element twice: two clicks, whatever they do, and a `dblclick`.
    ///
    /// # Panics
    ///
    /// When none of the three does anything.
    #[track_caller]
    pub fn double_click(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_double_click(selector).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    async fn try_double_click(&mut self, selector: &str) -> Result<(), String> {
        let mut is_done = false;
        for _ in 0..2 {
            is_done |= self.click_at(selector).await?;
        }
        let element = self.usable(selector)?;
        if self.fire(element, "dblclick").await? || is_done {
            return Ok(());
        }
        Err(format!("a double click on {selector:?} does nothing"))
    }

    async fn try_press(&mut self, selector: &str, key: &str) -> Result<(), String> {
        let mut element = self.usable(selector)?;
        self.move_focus(Some(element)).await?;
        if !self.page.is_there(element) {
            element = self.usable(selector)?;
        }
        let is_caught = self.fire(element, "keydown").await?;
        let is_default = !is_caught && self.key_does(element, key).await?;
        let is_heard = self.page.is_there(element) && self.fire(element, "keyup").await?;
        if is_caught || is_default || is_heard {
            return Ok(());
        }
        Err(format!(
            "pressing {key} at {selector:?} does nothing: no reflex for `keydown` or `keyup`, \
             and nothing that a browser does by itself"
        ))
    }

    /// What a browser makes of a key where nobody has caught it: whether it makes anything.
    async fn key_does(&mut self, element: NodeId, key: &str) -> Result<bool, String> {
        let tag = self.page.tag(element);
        let is_button = tag == "button" || self.submits(element);
        match key {
            "Enter" if is_button || tag == "a" || tag == "summary" => {
                self.click_element(element).await
            }
            "Enter" if tag == "input" && self.page.is_text_field(element) => {
                self.submit_implicitly(element).await
            }
            "Space" | " " if is_button || self.page.is_checkable(element) => {
                self.click_element(element).await
            }
            _ => Ok(false),
        }
    }

    /// Enter in a field: its form's first button is clicked, if it has one.
    async fn submit_implicitly(&mut self, field: NodeId) -> Result<bool, String> {
        let Some(form) = self.form_of(field) else {
            return Ok(false);
        };
        let all = self.page.elements_below(self.page.root()).into_iter();
        let mut buttons = all.filter(|it| self.submits(*it) && self.form_of(*it) == Some(form));
        if let Some(button) = buttons.next() {
            if self.page.is_disabled(button) {
                return Ok(false);
            }
            return self.click_element(button).await;
        }
        let fields = crate::form::fields(&self.page, form).into_iter();
        let lines =
            fields.filter(|it| self.page.tag(*it) == "input" && self.page.is_text_field(*it));
        // Without a button, several fields want to be filled first.
        if lines.count() > 1 {
            return Ok(false);
        }
        self.submit_form(form, None).await?;
        Ok(true)
    }

    /// Moves the focus, and lets those who lose and get it hear of it.
    pub(super) async fn move_focus(&mut self, to: Option<NodeId>) -> Result<(), String> {
        let from = self.page.focused;
        if from == to {
            return Ok(());
        }
        self.page.focused = to;
        for (element, events) in [(from, ["blur", "focusout"]), (to, ["focus", "focusin"])] {
            for event in events {
                if let Some(element) = element.filter(|it| self.page.is_there(*it)) {
                    self.fire(element, event).await?;
                }
            }
        }
        Ok(())
    }
}

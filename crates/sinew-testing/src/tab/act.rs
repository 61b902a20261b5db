//! What a person does, and what a browser makes of it.

use dom_query::NodeId;
use http::Method;
use serde_json::json;

use super::Tab;

/// Events that only the element itself hears of.
const DOES_NOT_BUBBLE: [&str; 8] = [
    "blur",
    "focus",
    "load",
    "mouseenter",
    "mouseleave",
    "pointerenter",
    "pointerleave",
    "reconnected",
];

impl Tab {
    /// The first match, if a person could use it.
    pub(super) fn usable(&self, selector: &str) -> Result<NodeId, String> {
        let found = self.find(selector)?;
        if self.page.is_disabled(found) {
            return Err(format!("{selector:?} is disabled"));
        }
        if self.page.closest(found, "[hidden]").is_some() {
            return Err(format!("{selector:?} is hidden"));
        }
        Ok(found)
    }

    /// As [`usable`](Self::usable); a label stands for its field.
    pub(super) fn field(&self, selector: &str) -> Result<NodeId, String> {
        let found = self.usable(selector)?;
        if self.page.tag(found) != "label" {
            return Ok(found);
        }
        let field = self.labelled(found);
        let field = field.ok_or_else(|| format!("{selector:?} is the label of no field"))?;
        if self.page.is_disabled(field) {
            return Err(format!("the field of {selector:?} is disabled"));
        }
        Ok(field)
    }

    pub(super) async fn try_click(&mut self, selector: &str) -> Result<(), String> {
        if self.click_at(selector).await? {
            return Ok(());
        }
        Err(format!(
            "a click on {selector:?} does nothing: no reflex for it there or around it, no link, no form"
        ))
    }

    /// Clicks the first match: whether anything came of it.
    pub(super) async fn click_at(&mut self, selector: &str) -> Result<bool, String> {
        let mut element = self.usable(selector)?;
        let around = self.page.chain(element).into_iter();
        let focused = around.into_iter().find(|it| self.page.is_focusable(*it));
        self.move_focus(focused).await?;
        if !self.page.is_there(element) {
            // Leaving the other field has changed the page. What is no longer there is not clicked,
            // as when somebody is slow to release the button of the mouse.
            if self.page.first(selector)?.is_none() {
                return Ok(true);
            }
            element = self.usable(selector)?;
        }
        self.click_element(element).await
    }

    pub(super) async fn click_element(&mut self, mut element: NodeId) -> Result<bool, String> {
        if self.fire(element, "click").await? {
            return Ok(true);
        }
        if let Some(label) = self.page.closest(element, "label") {
            element = self.labelled(label).unwrap_or(element);
        }
        if self.page.is_checkable(element) {
            let is_radio = self.page.input_type(element) == "radio";
            let checked = is_radio || !self.page.is_checked(element);
            self.mark(element, checked).await?;
            return Ok(true);
        }
        if let Some(link) = self.page.closest(element, "a[href]") {
            self.follow_link(link).await?;
            return Ok(true);
        }
        let button = "button, input[type=submit], input[type=image]";
        if let Some(button) = self.page.closest(element, button)
            && self.submits(button)
            && let Some(form) = self.form_of(button)
        {
            self.submit_form(form, Some(button)).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn follow_link(&mut self, link: NodeId) -> Result<(), String> {
        let href = self.page.attribute(link, "href").unwrap_or_default();
        let address = self.url.join(&href);
        let address = address.map_err(|error| format!("{href:?}: {error}"))?;
        let is_on_this_page = address.fragment().is_some()
            && address[..url::Position::AfterQuery] == self.url[..url::Position::AfterQuery];
        if is_on_this_page {
            self.history.push(&address);
            self.url = address;
            return Ok(());
        }
        // Turbo sends what a link asks for in this way.
        let method = self.page.attribute(link, "data-turbo-method");
        let method = method.unwrap_or_default().to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        self.go(method, address.as_str(), None).await
    }

    pub(super) async fn try_fill(&mut self, selector: &str, text: &str) -> Result<(), String> {
        let mut field = self.field(selector)?;
        if self.page.tag(field) == "input" && self.page.input_type(field) == "file" {
            return Err(format!(
                "{selector:?} takes files: give it one with `attach`"
            ));
        }
        if !self.page.is_text_field(field) {
            return Err(format!("{selector:?} is no field to type into"));
        }
        if self.page.has_attribute(field, "readonly") {
            return Err(format!("{selector:?} is read-only"));
        }
        let text = self.typed(field, text)?;
        self.move_focus(Some(field)).await?;
        if !self.page.is_there(field) {
            field = self.field(selector)?;
        }
        self.page.type_into(field, &text);
        for event in [
            "input",
            "debounced:input",
            "keyup",
            "debounced:keyup",
            "change",
        ] {
            if self.page.is_there(field) {
                self.fire(field, event).await?;
            }
        }
        Ok(())
    }

    /// What a field takes of a text that somebody types.
    fn typed(&self, field: NodeId, text: &str) -> Result<String, String> {
        let kind = match &*self.page.tag(field) {
            "input" => self.page.input_type(field),
            _ => return Ok(self.cut(field, text)),
        };
        let is_taken = match &*kind {
            "number" => text.is_empty() || text.parse::<f64>().is_ok_and(f64::is_finite),
            "date" => {
                let shape: String = text
                    .chars()
                    .map(|it| if it.is_ascii_digit() { '0' } else { it })
                    .collect();
                text.is_empty() || shape == "0000-00-00"
            }
            _ => true,
        };
        if !is_taken {
            let called = self.page.called(field);
            return Err(format!("{called} is a {kind}, which takes no {text:?}"));
        }
        Ok(self.cut(field, &text.replace(['\r', '\n'], "")))
    }

    /// A text no longer than the field's `maxlength`, in the units of JavaScript.
    fn cut(&self, field: NodeId, text: &str) -> String {
        let max = self.page.attribute(field, "maxlength");
        let Some(max) = max.and_then(|max| max.parse::<usize>().ok()) else {
            return text.to_owned();
        };
        let mut left = max;
        let fits = |character: &char| {
            let is_room = character.len_utf16() <= left;
            left = left.saturating_sub(character.len_utf16());
            is_room
        };
        text.chars().take_while(fits).collect()
    }

    pub(super) async fn try_check(&mut self, selector: &str, checked: bool) -> Result<(), String> {
        let field = self.field(selector)?;
        if !self.page.is_checkable(field) {
            return Err(format!("{selector:?} is neither a box nor a radio button"));
        }
        if self.page.is_checked(field) == checked {
            return Ok(());
        }
        if !checked && self.page.input_type(field) == "radio" {
            return Err(format!(
                "{selector:?} is a radio button: choose another instead"
            ));
        }
        self.move_focus(Some(field)).await?;
        self.page.set_checked(field, checked);
        if self.fire(field, "click").await? {
            return Ok(());
        }
        self.mark(field, checked).await
    }

    async fn mark(&mut self, field: NodeId, checked: bool) -> Result<(), String> {
        self.page.set_checked(field, checked);
        for event in ["input", "change"] {
            self.fire(field, event).await?;
        }
        Ok(())
    }

    pub(super) async fn try_select(&mut self, selector: &str, option: &str) -> Result<(), String> {
        let select = self.field(selector)?;
        if self.page.tag(select) != "select" {
            return Err(format!("{selector:?} is no select"));
        }
        let options = self.page.options(select);
        let by_value = |id: &&NodeId| self.page.option_value(**id) == option;
        let by_text = |id: &&NodeId| self.page.text(**id) == option;
        let found = options.iter().find(by_value);
        let found = found.or_else(|| options.iter().find(by_text)).copied();
        let found = found.ok_or_else(|| format!("{selector:?} has no option {option:?}"))?;
        if self.page.is_disabled(found) {
            return Err(format!("the option {option:?} of {selector:?} is disabled"));
        }
        self.move_focus(Some(select)).await?;
        self.page.choose(select, found);
        for event in ["input", "change"] {
            self.fire(select, event).await?;
        }
        Ok(())
    }

    pub(super) async fn try_trigger(&mut self, selector: &str, event: &str) -> Result<(), String> {
        let element = self.find(selector)?;
        if self.fire(element, event).await? {
            return Ok(());
        }
        Err(format!(
            "no reflex for {event:?} at {selector:?} or around it"
        ))
    }

    /// Lets an event happen: whether a reflex was called for it.
    ///
    /// As in the client only the nearest element that has any reflex is asked.
    pub(super) async fn fire(&mut self, element: NodeId, event: &str) -> Result<bool, String> {
        let mut chain = self.page.chain(element);
        if DOES_NOT_BUBBLE.contains(&event) {
            chain.truncate(1);
        }
        let chain = chain.into_iter();
        let nearest = chain
            .filter_map(|id| Some((id, self.page.attribute(id, "data-reflex")?)))
            .find(|(_, reflexes)| !reflexes.trim().is_empty());
        let Some((at, reflexes)) = nearest else {
            return Ok(false);
        };
        let target = reflexes.split_whitespace().find_map(|reflex| {
            let (on, target) = reflex.split_once("->")?;
            (on == event).then(|| target.to_owned())
        });
        let Some(target) = target else {
            return Ok(false);
        };
        self.call(at, &target, &json!([])).await?;
        Ok(true)
    }

    fn labelled(&self, label: NodeId) -> Option<NodeId> {
        let page = &self.page;
        if let Some(id) = page.attribute(label, "for") {
            let all = page.elements_below(page.root()).into_iter();
            let mut named = all.filter(|it| page.attribute(*it, "id").as_ref() == Some(&id));
            return named.next();
        }
        let mut below = page.elements_below(label).into_iter();
        below.find(|id| {
            let tag = page.tag(*id);
            matches!(&*tag, "input" | "select" | "textarea" | "button")
        })
    }
}

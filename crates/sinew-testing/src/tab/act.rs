//! What a person does, and what a browser makes of it.

use dom_query::NodeId;
use http::Method;
use serde_json::json;

use super::Tab;
use crate::form;

impl Tab {
    /// The first match, if a person could use it.
    fn usable(&self, selector: &str) -> Result<NodeId, String> {
        let found = self.find(selector)?;
        if self.page.is_disabled(found) {
            return Err(format!("{selector:?} is disabled"));
        }
        if self.page.closest(found, "[hidden]").is_some() {
            return Err(format!("{selector:?} is hidden"));
        }
        Ok(found)
    }

    pub(super) async fn try_click(&mut self, selector: &str) -> Result<(), String> {
        let mut element = self.usable(selector)?;
        if self.fire(element, "click").await? {
            return Ok(());
        }
        if let Some(label) = self.page.closest(element, "label") {
            element = self.labelled(label).unwrap_or(element);
        }
        if self.page.is_checkable(element) {
            let is_radio = self.page.input_type(element) == "radio";
            let checked = is_radio || !self.page.is_checked(element);
            return self.mark(element, checked).await;
        }
        if let Some(link) = self.page.closest(element, "a[href]") {
            let href = self.page.attribute(link, "href").unwrap_or_default();
            let address = self.url.join(&href);
            let address = address.map_err(|error| format!("{href:?}: {error}"))?;
            return self.go(Method::GET, address.as_str(), None).await;
        }
        let button = "button, input[type=submit], input[type=image]";
        if let Some(button) = self.page.closest(element, button)
            && self.submits(button)
            && let Some(form) = self.form_of(button)
        {
            return self.submit_form(form, Some(button)).await;
        }
        Err(format!(
            "a click on {selector:?} does nothing: no reflex for it there or around it, no link, no form"
        ))
    }

    pub(super) async fn try_fill(&mut self, selector: &str, text: &str) -> Result<(), String> {
        let field = self.usable(selector)?;
        if !self.page.is_text_field(field) {
            return Err(format!("{selector:?} is no field to type into"));
        }
        if self.page.has_attribute(field, "readonly") {
            return Err(format!("{selector:?} is read-only"));
        }
        self.page.focused = Some(field);
        self.page.touch(field).value = Some(text.to_owned());
        for event in [
            "input",
            "debounced:input",
            "keyup",
            "debounced:keyup",
            "change",
        ] {
            self.fire(field, event).await?;
        }
        Ok(())
    }

    pub(super) async fn try_check(&mut self, selector: &str, checked: bool) -> Result<(), String> {
        let field = self.usable(selector)?;
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
        self.page.set_checked(field, checked);
        if self.fire(field, "click").await? {
            return Ok(());
        }
        self.mark(field, checked).await
    }

    async fn mark(&mut self, field: NodeId, checked: bool) -> Result<(), String> {
        self.page.focused = Some(field);
        self.page.set_checked(field, checked);
        for event in ["input", "change"] {
            self.fire(field, event).await?;
        }
        Ok(())
    }

    pub(super) async fn try_select(&mut self, selector: &str, option: &str) -> Result<(), String> {
        let select = self.usable(selector)?;
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
        self.page.focused = Some(select);
        self.page.choose(select, found);
        for event in ["input", "change"] {
            self.fire(select, event).await?;
        }
        Ok(())
    }

    pub(super) async fn try_submit(&mut self, selector: &str) -> Result<(), String> {
        let element = self.find(selector)?;
        let form = self.form_of(element);
        let form = form.ok_or_else(|| format!("{selector:?} is in no form"))?;
        let button = self
            .page
            .elements_below(form)
            .into_iter()
            .find(|id| self.submits(*id));
        self.submit_form(form, button).await
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
    async fn fire(&mut self, element: NodeId, event: &str) -> Result<bool, String> {
        let chain = self.page.chain(element).into_iter();
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
        below.find(|id| page.is_checkable(*id))
    }

    fn form_of(&self, element: NodeId) -> Option<NodeId> {
        match self.page.attribute(element, "form") {
            Some(id) => {
                let forms = self.page.all("form").ok()?;
                let mut named = forms
                    .into_iter()
                    .filter(|it| self.page.attribute(*it, "id").as_ref() == Some(&id));
                named.next()
            }
            None => self.page.closest(element, "form"),
        }
    }

    fn submits(&self, element: NodeId) -> bool {
        match &*self.page.tag(element) {
            "button" => {
                let kind = self.page.attribute(element, "type");
                !matches!(kind.as_deref(), Some("button" | "reset"))
            }
            "input" => matches!(&*self.page.input_type(element), "submit" | "image"),
            _ => false,
        }
    }

    async fn submit_form(&mut self, form: NodeId, button: Option<NodeId>) -> Result<(), String> {
        if self.fire(form, "submit").await? {
            return Ok(());
        }
        let said = |name: &str, of_button: &str| {
            button
                .and_then(|button| self.page.attribute(button, of_button))
                .or_else(|| self.page.attribute(form, name))
        };
        let method = said("method", "formmethod").unwrap_or_default();
        let action = said("action", "formaction").unwrap_or_default();
        let mut address = self
            .url
            .join(&action)
            .map_err(|error| format!("the form's action {action:?}: {error}"))?;
        let fields = form::for_request(&self.page, form, button);
        if method.eq_ignore_ascii_case("post") {
            self.go(Method::POST, address.as_str(), Some(fields)).await
        } else {
            address.set_query(Some(&fields));
            self.go(Method::GET, address.as_str(), None).await
        }
    }
}

//! Forms: files, rules, and where they are sent.

use std::panic::Location;

use dom_query::NodeId;
use http::Method;

use super::{Tab, unique};
use crate::upload::Upload;
use crate::{form, validity};

/// Forms.
impl Tab {
    /// Chooses a file in a field; another is added where the field takes several.
    ///
    /// It travels with the request of a form whose `enctype` is `multipart/form-data`. A reflex
    /// gets no files: the client does not send them.
    ///
    /// ```
    /// # use axum::{Router, extract::Multipart, response::Html, routing::get};
    /// # use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    /// use sinew_testing::Upload;
    ///
    /// # async fn save(mut form: Multipart) -> Result<Html<String>> {
    /// #     let picture = form.next_field().await?.ok_or("no field")?;
    /// #     Ok(Html(format!("<p id=saved>{}</p>", picture.file_name().unwrap_or_default())))
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let page = "<form id=profile method=post enctype=multipart/form-data>\
    /// #     <input id=picture name=picture type=file></form>";
    /// # let router = Router::new().route("/", get(async move || Html(page)).post(save));
    /// # let mut tab = TestApp::new(Sinew::new(router)).visit("/").await;
    /// tab.attach("#picture", Upload::new("cat.png", [0x89, b'P']).content_type("image/png")).await;
    /// tab.submit("#profile").await;
    /// tab.assert_text("#saved", "cat.png");
    /// # }
    /// ```
    #[track_caller]
    pub fn attach(&mut self, selector: &str, file: Upload) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_attach(selector, file).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// What a browser finds wrong with a form, named itself or by anything in it: a sentence for
    /// each field that breaks a rule, such as ``#email breaks `required`: it is empty``.
    ///
    /// Empty when it would be submitted. `novalidate` is not looked at.
    ///
    /// ```
    /// # use axum::{Router, response::Html, routing::get};
    /// # use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let page = "<form><input id=email type=email required><button>Sign up</button></form>";
    /// let router = Router::new().route("/", get(async move || Html(page)));
    /// let mut tab = TestApp::new(Sinew::new(router)).visit("/").await;
    /// assert_eq!(tab.invalid("form"), ["#email breaks `required`: it is empty"]);
    /// tab.fill("#email", "ada").await;
    /// assert_eq!(tab.invalid("form"), [r##"#email breaks `type=email`: "ada" is no e-mail address"##]);
    /// tab.fill("#email", "ada@example.org").await;
    /// assert!(tab.invalid("form").is_empty());
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is no such form.
    #[track_caller]
    pub fn invalid(&self, selector: &str) -> Vec<String> {
        let form = self.find(selector).and_then(|element| {
            let form = self.form_of(element);
            form.ok_or_else(|| format!("{selector:?} is in no form"))
        });
        match form {
            Ok(form) => validity::broken(&self.page, form),
            Err(sentence) => panic!("{}", self.failure(&sentence, Some(selector))),
        }
    }

    async fn try_attach(&mut self, selector: &str, file: Upload) -> Result<(), String> {
        let field = self.field(selector)?;
        if self.page.tag(field) != "input" || self.page.input_type(field) != "file" {
            return Err(format!("{selector:?} is no field for files"));
        }
        self.move_focus(Some(field)).await?;
        let takes_several = self.page.has_attribute(field, "multiple");
        let files = &mut self.page.touch(field).files;
        if !takes_several {
            files.clear();
        }
        files.push(file);
        for event in ["input", "change"] {
            self.fire(field, event).await?;
        }
        Ok(())
    }

    pub(super) async fn try_submit(&mut self, selector: &str) -> Result<(), String> {
        let element = self.find(selector)?;
        let form = self.form_of(element);
        let form = form.ok_or_else(|| format!("{selector:?} is in no form"))?;
        let below = self.page.elements_below(form).into_iter();
        let mut buttons = below.filter(|id| self.submits(*id) && !self.page.is_disabled(*id));
        let button = buttons.next();
        self.submit_form(form, button).await
    }

    pub(super) fn form_of(&self, element: NodeId) -> Option<NodeId> {
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

    /// Whether pressing the element submits a form.
    pub(super) fn submits(&self, element: NodeId) -> bool {
        match &*self.page.tag(element) {
            "button" => {
                let kind = self.page.attribute(element, "type");
                !matches!(kind.as_deref(), Some("button" | "reset"))
            }
            "input" => matches!(&*self.page.input_type(element), "submit" | "image"),
            _ => false,
        }
    }

    pub(super) async fn submit_form(
        &mut self,
        form: NodeId,
        button: Option<NodeId>,
    ) -> Result<(), String> {
        let is_free = self.page.has_attribute(form, "novalidate")
            || button.is_some_and(|it| self.page.has_attribute(it, "formnovalidate"));
        let broken = validity::broken(&self.page, form);
        if !is_free && !broken.is_empty() {
            let called = self.page.called(form);
            return Err(format!(
                "a browser would not submit {called}: {}",
                broken.join("; ")
            ));
        }
        if self.fire(form, "submit").await? {
            return Ok(());
        }
        let said = |name: &str, of_button: &str| {
            button
                .and_then(|button| self.page.attribute(button, of_button))
                .or_else(|| self.page.attribute(form, name))
                .unwrap_or_default()
        };
        let action = said("action", "formaction");
        let mut address = self
            .url
            .join(&action)
            .map_err(|error| format!("the form's action {action:?}: {error}"))?;
        if said("method", "formmethod").eq_ignore_ascii_case("post") {
            let encoding = said("enctype", "formenctype");
            let boundary = format!("----{}", unique());
            let body = form::for_body(&self.page, form, button, &encoding, &boundary)?;
            self.go(Method::POST, address.as_str(), Some(body)).await
        } else {
            address.set_query(Some(&form::for_address(&self.page, form, button)));
            self.go(Method::GET, address.as_str(), None).await
        }
    }
}

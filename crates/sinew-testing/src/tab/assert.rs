//! What a person would see.

use serde_json::Value;

use super::Tab;
use crate::app::Browser;
use crate::outcome::Outcome;
use crate::page::collapse;
use crate::perform::Performed;

/// Reading the page.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// # struct List;
/// # #[reflex]
/// # impl List {
/// #     async fn add(&self, cx: &mut Reflex, item: String) {
/// #         cx.cable_ready().append("#list", format!("<li>{item}</li>")).set_focus("#item").console_log("added");
/// #         cx.morph_nothing().payload_mut()["added"] = 1.into();
/// #     }
/// # }
/// # async fn page(client: ClientTags) -> Html<String> { Html(format!("<head><title>Tea</title>{client}</head>{PAGE}")) }
/// const PAGE: &str = r#"<body>
///   <h1>Tea  <small hidden>today</small></h1>
///   <ul id="list"><li>green</li><li>black</li></ul>
///   <input id="item" value="white"> <input id="sugar" type="checkbox" checked>
/// </body>"#;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/teas", get(page))).reflex(List));
/// let mut tab = app.visit("/teas?sort=name").await;
/// assert_eq!((tab.status(), tab.path()), (200, "/teas?sort=name"));
/// tab.assert_path("/teas?sort=name");
/// assert_eq!(tab.title(), "Tea");
/// assert_eq!(tab.text("h1"), "Tea");
/// assert_eq!(tab.text("#item"), "white");
/// assert_eq!(tab.attribute("#item", "value").as_deref(), Some("white"));
/// assert!(tab.is_checked("#sugar"));
/// assert_eq!((tab.count("li"), tab.texts("li")), (2, vec!["green".to_owned(), "black".to_owned()]));
/// assert_eq!(tab.html("li"), "<li>green</li>");
///
/// // The same as assertions, which show the page when they fail.
/// tab.assert_text("h1", "Tea");
/// tab.assert_texts("li", &["green", "black"]);
/// tab.assert_contains("#list", "black");
/// tab.assert_lacks("h1", "today");
/// tab.assert_exists("#sugar");
/// tab.assert_missing("#milk");
///
/// // What a reflex did, and how it ended.
/// tab.stimulate("List#add", "white").await;
/// assert!(tab.outcome().is_success());
/// assert_eq!(tab.payload()["added"], 1);
/// assert!(tab.operations().iter().any(|operation| operation.name() == "append"));
/// assert_eq!(tab.console(), ["added"]);
/// assert!(tab.is_focused("#item"));
/// assert!(tab.browser().cookie("theme").is_none());
/// # }
/// ```
impl Tab {
    /// What the first match says: the value of a field; of anything else its text as it is read,
    /// with white space collapsed, and without what is `hidden` or never shown, such as scripts.
    ///
    /// # Panics
    ///
    /// When nothing matches.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        match self.find(selector) {
            Ok(found) => self.shown(found),
            Err(sentence) => panic!("{}", self.failure(&sentence, Some(selector))),
        }
    }

    /// What every match says, in the order of the page.
    #[track_caller]
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let all = self.matches(selector);
        all.into_iter().map(|id| self.shown(id)).collect()
    }

    /// An attribute of the first match; `None` when it does not have it.
    ///
    /// # Panics
    ///
    /// When nothing matches.
    #[track_caller]
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        match self.find(selector) {
            Ok(found) => self.page.attribute(found, name),
            Err(sentence) => panic!("{}", self.failure(&sentence, Some(selector))),
        }
    }

    /// Whether a box or radio button is checked.
    ///
    /// # Panics
    ///
    /// When nothing matches.
    #[track_caller]
    pub fn is_checked(&self, selector: &str) -> bool {
        match self.find(selector) {
            Ok(found) => self.page.is_checked(found),
            Err(sentence) => panic!("{}", self.failure(&sentence, Some(selector))),
        }
    }

    /// How many elements match.
    #[track_caller]
    pub fn count(&self, selector: &str) -> usize {
        self.matches(selector).len()
    }

    /// The page's title.
    pub fn title(&self) -> String {
        self.page.title()
    }

    /// The first match as HTML, the element itself included: `html("html")` is the whole page.
    ///
    /// # Panics
    ///
    /// When nothing matches.
    #[track_caller]
    pub fn html(&self, selector: &str) -> String {
        match self.find(selector) {
            Ok(found) => self.page.node(found).html().to_string(),
            Err(sentence) => panic!("{}", self.failure(&sentence, Some(selector))),
        }
    }

    /// Whether the first match has the focus.
    ///
    /// # Panics
    ///
    /// When nothing matches.
    #[track_caller]
    pub fn is_focused(&self, selector: &str) -> bool {
        match self.find(selector) {
            Ok(found) => self.page.focused == Some(found),
            Err(sentence) => panic!("{}", self.failure(&sentence, Some(selector))),
        }
    }

    /// Path and query of the address.
    pub fn path(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// The status that the page came with.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The browser that the tab belongs to.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// How the last reflex called in this tab ended.
    ///
    /// # Panics
    ///
    /// When none was called.
    #[track_caller]
    pub fn outcome(&self) -> &Outcome {
        match &self.outcome {
            Some(outcome) => outcome,
            None => panic!("{}", self.failure("no reflex was called here", None)),
        }
    }

    /// What the last reflex gave the browser besides.
    ///
    /// # Panics
    ///
    /// When none was called.
    #[track_caller]
    pub fn payload(&self) -> &Value {
        self.outcome().payload()
    }

    /// The operations carried out since the last action, in the order in which they were.
    pub fn operations(&self) -> &[Performed] {
        &self.operations
    }

    /// The lines that operations wrote to the console of this page.
    pub fn console(&self) -> &[String] {
        &self.console
    }

    /// Asserts what the first match says: all of it, white space collapsed.
    ///
    /// # Panics
    ///
    /// When it says something else, or nothing matches.
    #[track_caller]
    pub fn assert_text(&self, selector: &str, text: &str) {
        let said = self.text(selector);
        if collapse(&said) != collapse(text) {
            let sentence = format!("{selector:?} says {said:?}, not {text:?}");
            panic!("{}", self.failure(&sentence, Some(selector)));
        }
    }

    /// Asserts a part of what the first match says.
    ///
    /// # Panics
    ///
    /// When it does not say it, or nothing matches.
    #[track_caller]
    pub fn assert_contains(&self, selector: &str, part: &str) {
        let said = self.text(selector);
        if !said.contains(part) {
            let sentence = format!("{selector:?} says {said:?}, without {part:?}");
            panic!("{}", self.failure(&sentence, Some(selector)));
        }
    }

    /// Asserts that the first match does not say something.
    ///
    /// # Panics
    ///
    /// When it does, or nothing matches.
    #[track_caller]
    pub fn assert_lacks(&self, selector: &str, part: &str) {
        let said = self.text(selector);
        if said.contains(part) {
            let sentence = format!("{selector:?} says {said:?}, with {part:?}");
            panic!("{}", self.failure(&sentence, Some(selector)));
        }
    }

    /// Asserts what all matches say, in the order of the page.
    ///
    /// # Panics
    ///
    /// When they say something else, or there are more or fewer.
    #[track_caller]
    pub fn assert_texts(&self, selector: &str, texts: &[&str]) {
        let said = self.texts(selector);
        if said != texts {
            let sentence = format!("{selector:?} say {said:?}, not {texts:?}");
            panic!("{}", self.failure(&sentence, None));
        }
    }

    /// Asserts the address: path and query.
    ///
    /// # Panics
    ///
    /// When the tab is elsewhere.
    #[track_caller]
    pub fn assert_path(&self, path: &str) {
        if self.path() != path {
            let sentence = format!("the tab is at {:?}, not {path:?}", self.path());
            panic!("{}", self.failure(&sentence, None));
        }
    }

    /// Asserts that something matches.
    ///
    /// # Panics
    ///
    /// When nothing does.
    #[track_caller]
    pub fn assert_exists(&self, selector: &str) {
        if self.matches(selector).is_empty() {
            let sentence = format!("nothing on the page matches {selector:?}");
            panic!("{}", self.failure(&sentence, None));
        }
    }

    /// Asserts that nothing matches.
    ///
    /// # Panics
    ///
    /// When something does.
    #[track_caller]
    pub fn assert_missing(&self, selector: &str) {
        let count = self.count(selector);
        if count > 0 {
            let sentence = format!("{selector:?} should not be there, and is {count} times");
            panic!("{}", self.failure(&sentence, Some(selector)));
        }
    }

    #[track_caller]
    fn matches(&self, selector: &str) -> Vec<dom_query::NodeId> {
        match self.page.all(selector) {
            Ok(all) => all,
            Err(sentence) => panic!("{sentence}"),
        }
    }
}

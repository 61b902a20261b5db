//! A tab: the page it shows, and what a person can do with it.

mod act;
mod assert;
mod channels;
mod history;
mod keys;
mod live;
mod submit;

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::future::IntoFuture;
use std::panic::Location;
use std::pin::Pin;

use dom_query::NodeId;
use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::app::Browser;
use crate::cable::Connection;
use crate::outcome::Outcome;
use crate::page::Page;
use crate::perform::{Performed, Wish};
use history::History;

pub use channels::TabSubscription;

/// Characters of the page that a failure shows.
const SHOWN_CHARACTERS_MAX: usize = 1_500;

/// What a request ended in.
pub(crate) struct Visited {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

/// One tab of a [`Browser`].
///
/// What a person does is a method that waits until everything it set off has been answered and
/// carried out. Every method panics when its element is not there or cannot be used, with the part
/// of the page and the operations since the last action.
///
/// Elements are named by CSS selectors, and by what they say: `button:contains("Save")`. What is
/// filled, checked or chosen may be named by its label: `tab.fill("label:contains('E-mail')", …)`.
///
/// A tab stays in its thread; several at once are driven with `tokio::join!`.
///
/// # What a person does
///
/// ```
/// use axum::{Router, response::Html, routing::get};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// struct Order;
///
/// #[reflex]
/// impl Order {
///     async fn show(&self, cx: &mut Reflex) -> Result {
///         let params = cx.params().await?;
///         let tea = params.get("tea").unwrap_or_default().to_owned();
///         let milk = params.get("milk").map_or("black", |_| "with milk");
///         cx.cable_ready().text_content("#order", format!("{tea}, {milk}"));
///         cx.morph_nothing();
///         Ok(())
///     }
///
///     async fn hint(&self, cx: &mut Reflex) {
///         cx.cable_ready().text_content("#hint", "The best there is.");
///         cx.morph_nothing();
///     }
/// }
///
/// async fn index(client: ClientTags) -> Html<String> {
///     Html(format!(
///         "<head>{client}</head><body>
///            <form data-reflex='submit->Order#show'>
///              <select name=tea><option>green<option>mint</select>
///              <label><input type=checkbox name=milk> Milk</label>
///              <button>Order</button>
///            </form>
///            <p id=order></p> <p id=hint data-reflex='mouseenter->Order#hint'></p>
///          </body>"
///     ))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Order));
/// let mut tab = app.visit("/").await;
/// tab.select("select", "mint").await;
/// tab.check("label").await;
/// tab.click("button").await;
/// tab.assert_text("#order", "mint, with milk");
///
/// tab.uncheck("label").await;
/// tab.submit("form").await;
/// tab.assert_text("#order", "mint, black");
///
/// tab.trigger("#hint", "mouseenter").await;
/// tab.assert_text("#hint", "The best there is.");
/// tab.reload().await;
/// tab.assert_text("#hint", "");
/// # }
/// ```
///
/// # What comes by itself
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// use std::time::Duration;
///
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// # async fn index(sinew: SinewHandle, client: ClientTags) -> Html<String> {
/// #     let news = sinew.stream_from(&["news"]);
/// #     Html(format!("<head>{client}</head><body>{news}<ul id=news></ul></body>"))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))));
/// let mut tab = app.visit("/").await;
/// let news = app.handle().cable_ready();
///
/// news.send("news", |it| it.append("#news", "<li>green</li>")).await?;
/// tab.wait_for_broadcast().await;
/// tab.assert_text("#news", "green");
///
/// // A job's notes come whenever they come.
/// news.send("news", |it| it.append("#news", "<li class=rare>white</li>")).await?;
/// tab.until_exists(".rare").await;
/// tab.until(".rare", "white").await;
///
/// // That nothing more comes takes time, which `start_paused = true` makes pass at once.
/// tab.wait(Duration::from_millis(1)).await;
/// tab.assert_texts("#news li", &["green", "white"]);
/// # Ok(()) }
/// ```
pub struct Tab {
    browser: Browser,
    page: Page,
    url: Url,
    status: StatusCode,
    /// Made anew with every page, as the client's script does.
    tab_id: String,
    connection: Option<Connection>,
    /// Why there is none.
    refusal: Option<String>,
    /// Whether the server that ended it said to come again.
    comes_again: bool,
    /// Whether the test has taken the connection away.
    is_offline: bool,
    /// Whether this page was connected before.
    was_connected: bool,
    /// The connection is there again, and the page has not been told.
    is_back: bool,
    /// Identifiers, and whether the server has confirmed them.
    subscriptions: HashMap<String, Option<bool>>,
    /// The application's own channels: what came over each and was not asked for yet.
    channels: HashMap<String, VecDeque<Value>>,
    history: History,
    calls: u64,
    /// The call whose answer is waited for: its id and target.
    waiting: Option<(String, String)>,
    outcome: Option<Outcome>,
    operations: Vec<Performed>,
    console: Vec<String>,
    wishes: VecDeque<Wish>,
    /// Broadcasts carried out and not yet waited for.
    broadcasts: usize,
}

impl Tab {
    pub(crate) async fn open(browser: Browser, path: &str) -> Result<Self, String> {
        let visited = browser.request(Method::GET, path, None).await?;
        let mut tab = Self {
            browser,
            page: Page::parse(&visited.html),
            history: History::new(&visited.url),
            url: visited.url,
            status: visited.status,
            tab_id: unique(),
            connection: None,
            refusal: None,
            comes_again: false,
            is_offline: false,
            was_connected: false,
            is_back: false,
            subscriptions: HashMap::new(),
            channels: HashMap::new(),
            calls: 0,
            waiting: None,
            outcome: None,
            operations: Vec::new(),
            console: Vec::new(),
            wishes: VecDeque::new(),
            broadcasts: 0,
        };
        tab.connect_if_reactive().await?;
        Ok(tab)
    }

    /// Goes to another page in this tab.
    #[track_caller]
    pub fn visit(&mut self, path: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.go(Method::GET, path, None).await;
            self.or_fail(caller, None, done);
        }
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let url = self.url.to_string();
            let done = self.load(Method::GET, &url, None).await;
            self.or_fail(caller, None, done);
            let done = self.follow().await;
            self.or_fail(caller, None, done);
        }
    }

    /// Clicks an element: calls its reflex, follows its link, submits its form, checks its box.
    ///
    /// The focus goes with it, so that the field that had it is left.
    #[track_caller]
    pub fn click(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_click(selector).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Types into a field, in place of what it holds: reflexes on `input`, `keyup` and `change` are
    /// called, debounced or not. The field keeps the focus; [`blur`](Self::blur) takes it away.
    ///
    /// What a browser does not let in is not let in here: text over `maxlength` is cut, and letters
    /// in a number are refused.
    #[track_caller]
    pub fn fill(&mut self, selector: &str, text: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_fill(selector, text).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Checks a box or a radio button, if it is not checked.
    #[track_caller]
    pub fn check(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_check(selector, true).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Takes the mark off a box, if it has one.
    #[track_caller]
    pub fn uncheck(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_check(selector, false).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Chooses an option of a select, by its value or by what it says.
    #[track_caller]
    pub fn select(&mut self, selector: &str, option: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_select(selector, option).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Submits a form, named itself or by anything in it: to its reflex, or with a request.
    #[track_caller]
    pub fn submit(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_submit(selector).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Lets one event happen at an element, such as `mouseenter` or `keydown`, and nothing else.
    #[track_caller]
    pub fn trigger(&mut self, selector: &str, event: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = self.try_trigger(selector, event).await;
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Calls a reflex as a Stimulus controller's `stimulate` would. Await it.
    ///
    /// `args` is a list of arguments: a tuple, an array, or `()` for none. Anything else is the
    /// only one. The element is the body unless [`on`](Stimulation::on) names another.
    ///
    /// ```
    /// # use axum::{Router, response::Html, routing::get};
    /// # use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    /// # struct Chat;
    /// # #[reflex]
    /// # impl Chat {
    /// #     async fn say(&self, cx: &mut Reflex, text: String, times: usize) -> Result {
    /// #         let chat = cx.element().to_dom_id()?;
    /// #         cx.cable_ready().text_content(chat, text.repeat(times));
    /// #         cx.morph_nothing();
    /// #         Ok(())
    /// #     }
    /// # }
    /// # async fn index(client: ClientTags) -> Html<String> {
    /// #     Html(format!("<head>{client}</head><body><p id=chat></p></body>"))
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Chat));
    /// # let mut tab = app.visit("/").await;
    /// tab.stimulate("Chat#say", ("hello", 3)).on("#chat").await;
    /// tab.assert_text("#chat", "hellohellohello");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the arguments are no JSON.
    #[track_caller]
    pub fn stimulate<'a>(&'a mut self, target: &'a str, args: impl Serialize) -> Stimulation<'a> {
        let args = match serde_json::to_value(args).expect("arguments are JSON") {
            Value::Null => Value::Array(Vec::new()),
            list @ Value::Array(_) => list,
            only => Value::Array(vec![only]),
        };
        Stimulation {
            tab: self,
            target,
            args,
            selector: "body",
            caller: Location::caller(),
        }
    }

    /// Waits until the first match of `selector` says `text`, while broadcasts arrive.
    #[track_caller]
    pub fn until(&mut self, selector: &str, text: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let says = |tab: &Self| {
                let found = tab.page.first(selector)?;
                Ok(found.is_some_and(|id| tab.shown(id) == text))
            };
            let done = self.try_until(says).await.map_err(|why| match why {
                Some(why) => why,
                None => format!("{selector:?} did not come to say {text:?}"),
            });
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Waits until something matches `selector`, while broadcasts arrive.
    #[track_caller]
    pub fn until_exists(&mut self, selector: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let exists = |tab: &Self| Ok(tab.page.first(selector)?.is_some());
            let done = self.try_until(exists).await.map_err(|why| match why {
                Some(why) => why,
                None => format!("nothing came to match {selector:?}"),
            });
            self.or_fail(caller, Some(selector), done);
        }
    }

    /// Waits for a broadcast to arrive and to be carried out. One that arrived since the last time
    /// counts.
    #[track_caller]
    pub fn wait_for_broadcast(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let arrived = |tab: &Self| Ok(tab.broadcasts > 0);
            let done = self
                .try_until(arrived)
                .await
                .map_err(|why| why.unwrap_or_else(|| "no broadcast arrived".to_owned()));
            self.or_fail(caller, None, done);
            self.broadcasts -= 1;
        }
    }

    /// Lets that much time of tokio's clock pass, and carries out what arrives meanwhile.
    #[track_caller]
    pub fn wait(&mut self, time: std::time::Duration) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let done = self.listen(time).await;
            self.or_fail(caller, None, done);
        }
    }

    /// An action begins: what came before it is carried out, and told no more.
    async fn begin(&mut self) -> Result<(), String> {
        self.catch_up().await?;
        self.operations.clear();
        Ok(())
    }

    fn or_fail<T>(
        &self,
        caller: &Location<'_>,
        selector: Option<&str>,
        done: Result<T, String>,
    ) -> T {
        match done {
            Ok(done) => done,
            Err(sentence) => panic!("{caller}: {}", self.failure(&sentence, selector)),
        }
    }

    /// A sentence, and what there is to understand it.
    fn failure(&self, sentence: &str, selector: Option<&str>) -> String {
        let mut out = sentence.to_owned();
        let found = selector.and_then(|selector| self.nearest_to(selector));
        let body = || self.page.body().unwrap_or_else(|| self.page.root());
        let place = match &found {
            Some((at, _)) if Some(*at) == selector => " has there".to_owned(),
            Some((at, _)) => format!(" has at {at:?}"),
            None => String::new(),
        };
        let shown = found.map_or_else(body, |(_, id)| id);
        let _ = write!(out, "\nthe page at {}{place}:", self.url);
        for line in self.page.markup(shown, SHOWN_CHARACTERS_MAX).lines() {
            let _ = write!(out, "\n    {line}");
        }
        if let Some(outcome) = &self.outcome {
            let _ = write!(out, "\nthe last reflex: {outcome}");
        }
        if self.operations.is_empty() {
            out.push_str("\nno operations since the last action");
        } else {
            out.push_str("\noperations since the last action:");
            for (index, operation) in self.operations.iter().enumerate() {
                let _ = write!(out, "\n    {}. {operation}", index + 1);
            }
        }
        out
    }

    /// The first match of a selector, or else of as much of its beginning as matches: `#list li` of
    /// `#list li .done` shows what is there instead.
    fn nearest_to<'a>(&self, selector: &'a str) -> Option<(&'a str, NodeId)> {
        let mut part = selector.trim_end();
        while !part.is_empty() && !part.contains(',') {
            if let Ok(Some(found)) = self.page.first(part) {
                return Some((part, found));
            }
            let shorter = part.rfind(char::is_whitespace).unwrap_or_default();
            part = part[..shorter].trim_end_matches([' ', '>', '+', '~']);
        }
        None
    }

    /// The first match, or a sentence that there is none.
    fn find(&self, selector: &str) -> Result<NodeId, String> {
        let found = self.page.first(selector)?;
        found.ok_or_else(|| format!("nothing on the page matches {selector:?}"))
    }

    /// What a person reads there: the value of a field, the text of anything else.
    fn shown(&self, id: NodeId) -> String {
        match &*self.page.tag(id) {
            "input" | "textarea" | "select" => self.page.value(id).unwrap_or_default(),
            _ => self.page.text(id),
        }
    }
}

impl std::fmt::Debug for Tab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tab")
            .field("url", &self.url.as_str())
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// A reflex about to be called; see [`Tab::stimulate`].
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// use sinew_testing::Stimulation;
///
/// # struct Item;
/// # #[reflex]
/// # impl Item {
/// #     async fn show(&self, cx: &mut Reflex) -> Result {
/// #         let id = cx.element().attributes().get("id").cloned();
/// #         cx.morph_nothing().payload_mut()["id"] = id.into();
/// #         Ok(())
/// #     }
/// # }
/// # async fn index(client: ClientTags) -> Html<String> {
/// #     Html(format!("<head>{client}</head><body><p id=item_7></p></body>"))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Item));
/// # let mut tab = app.visit("/").await;
/// let call: Stimulation<'_> = tab.stimulate("Item#show", ()).on("#item_7");
/// call.await;
/// assert_eq!(tab.payload()["id"], "item_7");
/// # }
/// ```
#[must_use = "nothing is called before it is awaited"]
#[derive(Debug)]
pub struct Stimulation<'a> {
    tab: &'a mut Tab,
    target: &'a str,
    args: Value,
    selector: &'a str,
    caller: &'static Location<'static>,
}

impl<'a> Stimulation<'a> {
    /// Calls it for this element: its attributes, its data, its form.
    pub fn on(mut self, selector: &'a str) -> Self {
        self.selector = selector;
        self
    }
}

impl<'a> IntoFuture for Stimulation<'a> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let tab = self.tab;
            let begun = tab.begin().await;
            tab.or_fail(self.caller, None, begun);
            let done = match tab.find(self.selector) {
                Ok(element) => tab.call(element, self.target, &self.args).await,
                Err(sentence) => Err(sentence),
            };
            tab.or_fail(self.caller, Some(self.selector), done);
        })
    }
}

/// An id that nobody else has: 128 random bits as a session's id, told apart by who asks.
fn unique() -> String {
    sinew::session::SessionId::generate().to_string()
}

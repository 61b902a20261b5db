//! The macros of Sinew: `#[reflex]`, `#[channel]` and `reflex!`.
//!
//! For the `sinew` facade, which re-exports them; applications do not depend on this crate.
//! It knows the names of the types it writes, not the types: everything generated goes through `sinew::__macro`, or through the crate named by `crate = …`.
//!
//! The functions behind the macros work on token streams only, so that what they write and what they refuse is tested like any function.

mod attributes;
mod channel;
mod names;
mod reflex;
mod signature;
mod target;

use proc_macro::TokenStream;

/// Makes the methods of an `impl` callable from the browser.
///
/// Every `async fn` of the form `(&self, cx: &mut Reflex, …)` is an action; its further parameters are the call's arguments, any type serde can read. Parameters at the end that are an `Option` may be left out by the caller.
/// What an action returns is `Result`, or nothing.
/// Other methods stay what they are; one that looks like an action and is none is marked `#[helper]`.
///
/// On methods:
///
/// | attribute | meaning |
/// |---|---|
/// | `#[action(concurrent, timeout = "5s", name = "…")]` | settings of one action |
/// | `#[before]` | runs before the actions; may `return cx.halt()` or `cx.forbid()` |
/// | `#[around]` | `(&self, cx: &mut Reflex, next: Next<'_>)`, calls `next.run(cx).await` |
/// | `#[after]` | runs after the actions, unless they were halted or failed; in reverse order |
/// | `#[rescue]` | `(&self, cx: &mut Reflex, error: &Error)`, hears of every error |
/// | `#[helper]` | not an action |
///
/// `#[before]`, `#[around]` and `#[after]` take `only(a, b)`, `except(a, b)`, `if = condition`, `unless = condition` and `prepend`.
/// A condition is a method `fn condition(&self, cx: &Reflex) -> bool`, or the path of such a function. An action of the application-wide reflex is named as a text: `only("sign_out")`.
///
/// On the `impl`: `name = "Admin::Users"`, `skip(callback, only(a))` for callbacks of the application-wide reflex, `concurrent` and `timeout = "5s"` for all actions, `crate = path` where `sinew` has another name.
///
/// An action, and the page it changes:
///
/// ```
/// use axum::{Router, response::Html, routing::get};
/// use sinew::prelude::*;
/// use sinew_testing::TestApp;
///
/// struct Counter;
///
/// #[reflex]
/// impl Counter {
///     async fn increment(&self, cx: &mut Reflex, step: Option<i64>) -> Result {
///         let step = step.unwrap_or(1);
///         cx.session().update("count", move |count: i64| count + step).await?;
///         Ok(()) // nothing said: the page is rendered again and morphed
///     }
/// }
///
/// async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
///     let count: i64 = session.get_or_default("count").await?;
///     Ok(Html(format!(
///         "<head>{client}</head><body>
///            <p id=count>{count}</p>
///            <button data-reflex='click->Counter#increment'>+</button>
///          </body>"
///     )))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Counter));
/// let mut tab = app.visit("/").await;
/// tab.click("button").await;
/// tab.assert_text("#count", "1");
/// tab.stimulate("Counter#increment", [10]).await;
/// tab.assert_text("#count", "11");
/// # }
/// ```
///
/// Callbacks, of which one is of the whole application, and settings:
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// struct Application;
///
/// #[reflex]
/// impl Application {
///     #[before]
///     async fn sign_in(&self, cx: &mut Reflex) -> Result {
///         cx.forbid()
///     }
/// }
///
/// struct Orders;
///
/// #[reflex(name = "Shop::Orders", skip(sign_in, only(preview, fail)))]
/// impl Orders {
///     #[before(only(preview), unless = is_empty)]
///     async fn load(&self, cx: &mut Reflex) {
///         cx.payload_mut()["loaded"] = true.into();
///     }
///
///     #[around]
///     async fn timed(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
///         next.run(cx).await?;
///         cx.payload_mut()["timed"] = true.into();
///         Ok(())
///     }
///
///     #[after(except(fail))]
///     async fn quietly(&self, cx: &mut Reflex) {
///         cx.morph_nothing();
///     }
///
///     #[rescue]
///     async fn sorry(&self, cx: &mut Reflex, error: &Error) {
///         cx.payload_mut()["sorry"] = error.to_string().into();
///     }
///
///     fn is_empty(&self, _cx: &Reflex) -> bool {
///         false
///     }
///
///     /// Looks like an action and is none: it cannot be called from the browser.
///     #[helper]
///     async fn price(&self, _cx: &mut Reflex) -> u64 {
///         250
///     }
///
///     #[action(concurrent, timeout = "5s")]
///     async fn preview(&self, cx: &mut Reflex) {
///         cx.payload_mut()["cents"] = self.price(cx).await.into();
///     }
///
///     async fn fail(&self, _cx: &mut Reflex) -> Result {
///         Err("out of stock".into())
///     }
///
///     async fn pay(&self, _cx: &mut Reflex) {}
/// }
///
/// # async fn index(client: ClientTags) -> Html<String> {
/// #     Html(format!("<head>{client}</head><body><p id=list></p></body>"))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let sinew = Sinew::new(Router::new().route("/", get(index)));
/// let sinew = sinew.application_reflex(Application).reflex(Orders);
/// # let app = TestApp::new(sinew);
/// # let mut tab = app.visit("/").await;
/// tab.stimulate("Shop::Orders#preview", ()).await;
/// assert_eq!(tab.payload()["cents"], 250);
/// assert_eq!((&tab.payload()["loaded"], &tab.payload()["timed"]), (&true.into(), &true.into()));
/// tab.stimulate("Shop::Orders#fail", ()).await;
/// assert_eq!(tab.payload()["sorry"], "out of stock");
/// tab.stimulate("Shop::Orders#pay", ()).await;
/// assert!(tab.outcome().is_forbidden());
/// # }
/// ```
#[proc_macro_attribute]
pub fn reflex(attribute: TokenStream, item: TokenStream) -> TokenStream {
    reflex::expand(attribute.into(), item.into()).into()
}

/// Makes an Action Cable channel of an `impl`.
///
/// Every `async fn` of the form `(&self, cx: &mut Subscription, …)` is an action; a further parameter is the message, any type serde can read.
/// `subscribed`, `unsubscribed` and `receive` are what they are called in Action Cable, and no actions.
/// The channel's name is that of the type, or `#[channel(name = "Chat::RoomChannel")]`.
/// `#[channel(in_place)]` begins the actions where the connection is driven, and makes a task of one only if it has to wait: for actions that neither block nor compute for long, since meanwhile no other connection of that shard is served.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// use serde_json::json;
/// use sinew::prelude::*;
/// use sinew_testing::TestApp;
///
/// #[derive(serde::Deserialize)]
/// struct Line {
///     text: String,
/// }
///
/// struct ChatChannel;
///
/// #[channel]
/// impl ChatChannel {
///     async fn subscribed(&self, cx: &mut Subscription) {
///         cx.stream_from("chat");
///     }
///
///     /// `subscription.perform("speak", { text: "Hello" })`
///     async fn speak(&self, cx: &mut Subscription, line: Line) -> ChannelResult {
///         cx.transmit(&json!({"spoken": line.text}))
///     }
/// }
///
/// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// # let router = Router::new().route("/", get(index));
/// let app = TestApp::new(Sinew::new(router).channel(ChatChannel));
/// let mut tab = app.visit("/").await;
/// let chat = tab.subscribe("ChatChannel", ()).await;
///
/// tab.perform(&chat, "speak", json!({"text": "Hello"})).await;
/// assert_eq!(tab.message(&chat).await, json!({"spoken": "Hello"}));
///
/// app.handle().broadcaster().broadcast("chat", &"to everybody").await?;
/// assert_eq!(tab.message(&chat).await, "to everybody");
/// # Ok(()) }
/// ```
#[proc_macro_attribute]
pub fn channel(attribute: TokenStream, item: TokenStream) -> TokenStream {
    channel::expand(attribute.into(), item.into()).into()
}

/// Names an action in HTML, so that a typo does not compile.
///
/// `reflex!(Counter::increment)` is `"Counter#increment"`, `reflex!("click" => Counter::increment)` is `"click->Counter#increment"`; several are written with commas and joined by spaces. All of them are `&'static str`.
///
/// ```
/// use sinew::prelude::*;
///
/// struct Counter;
///
/// #[reflex]
/// impl Counter {
///     async fn increment(&self, _cx: &mut Reflex) {}
///     async fn show(&self, _cx: &mut Reflex) {}
/// }
///
/// assert_eq!(sinew::reflex!(Counter::increment), "Counter#increment");
/// assert_eq!(
///     sinew::reflex!("click" => Counter::increment, "mouseover" => Counter::show),
///     "click->Counter#increment mouseover->Counter#show"
/// );
/// ```
#[proc_macro]
pub fn target(input: TokenStream) -> TokenStream {
    target::expand(input.into()).into()
}

//! Channels of the application's own, and the connection below them.

use std::panic::Location;

use serde::Serialize;
use serde_json::{Value, json};

use super::Tab;

/// A channel that a tab follows, as a page's own script would; see [`Tab::subscribe`].
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// use sinew_testing::TabSubscription;
///
/// # struct NewsChannel;
/// # #[channel]
/// # impl NewsChannel {
/// #     async fn subscribed(&self, cx: &mut Subscription) { cx.stream_from("news"); }
/// # }
/// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).channel(NewsChannel));
/// # let mut tab = app.visit("/").await;
/// let news: TabSubscription = tab.subscribe("NewsChannel", ()).await;
/// app.handle().broadcaster().broadcast("news", &"fresh").await.unwrap();
/// assert_eq!(tab.message(&news).await, "fresh");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabSubscription {
    identifier: String,
}

impl TabSubscription {
    fn new(channel: &str, params: impl Serialize) -> Result<Self, String> {
        let mut identifier = json!({ "channel": channel });
        match serde_json::to_value(params) {
            Ok(Value::Null) => {}
            Ok(Value::Object(params)) => {
                for (name, value) in params {
                    identifier[name] = value;
                }
            }
            _ => return Err("the parameters of a channel are a map, or `()` for none".to_owned()),
        }
        let identifier = identifier.to_string();
        Ok(Self { identifier })
    }
}

/// Channels of the application's own.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// use serde_json::{Value, json};
/// use sinew::prelude::*;
/// use sinew_testing::TestApp;
///
/// struct RoomChannel;
///
/// #[channel]
/// impl RoomChannel {
///     async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
///         match cx.params().str("room").map(str::to_owned) {
///             Some(room) => cx.stream_from(format!("room_{room}")),
///             None => cx.reject(),
///         }
///         Ok(())
///     }
///
///     async fn whisper(&self, cx: &mut Subscription, data: Value) -> ChannelResult {
///         cx.transmit(&json!({ "whispered": data["text"] }))?;
///         Ok(())
///     }
///
///     async fn receive(&self, cx: &mut Subscription, data: Value) -> ChannelResult {
///         cx.transmit(&json!({ "received": data }))
///     }
/// }
///
/// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
/// # fn application() -> Sinew { Sinew::new(Router::new().route("/", get(index))).channel(RoomChannel) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = TestApp::new(application());
/// let mut tab = app.visit("/").await;
/// let room = tab.subscribe("RoomChannel", json!({"room": "7"})).await;
///
/// tab.perform(&room, "whisper", json!({"text": "hi"})).await;
/// assert_eq!(tab.message(&room).await, json!({"whispered": "hi"}));
///
/// app.handle().broadcaster().broadcast("room_7", &json!({"said": "hello"})).await.unwrap();
/// assert_eq!(tab.message(&room).await["said"], "hello");
///
/// tab.send(&room, json!({"as": "it is"})).await;
/// assert_eq!(tab.message(&room).await["received"]["as"], "it is");
///
/// tab.unsubscribe(&room).await;
/// app.handle().broadcaster().broadcast("room_7", &json!({"said": "too late"})).await.unwrap();
/// assert_eq!(tab.messages_waiting(&room), 0);
///
/// tab.assert_rejected("RoomChannel", ()).await;
/// # }
/// ```
impl Tab {
    /// Subscribes to a channel, as `consumer.subscriptions.create` does, and waits for the server
    /// to confirm it.
    ///
    /// `params` is a map, or `()` for none. The subscription ends with the page. Operations that
    /// come over it are carried out, as the script of such a channel lets CableReady do.
    ///
    /// # Panics
    ///
    /// When the server rejects it, or has no such channel and says nothing.
    #[track_caller]
    pub fn subscribe(
        &mut self,
        channel: &str,
        params: impl Serialize,
    ) -> impl Future<Output = TabSubscription> {
        let caller = Location::caller();
        let subscription = TabSubscription::new(channel, params);
        async move {
            let subscription = self.or_fail(caller, None, subscription);
            let asked = self.ask_for(&subscription).await;
            let confirmed = asked.and_then(|is_confirmed| {
                let refusal = || format!("the server rejected {}", subscription.identifier);
                is_confirmed.then_some(()).ok_or_else(refusal)
            });
            self.or_fail(caller, None, confirmed);
            subscription
        }
    }

    /// Asserts that the server rejects a subscription.
    ///
    /// # Panics
    ///
    /// When it confirms it, or has no such channel and says nothing.
    #[track_caller]
    pub fn assert_rejected(
        &mut self,
        channel: &str,
        params: impl Serialize,
    ) -> impl Future<Output = ()> {
        let caller = Location::caller();
        let subscription = TabSubscription::new(channel, params);
        async move {
            let subscription = self.or_fail(caller, None, subscription);
            let asked = self.ask_for(&subscription).await;
            let rejected = asked.and_then(|is_confirmed| {
                let surprise = || format!("the server confirmed {}", subscription.identifier);
                (!is_confirmed).then_some(()).ok_or_else(surprise)
            });
            self.or_fail(caller, None, rejected);
        }
    }

    /// Calls an action of a channel, as `subscription.perform` does. Nothing says when it has run:
    /// wait for what it does.
    ///
    /// # Panics
    ///
    /// When `data` is no map, or the subscription is not of this page.
    #[track_caller]
    pub fn perform(
        &mut self,
        subscription: &TabSubscription,
        action: &str,
        data: impl Serialize,
    ) -> impl Future<Output = ()> {
        let caller = Location::caller();
        let message = match serde_json::to_value(data) {
            Ok(Value::Null) => Ok(json!({ "action": action })),
            Ok(Value::Object(mut data)) => {
                data.insert("action".to_owned(), action.into());
                Ok(Value::Object(data))
            }
            _ => Err("what an action takes is a map, or `()` for nothing".to_owned()),
        };
        async move {
            let message = self.or_fail(caller, None, message);
            let sent = self.send_over(subscription, &message).await;
            self.or_fail(caller, None, sent);
        }
    }

    /// Sends a message to a channel's `receive`, as `subscription.send` does.
    ///
    /// # Panics
    ///
    /// When `data` is no JSON, or the subscription is not of this page.
    #[track_caller]
    pub fn send(
        &mut self,
        subscription: &TabSubscription,
        data: impl Serialize,
    ) -> impl Future<Output = ()> {
        let caller = Location::caller();
        let message = serde_json::to_value(data).map_err(|error| error.to_string());
        async move {
            let message = self.or_fail(caller, None, message);
            let sent = self.send_over(subscription, &message).await;
            self.or_fail(caller, None, sent);
        }
    }

    /// The next message of a channel, waited for.
    ///
    /// # Panics
    ///
    /// When none comes.
    #[track_caller]
    pub fn message(&mut self, subscription: &TabSubscription) -> impl Future<Output = Value> {
        let caller = Location::caller();
        async move {
            let identifier = &subscription.identifier;
            let waits = |tab: &Self| match tab.channels.get(identifier) {
                Some(waiting) => Ok(!waiting.is_empty()),
                None => Err(format!("{identifier} is no subscription of this page")),
            };
            let done = self.try_until(waits).await;
            let silent = || format!("no message came over {identifier}");
            self.or_fail(caller, None, done.map_err(|why| why.unwrap_or_else(silent)));
            let waiting = self.channels.get_mut(identifier);
            waiting.and_then(|it| it.pop_front()).unwrap_or_default()
        }
    }

    /// How many messages of a channel have arrived that [`message`](Self::message) has not given
    /// out. It does not wait: let time pass with [`wait`](Self::wait) to see that none comes.
    pub fn messages_waiting(&self, subscription: &TabSubscription) -> usize {
        let waiting = self.channels.get(&subscription.identifier);
        waiting.map_or(0, |waiting| waiting.len())
    }

    /// Leaves a channel.
    #[track_caller]
    pub fn unsubscribe(&mut self, subscription: &TabSubscription) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let identifier = &subscription.identifier;
            self.channels.remove(identifier);
            self.subscriptions.remove(identifier);
            let connected = self.connected().await;
            if let Ok(connection) = connected {
                connection.command("unsubscribe", identifier).await;
            }
            let done = self.catch_up().await;
            self.or_fail(caller, None, done);
        }
    }

    async fn ask_for(&mut self, subscription: &TabSubscription) -> Result<bool, String> {
        self.begin().await?;
        self.connected().await?;
        let identifier = &subscription.identifier;
        self.channels.entry(identifier.clone()).or_default();
        self.confirm(vec![identifier.clone()]).await?;
        let is_confirmed = self.subscriptions.get(identifier) == Some(&Some(true));
        if !is_confirmed {
            self.channels.remove(identifier);
        }
        Ok(is_confirmed)
    }

    async fn send_over(
        &mut self,
        subscription: &TabSubscription,
        message: &Value,
    ) -> Result<(), String> {
        self.begin().await?;
        let identifier = &subscription.identifier;
        if !self.channels.contains_key(identifier) {
            return Err(format!("{identifier} is no subscription of this page"));
        }
        self.connected().await?.message(identifier, message).await;
        Ok(())
    }
}

/// The connection.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// # #[derive(Clone, Default)]
/// # struct Messages(std::sync::Arc<std::sync::Mutex<String>>);
/// # struct Chat;
/// # #[reflex]
/// # impl Chat {
/// #     async fn catch_up(&self, _cx: &mut Reflex) {}
/// # }
/// # async fn chat(
/// #     axum::Extension(messages): axum::Extension<Messages>, sinew: SinewHandle, client: ClientTags,
/// # ) -> Html<String> {
/// #     let (stream, messages) = (sinew.stream_from(&["chat"]), messages.0.lock().unwrap().clone());
/// #     Html(format!("<head>{client}</head><body>{stream}\
/// #         <ol id=messages data-reflex='reconnected->Chat#catch_up'>{messages}</ol></body>"))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// # let messages = Messages::default();
/// # let sinew = Sinew::new(Router::new().route("/chat", get(chat))).reflex(Chat);
/// # let app = TestApp::new(sinew.state(messages.clone()));
/// let mut tab = app.visit("/chat").await;
/// tab.lose_connection().await;
/// # messages.0.lock().unwrap().push_str("<li>Hello</li>");
/// app.handle().cable_ready().send("chat", |it| it.append("#messages", "<li>Hello</li>")).await?;
/// tab.assert_missing("#messages li");
///
/// // A reflex on `reconnected` brings the page up to date.
/// tab.reconnect().await;
/// tab.assert_text("#messages li", "Hello");
/// # Ok(()) }
/// ```
impl Tab {
    /// Takes the connection away, as a tunnel does. What is broadcast from now on does not arrive,
    /// and calling a reflex fails the test, until [`reconnect`](Self::reconnect).
    #[track_caller]
    pub fn lose_connection(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            self.connection = None;
            self.comes_again = false;
            self.is_offline = true;
            self.refusal = Some("the test took it away".to_owned());
        }
    }

    /// Connects again: channels and streams are followed as before, and reflexes on `reconnected`
    /// are called, as the embedded client does.
    #[track_caller]
    pub fn reconnect(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.is_offline = false;
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let done = match self.connected().await {
                Ok(_) => self.follow().await,
                Err(sentence) => Err(sentence),
            };
            self.or_fail(caller, None, done);
        }
    }

    /// Tells every element that asks for it that the connection is back.
    pub(super) async fn tell_back(&mut self) -> Result<(), String> {
        for element in self.page.all(r#"[data-reflex*="reconnected->"]"#)? {
            if self.page.is_there(element) {
                self.fire(element, "reconnected").await?;
            }
        }
        Ok(())
    }
}

//! Channels on a whole node, with no socket: a client's frames go straight to its shard.

use std::sync::Mutex;

use serde_json::json;
use sinew_streams::InProcessStreams;
use tokio::sync::{Semaphore, mpsc};

use super::*;
use crate::Cable;
use crate::shard::Key;
use crate::shard::tests::Driver;

/// A client on a shard of its own.
struct Client {
    driver: Driver,
    key: Key,
}

impl Client {
    async fn open(cable: &Cable) -> Self {
        let mut driver = Driver::new(cable);
        let key = driver.open();
        let mut client = Self { driver, key };
        assert_eq!(client.texts().await, [r#"{"type":"welcome"}"#]);
        client
    }

    /// Gives the connection a frame; what it answers at once.
    fn send(&mut self, frame: &str) -> Vec<String> {
        self.driver.receive(self.key, frame);
        self.driver.written(self.key)
    }

    fn command(&mut self, command: &str, channel: &str, data: &str) -> Vec<String> {
        let identifier = json!({"channel": channel}).to_string();
        let frame = json!({"command": command, "identifier": identifier, "data": data});
        self.send(&frame.to_string())
    }

    /// Waits for mail; what is written because of it.
    async fn texts(&mut self) -> Vec<String> {
        loop {
            self.driver.mail().await;
            self.driver.take_mail();
            let texts = self.driver.written(self.key);
            if !texts.is_empty() || self.driver.closing(self.key).is_some() {
                return texts;
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.remove(self.key);
    }
}

fn confirmed(channel: &str) -> String {
    let identifier = json!({"channel": channel}).to_string();
    json!({"identifier": identifier, "type": "confirm_subscription"}).to_string()
}

fn data(channel: &str, message: &str) -> String {
    let identifier = json!(json!({"channel": channel}).to_string());
    format!(r#"{{"identifier":{identifier},"message":{message}}}"#)
}

fn cable(application: Application) -> Cable {
    Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .build()
        .expect("fresh streams")
}

async fn ann(_: Arc<ConnectRequest>) -> Result<ConnectionIdentifiers, Refusal> {
    Ok(ConnectionIdentifiers::new()
        .with("user", "ann")
        .with_extension(7_u32))
}

/// Says what is done with it; counts messages in its state; `subscribed` waits for a permit.
struct Diary {
    told: mpsc::UnboundedSender<String>,
    permits: Arc<Semaphore>,
}

impl Channel for Diary {
    const NAME: &'static str = "Diary";

    async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
        self.told.send("subscribed begins".into())?;
        self.permits.acquire().await?.forget();
        cx.set_state(Mutex::new(0_u32));
        cx.stream_from("diary");
        Ok(())
    }

    async fn unsubscribed(&self, cx: &mut Subscription) {
        let state = cx.state::<Mutex<u32>>().expect("set in subscribed");
        let count = *state.lock().expect("not poisoned");
        let _ = self.told.send(format!("unsubscribed after {count}"));
    }

    async fn receive(&self, cx: &mut Subscription, _: &RawValue) -> Result<(), ChannelError> {
        let state = cx
            .state::<Mutex<u32>>()
            .ok_or_else(|| ChannelError::msg("no state"))?;
        let count = {
            let mut count = state.lock().expect("not poisoned");
            *count += 1;
            *count
        };
        let number = cx.identifiers().extensions().get::<u32>().copied();
        cx.transmit(&json!([cx.identifiers().key(), number, count]))
    }
}

fn diary(permits: usize) -> (Cable, mpsc::UnboundedReceiver<String>, Arc<Semaphore>) {
    let (told, hears) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(permits));
    let channel = Diary {
        told,
        permits: permits.clone(),
    };
    (
        cable(Application::new(ann).channel(channel)),
        hears,
        permits,
    )
}

#[tokio::test]
async fn state_of_a_subscription_lives_as_long_as_it() {
    let (cable, mut hears, _) = diary(2);
    let mut client = Client::open(&cable).await;
    for _ in 0..2 {
        client.command("subscribe", "Diary", "");
        assert_eq!(client.texts().await, [confirmed("Diary")]);
        assert_eq!(hears.recv().await.expect("told"), "subscribed begins");
        for count in 1..=2 {
            client.command("message", "Diary", "{}");
            let expected = data("Diary", &format!(r#"["ann",7,{count}]"#));
            assert_eq!(client.texts().await, [expected]);
        }
        client.command("unsubscribe", "Diary", "");
        assert_eq!(hears.recv().await.expect("told"), "unsubscribed after 2");
    }
}

#[tokio::test]
async fn connection_that_ends_unsubscribes() {
    let (cable, mut hears, _) = diary(1);
    let mut client = Client::open(&cable).await;
    client.command("subscribe", "Diary", "");
    client.texts().await;
    drop(client);
    assert_eq!(hears.recv().await.expect("told"), "subscribed begins");
    assert_eq!(hears.recv().await.expect("told"), "unsubscribed after 0");
    let counted = cable.statistics();
    assert_eq!((counted.connections, counted.subscriptions), (0, 0));
}

#[tokio::test]
async fn client_that_leaves_while_it_subscribes_is_unsubscribed() {
    let (cable, mut hears, permits) = diary(0);
    let mut client = Client::open(&cable).await;
    client.command("subscribe", "Diary", "");
    assert_eq!(hears.recv().await.expect("told"), "subscribed begins");
    drop(client);
    permits.add_permits(1);
    assert_eq!(hears.recv().await.expect("told"), "unsubscribed after 0");
}

#[tokio::test]
async fn answer_that_came_just_before_the_end_counts() {
    let (cable, mut hears, _) = diary(1);
    let mut client = Client::open(&cable).await;
    client.command("subscribe", "Diary", "");
    // Wait until the answer is in the mailbox, and leave it there.
    client.driver.mail().await;
    drop(client);
    assert_eq!(hears.recv().await.expect("told"), "subscribed begins");
    assert_eq!(hears.recv().await.expect("told"), "unsubscribed after 0");
    assert_eq!(cable.statistics().subscriptions, 0);
}

/// Keeps a number and says it back with each message.
struct Direct(mpsc::UnboundedSender<u32>);

impl DirectChannel for Direct {
    fn name(&self) -> &str {
        "Direct"
    }

    fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
        match subscription.identifiers().get("user") {
            Some(_) => Confirmation::new().with_state(Arc::new(7_u32)).into(),
            None => Answer::Rejected,
        }
    }

    fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
        let number = subscription.state::<u32>().expect("kept");
        subscription.transmit_json(&json!([*number, data]).to_string());
    }

    fn unsubscribed(&self, subscription: DirectSubscription<'_>) {
        let _ = self.0.send(*subscription.state::<u32>().expect("kept"));
    }
}

#[tokio::test]
async fn direct_channel_is_done_when_its_call_returns() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let cable = cable(Application::new(ann).direct_channel(Arc::new(Direct(told))));
    let mut client = Client::open(&cable).await;
    assert_eq!(
        client.command("subscribe", "Direct", ""),
        [confirmed("Direct")]
    );
    client.command("message", "Direct", "hello");
    assert_eq!(client.texts().await, [data("Direct", r#"[7,"hello"]"#)]);
    client.command("unsubscribe", "Direct", "");
    assert_eq!(hears.try_recv().expect("told"), 7);
    client.command("subscribe", "Direct", "");
    drop(client);
    assert_eq!(hears.try_recv().expect("told"), 7);
}

#[tokio::test]
async fn context_sends_from_anywhere_and_ends_the_connection() {
    struct Keep(Mutex<Option<ConnectionContext>>);
    impl DirectChannel for Keep {
        fn name(&self) -> &str {
            "Keep"
        }
        fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
            *self.0.lock().expect("not poisoned") = Some(subscription.connection().clone());
            Confirmation::new().into()
        }
        fn perform(&self, _: DirectSubscription<'_>, _: &str) {}
    }
    let keep = Arc::new(Keep(Mutex::new(None)));
    let cable = cable(Application::new(ann).direct_channel(keep.clone()));
    let mut client = Client::open(&cable).await;
    client.command("subscribe", "Keep", "");
    let context = keep.0.lock().expect("not poisoned").clone().expect("kept");
    let identifier = json!({"channel": "Keep"}).to_string().into();
    assert!(
        context
            .transmit(&identifier, &json!({"a": 1}))
            .expect("JSON")
    );
    assert_eq!(client.texts().await, [data("Keep", r#"{"a":1}"#)]);
    context.disconnect(true);
    assert_eq!(
        client.texts().await,
        [r#"{"type":"disconnect","reason":"remote","reconnect":true}"#]
    );
    assert!(
        !context.transmit_json(&identifier, "1"),
        "the connection has ended"
    );
}

#[test]
#[should_panic(expected = "a channel of this name is there already")]
fn two_channels_of_one_name_are_refused() {
    let (told, _) = mpsc::unbounded_channel();
    let _ = Application::new(ann)
        .direct_channel(Arc::new(Direct(told.clone())))
        .direct_channel(Arc::new(Direct(told)));
}

#[test]
fn params_are_read_by_type() {
    let cx = |identifier: &str| {
        let node = crate::mailbox::Node {
            config: crate::Config::default(),
            connections: Default::default(),
            answered: Default::default(),
            streams: Arc::new(InProcessStreams::new()),
        };
        let inbox = crate::inbox::Inbox::new(usize::MAX, Box::new(|| {}));
        let mailbox = crate::mailbox::Mailbox::new(
            crate::ConnectionId(1),
            Key::from_number(0),
            Arc::new(node),
            Arc::new(inbox),
        );
        let connection = ConnectionContext {
            mailbox: Arc::new(mailbox),
        };
        Subscription::new(connection, identifier.into(), None)
    };
    let mut subscription = cx(r#"{"channel":"A","room":"r","page":3,"none":null,"off":false}"#);
    let params = subscription.params();
    assert_eq!(params.str("room"), Some("r"));
    assert_eq!(params.get::<u8>("page"), Some(3));
    assert_eq!(params.get::<u8>("room"), None);
    assert_eq!(params.get::<Option<u8>>("none"), None);
    assert!(params.is_truthy("page"));
    assert!(!params.is_truthy("none") && !params.is_truthy("off") && !params.is_truthy("x"));
    assert_eq!(*cx("not JSON").params(), Params::default());
}

#[tokio::test]
async fn hook_that_has_to_wait_goes_on_as_a_task() {
    let permits = Arc::new(Semaphore::new(0));
    let waits = permits.clone();
    let application = Application::new(move |request| {
        let waits = waits.clone();
        async move {
            waits.acquire().await.expect("open").forget();
            ann(request).await
        }
    });
    let cable = cable(application.connects_in_place());
    let mut driver = Driver::new(&cable);
    let key = driver.open();
    assert_eq!(driver.written(key), [""; 0]);
    permits.add_permits(1);
    let mut client = Client { driver, key };
    assert_eq!(client.texts().await, [r#"{"type":"welcome"}"#]);
}

#[tokio::test]
async fn hook_that_panics_in_place_is_a_refusal() {
    let hook = async |_| -> Result<ConnectionIdentifiers, Refusal> { panic!("on purpose") };
    let cable = cable(Application::new(hook).connects_in_place());
    let mut driver = Driver::new(&cable);
    let key = driver.open();
    assert_eq!(driver.written(key), [""; 0], "no welcome");
    assert!(driver.closing(key).is_some());
}

/// Answers at once, after a permit, or not at all.
struct Prompt(Arc<Semaphore>);

impl Channel for Prompt {
    const NAME: &'static str = "Prompt";
    const IN_PLACE: bool = true;

    async fn perform(
        &self,
        cx: &mut Subscription,
        action: &str,
        _: &RawValue,
    ) -> Result<(), ChannelError> {
        match action {
            "follow" => cx.stream_from("news"),
            "wait" => self.0.acquire().await?.forget(),
            _ => panic!("on purpose"),
        }
        cx.transmit(action)
    }

    async fn receive(&self, cx: &mut Subscription, data: &RawValue) -> Result<(), ChannelError> {
        cx.transmit(data)
    }
}

#[tokio::test]
async fn channel_in_place_answers_without_a_task_and_waits_in_one() {
    let permits = Arc::new(Semaphore::new(0));
    let cable = cable(Application::new(ann).channel(Prompt(permits.clone())));
    let mut client = Client::open(&cable).await;
    client.command("subscribe", "Prompt", "");
    assert_eq!(client.texts().await, [confirmed("Prompt")]);

    // What is known at once is there after one look at the mail, with no task run in between.
    for (asked, answer) in [
        (r#"{"n":1}"#, r#"{"n":1}"#),
        (r#"{"action":"follow"}"#, r#""follow""#),
    ] {
        client.command("message", "Prompt", asked);
        client.driver.take_mail();
        assert_eq!(client.driver.written(client.key), [data("Prompt", answer)]);
    }
    cable
        .broadcaster()
        .broadcast("news", "read")
        .await
        .expect("streams of this process");
    assert_eq!(
        client.texts().await,
        [data("Prompt", r#""read""#)],
        "followed from in place"
    );

    // What waits goes on as a task; the next command waits for it.
    client.command("message", "Prompt", r#"{"action":"wait"}"#);
    client.command("message", "Prompt", r#"{"n":2}"#);
    client.driver.take_mail();
    assert_eq!(client.driver.written(client.key), [""; 0]);
    permits.add_permits(1);
    let mut told = client.texts().await;
    while told.len() < 2 {
        told.extend(client.texts().await);
    }
    assert_eq!(
        told,
        [data("Prompt", r#""wait""#), data("Prompt", r#"{"n":2}"#)]
    );

    // A panic is that command's failure.
    client.command("message", "Prompt", r#"{"action":"panic"}"#);
    client.command("message", "Prompt", r#"{"n":3}"#);
    client.driver.take_mail();
    assert_eq!(
        client.driver.written(client.key),
        [data("Prompt", r#"{"n":3}"#)]
    );
}

//! The state machine by table: an event, and exactly what follows from it.

use std::time::Duration;

use super::*;
use crate::ConnectionIdentifiers;
use crate::Statistics;
use crate::context::ConnectionId;
use crate::controller::SubscriptionState;
use crate::inbox::Inbox;
use crate::mailbox::{Mailbox, Node};
use crate::shard::Key;
use crate::shard::Seat;

/// Answers by the identifier's text, and writes down every effect as one line.
#[derive(Default)]
struct Script {
    lines: Vec<String>,
    connect_later: bool,
}

impl Effects for Script {
    fn send(&mut self, message: ServerMessage<'_>) {
        let mut text = Vec::new();
        message.write(&mut text);
        self.lines
            .push(format!("send {}", String::from_utf8(text).expect("UTF-8")));
    }

    fn close(&mut self, code: u16, text: &'static str) {
        self.lines.push(format!("close {code} {text}"));
    }

    fn call(&mut self, ticket: Ticket, call: Call<'_>) -> Option<Answer> {
        let (line, answer) = match call {
            Call::Connect(_) if self.connect_later => ("connect".to_owned(), None),
            Call::Connect(_) => {
                let who = ConnectionIdentifiers::new().with("user", "ann");
                ("connect".to_owned(), Some(Answer::connected(who)))
            }
            Call::Subscribe { identifier, .. } => {
                let answer = match identifier.as_str() {
                    "later" => None,
                    "no" => Some(Answer::Rejected),
                    "ghost" => Some(Answer::Ignored),
                    "broken" => Some(Answer::Failed),
                    "plain" => Some(Confirmation::new().into()),
                    name => Some(Confirmation::new().stream_from(name).into()),
                };
                (format!("subscribe {identifier}"), answer)
            }
            Call::Perform {
                subscription, data, ..
            } => {
                let answer = match data {
                    "later" => None,
                    "broken" => Some(Answer::Failed),
                    "move" => Some(Answer::from(Changes {
                        unfollow_all: true,
                        follow: vec!["one".into(), "two".into()],
                        ..Changes::default()
                    })),
                    _ => Some(Answer::Done),
                };
                (
                    format!("perform {} {data}", subscription.identifier()),
                    answer,
                )
            }
            Call::Unsubscribe { subscription, .. } => {
                let identifier = subscription.identifier();
                let answer = (identifier.as_str() != "slow goodbye").then_some(Answer::Done);
                (format!("unsubscribe {identifier}"), answer)
            }
        };
        let ticket = ticket.0;
        self.lines.push(match answer {
            Some(_) => line,
            None => format!("{line} #{ticket}"),
        });
        answer
    }

    fn opened(&mut self, identifiers: ConnectionIdentifiers) {
        self.lines.push(format!("opened {}", identifiers.key()));
    }

    fn identifier(&mut self, text: &str) -> Identifier {
        text.into()
    }

    fn follow(
        &mut self,
        ticket: Ticket,
        identifier: &Identifier,
        stream: &mut StreamName,
    ) -> Followed {
        if stream.as_str().starts_with("far") {
            self.lines
                .push(format!("follow {stream} for {identifier} #{}", ticket.0));
            return Followed::Later(Seat::default());
        }
        self.lines.push(format!("follow {stream} for {identifier}"));
        Followed::Now(Seat::default())
    }

    fn unfollow(&mut self, identifier: &Identifier, stream: &StreamName, _: Seat) {
        self.lines
            .push(format!("unfollow {stream} for {identifier}"));
    }

    fn disconnected(&mut self, _: &ConnectionContext, subscriptions: Vec<Subscribed>) {
        let names: Vec<_> = subscriptions
            .iter()
            .map(|subscription| subscription.identifier().as_str())
            .collect();
        self.lines.push(format!("disconnected {names:?}"));
    }
}

struct Table {
    connection: Connection,
    script: Script,
    start: Instant,
}

impl Table {
    /// Not yet opened.
    fn new(config: Config) -> Self {
        let node = Arc::new(Node {
            config,
            connections: std::sync::atomic::AtomicU64::new(0),
            answered: std::sync::atomic::AtomicU64::new(0),
            streams: Arc::new(sinew_streams::InProcessStreams::new()),
        });
        let inbox = Arc::new(Inbox::new(usize::MAX, Box::new(|| {})));
        let key = Key::from_number(0);
        let mailbox = Arc::new(Mailbox::new(ConnectionId(1), key, node, inbox));
        let start = Instant::now();
        Self {
            connection: Connection::new(start, ConnectionContext { mailbox }),
            script: Script::default(),
            start,
        }
    }

    fn counted(&self) -> Statistics {
        let mut statistics = Statistics::default();
        let counters = self.connection.context.mailbox.counters();
        counters.add_to(&mut statistics);
        statistics
    }

    fn open() -> Self {
        Self::open_with(Config::default())
    }

    fn open_with(config: Config) -> Self {
        let mut table = Self::new(config);
        table.check(
            Event::Opened(Arc::default()),
            &["connect", "opened ann", r#"send {"type":"welcome"}"#],
        );
        table
    }

    #[track_caller]
    fn check(&mut self, event: Event<'_>, expected: &[&str]) {
        self.check_at(Duration::ZERO, event, expected);
    }

    #[track_caller]
    fn check_at(&mut self, after: Duration, event: Event<'_>, expected: &[&str]) {
        self.connection
            .handle(self.start + after, event, &mut self.script);
        assert_eq!(std::mem::take(&mut self.script.lines), expected);
    }

    #[track_caller]
    fn subscribe(&mut self, identifier: &str, expected: &[&str]) {
        let frame = format!(r#"{{"command":"subscribe","identifier":"{identifier}"}}"#);
        self.check(Event::Text(&frame), expected);
    }

    #[track_caller]
    fn unsubscribe(&mut self, identifier: &str, expected: &[&str]) {
        let frame = format!(r#"{{"command":"unsubscribe","identifier":"{identifier}"}}"#);
        self.check(Event::Text(&frame), expected);
    }

    #[track_caller]
    fn message(&mut self, identifier: &str, data: &str, expected: &[&str]) {
        let frame =
            format!(r#"{{"command":"message","identifier":"{identifier}","data":"{data}"}}"#);
        self.check(Event::Text(&frame), expected);
    }

    #[track_caller]
    fn subscribed(&mut self, identifier: &str) {
        self.subscribe(
            identifier,
            &[
                &format!("subscribe {identifier}"),
                &format!("follow {identifier} for {identifier}"),
                &confirm(identifier),
            ],
        );
    }
}

fn confirm(identifier: &str) -> String {
    format!(r#"send {{"identifier":"{identifier}","type":"confirm_subscription"}}"#)
}

fn reject(identifier: &str) -> String {
    format!(r#"send {{"identifier":"{identifier}","type":"reject_subscription"}}"#)
}

const PING: &str = r#"{"command":"ping"}"#;
const PONG: &str = r#"send {"type":"pong"}"#;

#[test]
fn subscribe_follows_streams_before_it_confirms() {
    let mut table = Table::open();
    table.subscribe(
        "news",
        &["subscribe news", "follow news for news", &confirm("news")],
    );
}

#[test]
fn duplicate_is_confirmed_again_without_a_call() {
    let mut table = Table::open();
    table.subscribed("news");
    table.subscribe("news", &[&confirm("news")]);
    assert_eq!(table.connection.subscriptions.len(), 1);
}

#[test]
fn refusals_of_a_subscription_keep_the_connection() {
    let mut table = Table::open();
    table.subscribe("no", &["subscribe no", &reject("no")]);
    table.subscribe("ghost", &["subscribe ghost"]);
    table.subscribe("broken", &["subscribe broken"]);
    assert!(matches!(table.connection.phase, Phase::Open(_)));
    assert!(table.connection.subscriptions.is_empty());
    table.message("no", "x", &[]);
    let counted = table.counted();
    assert_eq!(
        (
            counted.subscriptions_rejected,
            counted.commands_failed,
            counted.calls_failed
        ),
        (1, 2, 1)
    );
}

#[test]
fn unsubscribe_leaves_streams_and_is_not_answered() {
    let mut table = Table::open();
    table.subscribed("news");
    table.unsubscribe("news", &["unfollow news for news", "unsubscribe news"]);
    table.unsubscribe("news", &[]);
    table.message("news", "x", &[]);
    table.subscribed("news");
}

#[test]
fn message_is_performed() {
    let mut table = Table::open();
    table.subscribed("news");
    table.message("news", "hello", &["perform news hello"]);
    table.message("news", "broken", &["perform news broken"]);
    table.message("news", "hello", &["perform news hello"]);
}

#[test]
fn binary_frame_counts_as_text() {
    let mut table = Table::open();
    table.check(Event::Binary(PING.as_bytes()), &[PONG]);
    table.check(Event::Binary(&[0xff]), &[]);
}

#[test]
fn action_changes_what_is_followed() {
    let mut table = Table::open();
    table.subscribed("one");
    table.message(
        "one",
        "move",
        &[
            "perform one move",
            "unfollow one for one",
            "follow one for one",
            "follow two for one",
        ],
    );
}

#[test]
fn later_answer_holds_back_the_commands_behind_it() {
    let mut table = Table::open();
    table.subscribe("later", &["subscribe later #2"]);
    table.message("later", "hello", &[]);
    table.check(Event::Text(PING), &[]);
    table.check(
        Event::Answered(Ticket(2), Confirmation::new().into()),
        &[&confirm("later"), "perform later hello", PONG],
    );
    table.message("later", "later", &["perform later later #4"]);
    table.unsubscribe("later", &[]);
    table.check(
        Event::Answered(Ticket(4), Answer::Done),
        &["unsubscribe later"],
    );
}

#[test]
fn waiting_stops_at_the_next_command_that_takes_time() {
    let mut table = Table::open();
    table.subscribed("news");
    table.message("news", "later", &["perform news later #3"]);
    table.message("news", "later", &[]);
    table.message("news", "hello", &[]);
    table.check(
        Event::Answered(Ticket(3), Answer::Done),
        &["perform news later #4"],
    );
    table.check(
        Event::Answered(Ticket(4), Answer::Failed),
        &["perform news hello"],
    );
}

#[test]
fn answer_to_an_older_call_is_dropped() {
    let mut table = Table::open();
    table.subscribed("news");
    table.message("news", "later", &["perform news later #3"]);
    table.check(Event::Answered(Ticket(2), Answer::Done), &[]);
    table.check(Event::Text(PING), &[]);
    table.check(Event::Answered(Ticket(3), Answer::Done), &[PONG]);
    table.check(Event::Answered(Ticket(3), Answer::Rejected), &[]);
}

#[test]
fn stream_of_other_nodes_is_followed_before_the_confirmation() {
    let mut table = Table::open();
    table.subscribe("far", &["subscribe far", "follow far for far #2"]);
    table.check(Event::Text(PING), &[]);
    table.check(Event::Followed(Ticket(2), true), &[&confirm("far"), PONG]);
}

#[test]
fn stream_that_cannot_be_followed_leaves_no_subscription() {
    let mut table = Table::open();
    table.subscribe("far", &["subscribe far", "follow far for far #2"]);
    table.check(Event::Followed(Ticket(2), false), &["unfollow far for far"]);
    assert!(table.connection.subscriptions.is_empty());
    assert_eq!(table.counted().subscriptions, 0);
    table.check(Event::Text(PING), &[PONG]);
}

#[test]
fn commands_before_the_welcome_wait_for_it() {
    let mut table = Table::new(Config::default());
    table.script.connect_later = true;
    table.check(Event::Opened(Arc::default()), &["connect #1"]);
    table.check(Event::Text(PING), &[]);
    table.check(
        Event::Answered(Ticket(1), Answer::connected(ConnectionIdentifiers::new())),
        &["opened ", r#"send {"type":"welcome"}"#, PONG],
    );
}

#[test]
fn refused_connection_is_told_why() {
    let mut table = Table::new(Config::default());
    table.script.connect_later = true;
    table.check(Event::Opened(Arc::default()), &["connect #1"]);
    table.check(Event::Text(PING), &[]);
    table.check(
        Event::Answered(Ticket(1), Answer::Refused(Refusal::unauthorized())),
        &[
            r#"send {"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
            "close 1000 ",
        ],
    );
    table.check(Event::Text(PING), &[]);
    table.check(Event::Gone, &[]);
}

#[test]
fn application_that_fails_at_connect_closes_without_a_word() {
    let mut table = Table::new(Config::default());
    table.script.connect_later = true;
    table.check(Event::Opened(Arc::default()), &["connect #1"]);
    table.check(Event::Answered(Ticket(1), Answer::Failed), &["close 1011 "]);
}

#[test]
fn application_that_does_not_answer_the_connect_is_given_up_on() {
    let mut table = Table::new(Config::default());
    table.script.connect_later = true;
    table.check(Event::Opened(Arc::default()), &["connect #1"]);
    table.check_at(Duration::from_secs(29), Event::Tick, &[]);
    table.check_at(
        Duration::from_secs(30),
        Event::Tick,
        &[
            r#"send {"type":"disconnect","reason":"idle_timeout","reconnect":false}"#,
            "close 1000 Idle Timeout",
        ],
    );
    table.check(
        Event::Answered(Ticket(1), Answer::connected(ConnectionIdentifiers::new())),
        &[],
    );
}

#[test]
fn disconnect_leaves_streams_and_tells_the_application_once() {
    let mut table = Table::open();
    table.subscribed("one");
    table.subscribed("two");
    table.check(
        Event::Disconnect {
            reason: DisconnectReason::TooSlow,
            reconnect: true,
        },
        &[
            r#"send {"type":"disconnect","reason":"too_slow","reconnect":true}"#,
            "close 1000 ",
            "unfollow one for one",
            "unfollow two for two",
            r#"disconnected ["one", "two"]"#,
        ],
    );
    table.check(Event::Text(PING), &[]);
    table.check(Event::Gone, &[]);
    assert_eq!(table.counted().subscriptions, 0);
}

#[test]
fn socket_that_is_gone_leaves_streams() {
    let mut table = Table::open();
    table.subscribed("one");
    table.check(
        Event::Gone,
        &["unfollow one for one", r#"disconnected ["one"]"#],
    );
}

#[test]
fn bounds_are_answered_with_a_rejection() {
    let config = Config {
        subscriptions_max: 1,
        identifier_bytes_max: 5,
        ..Config::default()
    };
    let mut table = Table::open_with(config);
    table.subscribe("longer", &[&reject("longer")]);
    table.subscribed("short");
    table.subscribe("more", &[&reject("more")]);
    table.subscribe("short", &[&confirm("short")]);
}

#[test]
fn too_many_waiting_commands_ask_for_the_socket_not_to_be_read() {
    let config = Config {
        waiting_commands_max: 2,
        waiting_bytes_max: 100,
        ..Config::default()
    };
    let mut table = Table::open_with(config);
    table.subscribed("news");
    table.message("news", "later", &["perform news later #3"]);
    table.message("news", "a", &[]);
    assert!(!table.connection.is_congested());
    table.message("news", "b", &[]);
    assert!(table.connection.is_congested(), "by count");
    table.check(
        Event::Answered(Ticket(3), Answer::Done),
        &["perform news a", "perform news b"],
    );
    assert!(!table.connection.is_congested());
    table.message("news", "later", &["perform news later #6"]);
    table.message("news", &"x".repeat(100), &[]);
    assert!(table.connection.is_congested(), "by bytes");
}

#[test]
fn state_and_route_come_back_with_every_call() {
    let subscription =
        Subscribed::new("news".into(), Some(Arc::new(7_u32) as SubscriptionState), 3);
    assert_eq!(subscription.route(), 3);
    let state = subscription.state().cloned().expect("kept");
    assert_eq!(*state.downcast::<u32>().expect("the type"), 7);
}

#[test]
fn idle_connection_is_small() {
    assert!(
        size_of::<Connection>() <= 120,
        "{}",
        size_of::<Connection>()
    );
    assert!(size_of::<Subscribed>() <= 80, "{}", size_of::<Subscribed>());
}

//! Lanes: order within a tab, parallel tabs, bounds.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Config, Reflex};
use sinew_store::SessionId;
use tokio::sync::Semaphore;

use crate::server::{STREAM, Server, client, last, status};

/// Actions wait until the test lets them go on.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    entered: Arc<Semaphore>,
    log: Arc<Mutex<Vec<u64>>>,
}

impl Gate {
    fn new() -> Self {
        Self {
            open: Arc::new(Semaphore::new(0)),
            entered: Arc::new(Semaphore::new(0)),
            log: Arc::default(),
        }
    }

    async fn entered(&self, count: u32) {
        self.entered
            .acquire_many(count)
            .await
            .expect("open")
            .forget();
    }
}

#[reflex(crate = sinew_reflex)]
impl Gate {
    async fn wait(&self, cx: &mut Reflex, number: Option<u64>) {
        self.entered.add_permits(1);
        self.open.acquire().await.expect("open").forget();
        self.log.lock().push(number.unwrap_or_default());
        cx.morph_nothing();
    }

    async fn pass(&self, cx: &mut Reflex, number: Option<u64>) {
        self.log.lock().push(number.unwrap_or_default());
        cx.morph_nothing();
    }

    #[action(concurrent)]
    async fn beside(&self, cx: &mut Reflex) {
        self.entered.add_permits(1);
        self.open.acquire().await.expect("open").forget();
        cx.morph_nothing();
    }
}

async fn server(config: Config) -> (Server, Gate) {
    let gate = Gate::new();
    let server = Server::with_config(config, |builder| builder.reflex(gate.clone())).await;
    (server, gate)
}

fn id(message: &serde_json::Value) -> &str {
    last(message)["reflexId"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tab_runs_and_answers_in_order() {
    let (mut server, gate) = server(Config::default()).await;
    let first = server.send("Gate#wait", json!({"tabId": "a", "args": [1]}));
    let mut ids = vec![first];
    for number in 2..=50 {
        // What cannot be found waits its turn, too.
        let target = if number == 7 {
            "Gone#away"
        } else {
            "Gate#pass"
        };
        ids.push(server.send(target, json!({"tabId": "a", "args": [number]})));
    }
    gate.entered(1).await;
    assert!(server.is_silent(), "nothing passes the first");
    gate.open.add_permits(1);
    for expected in ids {
        assert_eq!(id(&server.message().await), expected);
    }
    let expected: Vec<u64> = (1..=50).filter(|number| *number != 7).collect();
    assert_eq!(*gate.log.lock(), expected);
}

#[tokio::test]
async fn tabs_and_concurrent_actions_run_beside() {
    let (mut server, gate) = server(Config::default()).await;
    let waiting = server.send("Gate#wait", json!({"tabId": "a"}));
    let other_tab = server.send("Gate#pass", json!({"tabId": "b"}));
    assert_eq!(id(&server.message().await), other_tab);
    server.send("Gate#beside", json!({"tabId": "a"}));
    server.send("Gate#beside", json!({"tabId": "a"}));
    gate.entered(3).await;
    gate.open.add_permits(3);
    let mut ids = vec![];
    for _ in 0..3 {
        ids.push(id(&server.message().await).to_owned());
    }
    assert!(ids.contains(&waiting));
}

#[tokio::test]
async fn a_full_lane_refuses_by_name() {
    let config = Config {
        lane_calls_max: 2,
        ..Config::default()
    };
    let (mut server, gate) = server(config).await;
    let first = server.send("Gate#wait", json!({}));
    let second = server.send("Gate#pass", json!({}));
    let third = server.send("Gate#pass", json!({}));
    let refused = server.send("Gate#pass", json!({}));
    let reply = server.message().await;
    assert_eq!(id(&reply), refused);
    assert_eq!(
        last(&reply)["error"],
        "Too many actions are waiting. Please try again when they are done."
    );
    gate.open.add_permits(1);
    for expected in [first, second, third] {
        let reply = server.message().await;
        assert_eq!((id(&reply), status(&reply)), (expected.as_str(), "nothing"));
    }
    assert_eq!(
        status(&server.call("Gate#pass").await),
        "nothing",
        "there is room again"
    );
}

#[tokio::test]
async fn made_up_tabs_and_concurrent_actions_meet_the_bound_of_the_connection() {
    let config = Config {
        connection_calls_max: 10,
        ..Config::default()
    };
    let (mut server, gate) = server(config).await;
    for tab in 0..5 {
        server.send("Gate#wait", json!({"tabId": tab.to_string()}));
        server.send("Gate#beside", json!({}));
    }
    for tab in 0..5 {
        server.send("Gate#pass", json!({"tabId": format!("more-{tab}")}));
        assert_eq!(status(&server.message().await), "error");
    }
    gate.open.add_permits(10);
    for _ in 0..10 {
        assert_eq!(status(&server.message().await), "nothing");
    }
    assert_eq!(status(&server.call("Gate#pass").await), "nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_without_waiting_are_all_answered() {
    let (mut server, gate) = server(Config::default()).await;
    let mut expected = std::collections::HashSet::new();
    for number in 0..10_000 {
        let target = if number == 0 {
            "Gate#wait"
        } else {
            "Gate#pass"
        };
        expected.insert(server.send(target, json!({})));
        if number == 0 {
            gate.entered(1).await;
        }
    }
    // Another connection is unharmed.
    let other = client(STREAM, &server.sessions, SessionId::generate());
    server.engine.receive(
        &other,
        r#"{"target":"Gate#pass","version":"3.5.5","id":"other"}"#,
    );
    expected.insert("other".to_owned());
    let mut refused = 0;
    let mut answered = 0;
    for index in 0..10_001 {
        if index == 9_899 + 1 {
            gate.open.add_permits(1);
        }
        let reply = server.message().await;
        assert!(expected.remove(id(&reply)), "answered once: {reply}");
        match status(&reply) {
            "error" => refused += 1,
            _ => answered += 1,
        }
    }
    assert_eq!(
        (refused, answered),
        (9_899, 102),
        "one runs, 100 wait, one is another's"
    );
    assert_eq!(server.engine.statistics().overloads, 9_899);
    assert!(server.is_silent());
}

#[tokio::test]
async fn an_engine_is_idle_when_all_lanes_have_ended() {
    let (mut server, gate) = server(Config::default()).await;
    server.engine.idle().await;
    server.send("Gate#wait", json!({}));
    server.send("Gate#beside", json!({}));
    gate.entered(2).await;
    let engine = server.engine.clone();
    let idle = tokio::spawn(async move { engine.idle().await });
    tokio::task::yield_now().await;
    assert!(!idle.is_finished());
    gate.open.add_permits(2);
    idle.await.expect("idle");
    assert_eq!(server.engine.statistics().nothings, 2);
}

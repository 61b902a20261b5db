use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sinew::prelude::*;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use crate::application::{Counter, router};
use crate::browser::{Browser, REFLEXES, Reply, Tab};
use crate::server::Server;

const CALLS: usize = 10_000;

#[derive(Clone)]
struct Gate(Arc<Semaphore>);

struct Slow;

#[reflex]
impl Slow {
    /// Waits until the gate is open; it stays so.
    async fn wait(&self, cx: &mut Reflex) -> Result {
        let gate = cx.state::<Gate>().clone();
        let _permit = gate.0.acquire().await?;
        cx.morph_nothing();
        Ok(())
    }
}

async fn start() -> (Server, Gate) {
    let gate = Gate(Arc::new(Semaphore::new(0)));
    let sinew = Sinew::new(router())
        .reflex(Slow)
        .reflex(Counter)
        .state(gate.clone());
    (Server::start(sinew).await, gate)
}

/// Fires without waiting while replies are read as they come; `gate` is opened once only those
/// calls are left that wait for it.
async fn flood(mut tab: Tab, tabs: usize, gate: Gate, waiting: usize) -> HashMap<String, usize> {
    let mut calls = Vec::with_capacity(CALLS);
    for number in 0..CALLS {
        tab.id = format!("tab {}", number % tabs);
        calls.push(tab.call("Slow#wait"));
    }
    let (mut sink, mut source) = tab.cable.socket.split();
    let write = async move {
        for call in calls {
            let data = call.text();
            let frame = json!({"command": "message", "identifier": REFLEXES, "data": data});
            sink.feed(Message::text(frame.to_string()))
                .await
                .expect("sends");
        }
        sink.flush().await.expect("sends");
        sink
    };
    let read = async {
        let mut ends = HashMap::new();
        let mut ids = std::collections::HashSet::new();
        while ids.len() < CALLS {
            let frame = source.next().await.expect("lives").expect("lives");
            let frame: Value = serde_json::from_str(frame.to_text().expect("text")).expect("JSON");
            let (id, reply) = Reply::of(&frame).expect("a reply");
            assert!(ids.insert(id), "one reply for each call");
            let end = match reply.event() {
                Some("error") => reply.error().to_owned(),
                other => format!("{other:?}"),
            };
            *ends.entry(end).or_default() += 1;
            if ids.len() == CALLS - waiting {
                gate.0.add_permits(1);
            }
        }
        ends
    };
    tokio::join!(write, read).1
}

const REFUSED: &str = "Too many actions are waiting. Please try again when they are done.";

async fn check(tabs: usize, admitted: usize) {
    let (server, gate) = start().await;
    let tab = Browser::visit(&server, "/").await.tab("/").await;
    let mut other = Browser::visit(&server, "/").await.tab("/").await;
    let flood = tokio::spawn(flood(tab, tabs, gate, admitted));
    // Somebody else is served while it rages.
    let mut count = 0;
    while !flood.is_finished() || count == 0 {
        count += 1;
        let reply = other.perform("Counter#increment", json!([])).await;
        assert_eq!(reply.html(), format!("<p id=\"count\">{count}</p>"));
    }
    let ends = flood.await.expect("the flood is answered");
    assert_eq!(ends["Some(\"nothing\")"], admitted);
    assert_eq!(ends[REFUSED], CALLS - admitted);
    assert_eq!(ends.len(), 2);

    let statistics = server.app.engine().statistics();
    assert_eq!(statistics.overloads, (CALLS - admitted) as u64);
    assert_eq!(statistics.unanswered, 0);
    assert_eq!(server.app.handle().cable().statistics().slow_connections, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_reflexes_of_one_tab_are_all_answered() {
    // One runs, a hundred wait.
    check(1, 101).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_tabs_do_not_help() {
    check(CALLS, 400).await;
}

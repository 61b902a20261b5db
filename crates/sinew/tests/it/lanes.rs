use std::sync::Arc;

use serde_json::json;
use sinew::prelude::*;
use tokio::sync::Semaphore;

use crate::application::router;
use crate::browser::{Browser, Tab};
use crate::server::Server;

/// What slow actions wait for.
#[derive(Clone)]
struct Gate(Arc<Semaphore>);

struct Slow;

#[reflex]
impl Slow {
    async fn wait(&self, cx: &mut Reflex) -> Result {
        let gate = cx.state::<Gate>().clone();
        gate.0.acquire().await?.forget();
        cx.morph_nothing();
        Ok(())
    }

    async fn write_late(&self, cx: &mut Reflex) -> Result {
        let gate = cx.state::<Gate>().clone();
        gate.0.acquire().await?.forget();
        cx.session().set("count", &7).await?;
        Ok(())
    }

    async fn quick(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }

    #[action(concurrent)]
    async fn overtake(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }

    /// Ends at once; its work goes on and reports later.
    async fn job(&self, cx: &mut Reflex) -> Result {
        let (gate, handle) = (cx.state::<Gate>().clone(), cx.handle());
        cx.spawn(async move {
            gate.0.acquire().await?.forget();
            handle
                .send(|operations| operations.console_log("done"))
                .await
        });
        cx.morph_nothing();
        Ok(())
    }
}

async fn start() -> (Server, Browser, Gate) {
    let gate = Gate(Arc::new(Semaphore::new(0)));
    let sinew = Sinew::new(router()).reflex(Slow).state(gate.clone());
    let server = Server::start(sinew).await;
    let browser = Browser::visit(&server, "/").await;
    (server, browser, gate)
}

async fn expect_order(tab: &mut Tab, ids: &[String]) {
    for id in ids {
        assert_eq!(&tab.next_reply().await.0, id);
    }
}

#[tokio::test]
async fn reflexes_of_one_tab_answer_in_order() {
    let (_server, browser, gate) = start().await;
    let mut tab = browser.tab("/").await;
    let slow = tab.fire("Slow#wait", json!([])).await;
    let quick = tab.fire("Slow#quick", json!([])).await;
    let unknown = tab.fire("Slow#no_such_action", json!([])).await;
    let last = tab.fire("Slow#quick", json!([])).await;
    // A concurrent one overtakes them all; a refused one waits for its turn.
    let overtaking = tab.fire("Slow#overtake", json!([])).await;
    expect_order(&mut tab, &[overtaking]).await;
    gate.0.add_permits(1);
    expect_order(&mut tab, &[slow, quick, unknown, last]).await;
}

#[tokio::test]
async fn tabs_run_in_parallel() {
    let (_server, browser, gate) = start().await;
    // Two sockets of one visitor share replies; two tabs on one socket are two lanes as well.
    let (mut one, mut other) = (browser.tab("/").await, browser.tab("/").await);
    let slow = one.fire("Slow#wait", json!([])).await;
    let quick = other.fire("Slow#quick", json!([])).await;
    expect_order(&mut other, std::slice::from_ref(&quick)).await;
    one.id = "second tab".to_owned();
    let second = one.fire("Slow#quick", json!([])).await;
    expect_order(&mut one, &[quick, second.clone()]).await;
    gate.0.add_permits(1);
    expect_order(&mut one, std::slice::from_ref(&slow)).await;
    expect_order(&mut other, &[second, slow]).await;
}

#[tokio::test]
async fn reflex_goes_on_when_its_socket_is_gone() {
    let (server, mut browser, gate) = start().await;
    let mut witness = browser.tab("/").await;
    let mut tab = browser.tab("/").await;
    let id = tab.fire("Slow#write_late", json!([])).await;
    let quick = tab.fire("Slow#overtake", json!([])).await;
    expect_order(&mut tab, &[quick]).await;
    drop(tab);
    gate.0.add_permits(1);
    // Another socket of the same visitor hears the reply.
    let reply = witness.reply(&id).await;
    assert!(reply.html().contains(">7<"), "{reply:?}");
    assert_eq!(browser.get("/count").await.body, "7");
    drop(server);
}

#[tokio::test]
async fn job_reports_to_its_tab_after_its_reflex_has_ended() {
    let (_server, browser, gate) = start().await;
    let mut tab = browser.tab("/").await;
    let id = tab.fire("Slow#job", json!([])).await;
    tab.reply(&id).await.expect_event("nothing");
    gate.0.add_permits(1);
    let message = tab.cable.json().await["message"]["operations"].clone();
    assert_eq!(
        message,
        json!([{"message": "done", "reflexId": id, "operation": "consoleLog"}])
    );
}

#[tokio::test]
async fn drain_waits_for_the_replies_of_reflexes_in_flight() {
    let (server, browser, gate) = start().await;
    let stranger = Browser::visit(&server, "/").await;
    let (mut idle, mut tab) = (stranger.tab("/").await, browser.tab("/").await);
    let first = tab.fire("Slow#wait", json!([])).await;
    let second = tab.fire("Slow#wait", json!([])).await;
    // Both calls have come when this one is answered.
    let overtaking = tab.fire("Slow#overtake", json!([])).await;
    expect_order(&mut tab, &[overtaking]).await;

    let cable = server.app.handle().cable();
    let drained = tokio::spawn(async move { cable.drain().await });
    // One task drives both connections: when one is told, the drain has come to the other.
    idle.cable.expect_disconnect("server_restart", true).await;
    gate.0.add_permits(1);
    expect_order(&mut tab, &[first]).await;
    gate.0.add_permits(1);
    expect_order(&mut tab, &[second]).await;
    tab.cable.expect_disconnect("server_restart", true).await;
    tab.cable.expect_close(1001).await;
    drop((idle, tab));
    drained.await.expect("no panic");
}

#[tokio::test]
async fn drain_that_runs_out_of_time_tells_those_who_wait_too() {
    let (server, browser, _gate) = start().await;
    let mut tab = browser.tab("/").await;
    tab.fire("Slow#wait", json!([])).await;
    let overtaking = tab.fire("Slow#overtake", json!([])).await;
    expect_order(&mut tab, &[overtaking]).await;
    let cable = server.app.handle().cable();
    let last_call = cable.clone();
    let drained = tokio::spawn(async move { cable.drain().await });
    last_call.restart();
    tab.cable.expect_disconnect("server_restart", true).await;
    drop(tab);
    drained.await.expect("no panic");
}

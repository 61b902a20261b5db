//! CableReady in a reflex, beside it and without it.

use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Reflex, ReflexHandle, Result};
use sinew_streams::Streams;
use tokio::sync::mpsc::UnboundedSender;

use crate::server::{STREAM, Server, last, status};

struct Ops(UnboundedSender<ReflexHandle>);

#[reflex(crate = sinew_reflex)]
impl Ops {
    async fn queued(&self, cx: &mut Reflex) {
        cx.cable_ready()
            .inner_html("#slot", "<i>queued</i>")
            .console_log("queued log");
        cx.morph("#a", "a").morph("#b", "b");
    }

    async fn now(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().inner_html("#slot", "<i>mid</i>");
        cx.broadcast().await?;
        cx.broadcast().await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn redirect(&self, cx: &mut Reflex) {
        cx.cable_ready().set_focus("#field").redirect_to("/counter");
        cx.morph_nothing();
    }

    async fn other(&self, cx: &mut Reflex) -> Result {
        let mut news = cx.cable_ready_to("news");
        news.inner_html("#news", "<b>from a reflex</b>")
            .remove("#old");
        news.broadcast().await?;
        let mut dropped = cx.cable_ready_to("news");
        dropped.remove("#dropped");
        drop(dropped);
        cx.broadcaster()
            .send("news", |operations| operations.reload())
            .await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn long(&self, cx: &mut Reflex) {
        // A receiver that is gone is the end of the test.
        let _ = self.0.send(cx.handle());
        let handle = cx.handle();
        cx.spawn(async move {
            handle
                .send(|operations| operations.console_log("spawned"))
                .await
        });
        cx.morph_nothing();
    }
}

async fn server() -> (Server, tokio::sync::mpsc::UnboundedReceiver<ReflexHandle>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::new(|builder| builder.reflex(Ops(sender))).await;
    server
        .streams
        .follow(&"news".into())
        .await
        .expect("follows");
    (server, receiver)
}

#[tokio::test]
async fn queued_operations_stand_in_front_and_all_carry_the_id() {
    let (mut server, _handles) = server().await;
    let reply = server.call("Ops#queued").await;
    let operations = reply["operations"].as_array().unwrap();
    let names: Vec<_> = operations
        .iter()
        .map(|operation| operation["operation"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["innerHtml", "consoleLog", "innerHtml", "innerHtml"]);
    assert_eq!(operations[2]["selector"], "#b");
    assert!(
        operations
            .iter()
            .all(|operation| operation["reflexId"] == "call-1"),
        "{reply}"
    );
    assert!(
        operations[..2]
            .iter()
            .all(|operation| operation.get("stimulusReflex").is_none())
    );
    let reply = server.call("Ops#redirect").await;
    assert_eq!(status(&reply), "nothing");
    assert_eq!(
        last(&reply)["selector"],
        json!(null),
        "no selector is inherited"
    );
}

#[tokio::test]
async fn a_broadcast_leaves_at_once() {
    let (mut server, _handles) = server().await;
    let first = server.call("Ops#now").await;
    assert_eq!(first["operations"][0]["operation"], "innerHtml");
    assert_eq!(first["operations"][0]["reflexId"], "call-1");
    let reply = server.message().await;
    assert_eq!(
        (status(&reply), reply["operations"].as_array().map(Vec::len)),
        ("nothing", Some(1))
    );
}

#[tokio::test]
async fn other_streams_get_their_own_messages() {
    let (mut server, _handles) = server().await;
    server.send("Ops#other", json!({}));
    let (stream, message) = server.message_on().await;
    assert_eq!(stream, "news");
    assert_eq!(
        message,
        json!({"cableReady": true, "operations": [
            {"selector": "#news", "html": "<b>from a reflex</b>", "operation": "innerHtml"},
            {"selector": "#old", "operation": "remove"},
        ], "version": "5.0.6"})
    );
    let (stream, message) = server.message_on().await;
    assert_eq!(
        (stream.as_str(), &message["operations"][0]["operation"]),
        ("news", &json!("reload"))
    );
    let (stream, reply) = server.message_on().await;
    assert_eq!((stream.as_str(), status(&reply)), (STREAM, "nothing"));
    assert!(server.is_silent(), "what was not broadcast is nowhere");
}

#[tokio::test]
async fn a_handle_outlives_its_reflex() {
    let (mut server, mut handles) = server().await;
    server.send("Ops#long", json!({"id": "long"}));
    let mut seen = [server.message().await, server.message().await];
    seen.sort_by_key(|message| last(message)["operation"].as_str().unwrap().to_owned());
    assert_eq!(last(&seen[0])["operation"], "consoleLog");
    assert_eq!(last(&seen[0])["reflexId"], "long");
    let handle = handles.recv().await.expect("a handle");
    assert_eq!(handle.id().as_deref(), Some("long"));
    handle
        .clone()
        .send(|operations| operations.remove("#progress").reload())
        .await
        .expect("sends");
    let late = server.message().await;
    assert!(
        late["operations"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["reflexId"] == "long")
    );
    handle
        .cable_ready()
        .to("news")
        .broadcast()
        .await
        .expect("nothing to send is fine");
    assert!(server.is_silent());
}

#[tokio::test]
async fn broadcasts_from_anywhere_now_and_later() {
    let (mut server, _handles) = server().await;
    let cable_ready = server.engine.cable_ready().clone();
    let mut both = cable_ready.to_all(["news", STREAM]);
    both.text_content("#x", "both");
    both.broadcast().await.expect("sends");
    assert_eq!(server.message_on().await.0, "news");
    assert_eq!(server.message_on().await.0, STREAM);
    for number in 0..100 {
        let mut later = cable_ready.to("news");
        later.console_log(number);
        later.broadcast_later().expect("room");
    }
    assert!(server.is_silent(), "later is after this work yields");
    for number in 0..100 {
        assert_eq!(
            server.message().await["operations"][0]["message"],
            json!(number)
        );
    }
}

#[tokio::test]
async fn later_is_bounded() {
    let (mut server, _handles) = server().await;
    let send = |server: &Server| {
        let mut later = server.engine.cable_ready().to("news");
        later.reload();
        later.broadcast_later()
    };
    for _ in 0..sinew_reflex::LATER_MESSAGES_MAX {
        send(&server).expect("room");
    }
    assert!(send(&server).is_err());
    for _ in 0..sinew_reflex::LATER_MESSAGES_MAX {
        server.message().await;
    }
    send(&server).expect("room again");
    server.message().await;
}

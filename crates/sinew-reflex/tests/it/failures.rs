//! Errors, panics, time limits: each is that reflex's error, nobody else's.

use std::time::Duration;

use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Config, Environment, Error, ErrorKind, Reflex, Result};

use crate::server::{Server, last, status};

struct Fails;

#[derive(Debug, thiserror::Error)]
#[error("known problem")]
struct Known;

#[reflex(crate = sinew_reflex)]
impl Fails {
    #[rescue]
    async fn note(&self, cx: &mut Reflex, error: &Error) -> Result {
        if error.downcast_ref::<Known>().is_some() {
            cx.payload_mut()["rescued"] = error.to_string().into();
            cx.session().set("rescued", &true).await?;
        }
        if error.to_string() == "rescue fails" {
            panic!("in the rescue");
        }
        Ok(())
    }

    async fn boom(&self, _cx: &mut Reflex) -> Result {
        Err("boom: <b>html</b> & \"quotes\"".into())
    }

    async fn parse(&self, _cx: &mut Reflex) -> Result {
        "x".parse::<i64>()?;
        Ok(())
    }

    async fn known(&self, _cx: &mut Reflex) -> std::result::Result<(), Known> {
        Err(Known)
    }

    async fn visible(&self, _cx: &mut Reflex) -> Result {
        Err(Error::visible("This seat is taken.").with_source(Known))
    }

    async fn after_operations(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("queued before the error");
        Err("after operations".into())
    }

    async fn after_morph(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "never sent");
        Err("after selector morph".into())
    }

    async fn panics(&self, cx: &mut Reflex) {
        cx.payload_mut()["before"] = true.into();
        panic!("secret {}", 42);
    }

    async fn rescue_fails(&self, _cx: &mut Reflex) -> Result {
        Err("rescue fails".into())
    }

    async fn payload_fails(&self, cx: &mut Reflex) {
        cx.set_payload(std::collections::BTreeMap::from([((1, 2), 3)]))
            .morph_nothing();
    }

    async fn state(&self, cx: &mut Reflex) {
        let _: &u8 = cx.state();
    }

    async fn hangs(&self, cx: &mut Reflex) {
        cx.cable_ready().console_log("queued before the hang");
        std::future::pending::<()>().await;
    }

    #[action(timeout = "250ms")]
    async fn hangs_briefly(&self, _cx: &mut Reflex) {
        std::future::pending::<()>().await;
    }

    async fn drops_badly(&self, cx: &mut Reflex) {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in a drop");
            }
        }
        cx.assign(std::sync::Arc::new(Bomb)).morph_nothing();
    }

    async fn fine(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }
}

async fn server(environment: Environment) -> Server {
    let config = Config {
        environment,
        ..Config::default()
    };
    Server::with_config(config, |builder| builder.reflex(Fails)).await
}

#[tokio::test]
async fn production_tells_no_secrets_and_development_tells_all() {
    for (target, development, production) in [
        (
            "Fails#boom",
            "boom: <b>html</b> & \"quotes\"",
            "Something went wrong on the server.",
        ),
        (
            "Fails#parse",
            "invalid digit found in string",
            "Something went wrong on the server.",
        ),
        (
            "Fails#known",
            "known problem",
            "Something went wrong on the server.",
        ),
        (
            "Fails#visible",
            "This seat is taken.: known problem",
            "This seat is taken.",
        ),
        (
            "Fails#panics",
            "the action panicked: secret 42",
            "Something went wrong on the server.",
        ),
        (
            "Fails#payload_fails",
            "the payload cannot be JSON: key must be a string",
            "Something went wrong on the server.",
        ),
        (
            "Fails#state",
            "the action panicked: no state of type `u8` was registered",
            "Something went wrong on the server.",
        ),
    ] {
        assert_eq!(
            server(Environment::Development)
                .await
                .error(target, json!({}))
                .await,
            development
        );
        assert_eq!(
            server(Environment::Production)
                .await
                .error(target, json!({}))
                .await,
            production
        );
    }
}

#[tokio::test]
async fn a_rescue_hears_of_an_error_and_may_set_the_payload() {
    let mut server = server(Environment::Production).await;
    let reply = server.call("Fails#known").await;
    assert_eq!(status(&reply), "error");
    assert_eq!(last(&reply)["payload"], json!({"rescued": "known problem"}));
    assert_eq!(
        server.stored("rescued").await,
        Some(json!(true)),
        "what it wrote is kept"
    );
    assert_eq!(status(&server.call("Fails#rescue_fails").await), "error");
    assert_eq!(status(&server.call("Fails#fine").await), "nothing");
}

#[tokio::test]
async fn what_was_queued_leaves_and_what_was_morphed_does_not() {
    let mut server = server(Environment::Production).await;
    let reply = server.call("Fails#after_operations").await;
    assert_eq!(reply["operations"][0]["operation"], "consoleLog");
    assert_eq!(reply["operations"][0]["reflexId"], last(&reply)["reflexId"]);
    assert_eq!(status(&reply), "error");
    let reply = server.call("Fails#after_morph").await;
    assert_eq!(reply["operations"].as_array().map(Vec::len), Some(1));
    assert_eq!(last(&reply)["stimulusReflex"]["morph"], "selector");
}

#[tokio::test]
async fn a_panic_is_counted_and_the_connection_lives() {
    let mut server = server(Environment::Production).await;
    let reply = server.call("Fails#panics").await;
    assert_eq!(last(&reply)["payload"], json!({"before": true}));
    assert_eq!(status(&server.call("Fails#fine").await), "nothing");
    let statistics = server.engine.statistics();
    assert_eq!(
        (statistics.panics, statistics.errors, statistics.nothings),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_value_that_panics_when_dropped_does_not_stop_the_lane() {
    let mut server = server(Environment::Production).await;
    assert_eq!(status(&server.call("Fails#drops_badly").await), "error");
    assert_eq!(status(&server.call("Fails#fine").await), "nothing");
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_ends_a_reflex() {
    let config = Config {
        action_time_limit: Duration::from_secs(5),
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Fails)).await;
    let before = tokio::time::Instant::now();
    let sentence = "This action took too long and was stopped.";
    assert_eq!(
        server.error("Fails#hangs_briefly", json!({})).await,
        sentence
    );
    assert_eq!(before.elapsed().as_millis(), 250);
    server.send("Fails#hangs", json!({}));
    server.send("Fails#fine", json!({}));
    let reply = server.message().await;
    assert_eq!(
        (status(&reply), &last(&reply)["error"]),
        ("error", &json!(sentence))
    );
    assert_eq!(
        reply["operations"][0]["operation"], "consoleLog",
        "what was queued leaves"
    );
    assert_eq!(
        status(&server.message().await),
        "nothing",
        "the lane goes on"
    );
    assert_eq!(server.engine.statistics().timeouts, 2);
}

#[test]
fn an_error_keeps_its_cause() {
    let error: Error = Known.into();
    assert_eq!(error.kind(), ErrorKind::Application);
    assert_eq!(
        (error.to_string(), error.chain()),
        ("known problem".into(), "known problem".into())
    );
    let error = Error::from("outer")
        .with_source(Known)
        .with_sentence("for people");
    assert_eq!(error.sentence(), "for people");
    assert!(error.downcast_ref::<Known>().is_some());
    assert!(format!("{error:?}").contains("known problem"));
}

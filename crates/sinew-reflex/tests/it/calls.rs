//! What arrives, how it is found, what every reply looks like.

use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Config, Environment, Reflex, VersionCheck};

use crate::server::{Server, last, status};

struct Counter;

#[reflex(crate = sinew_reflex)]
impl Counter {
    async fn nothing(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }

    async fn page(&self, _cx: &mut Reflex) {}

    async fn look(&self, cx: &mut Reflex) {
        let payload = json!({
            "id": cx.id(), "url": cx.url(), "tab": cx.tab_id(), "target": cx.target(),
            "action": cx.action_name(), "selectors": cx.selectors().unwrap(),
            "who": cx.identifier("session_id"), "cookie": cx.handshake().headers.unpack()["cookie"].to_str().unwrap(),
        });
        cx.set_payload(payload).morph_nothing();
    }

    async fn parameters(&self, cx: &mut Reflex) -> sinew_reflex::Result {
        let params = cx.params().await?;
        cx.set_payload(&*params).morph_nothing();
        Ok(())
    }

    async fn element(&self, cx: &mut Reflex) -> sinew_reflex::Result {
        let payload = json!({
            "id": cx.element().id(), "step": cx.element().dataset().get("step"),
            "number": cx.element().numeric("step")?,
        });
        cx.set_payload(payload).morph_nothing();
        Ok(())
    }
}

struct Users;

#[reflex(name = "Admin::Users", crate = sinew_reflex)]
impl Users {
    async fn list(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }
}

async fn server() -> Server {
    Server::new(|builder| builder.reflex(Counter).reflex(Users)).await
}

#[tokio::test]
async fn nothing_is_one_event_with_a_slim_echo() {
    let mut server = server().await;
    let reply = server
        .call_with(
            "Counter#nothing",
            json!({
                "attrs": {"id": "b"}, "dataset": {}, "selectors": [], "id": "x", "resolveLate": false,
                "suppressLogging": {}, "xpathController": "//*[@id='b']", "xpathElement": "//*[@id='b']",
                "inner_html": "", "reflexController": "app", "permanentAttributeName": "data-keep",
                "args": [], "url": "http://app.test/p?x=1#y", "tabId": "t", "formData": "a=1", "unheardOf": 1
            }),
        )
        .await;
    assert_eq!(
        reply,
        json!({"cableReady": true, "operations": [{
            "name": "stimulus-reflex:morph-nothing", "selector": null, "payload": {},
            "stimulusReflex": {
                "id": "x", "resolveLate": false, "suppressLogging": {}, "xpathController": "//*[@id='b']",
                "xpathElement": "//*[@id='b']", "reflexController": "app", "target": "Counter#nothing",
                "url": "http://app.test/p?x=1#y", "morph": "nothing"
            },
            "reflexId": "x", "operation": "dispatchEvent"
        }], "version": "5.0.6"})
    );
}

#[tokio::test]
async fn a_call_of_target_and_version_runs() {
    let mut server = server().await;
    server.engine.receive(
        &server.client,
        r#"{"target":"Counter#page","version":"3.5.5"}"#,
    );
    let reply = server.message().await;
    let operation = last(&reply);
    assert_eq!(operation["reflexId"], json!(null));
    assert_eq!(operation["selector"], "body");
    assert_eq!(operation["html"], "<p>page</p>");
    assert_eq!(operation["permanentAttributeName"], json!(null));
    assert_eq!(
        operation["stimulusReflex"],
        json!({"target": "Counter#page", "morph": "page"})
    );
}

#[tokio::test]
async fn all_names_of_a_class_lead_to_it() {
    let mut server = server().await;
    for target in [
        "Counter#nothing",
        "CounterReflex#nothing",
        "counter#nothing",
        "counter_reflex#nothing",
        "Admin::Users#list",
        "Admin::UsersReflex#list",
        "admin/users#list",
        "admin/users_reflex#list",
    ] {
        let reply = server.call(target).await;
        assert_eq!(status(&reply), "nothing", "{target}: {reply}");
        assert_eq!(last(&reply)["stimulusReflex"]["target"], target);
    }
    for target in [
        "Counter#default_reflex",
        "StimulusReflex::Reflex#default_reflex",
    ] {
        assert_eq!(
            last(&server.call(target).await)["operation"],
            "morph",
            "{target}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_found_is_answered() {
    let mut server = server().await;
    for target in [
        "Gone#nothing",
        "Counter#gone",
        "Counter",
        "Counter#",
        "#nothing",
        "",
        "Object#to_s",
        "StimulusReflex::Reflex#morph",
        "Counter#morph_nothing",
        "users#list",
    ] {
        let error = server.error(target, json!({})).await;
        assert_eq!(error, "This action does not exist.", "{target}");
    }
    let error = server.error("x", json!({"target": 5})).await;
    assert_eq!(error, "This action does not exist.");
    server
        .engine
        .receive(&server.client, r#"{"version":"3.5.5"}"#);
    assert_eq!(status(&server.message().await), "error");
}

#[tokio::test]
async fn development_says_what_is_missing() {
    let config = Config {
        environment: Environment::Development,
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Counter)).await;
    assert_eq!(
        server.error("counter#gone", json!({})).await,
        "Reflex method 'gone' is not defined on class 'CounterReflex' or on any of its ancestors"
    );
    let error = server.error("Gone#x", json!({})).await;
    assert!(
        error.starts_with("GoneReflex is not a StimulusReflex::Reflex"),
        "{error}"
    );
    for (target, hint) in [
        ("Countr#nothing", "registered; did you mean `Counter`?"),
        ("Counter#nothin", "ancestors; did you mean `nothing`?"),
    ] {
        let error = server.error(target, json!({})).await;
        assert!(error.ends_with(hint), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_object_is_counted() {
    let mut server = server().await;
    for text in ["", "[]", "5", "{", "\"x\""] {
        server.engine.receive(&server.client, text);
    }
    assert_eq!(status(&server.call("Counter#nothing").await), "nothing");
    assert!(server.is_silent());
    let statistics = server.engine.statistics();
    assert_eq!(
        (statistics.calls, statistics.malformed, statistics.nothings),
        (6, 5, 1)
    );
}

#[tokio::test]
async fn the_context_tells_what_the_client_sent() {
    let mut server = server().await;
    let more = json!({"id": "i", "url": "http://app.test/a?b=1", "tabId": "t", "selectors": ["#a", " #b", ""]});
    assert_eq!(
        server.payload("counter#look", more).await,
        json!({
            "id": "i", "url": "http://app.test/a?b=1", "tab": "t", "target": "counter#look", "action": "look",
            "selectors": ["#a", " #b"], "who": "visitor", "cookie": "a=b"
        })
    );
    let more = json!({"id": "i", "url": ""});
    assert_eq!(
        server.payload("Counter#look", more).await["selectors"],
        json!(["body"])
    );
}

#[tokio::test]
async fn parameters_come_from_everywhere() {
    let mut server = server().await;
    let more = json!({
        "url": "http://app.test/items/7?a=url&id=9", "formData": "a=form&b%5Bc%5D=form", "params": {"b": {"d": "js"}}
    });
    assert_eq!(
        server.payload("Counter#parameters", more).await,
        json!({"a": "url", "id": "7", "b": {"c": "form", "d": "js"}})
    );
    let sentence = "The server did not understand what this action was given.";
    for more in [
        json!({"url": "/?a=%ff"}),
        json!({"formData": format!("a{}=1", "[b]".repeat(100))}),
        json!({"formData": "x".repeat(300_000)}),
    ] {
        assert_eq!(server.error("Counter#parameters", more).await, sentence);
    }
    // A form that is too long is refused even when nobody reads it.
    let more = json!({"formData": "x".repeat(300_000)});
    assert_eq!(server.error("Counter#nothing", more).await, sentence);
    let sentence = "The server did not understand the address of this page.";
    for url in ["not a url", "http://[bad"] {
        assert_eq!(
            server
                .error("Counter#parameters", json!({"url": url}))
                .await,
            sentence
        );
    }
    // A page that a fallback answers has a query, but no route to take values from.
    assert_eq!(
        server
            .payload("Counter#parameters", json!({"url": "/nowhere?a=1"}))
            .await,
        json!({"a": "1"})
    );
}

#[tokio::test]
async fn the_element_is_read_when_asked_for() {
    let mut server = server().await;
    let more =
        json!({"attrs": {"id": "b"}, "dataset": {"dataset": {"data-step": "2"}, "datasetAll": {}}});
    assert_eq!(
        server.payload("Counter#element", more).await,
        json!({"id": "b", "step": "2", "number": 2.0})
    );
    assert_eq!(
        server.error("Counter#element", json!({"attrs": 5})).await,
        "Something went wrong on the server."
    );
}

#[tokio::test]
async fn a_refused_version_is_told_and_answered() {
    let mut server = server().await;
    let told = server
        .call_with("Counter#nothing", json!({"id": "v", "version": "3.4.0"}))
        .await;
    let text = "StimulusReflex failed to execute your reflex action due to a version mismatch between your gem and \
                JavaScript version. Package versions must match exactly.\n\nstimulus_reflex gem: 3.5.5\n\
                stimulus_reflex npm: 3.4.0";
    assert_eq!(
        told,
        json!({"cableReady": true, "operations": [
            {"message": text, "level": "error", "reflexId": "v", "operation": "consoleLog"},
            {"name": "stimulus-reflex:version-mismatch",
             "detail": {"message": text, "gem": "3.5.5", "npm": "3.4.0", "level": "error"},
             "reflexId": "v", "operation": "dispatchEvent"},
        ], "version": "5.0.6"})
    );
    let reply = server.message().await;
    assert_eq!(status(&reply), "error");
    assert_eq!(
        last(&reply)["error"],
        "This page was made for another version of the application. Please reload it."
    );
    // The pre-release of a version is another version; no version is one, too.
    for version in [json!("3.5.5-rc1"), json!(null), json!(3)] {
        server.send("Counter#nothing", json!({"version": version}));
        server.message().await;
        assert_eq!(status(&server.message().await), "error");
    }
}

#[tokio::test]
async fn a_version_may_be_warned_about_or_ignored() {
    let config = Config {
        version_check: VersionCheck::Warn,
        environment: Environment::Development,
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Counter)).await;
    let told = server
        .call_with("Counter#nothing", json!({"version": "3.4.0"}))
        .await;
    let operations = told["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 3, "development draws a toast");
    assert_eq!(operations[2]["operation"], "stimulusReflexVersionMismatch");
    assert_eq!(operations[1]["detail"]["level"], "warn");
    assert_eq!(status(&server.message().await), "nothing");

    let config = Config {
        version_check: VersionCheck::Ignore,
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Counter)).await;
    assert_eq!(
        status(
            &server
                .call_with("Counter#nothing", json!({"version": ""}))
                .await
        ),
        "nothing"
    );

    let config = Config {
        client_version: "3.6.0.pre2".into(),
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Counter)).await;
    let more = json!({"version": "3.6.0-pre2"});
    assert_eq!(
        status(&server.call_with("Counter#nothing", more).await),
        "nothing"
    );
}

#[tokio::test]
async fn another_cable_ready_may_be_answered() {
    let config = Config {
        cable_ready_version: "5.0.7".into(),
        ..Config::default()
    };
    let mut server = Server::with_config(config, |builder| builder.reflex(Counter)).await;
    assert_eq!(server.call("Counter#nothing").await["version"], "5.0.7");
}

use serde::Deserialize;
use serde_json::{Value, json};
use sinew::{
    config::{Environment, VersionCheck},
    prelude::*,
};

use crate::application::{Counter, router};
use crate::browser::{Browser, Tab};
use crate::server::{Server, config};

#[derive(Deserialize)]
struct Point {
    x: i64,
}

struct Args;

#[reflex]
impl Args {
    async fn take(&self, cx: &mut Reflex, number: i64, point: Option<Point>) -> Result {
        cx.set_payload(json!({"sum": number + point.map_or(0, |point| point.x)}));
        cx.morph_nothing();
        Ok(())
    }

    async fn params(&self, cx: &mut Reflex) -> Result {
        let count = cx.params().await?.as_map().len();
        cx.set_payload(json!({ "count": count }));
        cx.morph_nothing();
        Ok(())
    }

    async fn fail(&self, _cx: &mut Reflex) -> Result {
        Err("the database at 10.0.0.7 is away".into())
    }

    async fn refuse(&self, _cx: &mut Reflex) -> Result {
        Err(Error::visible("This seat is taken."))
    }

    async fn crash(&self, _cx: &mut Reflex) -> Result {
        panic!("index out of bounds")
    }

    #[helper]
    async fn secret(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

impl Args {
    #[expect(dead_code, reason = "nobody can call it, that is what is tested")]
    async fn call_secret(&self, cx: &mut Reflex) -> Result {
        self.secret(cx).await
    }
}

async fn start(environment: Environment) -> (Server, Tab) {
    let mut config = config();
    config.edge.environment = environment;
    let sinew = Sinew::new(router()).reflex(Counter).reflex(Args);
    let server = Server::with(sinew, config).await;
    let tab = Browser::visit(&server, "/").await.tab("/").await;
    (server, tab)
}

const NO_SUCH_ACTION: &str = "This action does not exist.";
const NOT_UNDERSTOOD: &str = "The server did not understand what this action was given.";

/// A text nested `depth` times.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("deep"), |inner, _| json!({ "a": inner }))
}

/// What is wrong, and what is heard of it: by a visitor, by a developer.
fn bad_calls(
    tab: &Tab,
) -> Vec<(
    &'static str,
    crate::browser::Call,
    &'static str,
    &'static str,
)> {
    let call = |target: &str| tab.call(target);
    let take = |args: Value| tab.call("Args#take").with("args", args);
    let form = |form: String| tab.call("Args#params").with("formData", form);
    vec![
        (
            "unknown reflex",
            call("Nobody#take"),
            NO_SUCH_ACTION,
            "Nobody",
        ),
        ("unknown action", call("Args#give"), NO_SUCH_ACTION, "give"),
        ("helper", call("Args#secret"), NO_SUCH_ACTION, "secret"),
        ("no action", call("Args"), NO_SUCH_ACTION, ""),
        ("no target", call("x").without("target"), NO_SUCH_ACTION, ""),
        (
            "target is a number",
            call("x").with("target", 7),
            NO_SUCH_ACTION,
            "",
        ),
        (
            "too few arguments",
            take(json!([])),
            NOT_UNDERSTOOD,
            "given",
        ),
        (
            "too many arguments",
            take(json!([1, {"x": 1}, 3])),
            NOT_UNDERSTOOD,
            "given",
        ),
        (
            "argument of another type",
            take(json!(["one"])),
            NOT_UNDERSTOOD,
            "number",
        ),
        (
            "structured argument of another type",
            take(json!([1, {"x": "one"}])),
            NOT_UNDERSTOOD,
            "point",
        ),
        (
            "arguments are no list",
            take(json!({"a": 1})),
            NOT_UNDERSTOOD,
            "",
        ),
        (
            "deep argument",
            take(json!([nested(100)])),
            NOT_UNDERSTOOD,
            "",
        ),
        (
            "long form",
            form(format!("a={}", "x".repeat(256 * 1024))),
            NOT_UNDERSTOOD,
            "bytes",
        ),
        (
            "long form nobody reads",
            call("Counter#nothing").with("formData", "x".repeat(300_000)),
            NOT_UNDERSTOOD,
            "bytes",
        ),
        (
            "deep form",
            form(format!("a{}=1", "[b]".repeat(100))),
            NOT_UNDERSTOOD,
            "deep",
        ),
        (
            "deep params",
            call("Args#params").with("params", nested(100)),
            NOT_UNDERSTOOD,
            "deep",
        ),
        (
            "deep params nobody reads",
            call("Counter#nothing").with("params", nested(33)),
            NOT_UNDERSTOOD,
            "deep",
        ),
        (
            "deep form nobody reads",
            call("Counter#nothing").with("formData", format!("b=1&a{}=1", "%5Bb%5D".repeat(33))),
            NOT_UNDERSTOOD,
            "deep",
        ),
        (
            "params are no object",
            call("Args#params").with("params", json!([1])),
            NOT_UNDERSTOOD,
            "",
        ),
        ("bad encoding", form("a=%zz".to_owned()), NOT_UNDERSTOOD, ""),
        (
            "selectors are no texts",
            call("Counter#increment").with("selectors", json!([{}])),
            NOT_UNDERSTOOD,
            "",
        ),
        (
            "error",
            call("Args#fail"),
            "Something went wrong on the server.",
            "10.0.0.7",
        ),
        (
            "panic",
            call("Args#crash"),
            "Something went wrong on the server.",
            "out of bounds",
        ),
        (
            "visible error",
            call("Args#refuse"),
            "This seat is taken.",
            "This seat is taken.",
        ),
    ]
}

#[tokio::test]
async fn visitor_hears_a_sentence_and_no_cause() {
    let (_server, mut tab) = start(Environment::Production).await;
    for (what, call, sentence, _) in bad_calls(&tab) {
        assert_eq!(tab.answer(call).await.error(), sentence, "{what}");
    }
    let reply = tab.perform("Args#take", json!([1, {"x": 2}])).await;
    assert_eq!(reply.payload()["sum"], 3);
    // What is as deep as may be, and what only looks deep.
    let flat = "a%5Bb%5D=%5B&".repeat(1000);
    for (key, value) in [
        ("params", nested(32)),
        ("params", json!({"a": "[{\\\"[{".repeat(40)})),
        ("formData", json!(format!("a{}=1", "[b]".repeat(31)))),
        ("formData", json!(flat)),
    ] {
        let call = tab.call("Args#params").with(key, value);
        assert_eq!(tab.answer(call).await.payload()["count"], 1, "{key}");
    }
}

#[tokio::test]
async fn developer_hears_the_cause() {
    let (_server, mut tab) = start(Environment::Development).await;
    for (what, call, _, cause) in bad_calls(&tab) {
        let reply = tab.answer(call).await;
        assert!(reply.error().contains(cause), "{what}: {}", reply.error());
    }
}

/// JSON that is deeper than readers of JSON go is answered too.
#[tokio::test]
async fn absurdly_deep_call_is_answered() {
    let (_server, mut tab) = start(Environment::Production).await;
    for key in ["params", "args", "attrs", "dataset", "unheard_of"] {
        let call = tab.call("Args#params").with(key, "DEEP");
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let text = call.text().replace("\"DEEP\"", &deep);
        tab.cable.message(crate::browser::REFLEXES, &text).await;
        let reply = tab.reply(&call.id).await;
        let bad = ["params", "args"].contains(&key);
        let expected = if bad { "error" } else { "nothing" };
        assert_eq!(reply.event(), Some(expected), "{key}");
    }
}

#[tokio::test]
async fn call_of_another_version_is_always_answered() {
    for (check, events, is_told) in [
        (VersionCheck::Exit, "error", true),
        (VersionCheck::Warn, "nothing", true),
        (VersionCheck::Ignore, "nothing", false),
    ] {
        let mut config = config();
        config.reflex.version_check = check;
        let sinew = Sinew::new(router()).reflex(Counter);
        let server = Server::with(sinew, config).await;
        let mut tab = Browser::visit(&server, "/").await.tab("/").await;
        for call in [
            tab.call("Counter#nothing").with("version", "3.5.4"),
            tab.call("Counter#nothing").without("version"),
        ] {
            let reply = tab.answer(call).await;
            reply.expect_event(events);
            if check == VersionCheck::Exit {
                assert_eq!(
                    reply.error(),
                    "This page was made for another version of the application. Please reload it."
                );
            }
            let told: Vec<Value> = std::mem::take(&mut tab.others);
            let names: Vec<_> = told.iter().map(|it| &it["operation"]).collect();
            if is_told {
                assert_eq!(names, ["consoleLog", "dispatchEvent"], "{check:?}");
                assert_eq!(told[1]["name"], "stimulus-reflex:version-mismatch");
            } else {
                assert!(names.is_empty(), "{told:?}");
            }
        }
        let reply = tab.perform("Counter#nothing", json!([])).await;
        reply.expect_event("nothing");
        assert!(tab.others.is_empty(), "{:?}", tab.others);
    }
}

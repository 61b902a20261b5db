//! Callbacks: their order, their conditions, what halts.

use serde_json::{Value, json};
use sinew_macros::reflex;
use sinew_reflex::{Error, Next, Reflex, Result};

use crate::server::{Server, last, status};

fn log(cx: &mut Reflex, line: &str) {
    let payload = cx.payload_mut();
    if payload["log"].is_null() {
        payload["log"] = json!([]);
    }
    if let Some(list) = payload["log"].as_array_mut() {
        list.push(line.into());
    }
}

struct Application;

#[reflex(crate = sinew_reflex)]
impl Application {
    #[before(unless = is_quiet)]
    async fn app_before(&self, cx: &mut Reflex) {
        log(cx, "app_before");
    }

    #[around(unless = is_quiet)]
    async fn app_around(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
        log(cx, "app_in");
        next.run(cx).await?;
        log(cx, "app_out");
        Ok(())
    }

    #[after(unless = is_quiet)]
    async fn app_after(&self, cx: &mut Reflex) {
        log(cx, "app_after");
    }

    fn is_quiet(&self, cx: &Reflex) -> bool {
        !cx.target().starts_with("Loud") && !cx.target().starts_with("Skipping")
    }

    async fn inherited_action(&self, cx: &mut Reflex) {
        log(cx, "inherited");
        cx.morph_nothing();
    }
}

/// The order of the original's own example.
struct Callback;

#[reflex(crate = sinew_reflex)]
impl Callback {
    #[before]
    async fn first(&self, cx: &mut Reflex) {
        log(cx, "before-first");
    }

    #[before(only(filtered))]
    async fn only_filtered(&self, cx: &mut Reflex) {
        log(cx, "before-only-filtered");
    }

    #[before(except(filtered, "inherited_action"))]
    async fn second(&self, cx: &mut Reflex) {
        log(cx, "before-second");
    }

    #[around]
    async fn wrap(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
        log(cx, "around-in");
        next.run(cx).await?;
        log(cx, "around-out");
        Ok(())
    }

    #[after]
    async fn last_one(&self, cx: &mut Reflex) {
        log(cx, "after-last_one");
    }

    #[after]
    async fn block(&self, cx: &mut Reflex) {
        log(cx, "after-block");
    }

    async fn run(&self, cx: &mut Reflex) {
        log(cx, "run");
        cx.morph_nothing();
    }

    async fn filtered(&self, cx: &mut Reflex) {
        log(cx, "filtered");
        cx.morph_nothing();
    }
}

struct Loud;

#[reflex(crate = sinew_reflex)]
impl Loud {
    #[before]
    async fn own(&self, cx: &mut Reflex) {
        log(cx, "own");
    }

    #[before(prepend)]
    async fn in_front(&self, cx: &mut Reflex) {
        log(cx, "in_front");
    }

    #[before(if = Self::never)]
    async fn never_runs(&self, cx: &mut Reflex) {
        log(cx, "never");
    }

    #[after]
    async fn own_after(&self, cx: &mut Reflex) {
        log(cx, "own_after");
    }

    fn never(&self, _cx: &Reflex) -> bool {
        false
    }

    async fn run(&self, cx: &mut Reflex) {
        log(cx, "run");
        cx.morph_nothing();
    }
}

struct Skipping;

#[reflex(crate = sinew_reflex, skip(app_before), skip(app_around, only(quiet)))]
impl Skipping {
    async fn quiet(&self, cx: &mut Reflex) {
        log(cx, "quiet");
        cx.morph_nothing();
    }

    async fn other(&self, cx: &mut Reflex) {
        log(cx, "other");
        cx.morph_nothing();
    }
}

struct Halt;

#[reflex(crate = sinew_reflex)]
impl Halt {
    #[around(only(halted_inside))]
    async fn entered(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
        log(cx, "in");
        next.run(cx).await?;
        log(cx, "tail");
        Ok(())
    }

    #[before(only(halted, halted_inside))]
    async fn stop(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("queued in before");
        cx.payload_mut()["why"] = "not today".into();
        cx.session()
            .set("value", &"written before the halt")
            .await?;
        cx.halt()
    }

    #[before(only(forbidden))]
    async fn refuse(&self, cx: &mut Reflex) -> Result {
        cx.forbid()
    }

    #[before(only(fails_before))]
    async fn fail(&self, _cx: &mut Reflex) -> Result {
        Err("in before".into())
    }

    #[before(only(not_halted))]
    async fn falsy(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    #[after]
    async fn tail(&self, cx: &mut Reflex) {
        log(cx, "after");
    }

    #[after(only(thrown_after))]
    async fn throws(&self, cx: &mut Reflex) -> Result {
        cx.halt()
    }

    #[around(only(thrown_around))]
    async fn throws_around(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
        next.run(cx).await?;
        cx.forbid()
    }

    #[around(only(rescued_around))]
    async fn swallows(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
        if let Err(error) = next.run(cx).await {
            cx.payload_mut()["swallowed"] = error.to_string().into();
            cx.morph_nothing();
        }
        Ok(())
    }

    #[rescue]
    async fn rescue(&self, cx: &mut Reflex, error: &Error) {
        cx.payload_mut()["rescued"] = error.to_string().into();
    }

    async fn halted(&self, _cx: &mut Reflex) {
        panic!("never runs");
    }

    async fn halted_inside(&self, _cx: &mut Reflex) {
        panic!("never runs");
    }

    async fn forbidden(&self, _cx: &mut Reflex) {
        panic!("never runs");
    }

    async fn fails_before(&self, _cx: &mut Reflex) {
        panic!("never runs");
    }

    async fn not_halted(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }

    async fn thrown(&self, cx: &mut Reflex) -> Result {
        cx.halt()
    }

    async fn thrown_after(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }

    async fn thrown_around(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }

    async fn rescued_around(&self, _cx: &mut Reflex) -> Result {
        Err("inside".into())
    }
}

async fn server() -> Server {
    Server::new(|builder| {
        builder
            .application(Application)
            .reflex(Callback)
            .reflex(Loud)
            .reflex(Skipping)
            .reflex(Halt)
    })
    .await
}

async fn check(target: &str, expected: Value) {
    let mut server = server().await;
    assert_eq!(
        server.payload(target, json!({})).await["log"],
        expected,
        "{target}"
    );
}

#[tokio::test]
async fn callbacks_run_in_the_order_of_the_original() {
    check(
        "Callback#run",
        json!([
            "before-first",
            "before-second",
            "around-in",
            "run",
            "after-block",
            "after-last_one",
            "around-out"
        ]),
    )
    .await;
    check(
        "Callback#filtered",
        json!([
            "before-first",
            "before-only-filtered",
            "around-in",
            "filtered",
            "after-block",
            "after-last_one",
            "around-out"
        ]),
    )
    .await;
}

#[tokio::test]
async fn application_wide_callbacks_are_outside() {
    check(
        "Loud#run",
        json!([
            "in_front",
            "app_before",
            "app_in",
            "own",
            "run",
            "own_after",
            "app_after",
            "app_out"
        ]),
    )
    .await;
    check(
        "Callback#inherited_action",
        json!([
            "before-first",
            "around-in",
            "inherited",
            "after-block",
            "after-last_one",
            "around-out"
        ]),
    )
    .await;
    check("Application#inherited_action", json!(["inherited"])).await;
}

#[tokio::test]
async fn a_reflex_may_skip_them() {
    check("Skipping#quiet", json!(["quiet", "app_after"])).await;
    check(
        "Skipping#other",
        json!(["app_in", "other", "app_after", "app_out"]),
    )
    .await;
}

#[tokio::test]
async fn a_before_halts_and_what_it_did_stays() {
    let mut server = server().await;
    let reply = server.call("Halt#halted").await;
    assert_eq!(status(&reply), "halted");
    assert_eq!(reply["operations"][0]["operation"], "consoleLog");
    assert_eq!(last(&reply)["payload"], json!({"why": "not today"}));
    assert_eq!(last(&reply)["selector"], json!(null));
    assert_eq!(last(&reply)["stimulusReflex"]["morph"], "page");
    assert_eq!(
        server.stored("value").await,
        Some(json!("written before the halt"))
    );

    let reply = server.call("Halt#halted_inside").await;
    assert_eq!(status(&reply), "halted");
    assert_eq!(last(&reply)["payload"]["log"], json!(["in", "tail"]));

    assert_eq!(status(&server.call("Halt#forbidden").await), "forbidden");
    let reply = server.call("Halt#not_halted").await;
    assert_eq!(
        (status(&reply), &last(&reply)["payload"]["log"]),
        ("nothing", &json!(["after"]))
    );
    let statistics = server.engine.statistics();
    assert_eq!(
        (statistics.halted, statistics.forbidden, statistics.nothings),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn halting_elsewhere_is_an_error() {
    let mut server = server().await;
    for (target, text) in [
        ("Halt#thrown", "uncaught throw :abort"),
        ("Halt#thrown_after", "uncaught throw :abort"),
        ("Halt#thrown_around", "uncaught throw :forbidden"),
        ("Halt#fails_before", "in before"),
    ] {
        let reply = server.call(target).await;
        assert_eq!(status(&reply), "error", "{target}");
        assert_eq!(last(&reply)["payload"]["rescued"], text, "{target}");
    }
}

#[tokio::test]
async fn an_around_may_handle_an_error() {
    let mut server = server().await;
    let reply = server.call("Halt#rescued_around").await;
    assert_eq!(status(&reply), "nothing");
    assert_eq!(
        last(&reply)["payload"],
        json!({"swallowed": "inside", "log": ["after"]})
    );
}

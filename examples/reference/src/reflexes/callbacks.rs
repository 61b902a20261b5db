use serde_json::{Value, json};
use sinew::prelude::*;

fn log(cx: &mut Reflex, line: &str) {
    let log = &mut cx.payload_mut()["log"];
    match log {
        Value::Array(lines) => lines.push(json!(line)),
        other => *other = json!([line]),
    }
}

/// Every kind of callback, in the order in which it is declared.
pub(crate) struct Callback;

#[reflex]
impl Callback {
    #[before]
    async fn first(&self, cx: &mut Reflex) -> Result {
        log(cx, "before-first");
        Ok(())
    }

    #[before(only(filtered))]
    async fn only_filtered(&self, cx: &mut Reflex) -> Result {
        log(cx, "before-only-filtered");
        Ok(())
    }

    #[before(except(filtered))]
    async fn second(&self, cx: &mut Reflex) -> Result {
        log(cx, "before-second");
        Ok(())
    }

    #[around]
    async fn wrap(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
        log(cx, "around-in");
        next.run(cx).await?;
        log(cx, "around-out");
        Ok(())
    }

    #[after]
    async fn last_one(&self, cx: &mut Reflex) -> Result {
        log(cx, "after-last_one");
        Ok(())
    }

    #[after]
    async fn after_block(&self, cx: &mut Reflex) -> Result {
        log(cx, "after-block");
        Ok(())
    }

    async fn run(&self, cx: &mut Reflex) -> Result {
        log(cx, "run");
        cx.morph_nothing();
        Ok(())
    }

    async fn filtered(&self, cx: &mut Reflex) -> Result {
        log(cx, "filtered");
        cx.morph_nothing();
        Ok(())
    }
}

/// Halting and forbidding.
pub(crate) struct Halt;

#[reflex]
impl Halt {
    #[before(only(halted))]
    async fn stop(&self, cx: &mut Reflex) -> Result {
        cx.halt()
    }

    #[before(only(forbidden))]
    async fn forbid(&self, cx: &mut Reflex) -> Result {
        cx.forbid()
    }

    #[before(only(halted_with_payload))]
    async fn stop_with_payload(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("queued in before_reflex");
        cx.set_payload(json!({ "why": "not today" }));
        cx.halt()
    }

    #[after]
    async fn tail(&self, cx: &mut Reflex) -> Result {
        cx.payload_mut()["after"] = json!(true);
        Ok(())
    }

    async fn halted(&self, _cx: &mut Reflex) -> Result {
        Err("never runs".into())
    }

    async fn forbidden(&self, _cx: &mut Reflex) -> Result {
        Err("never runs".into())
    }

    async fn halted_with_payload(&self, _cx: &mut Reflex) -> Result {
        Err("never runs".into())
    }

    async fn not_halted(&self, cx: &mut Reflex) -> Result {
        cx.payload_mut()["ran"] = json!(true);
        cx.morph_nothing();
        Ok(())
    }

    async fn thrown_in_action(&self, cx: &mut Reflex) -> Result {
        cx.halt()
    }

    async fn ops_then_halt(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("enqueued before abort");
        cx.halt()
    }
}

use std::fmt;

use serde_json::json;
use sinew::prelude::{Error as ReflexFailure, *};

/// A failure that the reflex knows how to rescue.
#[derive(Debug)]
struct Known;

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("known problem")
    }
}

impl std::error::Error for Known {}

/// Every way to fail.
pub(crate) struct Error;

#[reflex]
impl Error {
    #[rescue]
    async fn rescued(&self, cx: &mut Reflex, error: &ReflexFailure) {
        if let Some(known) = error.downcast_ref::<Known>() {
            let message = known.to_string();
            cx.payload_mut()["rescued"] = json!(message);
        }
    }

    async fn boom(&self, _cx: &mut Reflex) -> Result {
        Err(ReflexFailure::from("boom: <b>html</b> & \"quotes\""))
    }

    async fn known(&self, _cx: &mut Reflex) -> Result {
        Err(Known.into())
    }

    async fn nil_error(&self, _cx: &mut Reflex) -> Result {
        panic!("undefined method `upcase' for nil:NilClass")
    }

    async fn after_ops(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().console_log("queued before the error");
        Err(ReflexFailure::from("after ops"))
    }

    async fn after_morph(&self, cx: &mut Reflex) -> Result {
        cx.morph("#one", "<div id=\"one\">never sent?</div>");
        Err(ReflexFailure::from("after selector morph"))
    }

    async fn session_then_boom(&self, cx: &mut Reflex) -> Result {
        cx.session()
            .set("value", &"written before the error")
            .await?;
        Err(ReflexFailure::from("after session write"))
    }

    async fn two(&self, cx: &mut Reflex, _a: serde_json::Value, _b: serde_json::Value) -> Result {
        cx.morph_nothing();
        Ok(())
    }

    async fn ok(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }
}

use serde_json::json;
use sinew::prelude::*;

/// Actions that every reflex inherits.
pub(crate) struct ApplicationReflex;

#[reflex]
impl ApplicationReflex {
    async fn inherited_action(&self, cx: &mut Reflex) -> Result {
        cx.set_payload(json!({ "from": "ApplicationReflex" }));
        cx.morph_nothing();
        Ok(())
    }
}

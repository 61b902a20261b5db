use serde_json::{Value, json};
use sinew::prelude::*;

/// Reads and writes one value of the session.
pub(crate) struct Sess;

#[reflex]
impl Sess {
    async fn write(&self, cx: &mut Reflex) -> Result {
        let value = cx
            .element()
            .dataset()
            .get("value")
            .unwrap_or("written in reflex")
            .to_owned();
        cx.session().set("value", &value).await?;
        Ok(())
    }

    async fn read(&self, cx: &mut Reflex) -> Result {
        let value: Option<Value> = cx.session().get("value").await?;
        cx.set_payload(json!({ "value": value }));
        cx.morph_nothing();
        Ok(())
    }

    async fn write_nothing(&self, cx: &mut Reflex, value: Value) -> Result {
        cx.session().set("value", &value).await?;
        cx.morph_nothing();
        Ok(())
    }
}

/// The flash, from a reflex.
pub(crate) struct Flashes;

#[reflex(name = "Flash")]
impl Flashes {
    async fn notice(&self, cx: &mut Reflex) -> Result {
        cx.flash().set("notice", &"from the reflex").await?;
        Ok(())
    }

    async fn now(&self, cx: &mut Reflex) -> Result {
        cx.flash()
            .now("notice", &"flash.now from the reflex")
            .await?;
        Ok(())
    }

    async fn nothing(&self, cx: &mut Reflex) -> Result {
        cx.flash().set("notice", &"left by a nothing morph").await?;
        cx.morph_nothing();
        Ok(())
    }
}

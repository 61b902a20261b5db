//! The channels of the protocol probes.

use serde_json::{Value, json};
use sinew::prelude::*;

/// Answers what it is told, in every way a channel can be addressed.
pub(crate) struct EchoChannel;

#[channel]
impl EchoChannel {
    async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
        let name: Option<Value> = cx.params().get("name");
        if let Some(name) = name {
            cx.transmit(&json!({ "hello": name }))?;
        }
        Ok(())
    }

    async fn say(&self, cx: &mut Subscription, data: Value) -> ChannelResult {
        cx.transmit(&data)?;
        Ok(())
    }

    async fn receive(&self, cx: &mut Subscription, data: Value) -> ChannelResult {
        cx.transmit(&json!({ "received": data }))?;
        Ok(())
    }

    async fn crash(&self, _cx: &mut Subscription, _data: Value) -> ChannelResult {
        panic!("crash in channel action")
    }
}

/// A plain stream, for measuring fan-out.
pub(crate) struct LoadChannel;

#[channel]
impl LoadChannel {
    async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
        cx.stream_from("load");
        Ok(())
    }
}

/// Refuses everybody.
pub(crate) struct RejectChannel;

#[channel]
impl RejectChannel {
    async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
        cx.reject();
        Ok(())
    }
}

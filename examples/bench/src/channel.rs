//! The channel under measurement.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use sinew::cable::Streams;
use sinew::prelude::*;
use sinew_cable::Broadcaster;

/// Echoes to one and broadcasts to a room.
pub(crate) struct BenchChannel {
    broadcaster: Broadcaster,
}

impl BenchChannel {
    pub(crate) fn new(streams: Arc<dyn Streams>) -> Self {
        Self {
            broadcaster: Broadcaster::new(streams),
        }
    }
}

#[channel]
impl BenchChannel {
    async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
        let room = room(cx);
        cx.stream_from(room);
        Ok(())
    }

    async fn echo(&self, cx: &mut Subscription, data: &RawValue) -> ChannelResult {
        cx.transmit(data)
    }

    async fn broadcast(&self, cx: &mut Subscription, data: &RawValue) -> ChannelResult {
        let room = match serde_json::from_str(data.get())? {
            Addressed { room: Some(room) } => format!("bench_{room}"),
            Addressed { room: None } => room(cx),
        };
        self.broadcaster.broadcast(room, data).await?;
        Ok(())
    }
}

/// Whom a broadcast is for, when it is not the sender's own room.
#[derive(Deserialize)]
struct Addressed {
    room: Option<String>,
}

fn room(cx: &mut Subscription) -> String {
    match cx.params().str("room") {
        Some(room) => format!("bench_{room}"),
        None => "bench".to_owned(),
    }
}

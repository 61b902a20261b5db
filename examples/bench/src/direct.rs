//! The channels under measurement that need no runtime.

use serde_json::value::RawValue;
use sinew::cable::{Answer, Confirmation, DirectChannel, DirectSubscription};
use sinew::prelude::*;

/// The echo of a channel that is called on the thread of its connections.
pub(crate) struct DirectBenchChannel;

impl DirectChannel for DirectBenchChannel {
    fn name(&self) -> &str {
        "DirectBenchChannel"
    }

    fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
        Confirmation::new().into()
    }

    fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
        subscription.transmit_json(data);
    }
}

/// The same by an ordinary channel, begun on the thread of its connections.
pub(crate) struct InPlaceBenchChannel;

#[channel(in_place)]
impl InPlaceBenchChannel {
    async fn echo(&self, cx: &mut Subscription, data: &RawValue) -> ChannelResult {
        cx.transmit(data)
    }
}

//! The channel under measurement that needs no runtime.

use sinew::cable::{Answer, Confirmation, DirectChannel, DirectSubscription};

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

use std::sync::Arc;

use sinew_protocol::Identifier;

use crate::application::state_of;
use crate::controller::{Answer, SubscriptionState};
use crate::{ConnectionContext, ConnectionIdentifiers};

/// A channel called in place, on the thread that drives connections: no task, no waiting.
///
/// For channels that only pass on what they get, as the reflexes' does: every method **must return quickly and never
/// block**, since other connections wait for it. A panic is caught, logged and counted.
pub trait DirectChannel: Send + Sync + 'static {
    /// The name clients subscribe by.
    fn name(&self) -> &str;

    /// A client asks to subscribe: [`Confirmation`](crate::Confirmation)`.into()`, [`Answer::Rejected`] or
    /// [`Answer::Ignored`].
    fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer;

    /// A message. `data` is the client's text, usually JSON, not checked. The next command may be handled at once.
    fn perform(&self, subscription: DirectSubscription<'_>, data: &str);

    /// The client left, or its connection ended.
    fn unsubscribed(&self, subscription: DirectSubscription<'_>) {
        let _ = subscription;
    }
}

/// The subscription a [`DirectChannel`] is called for.
#[derive(Clone, Copy)]
pub struct DirectSubscription<'a> {
    connection: &'a ConnectionContext,
    identifier: &'a Identifier,
    state: Option<&'a SubscriptionState>,
}

impl<'a> DirectSubscription<'a> {
    pub(super) fn new(
        connection: &'a ConnectionContext,
        identifier: &'a Identifier,
        state: Option<&'a SubscriptionState>,
    ) -> Self {
        Self {
            connection,
            identifier,
            state,
        }
    }

    /// The connection it belongs to.
    pub fn connection(&self) -> &'a ConnectionContext {
        self.connection
    }

    /// Who that is.
    pub fn identifiers(&self) -> &'a ConnectionIdentifiers {
        self.connection.identifiers()
    }

    /// Its name, as the client wrote it.
    pub fn identifier(&self) -> &'a Identifier {
        self.identifier
    }

    /// What [`Confirmation::with_state`](crate::Confirmation::with_state) kept, if it is of that type.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        state_of(self.state)
    }

    /// Sends text that is known to be one JSON value, unchanged. False when the connection is gone or ending.
    pub fn transmit_json(&self, message: &str) -> bool {
        self.connection.transmit_json(self.identifier, message)
    }
}

//! Where the towers meet: the channel over which browsers call reflexes.

use std::sync::{Arc, Once};

use serde_json::json;
use sinew_cable::{Answer, Confirmation, DirectChannel, DirectSubscription};
use sinew_reflex::{Client, Engine};

use crate::client_version::{ServerVersion, is_ours};
use crate::handle::REFRESH_STREAM;
use crate::identify::Connected;

/// The name the stock client subscribes by, and the beginning of the stream its replies travel on.
const NAME: &str = "StimulusReflex::Channel";

/// Hands calls to the engine and lets the cable deliver what the engine publishes.
pub(crate) struct ReflexChannel {
    engine: Engine,
    version: ServerVersion,
    /// Whether pages hear that they shall ask for themselves again.
    is_refreshable: bool,
    /// The log knows that there are pages without our client, although sessions live in their cookies.
    is_stock_told: Once,
}

impl ReflexChannel {
    pub(crate) fn new(engine: Engine, version: ServerVersion) -> Self {
        Self {
            engine,
            version,
            is_refreshable: false,
            is_stock_told: Once::new(),
        }
    }

    fn tell_of_stock_clients(&self) {
        self.is_stock_told.call_once(|| {
            tracing::warn!(
                "a page without Sinew's client calls reflexes, and sessions live in their cookies: what a reflex writes \
                 reaches such a page's cookie with its next request only. Load the script that `ClientTags` name, or \
                 bundle `sinew-client`"
            );
        });
    }

    /// Lets pages follow [`REFRESH_STREAM`], as in development.
    pub(crate) fn refreshable(mut self, is_refreshable: bool) -> Self {
        self.is_refreshable = is_refreshable;
        self
    }
}

impl DirectChannel for ReflexChannel {
    fn name(&self) -> &str {
        NAME
    }

    fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
        let identifiers = subscription.identifiers();
        let Some(connected) = identifiers.extensions().get::<Arc<Connected>>() else {
            return Answer::Rejected;
        };
        let key = identifiers.key();
        if key.is_empty() {
            // Without an identity the stream would be shared by every visitor.
            tracing::warn!("a connection without identifiers cannot call reflexes");
            return Answer::Rejected;
        }
        let is_ours = is_ours(subscription.identifier().as_str());
        let (link, socket) = connected.link(is_ours);
        // Since the session may get another id, nobody who has come with the old one hears what is meant for this page:
        // it has a stream of its own. A stock page may want its replies in every tab.
        let stream = match socket {
            Some(socket) => format!("{NAME}:{key}:{socket}"),
            None => format!("{NAME}:{key}"),
        };
        let handshake = Arc::clone(&connected.handshake);
        let mut client = Client::new(stream.as_str().into(), handshake)
            .with_identifiers(identifiers.iter())
            .with_session_link(link);
        // Few applications leave anything beside what the facade itself keeps there, and a copy
        // takes its share of every connection.
        if identifiers.extensions().len() > 1 {
            client = client.with_extensions(identifiers.extensions().clone());
        }
        // It waits in the mailbox until this call has been answered, so the confirmation comes first.
        if let Some(greeting) = self.version.greeting(subscription.identifier().as_str()) {
            subscription.transmit_json(&greeting);
        }
        if let Some(socket) = socket {
            let about = json!({ "sinew": { "socket": socket.to_string() } });
            subscription.transmit_json(&about.to_string());
        } else if connected.is_in_cookie() {
            self.tell_of_stock_clients();
        }
        let confirmation = Confirmation::new().stream_from(stream);
        let confirmation = if self.is_refreshable {
            confirmation.stream_from(REFRESH_STREAM)
        } else {
            confirmation
        };
        confirmation.with_state(Arc::new(client)).into()
    }

    fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
        if let Some(client) = subscription.state::<Client>() {
            self.engine.receive(&client, data);
        }
    }

    fn is_busy(&self, subscription: DirectSubscription<'_>) -> bool {
        let client = subscription.state::<Client>();
        client.is_some_and(|client| client.is_busy())
    }
}

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sinew_protocol::{DisconnectReason, Identifier, write_string};
use sinew_websocket::SharedFrame;
use smallvec::SmallVec;

use crate::mailbox::{Mail, Mailbox};
use crate::{Broadcaster, ConnectionIdentifiers};

/// A number that no other connection of this node has or had.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectionId, ConnectionIdentifiers, Answer, Confirmation, DirectChannel, DirectSubscription};
/// # use sinew_streams::InProcessStreams;
/// use std::collections::HashSet;
/// use std::sync::Mutex;
///
/// /// Counts connections, not subscriptions.
/// #[derive(Default)]
/// struct VisitorsChannel(Mutex<HashSet<ConnectionId>>);
///
/// impl DirectChannel for VisitorsChannel {
///     fn name(&self) -> &str {
///         "VisitorsChannel"
///     }
///
///     fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
///         self.0.lock().unwrap().insert(subscription.connection().id());
///         Confirmation::new().into()
///     }
///
///     fn perform(&self, _: DirectSubscription<'_>, _: &str) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let visitors = Arc::new(VisitorsChannel::default());
/// # let application =
/// #     Application::new(async |_| Ok(ConnectionIdentifiers::new())).direct_channel(visitors.clone());
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let (mut one, mut other) = (Client::open(&cable), Client::open(&cable));
/// # one.receive().await;
/// # other.receive().await;
/// one.subscribe(r#"{"channel":"VisitorsChannel"}"#);
/// one.subscribe(r#"{"channel":"VisitorsChannel","again":true}"#);
/// other.subscribe(r#"{"channel":"VisitorsChannel"}"#);
/// assert_eq!(visitors.0.lock().unwrap().len(), 2);
/// assert!(visitors.0.lock().unwrap().iter().all(|id| id.get() <= 2));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub(crate) u64);

impl ConnectionId {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The application's handle on one connection: who it is, and a way to send to it from anywhere.
///
/// Cloning is cheap. It does not keep the connection alive; sending to one that is gone does nothing.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::{Arc, Mutex};
/// use sinew_cable::{
///     Application, Cable, Channel, ChannelError, ConnectionContext, ConnectionId,
///     ConnectionIdentifiers, Subscription,
/// };
/// use sinew_protocol::Identifier;
/// use sinew_streams::InProcessStreams;
///
/// /// Remembers who is there.
/// #[derive(Clone, Default)]
/// struct DeskChannel(Arc<Mutex<Vec<ConnectionContext>>>);
///
/// impl Channel for DeskChannel {
///     const NAME: &'static str = "DeskChannel";
///
///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
///         self.0.lock().unwrap().push(cx.connection().clone());
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let desk = DeskChannel::default();
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new().with("user", "ann")))
///     .channel(desk.clone());
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// let identifier = Identifier::from(r#"{"channel":"DeskChannel"}"#);
/// client.subscribe(identifier.as_str());
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
///
/// let ann = desk.0.lock().unwrap()[0].clone();
/// assert_eq!(ann.identifiers().get("user"), Some("ann"));
/// let id: ConnectionId = ann.id();
/// assert_eq!(id.get(), 1);
///
/// // To everybody on a stream, where nobody is yet.
/// ann.broadcaster().broadcast("news", "hello").await?;
///
/// assert!(ann.transmit(&identifier, &[1, 2])?);
/// assert!(ann.transmit_json(&identifier, r#"{"three":3}"#));
/// assert_eq!(client.receive().await["message"][1], 2);
/// assert_eq!(client.receive().await["message"]["three"], 3);
///
/// ann.disconnect(true);
/// assert_eq!(client.receive().await["reason"], "remote");
/// drop(client);
/// assert!(!ann.transmit(&identifier, "gone")?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ConnectionContext {
    pub(crate) mailbox: Arc<Mailbox>,
}

/// More room than that is given back.
const SCRATCH_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl ConnectionContext {
    /// Tells connections of this node apart.
    pub fn id(&self) -> ConnectionId {
        self.mailbox.id
    }

    /// Who it is, as the connect hook said. Empty before the hook has answered.
    pub fn identifiers(&self) -> &ConnectionIdentifiers {
        static NONE: std::sync::OnceLock<ConnectionIdentifiers> = std::sync::OnceLock::new();
        self.mailbox
            .identifiers
            .get()
            .unwrap_or_else(|| NONE.get_or_init(ConnectionIdentifiers::new))
    }

    /// Sends a value to one subscription of this connection. False when the connection is gone or ending.
    ///
    /// # Errors
    ///
    /// When the value cannot be written as JSON.
    pub fn transmit(
        &self,
        identifier: &Identifier,
        message: &(impl Serialize + ?Sized),
    ) -> Result<bool, serde_json::Error> {
        // The frame says first how long it is: so the message is written elsewhere before, where there is room already.
        // Whoever serializes may send something himself: then the room is in use, and he gets some of his own.
        let mut text = SCRATCH.take();
        let written = serde_json::to_writer(&mut text, message);
        let frame = written.map(|()| data_frame(identifier, &text));
        if text.capacity() <= SCRATCH_BYTES_MAX {
            text.clear();
            SCRATCH.set(text);
        }
        Ok(self.send(frame?))
    }

    /// Sends text that is known to be one JSON value, unchanged. False when the connection is gone or ending.
    ///
    /// Text that is not JSON would make a frame the client cannot read: see [`sinew_protocol::is_json`].
    pub fn transmit_json(&self, identifier: &Identifier, message: &str) -> bool {
        self.send(data_frame(identifier, message.as_bytes()))
    }

    /// A handle that broadcasts to the streams of this connection's cable.
    pub fn broadcaster(&self) -> Broadcaster {
        Broadcaster::new(self.mailbox.node.streams.clone())
    }

    /// Ends this connection: the client is told the reason `remote`, and whether it should come back.
    pub fn disconnect(&self, reconnect: bool) {
        self.mailbox
            .push(Mail::Disconnect(DisconnectReason::Remote, reconnect));
    }

    fn send(&self, frame: SharedFrame) -> bool {
        self.mailbox.push(Mail::Frame(frame))
    }
}

impl fmt::Debug for ConnectionContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConnectionContext")
            .field("id", &self.id().get())
            .field("identifiers", self.identifiers())
            .finish()
    }
}

/// The complete WebSocket frame of a data message, in one allocation of the right size.
pub(crate) fn data_frame(identifier: &Identifier, message: &[u8]) -> SharedFrame {
    with_data_head(identifier, |[before, identifier, after]| {
        SharedFrame::text_from_parts(&[before, identifier, after, message, MESSAGE_END])
    })
}

/// What a data message has after its message.
pub(crate) const MESSAGE_END: &[u8] = b"}";

/// Gives what a data message has before its message.
pub(crate) fn with_data_head<T>(
    identifier: &Identifier,
    write: impl FnOnce(&[&[u8]; 3]) -> T,
) -> T {
    let mut escaped = SmallEscape::new();
    escaped.write(identifier.as_str());
    write(&[br#"{"identifier":"#, escaped.as_bytes(), br#","message":"#])
}

/// A JSON string of an identifier; most fit without an allocation.
struct SmallEscape(SmallVec<[u8; 256]>);

impl SmallEscape {
    fn new() -> Self {
        Self(SmallVec::new())
    }

    fn write(&mut self, text: &str) {
        // The common case by hand, and without looking at each byte twice: printable text whose only escapes are quotes
        // and backslashes.
        let (mut plain, mut is_printable) = (0, true);
        self.0.push(b'"');
        for (at, byte) in text.bytes().enumerate() {
            is_printable &= byte >= 0x20;
            if matches!(byte, b'"' | b'\\') {
                self.0.extend_from_slice(&text.as_bytes()[plain..at]);
                self.0.push(b'\\');
                plain = at;
            }
        }
        self.0.extend_from_slice(&text.as_bytes()[plain..]);
        self.0.push(b'"');
        if !is_printable {
            let mut out = Vec::new();
            write_string(&mut out, text);
            self.0 = SmallVec::from_vec(out);
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_is_what_serde_writes() {
        for text in [
            "",
            "plain",
            r#"{"channel":"A\\B"}"#,
            "größe \u{1f600}\u{7f}",
            "line\nfeed\u{1}",
        ] {
            let mut escaped = SmallEscape::new();
            escaped.write(text);
            assert_eq!(
                escaped.as_bytes(),
                serde_json::to_string(text).expect("serializes").as_bytes()
            );
        }
    }

    #[test]
    fn data_frame_has_rails_key_order() {
        let frame = data_frame(&Identifier::from(r#"{"channel":"A"}"#), br#"{"z":1,"a":2}"#);
        assert_eq!(
            frame.payload(),
            br#"{"identifier":"{\"channel\":\"A\"}","message":{"z":1,"a":2}}"#
        );
    }
}

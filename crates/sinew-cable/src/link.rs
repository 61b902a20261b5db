use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::time::Instant;

use sinew_protocol::{DisconnectReason, Identifier, ServerMessage};
use sinew_streams::StreamName;
use sinew_websocket::{Opcode, frame_into};

use crate::cable::{Inner, SharedRequest};
use crate::connection::{Connection, Effects, Event, Followed, Subscribed, Ticket};
use crate::controller::{Answer, Call, Replies};
use crate::hub::{Joined, Seat};
use crate::mailbox::{Mail, Mailbox};
use crate::registry::PlaceKey;
use crate::statistics::up;
use crate::{ConnectionContext, ConnectionIdentifiers};

/// One connection joined with its node: what a driver of sockets holds.
///
/// The driver gives it what the socket brings and writes what it appends to `out`, which are complete WebSocket frames.
/// Between two events it is asleep: it left its waker by [`park`](Self::park), which any mail wakes.
/// When [`closing`](Self::closing) tells a close, the driver sends that close frame after `out` and ends the socket.
/// Dropping it ends the connection: streams are left and the application hears of it.
///
/// ```
/// use std::sync::Arc;
/// use std::task::Poll;
/// use std::time::Instant;
/// use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
/// use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let mut link = cable.open();
/// let mut out = Vec::new();
/// link.start(Instant::now(), Arc::new(ConnectRequest::default()), &mut out);
///
/// // The connect hook has not answered: wait for mail, and write what it brings.
/// std::future::poll_fn(|context| match link.park(context.waker()) {
///     true => Poll::Pending,
///     false => Poll::Ready(()),
/// })
/// .await;
/// assert!(link.deliver(Instant::now(), usize::MAX, &mut out));
/// // A text frame (0x81) of eighteen bytes.
/// assert_eq!(out, *b"\x81\x12{\"type\":\"welcome\"}");
///
/// // What is no command is ignored; nothing is written and the connection lives.
/// out.clear();
/// link.receive_text(Instant::now(), "not JSON", &mut out);
/// link.receive_binary(Instant::now(), b"\xff", &mut out);
/// assert!(out.is_empty() && link.closing().is_none() && !link.is_congested());
/// assert!(!link.deliver(Instant::now(), usize::MAX, &mut out), "no mail");
/// # Ok(()) }
/// ```
pub struct Link {
    connection: Connection,
    wires: Wires,
}

/// What the connection's effects are performed with.
struct Wires {
    cable: Arc<Inner>,
    mailbox: Arc<Mailbox>,
    place: PlaceKey,
    closing: Option<Closing>,
}

/// The close frame that ends a connection.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Instant;
/// # use sinew_cable::{Application, Cable, Closing, ConnectRequest, ConnectionIdentifiers};
/// # use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let mut link = cable.open();
/// link.start(Instant::now(), Arc::new(ConnectRequest::default()), &mut Vec::new());
/// cable.restart();
/// assert!(link.deliver(Instant::now(), usize::MAX, &mut Vec::new()));
/// assert_eq!(link.closing().map(|closing: Closing| closing.code), Some(1001));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// The WebSocket close code.
    pub code: u16,
    /// The text in the frame, maybe empty.
    pub text: &'static str,
}

impl Link {
    pub(crate) fn new(
        now: Instant,
        cable: Arc<Inner>,
        mailbox: Arc<Mailbox>,
        place: PlaceKey,
    ) -> Self {
        up(&cable.node.counters.connections);
        up(&cable.node.counters.connections_opened);
        let context = ConnectionContext {
            mailbox: mailbox.clone(),
        };
        Self {
            connection: Connection::new(now, context),
            wires: Wires {
                cable,
                mailbox,
                place,
                closing: None,
            },
        }
    }

    /// Begins: asks the application who this is.
    pub fn start(&mut self, now: Instant, request: SharedRequest, out: &mut Vec<u8>) {
        self.handle(now, Event::Opened(request), out);
    }

    /// A text message came.
    pub fn receive_text(&mut self, now: Instant, text: &str, out: &mut Vec<u8>) {
        self.handle(now, Event::Text(text), out);
    }

    /// A binary message came.
    pub fn receive_binary(&mut self, now: Instant, bytes: &[u8], out: &mut Vec<u8>) {
        self.handle(now, Event::Binary(bytes), out);
    }

    /// Takes mail: all of it, or from its front about as much as makes `bytes_max` bytes. False when there was none.
    pub fn deliver(&mut self, now: Instant, bytes_max: usize, out: &mut Vec<u8>) -> bool {
        let mails = self.wires.mailbox.take(bytes_max);
        if mails.is_empty() {
            return false;
        }
        for mail in mails {
            match mail {
                // After the close frame nothing may follow.
                Mail::Frame(_) if self.wires.closing.is_some() => {}
                Mail::Frame(frame) => out.extend_from_slice(&frame),
                other => self.handle(now, other.into_event(), out),
            }
        }
        true
    }

    /// Leaves the waker for the next mail. False when there is mail already: then the waker is not kept.
    #[must_use]
    pub fn park(&self, waker: &Waker) -> bool {
        self.wires.mailbox.park(waker)
    }

    /// Whether the socket should not be read until the application has caught up.
    pub fn is_congested(&self) -> bool {
        self.connection.is_congested()
    }

    /// The close to send, once the connection has ended.
    pub fn closing(&self) -> Option<Closing> {
        self.wires.closing
    }

    pub(crate) fn disconnect(&self, reason: DisconnectReason) {
        let mail = Mail::Disconnect(reason, reason.reconnect());
        self.wires.mailbox.push(mail);
    }

    fn handle(&mut self, now: Instant, event: Event<'_>, out: &mut Vec<u8>) {
        let mut effects = Performer {
            wires: &mut self.wires,
            out,
        };
        self.connection.handle(now, event, &mut effects);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut out = Vec::new();
        // An answer that came meanwhile counts: the application may have made something it has to take down.
        for mail in self.wires.mailbox.gone() {
            if matches!(mail, Mail::Answer(..)) {
                self.handle(now, mail.into_event(), &mut out);
            }
        }
        self.handle(now, Event::Gone, &mut out);
        let cable = &self.wires.cable;
        cable.registry.remove(self.wires.place);
        if cable.node.counters.connections.fetch_sub(1, Relaxed) == 1 {
            cable.empty.notify_waiters();
        }
    }
}

impl Mail {
    fn into_event(self) -> Event<'static> {
        match self {
            Self::Answer(ticket, answer) => Event::Answered(ticket, answer),
            Self::Followed(ticket, followed) => Event::Followed(ticket, followed),
            Self::Disconnect(reason, reconnect) => Event::Disconnect { reason, reconnect },
            Self::Tick | Self::Frame(_) => Event::Tick,
        }
    }
}

/// Performs effects on the node and on the bytes to write.
struct Performer<'a> {
    wires: &'a mut Wires,
    out: &'a mut Vec<u8>,
}

impl Effects for Performer<'_> {
    fn send(&mut self, message: ServerMessage<'_>) {
        if self.wires.closing.is_some() {
            return;
        }
        let mut text = Vec::with_capacity(128);
        message.write(&mut text);
        frame_into(self.out, Opcode::Text, &text);
    }

    fn close(&mut self, code: u16, text: &'static str) {
        if self.wires.closing.is_none() {
            self.wires.closing = Some(Closing { code, text });
            self.wires.mailbox.end();
        }
    }

    fn call(&mut self, ticket: Ticket, call: Call<'_>) -> Option<Answer> {
        let replies = Replies {
            mailbox: &self.wires.mailbox,
            ticket,
        };
        let controller = &self.wires.cable.controller;
        // A panic in the application is that call's failure, not the connection's end.
        catch_unwind(AssertUnwindSafe(|| controller.handle(call, &replies))).unwrap_or_else(|_| {
            tracing::error!(
                connection = self.wires.mailbox.id.get(),
                "the application panicked in a call"
            );
            Some(Answer::Failed)
        })
    }

    fn opened(&mut self, identifiers: ConnectionIdentifiers) {
        // Set once: the connection takes one answer to its connect.
        let _ = self.wires.mailbox.identifiers.set(identifiers);
        self.wires.mailbox.open();
    }

    fn follow(&mut self, ticket: Ticket, identifier: &Identifier, stream: &StreamName) -> Followed {
        let Wires { cable, mailbox, .. } = &*self.wires;
        match cable.hub.join(&*cable.streams, stream, identifier, mailbox) {
            Joined::Followed(seat) => Followed::Now(seat),
            Joined::Following(seat) => {
                wait_for_stream(cable, mailbox, ticket, stream.clone());
                Followed::Later(seat)
            }
        }
    }

    fn unfollow(&mut self, identifier: &Identifier, stream: &StreamName, seat: Seat) {
        let cable = &self.wires.cable;
        cable.hub.leave(&*cable.streams, stream, identifier, seat);
    }

    fn disconnected(&mut self, connection: &ConnectionContext, subscriptions: Vec<Subscribed>) {
        let controller = &self.wires.cable.controller;
        if catch_unwind(AssertUnwindSafe(|| {
            controller.disconnected(connection, subscriptions);
        }))
        .is_err()
        {
            tracing::error!(
                connection = connection.id().get(),
                "the application panicked when a connection ended"
            );
        }
    }
}

/// Only streams of more than one process are not followed at once.
fn wait_for_stream(cable: &Arc<Inner>, mailbox: &Arc<Mailbox>, ticket: Ticket, stream: StreamName) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        tracing::error!("following a stream of other nodes needs a tokio runtime");
        mailbox.push(Mail::Followed(ticket, false));
        return;
    };
    let (cable, mailbox) = (cable.clone(), mailbox.clone());
    runtime.spawn(async move {
        let followed = match cable.streams.follow(&stream).await {
            Ok(()) => {
                cable.hub.followed(&stream);
                true
            }
            Err(error) => {
                tracing::warn!(%stream, %error, "stream cannot be followed");
                false
            }
        };
        mailbox.push(Mail::Followed(ticket, followed));
    });
}

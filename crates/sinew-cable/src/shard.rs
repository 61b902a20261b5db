//! A share of a node's connections, owned by one thread or task: state machines, their streams, what they have to write.
//!
//! No socket and no clock: whoever drives it brings what sockets read, takes what they should write, and says when.
//!
//! ```
//! use std::io::IoSlice;
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use sinew_cable::shard::{Closing, Line, Outbox, Shard, Visit};
//! use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
//! # use sinew_streams::InProcessStreams;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
//! let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
//! let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
//!
//! // What the driver keeps for a connection is a name here; usually it is a socket.
//! let woken = Arc::new(tokio::sync::Notify::new());
//! let wakes = woken.clone();
//! let mut shard = Shard::new(&cable, move || wakes.notify_one());
//! let key = shard.open(Instant::now(), cable.incoming(), Arc::new(ConnectRequest::default()), "the first");
//! assert_eq!(shard.len(), 1);
//!
//! // The application answers from its runtime: the shard is woken and finds the welcome to write.
//! assert!(shard.sleep());
//! woken.notified().await;
//! shard.awake();
//! assert!(shard.take_mail(Instant::now()));
//! assert_eq!(shard.next_dirty(), Some(key));
//! let mut visit: Visit<'_, &str> = shard.visit(key).expect("it is there");
//! assert_eq!(*visit.peer, "the first");
//! let outbox: &mut Outbox = visit.line.outbox().expect("the welcome");
//! let mut slices = [IoSlice::new(&[]); 16];
//! assert_eq!(outbox.slices(&mut slices), 1);
//! assert_eq!(&slices[0][2..], br#"{"type":"welcome"}"#);
//! outbox.advance(20);
//! assert!(outbox.is_empty());
//! shard.recycle(key);
//!
//! // A socket that brings a command.
//! let mut visit = shard.visit(key).expect("it is there");
//! let line: &mut Line<'_> = &mut visit.line;
//! line.read(Instant::now(), 55);
//! line.receive_text(Instant::now(), r#"{"command":"ping"}"#);
//! line.receive_binary(Instant::now(), br#"{"command":"ping"}"#);
//! line.receive_control(Instant::now(), bytes::Bytes::from_static(b"\x8a\x00"));
//! let outbox = line.outbox().expect("two answers and a pong");
//! assert_eq!(outbox.slices(&mut [IoSlice::new(&[]); 16]), 3);
//! assert!(!line.is_congested(), "the application is not behind");
//! assert_eq!(line.pause(Instant::now()), None, "the client does not send too fast");
//!
//! // Within one and a half of the interval every connection has its ping.
//! let within = cable.config().ping_interval * 3 / 2;
//! let mut passed = Duration::ZERO;
//! while passed <= within {
//!     shard.ping(Instant::now(), Duration::from_secs(1_700_000_000));
//!     passed += shard.tick_interval();
//! }
//! let mut visit = shard.visit(key).expect("it is there");
//! let outbox = visit.line.outbox().expect("and a ping");
//! assert_eq!(outbox.slices(&mut [IoSlice::new(&[]); 16]), 4);
//!
//! // The server ends it: the close goes out after what waits, and nothing may follow.
//! cable.restart();
//! shard.take_mail(Instant::now());
//! let mut visit = shard.visit(key).expect("it is there");
//! let closing: Closing = visit.line.closing().expect("it was told to end");
//! assert_eq!((closing.code, closing.text), (1001, "Server restart"));
//! visit.line.send_frame(bytes::Bytes::from_static(b"\x88\x02\x03\xe9"));
//! visit.line.stop();
//!
//! // The socket is gone.
//! shard.remove(key);
//! assert!(shard.visit(key).is_none());
//! assert!(shard.is_empty());
//! # Ok(()) }
//! ```

mod departure;
mod forms;
mod hub;
mod intake;
mod line;
mod mail;
mod names;
mod outbox;
mod perform;
mod pulse;
mod slots;
mod wheel;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sinew_protocol::DisconnectReason;

pub(crate) use hub::Seat;
pub use line::Line;
pub use outbox::Outbox;

use crate::cable::{Inner, mix};
use crate::connection::{Connection, Event};
use crate::context::ConnectionId;
use crate::follows::ShardNumber;
use crate::inbox::{Inbox, Parcel};
use crate::mailbox::Mailbox;
use crate::statistics::{Peak, down, up};
use crate::{Cable, ConnectRequest, ConnectionContext, Incoming};
use departure::Departure;
use forms::Compressor;
use hub::Hub;
use intake::{Buckets, Rates};
use names::Names;
use outbox::Spares;
use perform::Performer;
use pulse::{Beat, PingFrames, Pulse};
use slots::Slots;
use wheel::{Place, Wheel};

/// Names a connection of one shard. The number is used again when the connection is gone.
///
/// ```
/// use sinew_cable::shard::Key;
///
/// assert_eq!(Key::from_number(7).number(), 7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u32);

impl Key {
    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The key with this number.
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// The close frame that ends a connection; see [`Line::closing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// The WebSocket close code.
    pub code: u16,
    /// The text in the frame, maybe empty.
    pub text: &'static str,
}

/// A share of a node's connections, each with what its driver keeps for it: a `P`.
///
/// The driver's turn: give it what sockets brought ([`visit`](Self::visit)), [`take_mail`](Self::take_mail), then write
/// what every connection has that [`next_dirty`](Self::next_dirty) names: one write for all that came meanwhile.
/// When [`sleep`](Self::sleep) says so, wait for sockets, for the wake function, or for the next
/// [`tick_interval`](Self::tick_interval). All of it together is shown in the [module's example](self).
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectionIdentifiers, shard::Shard};
/// # use sinew_streams::InProcessStreams;
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let shard: Shard<std::net::TcpStream> = Shard::new(&cable, || {});
/// assert!(shard.is_empty());
/// # Ok::<(), sinew_streams::StreamsError>(())
/// ```
pub struct Shard<P> {
    cable: Arc<Inner>,
    number: ShardNumber,
    inbox: Arc<Inbox>,
    links: Slots<Link<P>>,
    hub: Hub,
    names: Names,
    wheel: Wheel,
    /// How many ticks nothing may come from a client; zero is for ever.
    pong_ticks: u32,
    rates: Rates,
    /// Connections that have something to write or a close to send, each once.
    dirty: Vec<Key>,
    /// Connections whose socket is gone, kept until what was posted for them before has been looked at.
    departing: Vec<Key>,
    parcels: Vec<Parcel>,
    spares: Spares,
    departure: Option<Box<Departure>>,
    compressor: Compressor,
    /// Connections that negotiated compression: without one, a broadcast need not ask each.
    deflating: usize,
    /// Bytes in the longest outgoing queue.
    longest_outbox: Peak,
    /// Ticks so far.
    ticks: u32,
}

struct Link<P> {
    connection: Connection,
    mailbox: Arc<Mailbox>,
    outbox: Option<Box<Outbox>>,
    /// Boxed, since few connections end at any time.
    closing: Option<Box<Closing>>,
    place: Place,
    pulse: Pulse,
    buckets: Buckets,
    is_dirty: bool,
    is_departing: bool,
    /// Messages may be sent compressed.
    deflate: bool,
    peer: P,
    /// Counted as long as it is here.
    _incoming: Incoming,
}

/// One connection at hand: the driver's part of it, and the cable's.
pub struct Visit<'a, P> {
    /// What the driver keeps.
    pub peer: &'a mut P,
    /// Where to bring what the socket read.
    pub line: Line<'a>,
}

impl<P> Shard<P> {
    /// A share of this cable's connections, none yet. `wake` is called, from any thread, when there is something for it
    /// while it [sleeps](Self::sleep).
    ///
    /// It keeps the cable. Dropping it ends its connections.
    pub fn new(cable: &Cable, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let cable = cable.inner.clone();
        let config = &cable.node.config;
        let inbox = Arc::new(Inbox::new(config.inbox_bytes_max, Box::new(wake)));
        let wheel = Wheel::new(config);
        let pong_ticks = config
            .pong_timeout
            .as_nanos()
            .div_ceil(wheel.tick().as_nanos());
        Self {
            number: cable.follows.add_shard(inbox.clone()),
            compressor: Compressor::new(&cable.node.config),
            deflating: 0,
            links: Slots::new(),
            hub: Hub::default(),
            names: Names::default(),
            wheel,
            pong_ticks: u32::try_from(pong_ticks).unwrap_or(u32::MAX),
            rates: Rates::new(Instant::now(), config),
            dirty: Vec::new(),
            departing: Vec::new(),
            parcels: Vec::new(),
            spares: Spares::new(inbox.clone()),
            longest_outbox: Peak::default(),
            ticks: 0,
            inbox,
            departure: None,
            cable,
        }
    }

    /// Connections here.
    pub fn len(&self) -> usize {
        self.links.len() - self.departing.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in a connection whose socket has just been upgraded, and asks the application who it is.
    pub fn open(
        &mut self,
        now: Instant,
        incoming: Incoming,
        request: Arc<ConnectRequest>,
        peer: P,
    ) -> Key {
        self.open_after(Bytes::new(), now, incoming, request, peer)
    }

    /// As [`open`](Self::open), of a connection whose handshake has not been answered yet: `head`, the answer, is the
    /// first that its outbox holds, and is written together with what else is there by then, such as the welcome.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Instant;
    /// # use bytes::Bytes;
    /// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers, shard::Shard};
    /// # use sinew_streams::InProcessStreams;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let mut shard = Shard::new(&cable, || {});
    /// let (head, request) = (Bytes::from_static(b"HTTP/1.1 101 ..."), Arc::new(ConnectRequest::default()));
    /// let key = shard.open_after(head, Instant::now(), cable.incoming(), request, "the first");
    /// assert_eq!(shard.next_dirty(), Some(key));
    /// let mut line = shard.visit(key).expect("it is there").line;
    /// assert_eq!(line.outbox().expect("the answer").only(), Some(&b"HTTP/1.1 101 ..."[..]));
    /// # Ok(()) }
    /// ```
    pub fn open_after(
        &mut self,
        head: Bytes,
        now: Instant,
        incoming: Incoming,
        request: Arc<ConnectRequest>,
        peer: P,
    ) -> Key {
        let id = ConnectionId(self.cable.next_id.fetch_add(1, Relaxed));
        let key = Key(self.links.next());
        let mailbox = Arc::new(Mailbox::new(
            id,
            key,
            self.cable.node.clone(),
            self.inbox.clone(),
        ));
        let context = ConnectionContext {
            mailbox: mailbox.clone(),
        };
        self.deflating += usize::from(request.deflate);
        let (interval, pulse) = pulse::asked_for(&request, &self.cable.node.config);
        let period = self.wheel.ticks(interval);
        let random = mix(id.get() ^ self.cable.seed);
        let place = self.wheel.add(key, period, random);
        self.links.insert(Link {
            connection: Connection::new(now, context),
            mailbox,
            outbox: None,
            closing: None,
            place,
            pulse,
            buckets: Buckets::default(),
            is_dirty: false,
            is_departing: false,
            deflate: request.deflate,
            peer,
            _incoming: incoming,
        });
        up(&self.inbox.counters.connections_opened);
        up(&self.inbox.counters.present);
        if !head.is_empty()
            && let Some(mut visit) = self.reach(key)
        {
            visit.line.performer.write_head(head);
        }
        self.handle(now, key, Event::Opened(request));
        if self.cable.draining.load(Relaxed) {
            let reason = DisconnectReason::ServerRestart;
            self.disconnect(now, key, reason, reason.reconnect());
        }
        key
    }

    /// One connection, unless it is gone.
    pub fn visit(&mut self, key: Key) -> Option<Visit<'_, P>> {
        if self.links.get(key.0)?.is_departing {
            return None;
        }
        self.reach(key)
    }

    /// One connection, also one that is gone and not forgotten yet.
    fn reach(&mut self, key: Key) -> Option<Visit<'_, P>> {
        let link = self.links.get_mut(key.0)?;
        Some(Visit {
            peer: &mut link.peer,
            line: Line {
                connection: &mut link.connection,
                rates: &self.rates,
                buckets: &mut link.buckets,
                pulse: &mut link.pulse,
                performer: Performer {
                    cable: &self.cable,
                    number: self.number,
                    key,
                    mailbox: &link.mailbox,
                    outbox: &mut link.outbox,
                    closing: &mut link.closing,
                    is_dirty: &mut link.is_dirty,
                    dirty: &mut self.dirty,
                    hub: &mut self.hub,
                    spares: &mut self.spares,
                    names: &mut self.names,
                    compressor: link.deflate.then_some(&mut self.compressor),
                },
            },
        })
    }

    fn handle(&mut self, now: Instant, key: Key, event: Event<'_>) {
        if let Some(Visit { line, .. }) = self.reach(key) {
            let Line {
                connection,
                mut performer,
                ..
            } = line;
            connection.handle(now, event, &mut performer);
        }
    }

    /// How often [`ping`](Self::ping) is to be called, evenly, while there are connections.
    pub fn tick_interval(&self) -> Duration {
        self.wheel.tick()
    }

    /// The tick that comes now was due that long ago: counted in [`Statistics::ping_lag`](crate::Statistics::ping_lag).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers, shard::Shard};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let mut shard: Shard<std::net::TcpStream> = Shard::new(&cable, || {});
    /// shard.tick_was_late(Duration::from_millis(20));
    /// assert_eq!(cable.statistics().ping_lag.sum, Duration::from_millis(20));
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn tick_was_late(&mut self, lag: Duration) {
        self.inbox.counters.tick_was_late(lag);
    }

    /// What is kept of the longest queue is of the last ping interval or two.
    fn see_longest_outbox(&mut self) {
        self.ticks = self.ticks.wrapping_add(1);
        let interval = self.wheel.ticks(self.cable.node.config.ping_interval);
        if self.ticks.is_multiple_of(u32::from(interval).max(1)) {
            self.longest_outbox.turn();
        }
        let longest = &self.inbox.counters.outgoing_bytes_max;
        longest.store(self.longest_outbox.get(), Relaxed);
    }

    /// Visits the connections whose time it is, `unix` after the epoch. Those that are open get a ping, in a frame they
    /// share; those from whom nothing came for too long, or whose welcome is owed for too long, are given up.
    pub fn ping(&mut self, now: Instant, unix: Duration) {
        let mut frames = PingFrames::new(unix);
        self.see_longest_outbox();
        for key in self.wheel.turn() {
            let Some(link) = self.links.get_mut(key.0) else {
                continue;
            };
            self.wheel.further(key, &mut link.place);
            if link.is_departing {
                continue;
            }
            if !link.connection.is_open() {
                self.handle(now, key, Event::Tick);
                continue;
            }
            if link.connection.is_congested() || self.rates.pause(now, link.buckets).is_some() {
                // Nothing is read from it: it cannot be heard.
                link.pulse.heard();
            }
            match link.pulse.beat(link.place.period(), self.pong_ticks) {
                Beat::Ping(kind) => self.push_frame(key, frames.get(kind)),
                Beat::Lost => self.lost(now, key),
            }
        }
    }

    /// Nothing came from the client for too long.
    fn lost(&mut self, now: Instant, key: Key) {
        up(&self.inbox.counters.silent_connections);
        let reason = DisconnectReason::NoPong;
        self.disconnect(now, key, reason, reason.reconnect());
    }

    /// The next connection that has something to write, a close to send, or a reason to read on.
    pub fn next_dirty(&mut self) -> Option<Key> {
        while let Some(key) = self.dirty.pop() {
            let Some(link) = self.links.get_mut(key.0) else {
                continue;
            };
            if link.is_dirty && !link.is_departing {
                link.is_dirty = false;
                return Some(key);
            }
        }
        None
    }

    /// The outbox of a connection that has written everything goes to the next one that needs one.
    pub fn recycle(&mut self, key: Key) {
        let Some(link) = self.links.get_mut(key.0) else {
            return;
        };
        if let Some(outbox) = link.outbox.take_if(|outbox| outbox.is_empty()) {
            self.spares.keep(outbox);
        }
    }

    /// The socket is gone: streams are left and the application hears of it.
    pub fn remove(&mut self, key: Key) {
        let Some(link) = self.links.get_mut(key.0) else {
            return;
        };
        if link.is_departing {
            return;
        }
        link.is_departing = true;
        link.outbox = None;
        link.mailbox.gone();
        self.departing.push(key);
    }

    fn forget(&mut self, now: Instant, key: Key) {
        // An answer that came meanwhile has been taken: the application may have made something it has to take down.
        self.handle(now, key, Event::Gone);
        let Some(link) = self.links.remove(key.0) else {
            return;
        };
        // It has left, and so was answered.
        self.cable.node.answered.fetch_sub(1, Relaxed);
        self.deflating -= usize::from(link.deflate);
        down(&self.inbox.counters.present);
        if self.links.len() == 0 {
            // No tick comes any more that would see that the queues are gone.
            self.longest_outbox = Peak::default();
            self.inbox.counters.outgoing_bytes_max.store(0, Relaxed);
        }
        if let Some(moved) = self.wheel.remove(link.place)
            && let Some(other) = self.links.get_mut(moved.0)
        {
            Wheel::moved(&mut other.place, link.place);
        }
    }

    /// Whether there is nothing to do but to wait; then a parcel that comes calls the wake function.
    #[must_use]
    pub fn sleep(&self) -> bool {
        let departs = self.departure.as_ref().is_some_and(|it| it.is_new);
        !departs && self.dirty.is_empty() && self.departing.is_empty() && self.inbox.sleep()
    }

    /// Awake again, by other means than the wake function: it need not be called.
    pub fn awake(&self) {
        self.inbox.awake();
    }
}

impl<P> Drop for Shard<P> {
    fn drop(&mut self) {
        let keys: Vec<u32> = self.links.numbers().collect();
        for number in keys {
            self.remove(Key(number));
        }
        self.take_mail(Instant::now());
        self.cable.follows.remove_shard(self.number);
        self.inbox.close();
    }
}

#[cfg(test)]
pub(crate) mod tests;

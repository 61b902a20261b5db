//! The sockets of one shard, whatever they are made of: bytes to the shard's connections and back.
//!
//! Edge-triggered: a socket is read until it has nothing more, and written until it takes nothing more. While nothing
//! happens it holds no buffer; all sockets of a shard share one to read into.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use sinew_cable::shard::{Key, Line, Shard};
use sinew_cable::{Cable, ConnectRequest, Incoming};
use sinew_websocket::deflate::Inflater;
use sinew_websocket::{CloseCode, Effect, Endpoint, Limits, Role};

use super::WebSocketConfig;
use crate::server::{Admission, Place, Visit};

/// How much one read may bring.
const READ_BYTES: usize = 64 * 1024;
/// How many reads one connection gets before the others have their turn.
const READS_IN_TURN: usize = 4;
/// How many frames go into one write.
const SLICES: usize = 64;
/// So many ticks late, a shard goes on from where the clock is.
const TICKS_MADE_UP_FOR: u32 = 64;

/// A socket that never waits: what would block is [`io::ErrorKind::WouldBlock`].
pub(super) trait Socket {
    /// Whether a read that does not fill its buffer took all there was, so that what comes later is a new event.
    /// Otherwise it must be read until it would block.
    const SHORT_READ_IS_THE_LAST: bool;

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Ends the writing half.
    fn shut_down(&mut self) -> io::Result<()>;
    /// Something happened to it: what it holds back itself may go out.
    fn woken(&mut self) {}
}

/// A socket whose handshake is done, or will be with the first write, on its way to a shard.
pub(super) struct Arrival<S> {
    pub(super) socket: S,
    /// The answer to the handshake, where nobody has written it yet.
    pub(super) head: Bytes,
    pub(super) already_read: Bytes,
    pub(super) request: Arc<ConnectRequest>,
    pub(super) incoming: Incoming,
    pub(super) visit: Option<Visit>,
}

/// What the driver keeps for a connection.
struct Peer<S> {
    socket: S,
    endpoint: Endpoint,
    phase: Phase,
    /// The socket may have more to read: it was not read until it had nothing.
    is_readable: bool,
    /// The socket took no more: nothing is written, and nothing read, until it does.
    is_blocked: bool,
    is_shut: bool,
    /// Its client sent too fast: it is looked at again when that is over.
    is_paused: bool,
    /// Tells the deadlines of this connection from older ones, and from those of another in its place.
    deadline: u32,
    /// Among the connections of its address, where they are counted.
    place: Option<Place>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Our close is written or about to be; the peer's answer is awaited.
    Closing,
    /// The peer broke the protocol: our close goes out, then our half of the socket is shut, and what it still sends is
    /// read and dropped. Dropping the socket with bytes unread would reset it, and the close might never be seen.
    Lingering,
    /// Nothing more is expected: when all is written, it is over.
    Finished,
}

/// Whether reading goes on, now or later.
enum Read {
    On,
    Over,
}

pub(super) struct Sockets<S> {
    shard: Shard<Peer<S>>,
    config: Arc<WebSocketConfig>,
    limits: Limits,
    buffer: Box<[u8]>,
    inflater: Inflater,
    /// Those that are to be read again, once the others had their turn.
    again: Vec<Key>,
    deadlines: BinaryHeap<Reverse<(Instant, Key, u32)>>,
    /// When those that are paused are to be read again. One that is gone meanwhile, or another in its place, is looked
    /// at for nothing.
    pauses: BinaryHeap<Reverse<(Instant, Key)>>,
    next_deadline: u32,
    next_tick: Option<Instant>,
    /// Where the connections of an address are counted, once there is one that is.
    admission: Option<Admission>,
}

impl<S: Socket> Sockets<S> {
    pub(super) fn new(
        cable: &Cable,
        config: Arc<WebSocketConfig>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            shard: Shard::new(cable, wake),
            limits: Limits::default().with_message_bytes_max(config.message_bytes_max),
            config,
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            inflater: Inflater::default(),
            again: Vec::new(),
            deadlines: BinaryHeap::new(),
            pauses: BinaryHeap::new(),
            next_deadline: 0,
            next_tick: None,
            admission: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shard.is_empty()
    }

    /// Takes in a socket. Its key, by which it is told to be [ready](Self::ready).
    pub(super) fn arrive(&mut self, now: Instant, arrival: Arrival<S>) -> Key {
        let Arrival {
            socket,
            head,
            already_read,
            request,
            incoming,
            visit,
        } = arrival;
        let place = visit.and_then(Visit::keep).map(|(admission, place)| {
            self.admission.get_or_insert(admission);
            place
        });
        let mut endpoint = Endpoint::new(Role::Server, &self.limits);
        if request.deflate {
            endpoint = endpoint.with_deflate();
        }
        let peer = Peer {
            socket,
            endpoint,
            phase: Phase::Open,
            is_readable: false,
            is_blocked: false,
            is_shut: false,
            is_paused: false,
            deadline: 0,
            place,
        };
        let key = self.shard.open_after(head, now, incoming, request, peer);
        if !already_read.is_empty() {
            let mut input = already_read.to_vec();
            self.receive(now, key, &mut input);
        }
        if self.next_tick.is_none() {
            self.next_tick = Some(now + self.shard.tick_interval());
        }
        key
    }

    /// Something happened, or is looked for. First of all: while the shard counts as asleep, whatever is posted for it wakes
    /// it once more.
    pub(super) fn awake(&self) {
        self.shard.awake();
    }

    /// The socket itself, to be watched.
    pub(super) fn socket(&mut self, key: Key) -> Option<&mut S> {
        self.shard.visit(key).map(|visit| &mut visit.peer.socket)
    }

    /// A socket may be read or written again.
    pub(super) fn ready(&mut self, now: Instant, key: Key, readable: bool, writable: bool) {
        let Some(visit) = self.shard.visit(key) else {
            return;
        };
        let peer = visit.peer;
        peer.socket.woken();
        peer.is_readable |= readable;
        if writable && peer.is_blocked {
            peer.is_blocked = false;
            self.write(now, key);
        }
        self.read(now, key);
    }

    /// Takes mail, writes, and does what is due. Afterwards nothing is left to do but to wait, if [`sleep`](Self::sleep)
    /// says so.
    pub(super) fn turn(&mut self, now: Instant) {
        self.do_due(now);
        loop {
            let mut any = self.shard.take_mail(now);
            while let Some(key) = self.shard.next_dirty() {
                any = true;
                self.write(now, key);
                self.read(now, key);
            }
            if !any {
                break;
            }
        }
        let again = std::mem::take(&mut self.again);
        for key in again {
            self.read(now, key);
        }
    }

    /// Whether there is nothing to do but to wait for sockets, for the wake function, or for the
    /// [next due time](Self::next_due).
    pub(super) fn sleep(&self) -> bool {
        self.again.is_empty() && self.shard.sleep()
    }

    /// When there is something to do without anything happening.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let deadline = self.deadlines.peek().map(|Reverse((at, ..))| *at);
        let departure = self.shard.next_departure();
        let pause = self.pauses.peek().map(|Reverse((at, _))| *at);
        [deadline, pause, self.next_tick, departure]
            .into_iter()
            .flatten()
            .min()
    }

    fn do_due(&mut self, now: Instant) {
        while let Some(tick) = self.next_tick
            && tick <= now
        {
            if self.shard.is_empty() {
                self.next_tick = None;
                break;
            }
            let unix = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            self.shard.tick_was_late(now.duration_since(tick));
            self.shard.ping(now, unix);
            // A tick that comes late is made up for: the wheel keeps its pace, or clients would miss their pings. After a
            // standstill there is nothing to make up for: they have missed them.
            let step = self.shard.tick_interval();
            let is_standstill = now.duration_since(tick) > step * TICKS_MADE_UP_FOR;
            self.next_tick = Some(if is_standstill { now } else { tick } + step);
        }
        while let Some(Reverse((at, key, number))) = self.deadlines.peek().copied()
            && at <= now
        {
            self.deadlines.pop();
            let is_over = self
                .shard
                .visit(key)
                .is_some_and(|visit| visit.peer.deadline == number);
            if is_over {
                tracing::debug!("a write or a close took longer than its time, connection dropped");
                self.remove(key);
            }
        }
        while let Some(Reverse((at, key))) = self.pauses.peek().copied()
            && at <= now
        {
            self.pauses.pop();
            if let Some(visit) = self.shard.visit(key) {
                visit.peer.is_paused = false;
                self.read(now, key);
            }
        }
    }

    /// From now on the connection has that long.
    fn set_deadline(&mut self, now: Instant, key: Key, time: Duration) {
        // Zero is none.
        self.next_deadline = self.next_deadline.checked_add(1).unwrap_or(1);
        let number = self.next_deadline;
        if let Some(visit) = self.shard.visit(key) {
            visit.peer.deadline = number;
            self.deadlines.push(Reverse((now + time, key, number)));
        }
    }

    /// Ends a connection whose socket is of no use.
    pub(super) fn drop_connection(&mut self, key: Key) {
        self.remove(key);
    }

    fn remove(&mut self, key: Key) {
        if let Some(admission) = &self.admission
            && let Some(visit) = self.shard.visit(key)
            && let Some(place) = visit.peer.place.take()
        {
            admission.leaves(place);
        }
        // The socket goes with the rest of the connection, which the shard keeps a moment longer.
        self.shard.remove(key);
    }

    /// Reads what there is, unless it is not the time.
    fn read(&mut self, now: Instant, key: Key) {
        if let Read::Over = self.read_on(now, key) {
            self.remove(key);
        }
    }

    fn read_on(&mut self, now: Instant, key: Key) -> Read {
        for _ in 0..READS_IN_TURN {
            let Some(visit) = self.shard.visit(key) else {
                return Read::On;
            };
            let peer = visit.peer;
            if !peer.is_readable {
                return Read::On;
            }
            // An application that is behind is not given more, nor is one whose answers are not taken or that sends faster
            // than it may: the socket's own buffers hold the client back.
            let waits = peer.is_blocked || peer.is_paused || visit.line.is_congested();
            if peer.phase == Phase::Open && waits {
                return Read::On;
            }
            match peer.socket.read(&mut self.buffer) {
                Ok(0) => return Read::Over,
                Ok(count) => {
                    peer.is_readable = !S::SHORT_READ_IS_THE_LAST || count == self.buffer.len();
                    let mut buffer = std::mem::take(&mut self.buffer);
                    self.receive(now, key, &mut buffer[..count]);
                    self.buffer = buffer;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    peer.is_readable = false;
                    return Read::On;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::debug!(%error, "socket failed while reading");
                    return Read::Over;
                }
            }
        }
        self.again.push(key);
        Read::On
    }

    fn receive(&mut self, now: Instant, key: Key, input: &mut [u8]) {
        let Some(visit) = self.shard.visit(key) else {
            return;
        };
        let (peer, mut line) = (visit.peer, visit.line);
        let phase = &mut peer.phase;
        let before = *phase;
        line.read(now, input.len());
        let inflater = &mut self.inflater;
        peer.endpoint
            .receive_with(inflater, input, |effect| match effect {
                Effect::Text(text) => line.receive_text(now, text),
                Effect::Binary(bytes) => line.receive_binary(now, bytes),
                Effect::Send(frame) => line.receive_control(now, frame),
                Effect::Closed { .. } => *phase = Phase::Finished,
                Effect::Failed { error, .. } => {
                    tracing::debug!(%error, "connection failed");
                    *phase = Phase::Lingering;
                }
                _ => {}
            });
        let after = *phase;
        if after == before {
            if after == Phase::Open
                && let Some(pause) = line.pause(now)
            {
                peer.is_paused = true;
                self.pauses.push(Reverse((now + pause, key)));
            }
            return;
        }
        // Nothing may follow a close frame.
        line.stop();
        if after == Phase::Lingering {
            self.set_deadline(now, key, self.config.close_timeout);
        }
        self.write(now, key);
    }

    /// Writes what waits: one write for all of it, as far as the socket takes it.
    fn write(&mut self, now: Instant, key: Key) {
        let Some(visit) = self.shard.visit(key) else {
            return;
        };
        let (peer, mut line) = (visit.peer, visit.line);
        if peer.phase == Phase::Open
            && let Some(closing) = line.closing()
        {
            let code = CloseCode::new(closing.code).unwrap_or(CloseCode::NORMAL);
            line.send_frame(peer.endpoint.close(code, closing.text));
            peer.phase = Phase::Closing;
            self.set_deadline(now, key, self.config.close_timeout);
            return self.write(now, key);
        }
        if peer.is_blocked {
            return;
        }
        match flush(peer, &mut line) {
            Ok(true) => {
                let phase = peer.phase;
                if phase == Phase::Finished {
                    return self.remove(key);
                }
                if phase == Phase::Lingering && !peer.is_shut {
                    peer.is_shut = true;
                    if peer.socket.shut_down().is_err() {
                        return self.remove(key);
                    }
                }
                if phase == Phase::Open {
                    peer.deadline = 0;
                }
                self.shard.recycle(key);
            }
            Ok(false) => {
                peer.is_blocked = true;
                if peer.phase == Phase::Open {
                    self.set_deadline(now, key, self.config.write_timeout);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "socket failed while writing");
                self.remove(key);
            }
        }
    }
}

/// Writes what waits; false when the socket took no more.
fn flush<S: Socket>(peer: &mut Peer<S>, line: &mut Line<'_>) -> io::Result<bool> {
    let Some(outbox) = line.outbox() else {
        return Ok(true);
    };
    while !outbox.is_empty() {
        let written = match outbox.only() {
            Some(frame) => peer.socket.write(&[IoSlice::new(frame)]),
            None => {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = outbox.slices(&mut slices);
                peer.socket.write(&slices[..count])
            }
        };
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => outbox.advance(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

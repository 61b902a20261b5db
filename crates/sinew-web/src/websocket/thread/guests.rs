//! Connections that a shard accepted: until their first request has come, and, where the socket cannot leave its thread,
//! those that the runtime serves.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Wake;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry};
use parking_lot::Mutex;
use sinew_cable::Cable;
use slab::Slab;

use super::super::gate::{Gate, Look, Visitor};
use super::super::sockets::{Arrival as Arrives, Sockets};
use super::super::{AcceptedStream, Door, WebSocketConfig, door};
use super::pipe::{Pipe, Pumped};
use super::{Entrance, Shared, connection_token, guest_token};
use crate::server::{Admission, Arrival};

/// How many connections are accepted before others have their turn.
const ACCEPTS_IN_TURN: usize = 64;
/// How much is read at once; a request of a browser is shorter.
const READ_BYTES: usize = 16 * 1024;
/// How much the runtime may be behind with what a socket brought, and the other way round.
const PIPE_BYTES: usize = 64 * 1024;
/// After an error such as too many open files, accepting pauses that long: the next try would fail as well.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// The listener of a shard and those who are not, or not yet, the cable's.
pub(super) struct Guests {
    door: Arc<dyn Door>,
    admission: Option<Admission>,
    /// The next may be accepted: asked for, and not yet used.
    has_leave: bool,
    /// It has been told to wait, and that was counted.
    is_kept_waiting: bool,
    cable: Cable,
    config: Arc<WebSocketConfig>,
    shared: Arc<Shared>,
    listener: Option<TcpListener>,
    backlog: u32,
    /// There may be someone to accept.
    is_acceptable: bool,
    paused_until: Option<Instant>,
    guests: Slab<Guest>,
    /// Tells a guest from the one before it in the same place.
    next_number: u64,
    /// Until when each of those who have said nothing yet may do so; in that order, since all have the same time.
    silent: VecDeque<(Instant, usize, u64)>,
    /// Pipes that have more to do.
    again: Vec<usize>,
    buffer: Box<[u8]>,
}

struct Guest {
    number: u64,
    state: State,
}

enum State {
    /// Nothing has come yet.
    Silent(Newcomer),
    Passed(Box<Pipe>),
}

/// A connection that was accepted.
struct Newcomer {
    socket: TcpStream,
    peer: SocketAddr,
    arrival: Option<Arrival>,
    /// It is registered already.
    is_watched: bool,
}

/// What becomes of a socket after the first look at it.
enum Begun {
    /// It belongs to somebody else now, or is closed.
    Gone,
    Silent(Newcomer),
}

/// The way from a pipe's other end to its shard.
struct PipeReadiness {
    shared: Arc<Shared>,
    index: usize,
    number: u64,
}

impl Wake for PipeReadiness {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.pipes.lock().push((self.index, self.number));
        self.shared.wake();
    }
}

/// Pipes whose other end has something to do.
pub(super) type ReadyPipes = Mutex<Vec<(usize, u64)>>;

impl Guests {
    pub(super) fn new(
        entrance: Entrance<TcpListener>,
        cable: Cable,
        config: Arc<WebSocketConfig>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            door: entrance.door,
            admission: entrance.admission,
            has_leave: false,
            is_kept_waiting: false,
            cable,
            config,
            shared,
            listener: Some(entrance.listener),
            backlog: entrance.backlog,
            is_acceptable: true,
            paused_until: None,
            guests: Slab::new(),
            next_number: 0,
            silent: VecDeque::new(),
            again: Vec::new(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
        }
    }

    /// Whether there is nobody, and nobody can come.
    pub(super) fn is_over(&self) -> bool {
        self.listener.is_none() && self.guests.is_empty()
    }

    /// Somebody may be waiting to be accepted.
    pub(super) fn knock(&mut self) {
        self.is_acceptable = true;
    }

    /// Those who have connected are accepted, and nobody else.
    pub(super) fn stop_listening(
        &mut self,
        now: Instant,
        registry: &Registry,
        sockets: &mut Sockets<TcpStream>,
    ) {
        let Some(listener) = self.listener.take() else {
            return;
        };
        // Bounded, since others go on connecting.
        for _ in 0..self.backlog {
            match listener.accept() {
                Ok((socket, peer)) => self.arrived(now, registry, sockets, socket, peer),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        door::end(&listener);
        drop(listener);
        // Those who have said nothing yet are the server's, which knows how long it waits for that when it ends.
        for (_, index, number) in std::mem::take(&mut self.silent) {
            let is_silent = self.guests.get(index).is_some_and(|guest| {
                guest.number == number && matches!(guest.state, State::Silent(..))
            });
            if is_silent && let State::Silent(newcomer) = self.guests.remove(index).state {
                self.pass_on(registry, newcomer, 0);
            }
        }
        self.is_acceptable = false;
        self.paused_until = None;
        self.shared.listens.send_replace(false);
    }

    /// Whether there is nothing to do before something happens or [`next_due`](Self::next_due).
    pub(super) fn sleep(&self) -> bool {
        self.again.is_empty() && (!self.is_acceptable || self.paused_until.is_some())
    }

    /// When there is something to do without anything happening.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let silent = self.silent.front().map(|(at, ..)| *at);
        match (silent, self.paused_until) {
            (Some(silent), Some(paused)) => Some(silent.min(paused)),
            (silent, paused) => silent.or(paused),
        }
    }

    /// Accepts, passes on, and gives up who said nothing for too long.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        registry: &Registry,
        sockets: &mut Sockets<TcpStream>,
    ) {
        while let Some((at, index, number)) = self.silent.front().copied()
            && at <= now
        {
            self.silent.pop_front();
            let is_silent = self.guests.get(index).is_some_and(|guest| {
                guest.number == number && matches!(guest.state, State::Silent(..))
            });
            if is_silent {
                self.guests.remove(index);
            }
        }
        let ready = std::mem::take(&mut *self.shared.pipes.lock());
        for (index, number) in ready {
            if self
                .guests
                .get(index)
                .is_some_and(|guest| guest.number == number)
            {
                self.pump(index);
            }
        }
        for index in std::mem::take(&mut self.again) {
            self.pump(index);
        }
        self.accept(now, registry, sockets);
    }

    /// Whether the next one may come in. Asked once for each.
    fn may_accept(&mut self, now: Instant) -> bool {
        if let Some(admission) = &self.admission
            && !self.has_leave
            && let Err(wait) = admission.next(now)
        {
            if !self.is_kept_waiting {
                admission.paused();
            }
            self.is_kept_waiting = true;
            self.paused_until = Some(now + wait);
            return false;
        }
        self.has_leave = true;
        self.is_kept_waiting = false;
        true
    }

    fn accept(&mut self, now: Instant, registry: &Registry, sockets: &mut Sockets<TcpStream>) {
        if self.paused_until.is_some_and(|until| now < until) {
            return;
        }
        self.paused_until = None;
        for _ in 0..ACCEPTS_IN_TURN {
            if !self.is_acceptable {
                return;
            }
            if !self.may_accept(now) {
                return;
            }
            let Some(listener) = &self.listener else {
                return;
            };
            match listener.accept() {
                Ok((socket, peer)) => {
                    self.has_leave = false;
                    self.arrived(now, registry, sockets, socket, peer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_acceptable = false
                }
                // Whoever it was has gone again.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => {
                    if let Some(admission) = &self.admission {
                        admission.failed();
                    }
                    tracing::error!(%error, "no connection can be accepted for now");
                    self.paused_until = Some(now + PAUSE_AFTER_ERROR);
                    return;
                }
            }
        }
    }

    /// Most clients have sent their request by the time they are accepted: then their socket is watched only once.
    fn arrived(
        &mut self,
        now: Instant,
        registry: &Registry,
        sockets: &mut Sockets<TcpStream>,
        socket: TcpStream,
        peer: SocketAddr,
    ) {
        let newcomer = Newcomer {
            socket,
            peer,
            arrival: self.admission.as_ref().map(|it| it.arrives(peer.ip())),
            is_watched: false,
        };
        let Begun::Silent(mut newcomer) = self.begin(now, registry, sockets, newcomer) else {
            return;
        };
        let entry = self.guests.vacant_entry();
        let index = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let socket = &mut newcomer.socket;
        if let Err(error) = registry.register(socket, guest_token(index), interest) {
            tracing::warn!(%error, "a socket cannot be watched, connection dropped");
            return;
        }
        newcomer.is_watched = true;
        self.next_number += 1;
        let number = self.next_number;
        entry.insert(Guest {
            number,
            state: State::Silent(newcomer),
        });
        let until = now + self.config.request_timeout;
        self.silent.push_back((until, index, number));
    }

    /// A socket may be read or written.
    pub(super) fn ready(
        &mut self,
        now: Instant,
        registry: &Registry,
        sockets: &mut Sockets<TcpStream>,
        index: usize,
        (readable, writable): (bool, bool),
    ) {
        let Some(guest) = self.guests.get_mut(index) else {
            return;
        };
        if let State::Passed(pipe) = &mut guest.state {
            pipe.ready(readable, writable);
            return self.pump(index);
        }
        if !readable {
            return;
        }
        let number = guest.number;
        let State::Silent(newcomer) = self.guests.remove(index).state else {
            return;
        };
        if let Begun::Silent(newcomer) = self.begin(now, registry, sockets, newcomer) {
            // Nothing after all: in the same place, since the last one to leave is the first to be taken.
            let again = self.guests.insert(Guest {
                number,
                state: State::Silent(newcomer),
            });
            debug_assert_eq!(again, index);
        }
    }

    /// Looks at what came first on a connection, and decides whose it is.
    fn begin(
        &mut self,
        now: Instant,
        registry: &Registry,
        sockets: &mut Sockets<TcpStream>,
        mut newcomer: Newcomer,
    ) -> Begun {
        let count = match newcomer.socket.read(&mut self.buffer) {
            Ok(0) => return Begun::Gone,
            Ok(count) => count,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Begun::Silent(newcomer);
            }
            Err(_) => return Begun::Gone,
        };
        let gate = Gate {
            door: &*self.door,
            admission: self.admission.as_ref(),
            config: &self.config,
        };
        let arrival = newcomer.arrival.as_ref();
        match gate.look(&self.buffer[..count], newcomer.peer, arrival) {
            Look::Other => self.pass_on(registry, newcomer, count),
            Look::Refused(answer) => {
                // It is told once; whether it listens is its own affair.
                let _ = newcomer.socket.write(&answer);
            }
            Look::Cable(visitor) => self.welcome(now, registry, sockets, newcomer, visitor),
        }
        Begun::Gone
    }

    /// Answers a handshake: from now on the connection is the cable's.
    fn welcome(
        &self,
        now: Instant,
        registry: &Registry,
        sockets: &mut Sockets<TcpStream>,
        newcomer: Newcomer,
        visitor: Box<Visitor>,
    ) {
        let Newcomer {
            socket,
            is_watched,
            arrival,
            ..
        } = newcomer;
        let Visitor {
            request,
            head,
            already_read,
            visit,
        } = *visitor;
        let arrives = Arrives {
            socket,
            head,
            already_read,
            request: Arc::new(request),
            incoming: self.cable.incoming(),
            visit,
        };
        // Counted there from now on.
        drop(arrival);
        let key = sockets.arrive(now, arrives);
        if let Some(socket) = sockets.socket(key) {
            let token = connection_token(key);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let watched = match is_watched {
                true => registry.reregister(socket, token, interest),
                false => registry.register(socket, token, interest),
            };
            if let Err(error) = watched {
                tracing::warn!(%error, "a socket cannot be watched, connection dropped");
                sockets.drop_connection(key);
            }
        }
    }

    /// Leaves a connection to the server of pages.
    fn pass_on(&mut self, registry: &Registry, newcomer: Newcomer, count: usize) {
        if self.config.own_descriptors.is_some() {
            return self.keep(registry, newcomer, count);
        }
        let Newcomer {
            mut socket,
            peer,
            arrival,
            is_watched,
        } = newcomer;
        let head = Bytes::copy_from_slice(&self.buffer[..count]);
        let moved = match is_watched {
            true => registry.deregister(&mut socket),
            false => Ok(()),
        };
        match moved.and_then(|()| tokio::net::TcpStream::from_std(socket.into())) {
            Ok(socket) => {
                let stream = AcceptedStream::tcp(head, socket);
                self.door.serve(stream, peer, arrival);
            }
            Err(error) => {
                tracing::warn!(%error, "a socket cannot move to the runtime, connection dropped")
            }
        }
    }

    /// Serves it through memory: its descriptor has no meaning on another thread.
    fn keep(&mut self, registry: &Registry, newcomer: Newcomer, count: usize) {
        let Newcomer {
            mut socket,
            peer,
            arrival,
            is_watched,
        } = newcomer;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let entry = self.guests.vacant_entry();
        let index = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let watched = match is_watched {
            true => registry.reregister(&mut socket, guest_token(index), interest),
            false => registry.register(&mut socket, guest_token(index), interest),
        };
        if let Err(error) = watched {
            tracing::warn!(%error, "a socket cannot be watched, connection dropped");
            return;
        }
        self.next_number += 1;
        let readiness = PipeReadiness {
            shared: self.shared.clone(),
            index,
            number: self.next_number,
        };
        let waker = Arc::new(readiness).into();
        let pipe = Pipe::new(socket, near, &self.buffer[..count], waker);
        entry.insert(Guest {
            number: self.next_number,
            state: State::Passed(Box::new(pipe)),
        });
        let stream = AcceptedStream::passed(far);
        self.door.serve(stream, peer, arrival);
        self.pump(index);
    }

    fn pump(&mut self, index: usize) {
        let Some(Guest {
            state: State::Passed(pipe),
            ..
        }) = self.guests.get_mut(index)
        else {
            return;
        };
        match pipe.pump(&mut self.buffer) {
            Pumped::Waiting => {}
            Pumped::More => self.again.push(index),
            Pumped::Over => drop(self.guests.remove(index)),
        }
    }
}

//! A shard on a thread of its own: plain TCP sockets on one epoll, brought by others or accepted by itself.

mod guests;
mod pipe;

use std::io::{self, IoSlice, Write as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;
use sinew_cable::Cable;
use sinew_cable::shard::Key;
use socket2::SockRef;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::sockets::{Arrival, Socket, Sockets};
use super::{Door, WebSocketConfig, tcp};
use crate::server::Admission;
use guests::{Guests, ReadyPipes};

/// Events taken at once: so many connections get their turn before anything is written.
const EVENTS: usize = 256;
/// The token of the waker. Connections of the cable have even ones, guests odd ones.
const WAKER: Token = Token(usize::MAX);
/// The token of the listener.
const LISTENER: Token = Token(usize::MAX - 2);
/// After an error of the system's own, such as too many open files, the thread tries again.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

fn connection_token(key: Key) -> Token {
    Token((key.number() as usize) << 1)
}

fn guest_token(index: usize) -> Token {
    Token(index << 1 | 1)
}

/// The way to a shard's thread. The thread ends when this is dropped and its last connection has ended.
pub(super) struct ShardThread {
    shared: Arc<Shared>,
}

struct Shared {
    arrivals: Mutex<Vec<Arrival<TcpStream>>>,
    pipes: ReadyPipes,
    waker: Waker,
    /// Nobody else is to be accepted.
    is_listening_over: AtomicBool,
    /// Whether it has a listener.
    listens: watch::Sender<bool>,
    /// Nobody brings sockets any more.
    is_left: AtomicBool,
    /// The runtime is gone: connections end at once.
    is_stopped: AtomicBool,
}

impl Socket for TcpStream {
    const SHORT_READ_IS_THE_LAST: bool = true;

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Read::read(self, buffer)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [one] => io::Write::write(self, one),
            many => self.write_vectored(many),
        }
    }

    fn shut_down(&mut self) -> io::Result<()> {
        TcpStream::shutdown(self, Shutdown::Write)
    }
}

/// What a shard's thread needs from the system, before there is a thread.
///
/// With descriptor tables of their own, what all threads use must be there before the first of them has its table.
pub(super) struct Prepared {
    poll: Poll,
    shared: Arc<Shared>,
    entrance: Option<Entrance<TcpListener>>,
}

/// Where a shard accepts by itself.
pub(super) struct Entrance<L> {
    pub(super) listener: L,
    /// How many the system keeps until they are accepted.
    pub(super) backlog: u32,
    pub(super) door: Arc<dyn Door>,
    pub(super) admission: Option<Admission>,
}

impl Prepared {
    pub(super) fn new(
        entrance: Option<Entrance<std::net::TcpListener>>,
        config: &WebSocketConfig,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let entrance = match entrance {
            Some(Entrance {
                listener,
                backlog,
                door,
                admission,
            }) => {
                // Whatever it accepts inherits the options.
                tcp::prepare(SockRef::from(&listener), config);
                let mut listener = TcpListener::from_std(listener);
                poll.registry()
                    .register(&mut listener, LISTENER, Interest::READABLE)?;
                Some(Entrance {
                    listener,
                    backlog,
                    door,
                    admission,
                })
            }
            None => None,
        };
        let shared = Arc::new(Shared {
            arrivals: Mutex::default(),
            pipes: ReadyPipes::default(),
            waker,
            is_listening_over: AtomicBool::new(false),
            listens: watch::Sender::new(entrance.is_some()),
            is_left: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        });
        Ok(Self {
            poll,
            shared,
            entrance,
        })
    }

    /// Starts the thread. The application's code is run on the current tokio runtime.
    pub(super) fn start(
        self,
        number: usize,
        cable: &Cable,
        config: Arc<WebSocketConfig>,
    ) -> io::Result<ShardThread> {
        let Self {
            poll,
            shared,
            entrance,
        } = self;
        let runtime = Handle::current();
        // A task lives as long as the runtime: with it the connections end, as they would if they were tasks.
        let stop = StopOnDrop(Arc::downgrade(&shared));
        runtime.spawn(async move {
            let _stop = stop;
            std::future::pending::<()>().await
        });
        let wakes = Arc::downgrade(&shared);
        let sockets = Sockets::new(cable, config.clone(), move || {
            if let Some(shared) = wakes.upgrade() {
                shared.wake();
            }
        });
        let own_descriptors = config.own_descriptors;
        let guests = entrance.map(|it| Guests::new(it, cable.clone(), config, shared.clone()));
        let thread = Thread {
            poll,
            sockets,
            guests,
            shared: shared.clone(),
        };
        let (begun, has_begun) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name(format!("sinew-shard-{number}"))
            .spawn(move || {
                let _runtime = runtime.enter();
                let result = own_descriptors.map_or(Ok(()), |own| own());
                let is_fit = result.is_ok();
                // Whoever waited for it may have given up.
                let _ = begun.send(result);
                if is_fit {
                    thread.run();
                }
            })?;
        has_begun.recv().map_err(io::Error::other)??;
        Ok(ShardThread { shared })
    }
}

impl ShardThread {
    /// Hands over a socket.
    pub(super) fn take(&self, arrival: Arrival<TcpStream>) {
        self.shared.arrivals.lock().push(arrival);
        self.shared.wake();
    }

    /// Accepts nobody else.
    pub(super) fn stop_listening(&self) {
        self.shared.is_listening_over.store(true, Relaxed);
        self.shared.wake();
    }

    /// Resolves when it has no listener.
    pub(super) async fn stopped_listening(&self) {
        // The sender is here: it cannot be gone.
        let _ = self
            .shared
            .listens
            .subscribe()
            .wait_for(|listens| !listens)
            .await;
    }
}

impl Drop for ShardThread {
    fn drop(&mut self) {
        self.shared.is_left.store(true, Relaxed);
        self.shared.wake();
    }
}

struct StopOnDrop(std::sync::Weak<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.is_stopped.store(true, Relaxed);
            shared.wake();
        }
    }
}

impl Shared {
    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a shard of the connections cannot be woken");
        }
    }
}

struct Thread {
    poll: Poll,
    sockets: Sockets<TcpStream>,
    guests: Option<Guests>,
    shared: Arc<Shared>,
}

impl Thread {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = Instant::now();
            self.take_arrivals(now);
            self.take_guests(now);
            self.sockets.turn(now);
            if self.is_over() {
                return;
            }
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "a shard of the connections cannot wait for its sockets");
                    thread::park_timeout(PAUSE_AFTER_ERROR);
                    continue;
                }
            }
            self.sockets.awake();
            let now = Instant::now();
            for event in &events {
                self.happened(now, event);
            }
        }
    }

    fn is_over(&self) -> bool {
        let is_empty = self.sockets.is_empty() && self.guests.as_ref().is_none_or(Guests::is_over);
        self.shared.is_stopped.load(Relaxed) || (self.shared.is_left.load(Relaxed) && is_empty)
    }

    /// How long nothing needs to be done unless something happens.
    fn timeout(&self) -> Option<Duration> {
        let sleeps = self.guests.as_ref().is_none_or(Guests::sleep) && self.sockets.sleep();
        if !sleeps {
            return Some(Duration::ZERO);
        }
        let guests = self.guests.as_ref().and_then(Guests::next_due);
        let due = match (self.sockets.next_due(), guests) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        due.map(|due| due.saturating_duration_since(Instant::now()))
    }

    fn happened(&mut self, now: Instant, event: &Event) {
        let token = event.token();
        if token == WAKER {
            return;
        }
        let readable = event.is_readable() || event.is_read_closed() || event.is_error();
        let writable = event.is_writable() || event.is_error();
        let number = token.0 >> 1;
        match (&mut self.guests, token.0 & 1) {
            (Some(guests), _) if token == LISTENER => guests.knock(),
            (Some(guests), 1) => {
                let registry = self.poll.registry();
                guests.ready(
                    now,
                    registry,
                    &mut self.sockets,
                    number,
                    (readable, writable),
                );
            }
            _ => {
                let Ok(number) = u32::try_from(number) else {
                    return;
                };
                let key = Key::from_number(number);
                self.sockets.ready(now, key, readable, writable);
            }
        }
    }

    fn take_guests(&mut self, now: Instant) {
        let Some(guests) = &mut self.guests else {
            return;
        };
        let registry = self.poll.registry();
        if self.shared.is_listening_over.load(Relaxed) || self.shared.is_left.load(Relaxed) {
            guests.stop_listening(now, registry, &mut self.sockets);
        }
        guests.turn(now, registry, &mut self.sockets);
    }

    fn take_arrivals(&mut self, now: Instant) {
        let arrivals = std::mem::take(&mut *self.shared.arrivals.lock());
        for arrival in arrivals {
            let key = self.sockets.arrive(now, arrival);
            let Some(socket) = self.sockets.socket(key) else {
                continue;
            };
            let token = connection_token(key);
            let interest = Interest::READABLE | Interest::WRITABLE;
            if let Err(error) = self.poll.registry().register(socket, token, interest) {
                tracing::warn!(%error, "a socket cannot be watched, connection dropped");
                self.sockets.drop_connection(key);
            }
        }
    }
}

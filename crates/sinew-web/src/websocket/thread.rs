//! A shard on a thread of its own: plain TCP sockets on one epoll.

use std::io::{self, IoSlice, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;
use sinew_cable::Cable;
use sinew_cable::shard::Key;
use tokio::runtime::Handle;

use super::WebSocketConfig;
use super::sockets::{Arrival, Socket, Sockets};

/// Events taken at once: so many connections get their turn before anything is written.
const EVENTS: usize = 256;
/// The token of the waker; connections have their key's number.
const WAKER: Token = Token(usize::MAX);
/// After an error of the system's own, such as too many open files, the thread tries again.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

/// The way to a shard's thread. The thread ends when this is dropped and its last connection has ended.
pub(super) struct ShardThread {
    shared: Arc<Shared>,
}

struct Shared {
    arrivals: Mutex<Vec<Arrival<TcpStream>>>,
    waker: Waker,
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

impl ShardThread {
    /// Starts the thread. The application's code is run on the current tokio runtime.
    pub(super) fn start(
        number: usize,
        cable: &Cable,
        config: Arc<WebSocketConfig>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let shared = Arc::new(Shared {
            arrivals: Mutex::default(),
            waker: Waker::new(poll.registry(), WAKER)?,
            is_left: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        });
        let runtime = Handle::current();
        // A task lives as long as the runtime: with it the connections end, as they would if they were tasks.
        let stop = StopOnDrop(Arc::downgrade(&shared));
        runtime.spawn(async move {
            let _stop = stop;
            std::future::pending::<()>().await
        });
        let wakes = Arc::downgrade(&shared);
        let sockets = Sockets::new(cable, config, move || {
            if let Some(shared) = wakes.upgrade() {
                shared.wake();
            }
        });
        let thread = Thread {
            poll,
            sockets,
            shared: shared.clone(),
        };
        thread::Builder::new()
            .name(format!("sinew-shard-{number}"))
            .spawn(move || {
                let _runtime = runtime.enter();
                thread.run();
            })?;
        Ok(Self { shared })
    }

    /// Hands over a socket.
    pub(super) fn take(&self, arrival: Arrival<TcpStream>) {
        self.shared.arrivals.lock().push(arrival);
        self.shared.wake();
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
    shared: Arc<Shared>,
}

impl Thread {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = Instant::now();
            self.take_arrivals(now);
            self.sockets.turn(now);
            if self.shared.is_stopped.load(Relaxed)
                || (self.shared.is_left.load(Relaxed) && self.sockets.is_empty())
            {
                return;
            }
            let timeout = if self.sockets.sleep() {
                let due = self.sockets.next_due();
                due.map(|due| due.saturating_duration_since(Instant::now()))
            } else {
                Some(Duration::ZERO)
            };
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "a shard of the connections cannot wait for its sockets");
                    thread::park_timeout(PAUSE_AFTER_ERROR);
                    continue;
                }
            }
            let now = Instant::now();
            for event in &events {
                if event.token() == WAKER {
                    continue;
                }
                let Ok(number) = u32::try_from(event.token().0) else {
                    continue;
                };
                let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                let writable = event.is_writable() || event.is_error();
                let key = Key::from_number(number);
                self.sockets.ready(now, key, readable, writable);
            }
        }
    }

    fn take_arrivals(&mut self, now: Instant) {
        let arrivals = std::mem::take(&mut *self.shared.arrivals.lock());
        for arrival in arrivals {
            let key = self.sockets.arrive(now, arrival);
            let Some(socket) = self.sockets.socket(key) else {
                continue;
            };
            let token = Token(key.number() as usize);
            let interest = Interest::READABLE | Interest::WRITABLE;
            if let Err(error) = self.poll.registry().register(socket, token, interest) {
                tracing::warn!(%error, "a socket cannot be watched, connection dropped");
                self.sockets.drop_connection(key);
            }
        }
    }
}

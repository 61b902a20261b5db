//! A shard as a task of the runtime: sockets of any kind, such as those of TLS, each waking it by itself.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use sinew_cable::Cable;
use sinew_cable::shard::Key;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::WebSocketConfig;
use super::sockets::{Arrival, Socket, Sockets};

/// A list of ready sockets with room for more, as after an avalanche, is given back.
const READY_KEPT_MAX: usize = 4096;

/// Any stream of bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A stream, and what wakes its shard for it.
struct Watched {
    stream: Box<dyn Stream>,
    waker: Waker,
    /// What was written is not all out: a TLS session, say, keeps some of it.
    is_held_back: bool,
}

/// The way to a shard's task. The task ends when this is dropped and its last connection has ended.
pub(super) struct ShardTask {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    arrivals: Mutex<Vec<Arrival<Box<dyn Stream>>>>,
    ready: Mutex<Vec<Key>>,
    task: AtomicWaker,
    /// Nobody brings sockets any more.
    is_left: AtomicBool,
}

/// Wakes a shard for one of its sockets.
struct Readiness {
    shared: Arc<Shared>,
    number: AtomicU32,
}

impl Wake for Readiness {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let key = Key::from_number(self.number.load(Relaxed));
        self.shared.ready.lock().push(key);
        self.shared.task.wake();
    }
}

impl Socket for Watched {
    // Only a read that would block leaves the waker.
    const SHORT_READ_IS_THE_LAST: bool = false;

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        let mut context = Context::from_waker(&self.waker);
        match Pin::new(&mut self.stream).poll_read(&mut context, &mut buffer) {
            Poll::Ready(Ok(())) => Ok(buffer.filled().len()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut context = Context::from_waker(&self.waker);
        let stream = Pin::new(&mut self.stream);
        let written = match slices {
            [one] => stream.poll_write(&mut context, one),
            many => stream.poll_write_vectored(&mut context, many),
        };
        match written {
            Poll::Ready(Ok(count)) => {
                self.flush();
                Ok(count)
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn shut_down(&mut self) -> io::Result<()> {
        let mut context = Context::from_waker(&self.waker);
        match Pin::new(&mut self.stream).poll_shutdown(&mut context) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn woken(&mut self) {
        if self.is_held_back {
            self.flush();
        }
    }
}

impl Watched {
    /// An error shows again with the next read.
    fn flush(&mut self) {
        let mut context = Context::from_waker(&self.waker);
        let flushed = Pin::new(&mut self.stream).poll_flush(&mut context);
        self.is_held_back = flushed.is_pending();
    }
}

impl ShardTask {
    /// Starts the task on the current tokio runtime.
    pub(super) fn start(cable: &Cable, config: Arc<WebSocketConfig>) -> Self {
        let shared = Arc::new(Shared::default());
        let wakes = Arc::downgrade(&shared);
        let sockets = Sockets::new(cable, config, move || {
            if let Some(shared) = wakes.upgrade() {
                shared.task.wake();
            }
        });
        // The runtime's budget for one task would make every socket after the first 128 of a turn look
        // as if it took no more. A turn is bounded by itself, and lets others go first.
        tokio::spawn(tokio::task::unconstrained(Task {
            sockets,
            shared: shared.clone(),
            timer: Box::pin(tokio::time::sleep_until(Instant::now())),
            timer_due: None,
            ready: Vec::new(),
        }));
        Self { shared }
    }

    /// Hands over a socket.
    pub(super) fn take(&self, arrival: Arrival<Box<dyn Stream>>) {
        self.shared.arrivals.lock().push(arrival);
        self.shared.task.wake();
    }
}

impl Drop for ShardTask {
    fn drop(&mut self) {
        self.shared.is_left.store(true, Relaxed);
        self.shared.task.wake();
    }
}

struct Task {
    sockets: Sockets<Watched>,
    shared: Arc<Shared>,
    timer: Pin<Box<Sleep>>,
    /// What the timer is set to, if it has not gone off: setting it takes a lock.
    timer_due: Option<std::time::Instant>,
    /// Empty between turns; exchanged for the list that is filled meanwhile.
    ready: Vec<Key>,
}

impl Task {
    fn take_arrivals(&mut self, now: std::time::Instant) {
        let arrivals = std::mem::take(&mut *self.shared.arrivals.lock());
        for arrival in arrivals {
            let readiness = Arc::new(Readiness {
                shared: self.shared.clone(),
                number: AtomicU32::new(u32::MAX),
            });
            let watched = Watched {
                stream: arrival.socket,
                waker: readiness.clone().into(),
                is_held_back: false,
            };
            let key = self.sockets.arrive(
                now,
                Arrival {
                    socket: watched,
                    head: arrival.head,
                    already_read: arrival.already_read,
                    request: arrival.request,
                    incoming: arrival.incoming,
                    visit: arrival.visit,
                },
            );
            readiness.number.store(key.number(), Relaxed);
            // The first look at it leaves the waker there.
            self.sockets.ready(now, key, true, true);
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.task.register(context.waker());
        this.sockets.awake();
        let now = Instant::now().into_std();
        this.take_arrivals(now);
        std::mem::swap(&mut this.ready, &mut *this.shared.ready.lock());
        for key in this.ready.drain(..) {
            this.sockets.ready(now, key, true, true);
        }
        if this.ready.capacity() > READY_KEPT_MAX {
            this.ready = Vec::new();
        }
        this.sockets.turn(now);
        if this.shared.is_left.load(Relaxed) && this.sockets.is_empty() {
            return Poll::Ready(());
        }
        if !this.sockets.sleep() {
            // Others on this runtime have their turn first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(due) = this.sockets.next_due() {
            if this.timer_due != Some(due) {
                this.timer_due = Some(due);
                this.timer.as_mut().reset(Instant::from_std(due));
            }
            if this.timer.as_mut().poll(context).is_ready() {
                this.timer_due = None;
                context.waker().wake_by_ref();
            }
        }
        Poll::Pending
    }
}

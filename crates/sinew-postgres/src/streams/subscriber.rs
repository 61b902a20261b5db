//! The one connection of a node that listens.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sinew_streams::{BoxFuture, Position};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::envelope::{Read, Reader};
use super::{INBOX_BYTES_MAX, Shared};
use crate::error::PostgresError;
use crate::listener::Listener;
use crate::postgres::pause_after;

/// How long a `follow` waits until somebody listens.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(5);

/// How often those who have waited for too long are told while the server is away.
const GIVE_UP_INTERVAL: Duration = Duration::from_millis(250);

/// A connection that lived shorter than this does not count as one that came back.
const STABLE_AFTER: Duration = Duration::from_secs(1);

/// What a notification costs in the inbox besides its text.
const OVERHEAD_BYTES: usize = 128;

/// Holds the connection, and opens it again for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut reader = Reader::default();
    let mut failures = 0;
    loop {
        let connecting = shared.postgres.listen(&shared.channel);
        let error = match giving_up(&shared, connecting).await {
            Ok(listener) => {
                let since = Instant::now();
                reader.forget_begun();
                let error = Subscriber::new(&shared, listener, &mut reader)
                    .serve()
                    .await;
                interrupted(&shared, &error);
                if since.elapsed() >= STABLE_AFTER {
                    failures = 0;
                }
                error
            }
            Err(error) => error,
        };
        failures += 1;
        tracing::debug!(%error, failures, "no connection to listen with");
        let back = shared.postgres.until_back();
        let pause = async {
            tokio::select! {
                () = sleep(pause_after(failures)) => {}
                // The others have found it again, some moments ago and not all at once.
                () = back => sleep(pause_after(1)).await,
            }
        };
        giving_up(&shared, pause).await;
    }
}

/// Waits, and tells those who have waited for too long themselves.
async fn giving_up<T>(shared: &Shared, waiting: impl Future<Output = T>) -> T {
    tokio::pin!(waiting);
    loop {
        match timeout(GIVE_UP_INTERVAL, &mut waiting).await {
            Ok(done) => return done,
            Err(_) => shared
                .follows
                .lock()
                .give_up(Instant::now(), FOLLOW_TIMEOUT),
        }
    }
}

fn interrupted(shared: &Shared, error: &PostgresError) {
    let counters = &shared.counters;
    counters.is_connected.store(false, Relaxed);
    let streams = shared.follows.lock().interrupted();
    counters.interruptions.fetch_add(1, Relaxed);
    counters.streams_interrupted.fetch_add(streams, Relaxed);
    tracing::warn!(
        error = error as &dyn std::error::Error,
        streams,
        "the connection for streams was lost; what is published until it is back does not arrive here"
    );
}

/// Whether the server still sends.
type Looking = BoxFuture<'static, Result<(), PostgresError>>;

/// One connection, as long as it lives.
struct Subscriber<'a> {
    shared: &'a Shared,
    listener: Listener,
    reader: &'a mut Reader,
    looking: Option<Looking>,
    inbox: VecDeque<String>,
    inbox_bytes: usize,
    /// Until when the sink wants nothing more.
    pressure: Option<BoxFuture<'static, ()>>,
}

impl<'a> Subscriber<'a> {
    fn new(shared: &'a Shared, listener: Listener, reader: &'a mut Reader) -> Self {
        let counters = &shared.counters;
        counters.connections_opened.fetch_add(1, Relaxed);
        shared.follows.lock().listening();
        counters.is_connected.store(true, Relaxed);
        Self {
            shared,
            listener,
            reader,
            looking: None,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            pressure: None,
        }
    }

    /// Until the connection is lost; says why.
    async fn serve(mut self) -> PostgresError {
        let interval = self.shared.postgres.settings().health_interval;
        let mut look = interval_at(Instant::now() + interval, interval);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut status = self.shared.postgres.watch();
        loop {
            tokio::select! {
                notification = self.listener.next() => match notification {
                    Ok(notification) => self.take(notification),
                    Err(error) => return error,
                },
                () = until(&mut self.pressure) => self.pressure = None,
                answer = until(&mut self.looking) => {
                    self.looking = None;
                    if let Err(error) = answer {
                        return error;
                    }
                }
                _ = look.tick(), if self.looking.is_none() => {
                    self.looking = Some(self.listener.look());
                }
                // Other connections have lost the server, or have it again. The sender lives as
                // long as the connections, which are ours as well.
                Ok(()) = status.changed(), if self.looking.is_none() => {
                    self.looking = Some(self.listener.look());
                }
            }
            self.deliver();
            if self.inbox_bytes > INBOX_BYTES_MAX {
                return PostgresError::unavailable(
                    "messages come faster than they can be passed on",
                );
            }
        }
    }

    fn take(&mut self, notification: String) {
        self.inbox_bytes += OVERHEAD_BYTES + notification.len();
        self.inbox.push_back(notification);
    }

    /// Passes on what has come, until the sink asks for a rest.
    fn deliver(&mut self) {
        while self.pressure.is_none()
            && let Some(notification) = self.inbox.pop_front()
        {
            self.inbox_bytes -= OVERHEAD_BYTES + notification.len();
            if self.shared.deliver(self.reader.read(&notification)) {
                self.pressure = self.shared.sink.get().and_then(|sink| sink.pressure());
            }
        }
    }
}

impl Shared {
    /// Whether something was delivered.
    fn deliver(&self, read: Read) -> bool {
        let counters = &self.counters;
        let message = match read {
            Read::Message(message) => message,
            Read::Part => return false,
            Read::Unreadable => {
                counters.unreadable.fetch_add(1, Relaxed);
                tracing::debug!("a notification that is no message was left");
                return false;
            }
        };
        counters.lost.fetch_add(message.lost, Relaxed);
        let stream = self.follows.lock().stream(&message.name);
        let Some((stream, sink)) = stream.zip(self.sink.get()) else {
            counters.passed_over.fetch_add(1, Relaxed);
            return false;
        };
        counters.received.fetch_add(1, Relaxed);
        let position = Position::from_offset(message.position);
        sink.deliver(&stream, position, &message.payload);
        true
    }
}

/// Waits for what is there, or for ever.
async fn until<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

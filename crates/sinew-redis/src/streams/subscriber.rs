//! The one connection of a node that subscribes.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use redis::Msg;
use sinew_streams::{Position, StreamName};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::envelope::Envelope;
use super::follows::Change;
use super::{INBOX_BYTES_MAX, Shared};
use crate::backoff::Backoff;
use crate::error::RedisError;
use crate::listening::{Listening, Looking, until};

/// How long a `follow` waits for the server, and how long the server may take to confirm one.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(5);

/// How often those who have waited for too long are told while the server is away.
const GIVE_UP_INTERVAL: Duration = Duration::from_millis(250);

/// How often a silent server is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A connection that lived shorter than this does not count as one that came back.
const STABLE_AFTER: Duration = Duration::from_secs(1);

/// What a message costs in the inbox besides its payload.
const OVERHEAD_BYTES: usize = 128;

/// Holds the connection, and opens it again for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::default();
    loop {
        let (target, dial) = (shared.redis.target(), shared.redis.dial());
        let error = match giving_up(&shared, Listening::open(&target, dial)).await {
            Ok(connection) => {
                let since = Instant::now();
                let error = Subscriber::new(&shared, connection).serve().await;
                interrupted(&shared, &error);
                if since.elapsed() >= STABLE_AFTER {
                    backoff.reset();
                }
                error
            }
            Err(error) => error,
        };
        tracing::debug!(%error, "no connection to subscribe with");
        giving_up(&shared, sleep(backoff.next())).await;
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

fn interrupted(shared: &Shared, error: &RedisError) {
    let counters = &shared.counters;
    counters.is_connected.store(false, Relaxed);
    let streams = shared.follows.lock().forget_connection();
    counters.interruptions.fetch_add(1, Relaxed);
    counters.streams_interrupted.fetch_add(streams, Relaxed);
    tracing::warn!(
        error = error as &dyn std::error::Error,
        streams,
        "the connection for streams was lost; what is published until it is back does not arrive here"
    );
}

/// What the server was asked, and its answer.
type Asked = Pin<Box<dyn Future<Output = (Change, Result<(), RedisError>)> + Send>>;

/// One connection, as long as it lives.
struct Subscriber<'a> {
    shared: &'a Shared,
    connection: Listening,
    /// One change at a time: the next may undo this one.
    asked: Option<Asked>,
    looking: Option<Looking>,
    inbox: VecDeque<Msg>,
    inbox_bytes: usize,
    /// Until when the sink wants nothing more.
    pressure: Option<sinew_streams::BoxFuture<'static, ()>>,
}

impl<'a> Subscriber<'a> {
    fn new(shared: &'a Shared, connection: Listening) -> Self {
        // What an earlier connection was told is nothing to this one.
        shared.follows.lock().forget_connection();
        shared.counters.is_connected.store(true, Relaxed);
        Self {
            shared,
            connection,
            asked: None,
            looking: None,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            pressure: None,
        }
    }

    /// Until the connection is lost; says why.
    async fn serve(mut self) -> RedisError {
        let shared = self.shared;
        let mut ping = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.ask_next();
            tokio::select! {
                message = self.connection.messages.next() => match message {
                    Some(message) => self.take(message),
                    None => return RedisError::unavailable("the connection was lost"),
                },
                (change, answer) = until(&mut self.asked) => {
                    self.asked = None;
                    if let Err(error) = self.settle(&change, answer) {
                        return error;
                    }
                }
                () = until(&mut self.pressure) => self.pressure = None,
                () = shared.follows_changed.notified() => {}
                answer = until(&mut self.looking) => {
                    self.looking = None;
                    if let Err(error) = answer {
                        return error;
                    }
                }
                _ = ping.tick(), if self.looking.is_none() => self.look(),
            }
            self.deliver();
            if self.inbox_bytes > INBOX_BYTES_MAX {
                return RedisError::unavailable("messages come faster than they can be passed on");
            }
        }
    }

    fn ask_next(&mut self) {
        if self.asked.is_some() {
            return;
        }
        let change = self.shared.follows.lock().take();
        if let Some(change) = change {
            self.ask(change);
        }
    }

    fn ask(&mut self, change: Change) {
        let mut commands = self.connection.commands.clone();
        let prefix = &self.shared.prefix;
        let channels = |streams: &[StreamName]| -> Vec<String> {
            let channels = streams.iter().map(|stream| format!("{prefix}{stream}"));
            channels.collect()
        };
        let subscribe = channels(&change.subscribe);
        let unsubscribe = channels(&change.unsubscribe);
        self.asked = Some(Box::pin(async move {
            let asking = async {
                if !subscribe.is_empty() {
                    commands.subscribe(subscribe).await?;
                }
                if !unsubscribe.is_empty() {
                    commands.unsubscribe(unsubscribe).await?;
                }
                Ok::<_, redis::RedisError>(())
            };
            let answer = match timeout(FOLLOW_TIMEOUT, asking).await {
                Ok(answer) => answer.map_err(|error| RedisError::from_library(&error)),
                Err(_) => Err(RedisError::unavailable("the server does not answer")),
            };
            (change, answer)
        }));
    }

    fn look(&mut self) {
        let (target, dial) = (self.shared.redis.target(), self.shared.redis.dial());
        self.looking = Some(self.connection.look(&target, dial, FOLLOW_TIMEOUT));
    }

    /// What the server said to a change. An error is the end of the connection.
    fn settle(&self, change: &Change, answer: Result<(), RedisError>) -> Result<(), RedisError> {
        let mut follows = self.shared.follows.lock();
        match answer {
            Ok(()) => change.subscribe.iter().for_each(|it| follows.confirm(it)),
            // The server forbids it: the connection is well, and asking again is useless.
            Err(error) if error.code().is_some() => {
                change
                    .subscribe
                    .iter()
                    .for_each(|it| follows.deny(it, &error));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn take(&mut self, message: Msg) {
        self.inbox_bytes += OVERHEAD_BYTES + message.get_payload_bytes().len();
        self.inbox.push_back(message);
    }

    /// Passes on what has come, until the sink asks for a rest.
    fn deliver(&mut self) {
        while self.pressure.is_none()
            && let Some(message) = self.inbox.pop_front()
        {
            self.inbox_bytes -= OVERHEAD_BYTES + message.get_payload_bytes().len();
            self.shared.deliver(&message);
            self.pressure = self.shared.sink.get().and_then(|sink| sink.pressure());
        }
    }
}

impl Shared {
    fn deliver(&self, message: &Msg) {
        let name = message.get_channel_name().strip_prefix(&self.prefix);
        let envelope = Envelope::read(message.get_payload_bytes());
        let (Some(name), Some(envelope)) = (name, envelope) else {
            self.counters.unreadable.fetch_add(1, Relaxed);
            tracing::debug!("a message of somebody else was left");
            return;
        };
        let received = self
            .follows
            .lock()
            .receive(name, envelope.position, envelope.begins);
        let Some((stream, lost)) = received else {
            return;
        };
        self.counters.lost.fetch_add(lost, Relaxed);
        if let Some(sink) = self.sink.get() {
            self.counters.received.fetch_add(1, Relaxed);
            let payload = Bytes::copy_from_slice(envelope.payload);
            sink.deliver(&stream, Position::from_offset(envelope.position), &payload);
        }
    }
}

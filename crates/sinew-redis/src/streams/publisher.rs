//! Sends messages to the server: one batch after another, so that calls keep their order also
//! when nobody waits for them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use sinew_streams::{Position, StreamName};
use tokio::sync::oneshot;

use super::{OUTBOX_BYTES_MAX, Shared, envelope};
use crate::error::RedisError;
use crate::script::Script;

/// Messages of one round trip, and their bytes, at most; one message alone may be larger.
const BATCH_MESSAGES_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// What a message in the outbox costs besides its payload.
const OVERHEAD_BYTES: usize = 128;

/// How long a stream's counter is kept after its last message.
const COUNTER_LIFE: Duration = Duration::from_secs(5 * 60);

/// A message on its way to the server.
pub(super) struct Outgoing {
    pub(super) stream: StreamName,
    pub(super) payload: Bytes,
    pub(super) answer: oneshot::Sender<Result<Position, RedisError>>,
}

impl Outgoing {
    fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.stream.as_str().len() + self.payload.len()
    }
}

/// Messages that wait for the one before them.
#[derive(Default)]
pub(super) struct Outbox {
    messages: VecDeque<Outgoing>,
    bytes: usize,
}

impl Outbox {
    /// Takes a message, or tells its publisher that there are too many.
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        let bytes = self.bytes + outgoing.bytes();
        if bytes > OUTBOX_BYTES_MAX && !self.messages.is_empty() {
            let refused = RedisError::unavailable("too many messages wait to be sent");
            // Whoever does not listen any more need not hear it.
            let _ = outgoing.answer.send(Err(refused));
            return;
        }
        self.bytes = bytes;
        self.messages.push_back(outgoing);
    }

    fn take(&mut self) -> Vec<Outgoing> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.messages.front() {
            bytes += next.bytes();
            if !batch.is_empty() && bytes > BATCH_BYTES_MAX {
                break;
            }
            self.bytes -= next.bytes();
            batch.extend(self.messages.pop_front());
            if batch.len() == BATCH_MESSAGES_MAX {
                break;
            }
        }
        if self.messages.is_empty() && self.messages.capacity() > BATCH_MESSAGES_MAX {
            self.messages = VecDeque::new();
        }
        batch
    }
}

pub(super) async fn run(shared: Arc<Shared>) {
    let script = Script::new(include_str!("publish.lua"));
    loop {
        let filled = shared.outbox_filled.notified();
        let batch = shared.outbox.lock().take();
        if batch.is_empty() {
            filled.await;
            continue;
        }
        send(&shared, &script, batch).await;
    }
}

async fn send(shared: &Shared, script: &Script, batch: Vec<Outgoing>) {
    let life = COUNTER_LIFE.as_millis().to_string();
    let is_cluster = shared.redis.is_cluster();
    let commands: Vec<redis::Cmd> = batch
        .iter()
        .enumerate()
        .map(|(index, outgoing)| {
            let stream = outgoing.stream.as_str();
            let key = format!("{}position:{stream}", shared.prefix);
            let channel = format!("{}{stream}", shared.prefix);
            let arguments = [life.as_bytes(), channel.as_bytes(), &outgoing.payload];
            // The first one brings the script along, so that the server knows it when the others
            // come. In a cluster they go to several servers.
            let by_text = index == 0 || is_cluster;
            script.command(by_text, &[key], &arguments)
        })
        .collect();
    let answers = shared.redis.pipeline(&commands).await;
    for (outgoing, answer) in batch.into_iter().zip(answers) {
        let position = answer.and_then(|value| match value {
            Value::BulkString(text) => envelope::position(&text)
                .map(Position::from_offset)
                .ok_or_else(|| RedisError::unavailable("a position that is none")),
            _ => Err(RedisError::unavailable("a position that is none")),
        });
        let counter = match position {
            Ok(_) => &shared.counters.published,
            Err(_) => &shared.counters.publish_failed,
        };
        counter.fetch_add(1, Relaxed);
        // Whoever does not listen any more need not hear it.
        let _ = outgoing.answer.send(position);
    }
}

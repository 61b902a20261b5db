//! Sends messages to the server: one batch after another, so that calls keep their order also
//! when nobody waits for them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use redis::Value;
use sinew_streams::Position;
use sinew_streams::outbox::Outgoing;

use super::{Shared, envelope, unavailable};
use crate::error::RedisError;
use crate::script::Script;

/// Messages of one round trip, and their bytes, at most; one message alone may be larger.
const BATCH_MESSAGES_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// How long a stream's counter is kept after its last message.
const COUNTER_LIFE: Duration = Duration::from_secs(5 * 60);

pub(super) async fn run(shared: Arc<Shared>) {
    let script = Script::new(include_str!("publish.lua"));
    loop {
        let taking = shared.outbox.take(BATCH_MESSAGES_MAX, BATCH_BYTES_MAX);
        let batch = taking.await;
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
        outgoing.answer(position.map_err(unavailable));
    }
}

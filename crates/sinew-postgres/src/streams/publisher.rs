//! Sends messages to the server: one batch after another, so that calls keep their order also
//! when nobody waits for them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use sinew_streams::Position;
use sinew_streams::outbox::Outgoing;
use tokio_postgres::types::Type;

use super::{Shared, envelope, unavailable};
use crate::connection::Value;
use crate::error::PostgresError;

/// Messages of one transaction. Their positions are its number and theirs within it, in nine bits.
const BATCH_MESSAGES_MAX: usize = 512;

/// Bytes of one transaction's messages, at most; one message alone may be larger.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// One transaction.
///
/// Whoever publishes takes turns by the lock, and gets the transaction's number when it has its
/// turn, so that positions grow in the order in which the server delivers. Nobody waits for a
/// disk: a crash of the server ends every connection that listens, and loses what is on its way
/// all the same.
fn statement(lock: &str) -> String {
    format!(
        "with turn as materialized (
            select pg_advisory_xact_lock({lock}), set_config('synchronous_commit', 'off', true)
        ), number as materialized (
            select txid_current() * {BATCH_MESSAGES_MAX} as it from turn
        ), sent as materialized (
            select pg_notify($1, (number.it + part.message)::text || ' ' || part.content)
            from number, (
                select it.message, it.content
                from unnest($2::int4[], $3::text[]) with ordinality as it (message, content, ordinal)
                order by it.ordinal
            ) as part
        )
        select number.it, (select count(*) from sent) from number"
    )
}

pub(super) async fn run(shared: Arc<Shared>) {
    let statement = statement(&shared.lock);
    // The number of the next message that this node publishes.
    let mut count = 0;
    loop {
        let taking = shared.outbox.take(BATCH_MESSAGES_MAX, BATCH_BYTES_MAX);
        let batch = taking.await;
        count += send(&shared, &statement, count, batch).await;
    }
}

/// Sends a batch, and answers how many numbers are used. What was refused has none: nobody misses
/// it. Whether that of an unknown outcome was seen is unknown as well; a number that comes twice is
/// no gap.
async fn send(shared: &Shared, statement: &str, first: u64, batch: Vec<Outgoing>) -> u64 {
    let (mut messages, mut parts) = (Vec::new(), Vec::new());
    for (number, outgoing) in (0..).zip(&batch) {
        let count = first + u64::from(i32::cast_unsigned(number));
        let name = outgoing.stream.as_str();
        for part in envelope::write(shared.node, count, name, &outgoing.payload) {
            messages.push(number);
            parts.push(part);
        }
    }
    let values: [Value<'_>; 3] = [
        (&shared.channel, Type::TEXT),
        (&messages, Type::INT4_ARRAY),
        (&parts, Type::TEXT_ARRAY),
    ];
    let sent = shared.postgres.rows(statement, &values).await;
    let sent = sent.and_then(|rows| first_position(&rows));
    let messages = batch.len() as u64;
    match sent {
        Ok(first) => {
            shared.counters.published.fetch_add(messages, Relaxed);
            for (number, outgoing) in (0..).zip(batch) {
                outgoing.answer(Ok(Position::from_offset(first + number)));
            }
            messages
        }
        Err(error) => {
            shared.counters.publish_failed.fetch_add(messages, Relaxed);
            for outgoing in batch {
                outgoing.answer(Err(unavailable(error.clone())));
            }
            0
        }
    }
}

fn first_position(rows: &[tokio_postgres::Row]) -> Result<u64, PostgresError> {
    let number: Option<i64> = rows.first().and_then(|row| row.try_get(0).ok());
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| PostgresError::corrupt("a position that is none"))
}

//! Removing what has expired, and what the cache holds over its bound.

use tokio_postgres::types::Type;

use crate::config::{CACHE_ENTRY_OVERHEAD_BYTES, SWEEP_BATCH_ROWS_MAX, SWEEP_BATCHES_MAX};
use crate::connection::Connection;
use crate::error::PostgresError;
use crate::schema::Schema;

/// Rows that a sweep removed.
///
/// ```
/// use sinew_postgres::Swept;
///
/// let nothing = Swept::default();
/// assert_eq!((nothing.records, nothing.cache_entries), (0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Expired records of [`PostgresStore`](crate::PostgresStore).
    pub records: u64,
    /// Entries of [`PostgresCache`](crate::PostgresCache): expired, or too many.
    pub cache_entries: u64,
}

pub(crate) async fn run(
    connection: &Connection,
    schema: &Schema,
    cache_bytes_max: u64,
) -> Result<Swept, PostgresError> {
    let records = expired(connection, schema, &schema.records).await?;
    let mut cache_entries = expired(connection, schema, &schema.cache).await?;
    cache_entries += surplus(connection, schema, cache_bytes_max).await?;
    Ok(Swept {
        records,
        cache_entries,
    })
}

async fn expired(
    connection: &Connection,
    schema: &Schema,
    table: &str,
) -> Result<u64, PostgresError> {
    let lock = schema.sweep_lock();
    let sql = format!(
        "with turn as materialized (select pg_try_advisory_xact_lock({lock}) as is_mine),
        doomed as (
            select it.key from {table} as it, turn
            where turn.is_mine and it.sweep_at <= now()
            order by it.sweep_at limit {SWEEP_BATCH_ROWS_MAX} for update of it skip locked
        ), gone as (
            delete from {table} as it using doomed where it.key = doomed.key returning 1
        )
        select count(*) from gone"
    );
    let mut all = 0;
    for _ in 0..SWEEP_BATCHES_MAX {
        let gone: i64 = connection.one(&sql, &[]).await?.get(0);
        all += gone.unsigned_abs();
        if gone < i64::from(SWEEP_BATCH_ROWS_MAX) {
            break;
        }
    }
    Ok(all)
}

/// The size of the files is known at once; only when it is over the bound are the entries
/// counted, as files keep the room of what was removed.
async fn surplus(
    connection: &Connection,
    schema: &Schema,
    bytes_max: u64,
) -> Result<u64, PostgresError> {
    let table = &schema.cache;
    let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
    let sql = "select pg_catalog.pg_table_size($1::text::regclass) > $2";
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(table, Type::TEXT), (&bytes_max, Type::INT8)];
    if !connection.one(sql, &values).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    let lock = schema.sweep_lock();
    let rows_max = SWEEP_BATCH_ROWS_MAX * SWEEP_BATCHES_MAX;
    let statement = format!(
        "with turn as materialized (select pg_try_advisory_xact_lock({lock}) as is_mine),
        ranked as (
            select it.key, sum(octet_length(it.key) + octet_length(it.content)
                + {CACHE_ENTRY_OVERHEAD_BYTES}) over (order by it.written_at desc, it.key) as bytes
            from {table} as it, turn where turn.is_mine
        ), doomed as (
            select it.key from {table} as it join ranked on ranked.key = it.key
            where ranked.bytes > {bytes_max}
            limit {rows_max} for update of it skip locked
        ), gone as (
            delete from {table} as it using doomed where it.key = doomed.key returning 1
        )
        select count(*) from gone;"
    );
    let gone = connection.transact(&statement).await?;
    Ok(gone.and_then(|count| count.parse().ok()).unwrap_or(0))
}

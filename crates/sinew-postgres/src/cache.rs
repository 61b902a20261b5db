//! Values that may be lost.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use sinew_store::cache::{CacheEntry, CacheStore, Glob, GlobPiece};
use sinew_store::{BoxFuture, Key, StoreError};
use tokio_postgres::types::Type;

use crate::config::{DELETE_BATCH_ROWS_MAX, STATEMENT_BYTES_MAX, STATEMENT_ENTRIES_MAX, life_ms};
use crate::connection::Value;
use crate::error::PostgresError;
use crate::postgres::Postgres;

/// A cache in a PostgreSQL database, shared by all nodes that use it.
///
/// - **Unlogged.** Its table is not written to the database's log: writes are cheaper, a
///   standby has none of it, and it is empty after a crash of the server. An orderly restart
///   keeps it.
/// - **One round trip** for a read, a deletion, an increment, and a write of up to 1,000 entries
///   and 8 MiB that all have the same [`only_if_absent`](CacheEntry::only_if_absent) and
///   different keys. Others are sent in several statements.
/// - **Bounded** to [`PostgresSettings::cache_bytes_max`](crate::PostgresSettings), looked at
///   once a minute by the sweep; what was written first is forgotten first.
/// - **Time** is that of the database's clock. An expired value is missing at once, and removed
///   within about two minutes.
///
/// ```
/// use sinew_postgres::{Postgres, PostgresCache, PostgresSettings};
/// use sinew_store::cache::CacheStore;
/// use sinew_store::{Key, StoreErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app")?;
/// let cache = PostgresCache::new(Postgres::connect_lazily(settings)?);
/// let error = cache.increment(&Key::new("visits"), 1, None).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert!(cache.postgres().trouble().is_some());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresCache {
    postgres: Postgres,
    read: String,
    write: String,
    delete: String,
    increment: String,
    delete_matched: String,
}

/// Rounded up to the minute, so that an index is seldom touched.
const SWEEP_AT: &str = "date_trunc('minute', {}, 'UTC') + interval '1 minute'";

impl PostgresCache {
    /// A cache on these connections.
    pub fn new(postgres: Postgres) -> Self {
        let table = &postgres.schema().cache;
        // The content as text when it may be a number; what is none fails as a cast does.
        let number = "(select case
                when text.it ~ '^[+-]?[0-9]+$'
                    and text.it::numeric between -9223372036854775808 and 9223372036854775807
                then text.it::bigint else ('no number' || left(text.it, 0))::bigint end
            from (select left(encode(it.content, 'escape'), 40) as it) as text)";
        let life = |life: &str| format!("clock_timestamp() + {life} * interval '1 millisecond'");
        let sweep_at = |moment: &str| SWEEP_AT.replace("{}", moment);
        Self {
            read: format!(
                "select it.content
                from unnest($1) with ordinality as wanted (key, place)
                left join {table} as it on it.key = wanted.key
                    and (it.expires_at is null or it.expires_at > clock_timestamp())
                order by wanted.place"
            ),
            // Rows are locked in the order of their keys, here and when they are deleted.
            write: format!(
                "insert into {table} as it (key, content, written_at, expires_at, sweep_at)
                select given.key, given.content, clock_timestamp(), {}, {}
                from unnest($1, $2, $3) as given (key, content, life_ms)
                order by given.key collate \"C\"
                on conflict (key) do update set content = excluded.content,
                    written_at = excluded.written_at, expires_at = excluded.expires_at,
                    sweep_at = excluded.sweep_at
                where not $4 or it.expires_at <= clock_timestamp()
                returning it.key",
                life("given.life_ms"),
                sweep_at(&life("given.life_ms")),
            ),
            delete: format!(
                "with doomed as (
                    select it.key, it.expires_at is null or it.expires_at > clock_timestamp()
                        as is_alive
                    from {table} as it where it.key = any ($1) order by it.key for update
                ), gone as (
                    delete from {table} as it using doomed where it.key = doomed.key
                    returning doomed.is_alive
                )
                select count(*) filter (where is_alive) from gone"
            ),
            increment: format!(
                "insert into {table} as it (key, content, written_at, expires_at, sweep_at)
                values ($1, convert_to($2::text, 'UTF8'), clock_timestamp(), {}, {})
                on conflict (key) do update set
                    content = case when it.expires_at <= clock_timestamp() then excluded.content
                        else convert_to(({number} + $2)::text, 'UTF8') end,
                    written_at = excluded.written_at,
                    expires_at = case when it.expires_at <= clock_timestamp()
                        then excluded.expires_at else it.expires_at end,
                    sweep_at = case when it.expires_at <= clock_timestamp()
                        then excluded.sweep_at else it.sweep_at end
                returning convert_from(it.content, 'UTF8')::bigint",
                life("$3"),
                sweep_at(&life("$3")),
            ),
            delete_matched: format!(
                "with doomed as (
                    select it.key, it.expires_at is null or it.expires_at > clock_timestamp()
                        as is_alive
                    from {table} as it where it.key like $1 and it.key > $2
                    order by it.key limit {DELETE_BATCH_ROWS_MAX} for update
                ), gone as (
                    delete from {table} as it using doomed where it.key = doomed.key
                    returning it.key, doomed.is_alive
                )
                select count(*) filter (where is_alive), max(key), count(*) from gone"
            ),
            postgres,
        }
    }

    /// The connections.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, PostgresError> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(STATEMENT_ENTRIES_MAX) {
            let keys: Vec<&str> = keys.iter().map(Key::as_str).collect();
            let asked: [Value<'_>; 1] = [(&keys, Type::TEXT_ARRAY)];
            for row in self.postgres.rows(&self.read, &asked).await? {
                let content: Option<&[u8]> = row.get(0);
                values.push(content.map(Bytes::copy_from_slice));
            }
        }
        Ok(values)
    }

    async fn write(&self, entries: &[CacheEntry]) -> Result<Vec<bool>, PostgresError> {
        let mut written = Vec::with_capacity(entries.len());
        for entries in rounds(entries) {
            let keys: Vec<&str> = entries.iter().map(|it| it.key.as_str()).collect();
            let contents: Vec<&[u8]> = entries.iter().map(|it| &*it.value).collect();
            let lives: Vec<Option<i64>> = entries
                .iter()
                .map(|it| it.time_to_live.map(life_ms))
                .collect();
            let values: [Value<'_>; 4] = [
                (&keys, Type::TEXT_ARRAY),
                (&contents, Type::BYTEA_ARRAY),
                (&lives, Type::INT8_ARRAY),
                (&entries[0].only_if_absent, Type::BOOL),
            ];
            let rows = self.postgres.rows(&self.write, &values).await?;
            let done: HashSet<&str> = rows.iter().map(|row| row.get(0)).collect();
            written.extend(keys.iter().map(|key| done.contains(key)));
        }
        Ok(written)
    }

    async fn delete(&self, keys: &[Key]) -> Result<u64, PostgresError> {
        let mut all = 0;
        for keys in keys.chunks(STATEMENT_ENTRIES_MAX) {
            let keys: Vec<&str> = keys.iter().map(Key::as_str).collect();
            let asked: [Value<'_>; 1] = [(&keys, Type::TEXT_ARRAY)];
            all += count(&self.postgres.rows(&self.delete, &asked).await?);
        }
        Ok(all)
    }

    async fn increment(
        &self,
        key: &Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> Result<i64, PostgresError> {
        let life = time_to_live.map(life_ms);
        let values: [Value<'_>; 3] = [
            (&key.as_str(), Type::TEXT),
            (&by, Type::INT8),
            (&life, Type::INT8),
        ];
        let rows = self.postgres.rows(&self.increment, &values).await?;
        let sum = rows.first().map(|row| row.get(0));
        sum.ok_or_else(|| PostgresError::corrupt("an increment has no sum"))
    }

    async fn delete_matched(&self, prefix: &str, pattern: &str) -> Result<u64, PostgresError> {
        let like = like(prefix, &Glob::new(pattern));
        let mut all = 0;
        // Keys are not empty, so that all come after this one.
        let mut last = String::new();
        loop {
            let values: [Value<'_>; 2] = [(&like, Type::TEXT), (&last, Type::TEXT)];
            let rows = self.postgres.rows(&self.delete_matched, &values).await?;
            all += count(&rows);
            let batch = rows.first().map_or(0, |row| row.get::<_, i64>(2));
            if batch < i64::from(DELETE_BATCH_ROWS_MAX) {
                return Ok(all);
            }
            last = rows[0].get(1);
        }
    }
}

fn count(rows: &[tokio_postgres::Row]) -> u64 {
    let count: i64 = rows.first().map_or(0, |row| row.get(0));
    count.unsigned_abs()
}

/// Consecutive entries that one statement can write: of different keys, of one
/// `only_if_absent`, and not too many.
fn rounds(entries: &[CacheEntry]) -> Vec<&[CacheEntry]> {
    let mut rounds = Vec::new();
    let (mut start, mut bytes, mut keys) = (0, 0, HashSet::new());
    for (index, entry) in entries.iter().enumerate() {
        let first = &entries[start];
        let fits = entry.only_if_absent == first.only_if_absent
            && index - start < STATEMENT_ENTRIES_MAX
            && bytes + entry.value.len() <= STATEMENT_BYTES_MAX
            && !keys.contains(&entry.key);
        if !fits && index > start {
            rounds.push(&entries[start..index]);
            (start, bytes) = (index, 0);
            keys.clear();
        }
        keys.insert(&entry.key);
        bytes += entry.value.len();
    }
    if start < entries.len() {
        rounds.push(&entries[start..]);
    }
    rounds
}

/// The pattern as SQL's `LIKE` writes it.
fn like(prefix: &str, glob: &Glob) -> String {
    fn push(like: &mut String, character: char) {
        if matches!(character, '%' | '_' | '\\') {
            like.push('\\');
        }
        like.push(character);
    }
    let mut like = String::with_capacity(prefix.len() + 8);
    prefix.chars().for_each(|it| push(&mut like, it));
    for piece in glob.pieces() {
        match piece {
            GlobPiece::AnyText => like.push('%'),
            GlobPiece::AnyCharacter => like.push('_'),
            GlobPiece::Character(it) => push(&mut like, *it),
        }
    }
    like
}

impl CacheStore for PostgresCache {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(async move { Ok(self.read(keys).await?) })
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async move { Ok(self.write(&entries).await?) })
    }

    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.delete(keys).await?) })
    }

    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        Box::pin(async move { Ok(self.increment(key, by, time_to_live).await?) })
    }

    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.delete_matched(prefix, pattern).await?) })
    }
}

#[cfg(test)]
mod tests;

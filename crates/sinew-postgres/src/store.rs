//! Records, and with them sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use sinew_store::{BoxFuture, Commit, Committed, Key, Record, Store, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::config::life_ms;
use crate::error::PostgresError;
use crate::postgres::Postgres;

/// Records in a PostgreSQL database, shared by all nodes that use it.
///
/// - **One round trip** for a load, a commit and a deletion: a commit is one call of a function
///   in the database, which locks the record, compares and writes.
/// - **Durable** as the database is set up (`synchronous_commit`).
/// - **Time** is that of the database's clock, so nodes need not agree about it. An expired
///   record is missing at once; it is removed within about an hour by a node's sweep
///   ([`Postgres::sweep`]).
/// - **Opaque.** Names and values are `bytea`, and come back byte for byte.
///
/// ```
/// use sinew_postgres::{Postgres, PostgresSettings, PostgresStore};
/// use sinew_store::{Commit, Key, Store, StoreErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app")?;
/// let store = PostgresStore::new(Postgres::connect_lazily(settings)?);
/// let mut commit = Commit::new();
/// commit.create = true;
/// let error = store.commit(&Key::new("greeting"), commit).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert!(!store.postgres().status().is_available());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresStore {
    postgres: Postgres,
    load: String,
    commit: String,
    delete: String,
}

impl PostgresStore {
    /// A store on these connections.
    pub fn new(postgres: Postgres) -> Self {
        let (records, commit) = (&postgres.schema().records, &postgres.schema().commit);
        Self {
            load: format!(
                "select it.names, it.contents,
                    ceil(extract(epoch from it.expires_at - clock_timestamp()) * 1000)::bigint
                from {records} as it
                where it.key = $1 and (it.expires_at is null or it.expires_at > clock_timestamp())"
            ),
            commit: format!(
                "select it.names, it.contents, it.expires_in_ms, it.outcome
                from {commit}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as it"
            ),
            delete: format!(
                "delete from {records} as it where it.key = $1
                returning it.expires_at is null or it.expires_at > clock_timestamp()"
            ),
            postgres,
        }
    }

    /// The connections.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    async fn load(&self, key: &Key) -> Result<Option<Record>, PostgresError> {
        let values: [crate::connection::Value<'_>; 1] = [(&key.as_str(), Type::TEXT)];
        let rows = self.postgres.rows(&self.load, &values).await?;
        rows.first().map(record).transpose()
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Committed, PostgresError> {
        let names = |fields: &[(String, Bytes)]| -> Vec<Vec<u8>> {
            fields.iter().map(|(name, _)| name.clone().into()).collect()
        };
        let expected_names: Vec<&[u8]> = commit
            .expect
            .iter()
            .map(|(name, _)| name.as_bytes())
            .collect();
        let expected_contents: Vec<Option<&[u8]>> = commit
            .expect
            .iter()
            .map(|(_, value)| value.as_deref())
            .collect();
        let removed: Vec<&[u8]> = commit.remove.iter().map(String::as_bytes).collect();
        let set_names = names(&commit.set);
        let set_contents: Vec<&[u8]> = commit.set.iter().map(|(_, value)| &**value).collect();
        let target = commit.move_to.as_ref().map(Key::as_str);
        let bound = |max: Option<usize>| max.map(|max| i64::try_from(max).unwrap_or(i64::MAX));
        let rows = self
            .postgres
            .rows(
                &self.commit,
                &[
                    (&key.as_str(), Type::TEXT),
                    (&expected_names, Type::BYTEA_ARRAY),
                    (&expected_contents, Type::BYTEA_ARRAY),
                    (&commit.clear, Type::BOOL),
                    (&removed, Type::BYTEA_ARRAY),
                    (&set_names, Type::BYTEA_ARRAY),
                    (&set_contents, Type::BYTEA_ARRAY),
                    (&commit.time_to_live.map(life_ms), Type::INT8),
                    (&commit.create, Type::BOOL),
                    (&target, Type::TEXT),
                    (&bound(commit.fields_max), Type::INT8),
                    (&bound(commit.bytes_max), Type::INT8),
                ],
            )
            .await?;
        let row = rows
            .first()
            .ok_or_else(|| PostgresError::corrupt("a commit has no outcome"))?;
        Ok(match row.get::<_, &str>(3) {
            "applied" => Committed::Applied,
            "missing" => Committed::Missing,
            "conflict" => Committed::Conflict(record(row)?),
            "too many fields" => Committed::TooManyFields,
            "too large" => Committed::TooLarge,
            _ => return Err(PostgresError::corrupt("a commit has an unknown outcome")),
        })
    }

    async fn delete(&self, key: &Key) -> Result<bool, PostgresError> {
        let values: [crate::connection::Value<'_>; 1] = [(&key.as_str(), Type::TEXT)];
        let rows = self.postgres.rows(&self.delete, &values).await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }
}

/// Names, contents, and what is left of the life.
fn record(row: &Row) -> Result<Record, PostgresError> {
    let corrupt = |_| PostgresError::corrupt("a record is not as Sinew writes it");
    let names: Vec<&[u8]> = row.try_get(0).map_err(corrupt)?;
    let contents: Vec<&[u8]> = row.try_get(1).map_err(corrupt)?;
    let left: Option<i64> = row.try_get(2).map_err(corrupt)?;
    if names.len() != contents.len() {
        return Err(PostgresError::corrupt(
            "a record has fields without a value",
        ));
    }
    let mut fields = BTreeMap::new();
    for (name, content) in names.into_iter().zip(contents) {
        let name = std::str::from_utf8(name)
            .map_err(|_| PostgresError::corrupt("a field's name is no text"))?;
        fields.insert(name.to_owned(), Bytes::copy_from_slice(content));
    }
    let left = left.map(|left| Duration::from_millis(left.max(0).unsigned_abs()));
    Ok(Record::new(fields, left))
}

impl Store for PostgresStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { Ok(self.load(key).await?) })
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move { Ok(self.commit(key, &commit).await?) })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(self.delete(key).await?) })
    }
}

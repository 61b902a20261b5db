//! The tables and the function, and how they come into the database.

use tokio_postgres::types::Type;

use crate::connection::Connection;
use crate::error::PostgresError;

const TEMPLATE: &str = include_str!("schema.sql");

/// Nodes that start at the same time make the tables one after the other, by this lock.
const MIGRATION_LOCK: i64 = 0x51_4E_45_57_00_01;

/// The node that sweeps holds this one, with the names of the tables mixed in.
const SWEEP_LOCK: i64 = 0x51_4E_45_57_00_02;

/// Mixed into the hashes of keys, so that they collide with nobody else's advisory locks.
const MOVE_LOCK: i64 = 0x51_4E_45_57_00_03;

/// The node that publishes holds this one, with the names of the tables mixed in.
const STREAMS_LOCK: i64 = 0x51_4E_45_57_00_04;

/// Bytes of a channel's name, at most.
const CHANNEL_BYTES_MAX: usize = 63;

/// Characters of a schema's name, and of a prefix.
pub(crate) const NAME_CHARACTERS_MAX: usize = 32;

/// Names for what Sinew has in the database, ready to be put into statements, and the statements.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) name: String,
    prefix: String,
    /// Qualified.
    pub(crate) records: String,
    pub(crate) cache: String,
    pub(crate) commit: String,
}

/// Whether the text can be a schema's name or a prefix: it goes into statements as it is.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && characters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
        && text.len() <= NAME_CHARACTERS_MAX
}

impl Schema {
    /// Both names have been looked at by [`is_name`].
    pub(crate) fn new(name: &str, prefix: &str) -> Self {
        let qualified = |what: &str| format!("\"{name}\".\"{prefix}{what}\"");
        Self {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            records: qualified("records"),
            cache: qualified("cache"),
            commit: qualified("commit_v1"),
        }
    }

    /// What a database administrator would run.
    pub(crate) fn sql(&self) -> String {
        let quoted = |what: &str| format!("\"{}{what}\"", self.prefix);
        TEMPLATE
            .replace("{schema}", &format!("\"{}\"", self.name))
            .replace("{records}", &quoted("records"))
            .replace("{records_sweep}", &quoted("records_sweep"))
            .replace("{cache}", &quoted("cache"))
            .replace("{cache_sweep}", &quoted("cache_sweep"))
            .replace("{commit}", &quoted("commit_v1"))
            .replace("{move_lock}", &MOVE_LOCK.to_string())
    }

    /// The advisory lock of whoever sweeps these tables.
    pub(crate) fn sweep_lock(&self) -> String {
        let (name, prefix) = (&self.name, &self.prefix);
        format!("hashtextextended('{name}.{prefix}', {SWEEP_LOCK})")
    }

    /// The channel of the streams, and the advisory lock of whoever publishes to it.
    pub(crate) fn streams_channel(&self) -> String {
        let whole = format!("{}.{}streams", self.name, self.prefix);
        if whole.len() <= CHANNEL_BYTES_MAX {
            return whole;
        }
        // Two long names, which are told apart by their hash (FNV-1a).
        let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{}.streams.{hash:016x}", self.name)
    }

    pub(crate) fn streams_lock(&self) -> String {
        let (name, prefix) = (&self.name, &self.prefix);
        format!("hashtextextended('{name}.{prefix}', {STREAMS_LOCK})")
    }

    /// Whether everything is there and may be used.
    ///
    /// # Errors
    ///
    /// [`PostgresErrorKind::NotMigrated`](crate::PostgresErrorKind::NotMigrated),
    /// [`PostgresErrorKind::Denied`](crate::PostgresErrorKind::Denied), or the server's troubles.
    pub(crate) async fn check(&self, connection: &Connection) -> Result<(), PostgresError> {
        let schema = &self.name;
        let named = |what: &str| format!("{}{what}", self.prefix);
        let (records, cache, commit) = (named("records"), named("cache"), named("commit_v1"));
        let row = connection
            .one(
                "with tables as (
                    select it.oid from pg_catalog.pg_class as it
                    join pg_catalog.pg_namespace as home on home.oid = it.relnamespace
                    where home.nspname = $1 and it.relname in ($2, $3)
                ), functions as (
                    select it.oid from pg_catalog.pg_proc as it
                    join pg_catalog.pg_namespace as home on home.oid = it.pronamespace
                    where home.nspname = $1 and it.proname = $4
                )
                select (select count(*) from tables) = 2 and exists (select from functions),
                    coalesce((select pg_catalog.has_schema_privilege(home.oid, 'usage')
                        from pg_catalog.pg_namespace as home where home.nspname = $1), false)
                    and coalesce((select bool_and(
                        pg_catalog.has_table_privilege(oid, 'select')
                        and pg_catalog.has_table_privilege(oid, 'insert')
                        and pg_catalog.has_table_privilege(oid, 'update')
                        and pg_catalog.has_table_privilege(oid, 'delete')) from tables), false)
                    and coalesce((select bool_and(
                        pg_catalog.has_function_privilege(oid, 'execute')) from functions), false)",
                &[
                    (schema, Type::TEXT),
                    (&records, Type::TEXT),
                    (&cache, Type::TEXT),
                    (&commit, Type::TEXT),
                ],
            )
            .await?;
        let (is_there, is_allowed): (bool, bool) = (row.get(0), row.get(1));
        match (is_there, is_allowed) {
            (false, _) => Err(PostgresError::not_migrated(schema)),
            (true, false) => Err(PostgresError::denied(schema)),
            (true, true) => Ok(()),
        }
    }

    /// Makes what is missing. What is there already is left alone, and needs no rights.
    pub(crate) async fn migrate(&self, connection: &Connection) -> Result<(), PostgresError> {
        let missing = self.check(connection).await;
        match missing {
            Err(error) if error.is_not_migrated() => {}
            done => return done,
        }
        // The transaction's own lock: whoever comes second finds everything made.
        let statements = format!(
            "set local client_min_messages = warning;\n\
             select pg_advisory_xact_lock({MIGRATION_LOCK});\n{}",
            self.statements_for(connection).await?
        );
        let made = connection.transact(&statements).await;
        made.map_err(|error| error.of_migration(&self.name))?;
        tracing::info!(
            schema = self.name,
            prefix = self.prefix,
            "made the tables of Sinew"
        );
        self.check(connection).await
    }

    /// Without the schema's own statement when the schema is there: `if not exists` asks for
    /// the right to make one all the same.
    async fn statements_for(&self, connection: &Connection) -> Result<String, PostgresError> {
        let row = connection
            .one(
                "select exists (select from pg_catalog.pg_namespace where nspname = $1)",
                &[(&self.name, Type::TEXT)],
            )
            .await?;
        let sql = self.sql();
        Ok(match row.get(0) {
            true => match sql.split_once(";\n") {
                Some((_, rest)) => rest.to_owned(),
                None => sql,
            },
            false => sql,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_after_the_tables_within_the_bound() {
        let channel = |name: &str, prefix: &str| Schema::new(name, prefix).streams_channel();
        assert_eq!(channel("public", "sinew_"), "public.sinew_streams");
        let long = "a".repeat(NAME_CHARACTERS_MAX);
        let other = format!("{}b", &long[1..]);
        assert!(channel(&long, &long).len() <= CHANNEL_BYTES_MAX);
        assert_ne!(channel(&long, &long), channel(&long, &other));
    }
}

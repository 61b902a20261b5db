//! The database: one SQLite file, and the migrations that make its tables.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};
use sinew::Result;

/// In the order in which they run. A change is a new file at the end; one that has run stays as it is.
const MIGRATIONS: [&str; 2] = [
    include_str!("../migrations/0001_accounts.sql"),
    include_str!("../migrations/0002_todos.sql"),
];

/// What SQLite keeps as the file's `user_version`: how many migrations have run.
const VERSION: u32 = MIGRATIONS.len() as u32;

/// A connection that is cheap to clone; the clones share it.
#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

impl Database {
    /// Opens the file in this folder, and makes what is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        // Password hashes are for nobody else on this machine.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        Self::prepared(Connection::open(folder.join("database.sqlite3"))?)
    }

    /// One that is gone with the process, for tests.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Result<Self> {
        Self::prepared(Connection::open_in_memory()?)
    }

    fn prepared(mut connection: Connection) -> Result<Self> {
        // Readers do not wait for a writer, and another process is waited for instead of failing.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        migrate(&mut connection)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` with the connection, on a thread where waiting for the disk keeps nobody else waiting.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        });
        Ok(done.await??)
    }
}

/// Runs what has not run yet: all of it, or nothing.
fn migrate(connection: &mut Connection) -> Result {
    // Taken at once, so that of two processes that start together the second finds the work done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err("the database was made by a newer version of this program".into());
    }
    for migration in &MIGRATIONS[version as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_run_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        assert_eq!(version, Ok(VERSION));
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "user_version", VERSION + 1)
            .unwrap();
        let refusal = migrate(&mut connection).unwrap_err().to_string();
        assert!(refusal.contains("newer version"), "{refusal}");
    }
}

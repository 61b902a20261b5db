//! The connections: who gets one, and how they come back.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Config, Row};

use crate::config::{BACKOFF_FIRST, BACKOFF_MAX, SWEEP_INTERVAL};
use crate::connection::{Connection, Value};
use crate::error::{PostgresError, PostgresSettingsError};
use crate::listener::Listener;
use crate::schema::Schema;
use crate::settings::PostgresSettings;
use crate::status::{Board, PostgresStatistics, PostgresStatus};
use crate::sweep::{self, Swept};
use crate::tls::Tls;

/// Connections to one PostgreSQL, shared by the stores on it. Cheap to clone.
///
/// - **Lazy.** Nothing is connected before there is a runtime: at once when it is made within
///   one, else with the first call. From then on a task looks after the server
///   ([`PostgresSettings::health_interval`]), makes missing tables if it may
///   ([`PostgresSettings::migrate`]) and sweeps expired rows. It ends with the last clone.
/// - **Away.** While the server cannot be used, every call fails at once; it is tried again
///   for ever, after pauses that grow from 0.1 s to 5 s, each between a half and all of it by
///   chance, so that many nodes do not come back in step.
/// - **Bounded.** A call waits for a connection at most
///   [`PostgresSettings::connect_timeout`], and for its answer at most
///   [`PostgresSettings::statement_timeout`]; then the store is
///   [`Unavailable`](sinew_store::StoreErrorKind::Unavailable).
///
/// ```
/// use std::sync::Arc;
/// use sinew_postgres::{Postgres, PostgresSettings, PostgresStatus, PostgresStore, Swept};
/// use sinew_store::Sessions;
///
/// # use test_servers::PostgresServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = PostgresServer::start();
/// # let url = server.url();
/// let postgres = Postgres::connect_lazily(PostgresSettings::from_url(&url)?)?;
/// assert_eq!(postgres.status(), PostgresStatus::Connecting);
/// postgres.migrate().await?;
///
/// let sessions = Sessions::new(Arc::new(PostgresStore::new(postgres.clone())));
/// let session = sessions.create();
/// session.set("name", "Ada").await?;
/// session.commit().await?;
///
/// let mut watch = postgres.watch();
/// watch.wait_for(|status| status.is_available()).await?;
/// assert!(postgres.trouble().is_none());
/// assert_eq!(postgres.statistics().statements, 1);
/// assert_eq!(postgres.sweep().await?, Swept::default(), "nothing has expired");
/// assert!(postgres.schema_sql().contains("create table if not exists \"public\".\"sinew_records\""));
/// assert_eq!(postgres.settings().database(), "postgres");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Postgres(Arc<Shared>);

pub(crate) struct Shared {
    settings: PostgresSettings,
    schema: Schema,
    target: Config,
    listen_target: Config,
    tls: Tls,
    /// One for each connection that may be in use.
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
    /// Counts outages: connections of an earlier time are not used again.
    era: AtomicU64,
    board: Board,
    is_looked_after: AtomicBool,
    signals: Arc<Signals>,
}

/// What the task that looks after the server waits for.
#[derive(Default)]
struct Signals {
    /// Something failed: look at once whether the server is there. Heard while it is.
    trouble: Notify,
    /// Look at once in any case.
    retry: Notify,
}

impl Postgres {
    /// Connections to be made when they are needed.
    ///
    /// # Errors
    ///
    /// The certificate authorities that the settings ask for cannot be read.
    pub fn connect_lazily(settings: PostgresSettings) -> Result<Self, PostgresSettingsError> {
        let shared = Arc::new(Shared {
            schema: settings.schema_names(),
            target: settings.target(),
            listen_target: settings.listen_target(),
            tls: Tls::new(&settings)?,
            permits: Semaphore::new(settings.pool_size.get()),
            idle: Mutex::default(),
            era: AtomicU64::new(0),
            board: Board::new(settings.to_string()),
            is_looked_after: AtomicBool::new(false),
            signals: Arc::default(),
            settings,
        });
        let postgres = Self(shared);
        postgres.look_after();
        Ok(postgres)
    }

    /// What it was made with.
    pub fn settings(&self) -> &PostgresSettings {
        &self.0.settings
    }

    /// Whether it can be used now.
    pub fn status(&self) -> PostgresStatus {
        self.look_after();
        self.0.board.status()
    }

    /// Tells every change of the status.
    pub fn watch(&self) -> watch::Receiver<PostgresStatus> {
        self.look_after();
        self.0.board.watch()
    }

    /// Why it is away; `None` while it is not.
    pub fn trouble(&self) -> Option<PostgresError> {
        self.0.board.trouble()
    }

    /// What happened since the start.
    pub fn statistics(&self) -> PostgresStatistics {
        self.0.board.statistics()
    }

    /// The tables and the function as SQL, for a database in which this program's user may not
    /// make them. Running it again changes nothing.
    pub fn schema_sql(&self) -> String {
        self.0.schema.sql()
    }

    /// Makes the tables and the function that are missing. Nothing that is there is touched,
    /// and when all of it is there no rights are needed. Nodes that do so at the same time take
    /// turns.
    ///
    /// # Errors
    ///
    /// [`Denied`](crate::PostgresErrorKind::Denied) when this user may not make them, and the
    /// server's troubles.
    pub async fn migrate(&self) -> Result<(), PostgresError> {
        let connection = self.0.open().await?;
        self.0.schema.migrate(&connection).await?;
        self.0.signals.retry.notify_one();
        Ok(())
    }

    /// Removes expired rows, and what the cache holds over its bound; answers what it removed.
    /// It is done by itself about once a minute ([`SWEEP_INTERVAL`]).
    ///
    /// Of several nodes one does it; the others remove nothing meanwhile. Rows that somebody
    /// works on are left to the next time. It removes at most
    /// [`SWEEP_BATCH_ROWS_MAX`](crate::SWEEP_BATCH_ROWS_MAX) ×
    /// [`SWEEP_BATCHES_MAX`](crate::SWEEP_BATCHES_MAX) expired rows of each table.
    ///
    /// # Errors
    ///
    /// The server's troubles.
    pub async fn sweep(&self) -> Result<Swept, PostgresError> {
        self.0.sweep().await
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// Carries one statement out on a connection of its own: one round trip.
    pub(crate) async fn rows(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, PostgresError> {
        let answer = self.attempt(sql, values).await;
        if let Err(error) = &answer {
            self.0
                .board
                .statements_failed
                .fetch_add(1, Ordering::Relaxed);
            if error.breaks_connection() || error.is_not_migrated() {
                self.0.signals.trouble.notify_one();
            }
        }
        answer
    }

    async fn attempt(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, PostgresError> {
        self.look_after();
        let leased = timeout(self.0.settings.connect_timeout, self.0.lease()).await;
        let mut lease =
            leased.map_err(|_| PostgresError::unavailable("no connection was free in time"))??;
        self.0.board.statements.fetch_add(1, Ordering::Relaxed);
        let answer = lease.connection().rows(sql, values).await;
        if answer.as_ref().is_err_and(PostgresError::breaks_connection) {
            lease.abandon();
        }
        answer
    }

    /// A connection of its own that listens on a channel.
    pub(crate) async fn listen(&self, channel: &str) -> Result<Listener, PostgresError> {
        let settings = &self.0.settings;
        Listener::open(
            &self.0.listen_target,
            self.0.tls.clone(),
            channel,
            settings.connect_timeout,
            settings.statement_timeout,
        )
        .await
    }

    /// Waits until it was away and is there again.
    pub(crate) async fn until_back(&self) {
        let mut status = self.watch();
        // The sender lives in `self`, so it is never gone.
        let _ = status.wait_for(|it| !it.is_available()).await;
        let _ = status.wait_for(|it| it.is_available()).await;
    }

    /// Starts the task that looks after the server, once there is a runtime to run it.
    fn look_after(&self) {
        if self.0.is_looked_after.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(runtime) = Handle::try_current()
            && !self.0.is_looked_after.swap(true, Ordering::Relaxed)
        {
            let signals = Arc::clone(&self.0.signals);
            runtime.spawn(look_after(Arc::downgrade(&self.0), signals));
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("settings", &self.0.settings)
            .field("status", &self.0.board.status())
            .finish_non_exhaustive()
    }
}

impl Shared {
    async fn open(&self) -> Result<Connection, PostgresError> {
        let settings = &self.settings;
        let signals = Arc::clone(&self.signals);
        let opened = Connection::open(
            &self.target,
            self.tls.clone(),
            settings.connect_timeout,
            settings.statement_timeout,
            move || signals.trouble.notify_one(),
        );
        let connection = opened.await?;
        let opened = &self.board.connections_opened;
        opened.fetch_add(1, Ordering::Relaxed);
        Ok(connection)
    }

    /// A connection that is used for one statement and then comes back.
    async fn lease(&self) -> Result<Lease<'_>, PostgresError> {
        let mut status = self.board.watch();
        let away = || {
            let trouble = self.board.trouble();
            Err(trouble.unwrap_or_else(|| PostgresError::unavailable("it is being reached")))
        };
        // The sender lives in `self`, so it is never gone.
        let known = status.wait_for(|it| *it != PostgresStatus::Connecting);
        if known.await.is_ok_and(|it| *it == PostgresStatus::Away) {
            return away();
        }
        let permit = tokio::select! {
            permit = self.permits.acquire() => permit.expect("it is never closed"),
            _ = status.wait_for(|it| *it == PostgresStatus::Away) => return away(),
        };
        let era = self.era.load(Ordering::Acquire);
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.open().await?,
        };
        Ok(Lease {
            shared: self,
            connection: Some(connection),
            era,
            _permit: permit,
        })
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        while let Some(connection) = idle.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
            self.count_lost(1);
        }
        None
    }

    fn count_lost(&self, connections: usize) {
        let lost = &self.board.connections_lost;
        lost.fetch_add(connections as u64, Ordering::Relaxed);
    }

    /// Whether the server can be used, asked on a connection that is kept for this.
    async fn probe(&self, kept: &mut Option<Connection>) -> Result<(), PostgresError> {
        let connection = match kept.take().filter(|it| !it.is_closed()) {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let found = match self.settings.migrate {
            true => self.schema.migrate(&connection).await,
            false => self.schema.check(&connection).await,
        };
        match &found {
            Err(error) if error.breaks_connection() => {
                self.count_lost(1);
                connection.abandon();
            }
            _ => *kept = Some(connection),
        }
        found
    }

    fn go_away(&self, trouble: PostgresError) {
        self.era.fetch_add(1, Ordering::Release);
        let idle = std::mem::take(&mut *self.idle.lock());
        self.count_lost(idle.len());
        idle.into_iter().for_each(Connection::abandon);
        self.board.report(Some(trouble));
    }

    async fn sweep(&self) -> Result<Swept, PostgresError> {
        let connection = self.open().await?;
        let swept = sweep::run(&connection, &self.schema, self.settings.cache_bytes_max).await;
        if let Ok(swept) = &swept {
            let rows = swept.records + swept.cache_entries;
            self.board.rows_swept.fetch_add(rows, Ordering::Relaxed);
        }
        swept
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.signals.retry.notify_one();
    }
}

/// A connection on its way to somebody and back.
struct Lease<'a> {
    shared: &'a Shared,
    /// `None` once abandoned.
    connection: Option<Connection>,
    era: u64,
    _permit: SemaphorePermit<'a>,
}

impl Lease<'_> {
    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("it was not abandoned")
    }

    fn abandon(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.shared.count_lost(1);
            connection.abandon();
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // Of a caller that went away meanwhile, the answer is still to come; it is read and
        // dropped before that of the next statement.
        let mut idle = self.shared.idle.lock();
        if self.shared.era.load(Ordering::Acquire) == self.era {
            idle.push(connection);
        } else {
            self.shared.count_lost(1);
            connection.abandon();
        }
    }
}

/// Keeps the status true, for as long as anybody has the connections.
async fn look_after(shared: Weak<Shared>, signals: Arc<Signals>) {
    let mut kept = None;
    let mut failures = 0;
    let mut next_sweep = Instant::now() + SWEEP_INTERVAL.mul_f64(chance());
    loop {
        let Some(strong) = shared.upgrade() else {
            return;
        };
        let pause = match strong.probe(&mut kept).await {
            Ok(()) => {
                failures = 0;
                strong.board.report(None);
                if Instant::now() >= next_sweep {
                    next_sweep = Instant::now() + SWEEP_INTERVAL.mul_f64(0.75 + chance() / 2.0);
                    tokio::spawn(sweep_in_turn(Arc::downgrade(&strong)));
                }
                strong.settings.health_interval
            }
            Err(trouble) => {
                strong.go_away(trouble);
                failures += 1;
                pause_after(failures)
            }
        };
        drop(strong);
        tokio::select! {
            () = sleep(pause) => {}
            () = signals.trouble.notified(), if failures == 0 => {}
            () = signals.retry.notified() => {}
        }
    }
}

async fn sweep_in_turn(shared: Weak<Shared>) {
    let Some(shared) = shared.upgrade() else {
        return;
    };
    match shared.sweep().await {
        Ok(swept) => tracing::debug!(
            records = swept.records,
            cache_entries = swept.cache_entries,
            "swept expired rows"
        ),
        Err(error) => tracing::warn!(%error, "could not sweep expired rows"),
    }
}

/// How long to wait after so many failures in a row: between a half and all of the longest pause.
pub(crate) fn pause_after(failures: u32) -> Duration {
    backoff(failures).mul_f64(0.5 + chance() / 2.0)
}

/// The longest pause after so many failures in a row.
fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    BACKOFF_MAX.min(BACKOFF_FIRST * 2_u32.pow(doublings))
}

/// Between 0 and 1.
fn chance() -> f64 {
    // Without randomness nodes are in step, which is no reason to stop.
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        assert_eq!(backoff(1), BACKOFF_FIRST);
        assert_eq!(backoff(2), BACKOFF_FIRST * 2);
        assert_eq!(backoff(7), BACKOFF_MAX);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }
}

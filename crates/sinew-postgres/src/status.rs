//! Whether PostgreSQL is there, and who is told.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::error::PostgresError;

/// Whether a PostgreSQL can be used.
///
/// ```
/// use sinew_postgres::{Postgres, PostgresSettings, PostgresStatus};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app")?;
/// let postgres = Postgres::connect_lazily(settings)?;
/// assert_eq!(postgres.status(), PostgresStatus::Connecting);
/// let mut watch = postgres.watch();
/// let status = *watch.wait_for(|status| *status != PostgresStatus::Connecting).await?;
/// assert_eq!(status, PostgresStatus::Away);
/// assert!(!status.is_available());
/// assert!(postgres.trouble().unwrap().is_retryable());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PostgresStatus {
    /// It answers, and the tables are there.
    Available,
    /// It has not been reached yet.
    Connecting,
    /// It was tried and cannot be used. It is tried again, for ever.
    Away,
}

impl PostgresStatus {
    /// Whether it can be used.
    pub fn is_available(self) -> bool {
        self == Self::Available
    }
}

/// What happened to the connections of one PostgreSQL since the start.
///
/// ```
/// use sinew_postgres::{Postgres, PostgresSettings};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app")?;
/// let postgres = Postgres::connect_lazily(settings)?;
/// postgres.watch().wait_for(|status| !status.is_available()).await?;
/// assert_eq!(postgres.statistics().connections_opened, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresStatistics {
    /// Connections that were opened.
    pub connections_opened: u64,
    /// Connections that were lost, or given up because nothing came.
    pub connections_lost: u64,
    /// Statements that were sent for the stores: one round trip each.
    pub statements: u64,
    /// Statements that were not carried out, or of which that is unknown.
    pub statements_failed: u64,
    /// How often it went away after it had been there, or was not there at the start.
    pub outages: u64,
    /// Rows that sweeps of this node removed.
    pub rows_swept: u64,
}

/// Everything that is known about the connections of one PostgreSQL.
pub(crate) struct Board {
    /// How this PostgreSQL is called in the log; holds no secret.
    name: String,
    status: watch::Sender<PostgresStatus>,
    /// Why it is away.
    trouble: Mutex<Option<PostgresError>>,
    pub(crate) connections_opened: AtomicU64,
    pub(crate) connections_lost: AtomicU64,
    pub(crate) statements: AtomicU64,
    pub(crate) statements_failed: AtomicU64,
    pub(crate) rows_swept: AtomicU64,
    outages: AtomicU64,
}

impl Board {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            status: watch::Sender::new(PostgresStatus::Connecting),
            trouble: Mutex::default(),
            connections_opened: AtomicU64::new(0),
            connections_lost: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            statements_failed: AtomicU64::new(0),
            rows_swept: AtomicU64::new(0),
            outages: AtomicU64::new(0),
        }
    }

    /// `trouble` is why it is away; without one it is there.
    pub(crate) fn report(&self, trouble: Option<PostgresError>) {
        let now = match trouble {
            None => PostgresStatus::Available,
            Some(_) => PostgresStatus::Away,
        };
        let mut kept = self.trouble.lock();
        let is_same =
            kept.as_ref().map(ToString::to_string) == trouble.as_ref().map(ToString::to_string);
        *kept = trouble;
        // The lock is held until everybody knows, so that two changes are not told in reverse.
        let before = self.status.send_replace(now);
        let why = kept.as_ref().map(ToString::to_string).unwrap_or_default();
        match (before, now) {
            (PostgresStatus::Away, PostgresStatus::Away) if is_same => {}
            (PostgresStatus::Away, PostgresStatus::Away) => {
                tracing::warn!(postgres = self.name, why, "PostgreSQL is still away");
            }
            (_, PostgresStatus::Away) => {
                self.outages.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    postgres = self.name,
                    why,
                    "PostgreSQL is away; trying again for ever"
                );
            }
            (PostgresStatus::Away, PostgresStatus::Available) => {
                tracing::info!(postgres = self.name, "PostgreSQL is back");
            }
            (PostgresStatus::Connecting, PostgresStatus::Available) => {
                tracing::info!(postgres = self.name, "connected to PostgreSQL");
            }
            _ => {}
        }
    }

    pub(crate) fn status(&self) -> PostgresStatus {
        *self.status.borrow()
    }

    pub(crate) fn trouble(&self) -> Option<PostgresError> {
        self.trouble.lock().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<PostgresStatus> {
        self.status.subscribe()
    }

    pub(crate) fn statistics(&self) -> PostgresStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PostgresStatistics {
            connections_opened: read(&self.connections_opened),
            connections_lost: read(&self.connections_lost),
            statements: read(&self.statements),
            statements_failed: read(&self.statements_failed),
            outages: read(&self.outages),
            rows_swept: read(&self.rows_swept),
        }
    }
}

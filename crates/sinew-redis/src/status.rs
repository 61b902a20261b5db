//! Whether Redis is there, and who is told.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

/// Whether a Redis can be used.
///
/// ```
/// use sinew_redis::{Redis, RedisSettings, RedisStatus};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// assert_eq!(redis.status(), RedisStatus::Connecting);
/// let mut watch = redis.watch();
/// watch.wait_for(|status| status.is_available()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RedisStatus {
    /// It answers; of a cluster, the primaries of all slots do.
    Available,
    /// It has not been reached yet, or was there a moment ago and is being reached again.
    Connecting,
    /// It was tried and cannot be reached. It is tried again, for ever.
    Away,
}

impl RedisStatus {
    /// Whether it can be used.
    pub fn is_available(self) -> bool {
        self == Self::Available
    }
}

/// What happened to the connections of one Redis since the start.
///
/// ```
/// use sinew_redis::{Redis, RedisSettings};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = Redis::connect_lazily(RedisSettings::from_url("redis://127.0.0.1:1")?)?;
/// let _ = redis.query(&sinew_redis::redis::cmd("PING")).await;
/// let statistics = redis.statistics();
/// assert_eq!(statistics.commands_failed, 1);
/// assert_eq!(statistics.connections_opened, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStatistics {
    /// Connections that were opened.
    pub connections_opened: u64,
    /// Connections that were lost, or given up because nothing came.
    pub connections_lost: u64,
    /// Commands that were not carried out, or of which that is unknown: Redis was away, full,
    /// or did not answer in time.
    pub commands_failed: u64,
    /// How often it went away after it had been there, or was not there at the start.
    pub outages: u64,
}

/// Everything that is known about the connections of one Redis.
pub(crate) struct Board {
    /// How this Redis is called in the log; holds no secret.
    name: String,
    parts: Mutex<HashMap<u64, Part>>,
    next_part: AtomicU64,
    status: watch::Sender<RedisStatus>,
    pub(crate) connections_opened: AtomicU64,
    pub(crate) connections_lost: AtomicU64,
    pub(crate) commands_failed: AtomicU64,
    outages: AtomicU64,
}

/// Connections of which one is enough.
#[derive(Default)]
struct Part {
    connections: Vec<RedisStatus>,
}

impl Part {
    fn status(&self) -> RedisStatus {
        let best = self.connections.iter().min();
        best.copied().unwrap_or(RedisStatus::Connecting)
    }
}

impl Board {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            parts: Mutex::default(),
            next_part: AtomicU64::new(0),
            status: watch::Sender::new(RedisStatus::Connecting),
            connections_opened: AtomicU64::new(0),
            connections_lost: AtomicU64::new(0),
            commands_failed: AtomicU64::new(0),
            outages: AtomicU64::new(0),
        }
    }

    /// A part that has to be there for the whole to be; `connections` of which one is enough.
    pub(crate) fn add(&self, connections: usize) -> u64 {
        let part = self.next_part.fetch_add(1, Ordering::Relaxed);
        let connections = vec![RedisStatus::Connecting; connections];
        self.change("", |parts| {
            parts.insert(part, Part { connections });
        });
        part
    }

    pub(crate) fn remove(&self, part: u64) {
        self.change("", |parts| {
            parts.remove(&part);
        });
    }

    /// What one connection of a part found out, and why.
    pub(crate) fn report(&self, part: u64, connection: usize, status: RedisStatus, why: &str) {
        self.change(why, |parts| {
            let part = parts.get_mut(&part);
            if let Some(it) = part.and_then(|part| part.connections.get_mut(connection)) {
                *it = status;
            }
        });
    }

    pub(crate) fn part(&self, part: u64) -> RedisStatus {
        let parts = self.parts.lock();
        parts.get(&part).map_or(RedisStatus::Away, Part::status)
    }

    fn change(&self, why: &str, edit: impl FnOnce(&mut HashMap<u64, Part>)) {
        let mut parts = self.parts.lock();
        edit(&mut parts);
        let worst = parts.values().map(Part::status).max();
        let now = worst.unwrap_or(RedisStatus::Connecting);
        // The lock is held until everybody knows, so that two changes are not told in reverse.
        let before = self.status.send_replace(now);
        match (before, now) {
            _ if before == now => {}
            (_, RedisStatus::Away) => {
                self.outages.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    redis = self.name,
                    why,
                    "Redis is away; trying again for ever"
                );
            }
            (RedisStatus::Away, RedisStatus::Available) => {
                tracing::info!(redis = self.name, "Redis is back");
            }
            (_, RedisStatus::Available) => {
                tracing::info!(redis = self.name, "connected to Redis");
            }
            _ => {}
        }
    }

    pub(crate) fn status(&self) -> RedisStatus {
        *self.status.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<RedisStatus> {
        self.status.subscribe()
    }

    pub(crate) fn statistics(&self) -> RedisStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RedisStatistics {
            connections_opened: read(&self.connections_opened),
            connections_lost: read(&self.connections_lost),
            commands_failed: read(&self.commands_failed),
            outages: read(&self.outages),
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("name", &self.name)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::RedisStatus::{Available, Away, Connecting};
    use super::*;

    fn board() -> (Board, u64, u64) {
        let board = Board::new("a".to_owned());
        let (one, other) = (board.add(2), board.add(2));
        (board, one, other)
    }

    #[test]
    fn one_connection_of_each_part_is_enough() {
        let (board, one, other) = board();
        assert_eq!(board.status(), Connecting);
        board.report(one, 0, Available, "");
        assert_eq!(board.status(), Connecting);
        board.report(other, 1, Available, "");
        assert_eq!(board.status(), Available);
        board.report(other, 0, Away, "refused");
        assert_eq!(board.status(), Available);
        assert_eq!(board.part(other), Available);
    }

    #[test]
    fn one_part_that_is_away_is_one_outage() {
        let (board, one, other) = board();
        board.report(one, 0, Available, "");
        for connection in [0, 1] {
            board.report(other, connection, Away, "refused");
        }
        assert_eq!(board.status(), Away);
        board.report(one, 0, Connecting, "lost");
        board.report(one, 0, Away, "refused");
        assert_eq!(board.statistics().outages, 1);
        board.report(one, 0, Available, "");
        board.report(other, 0, Available, "");
        assert_eq!(board.status(), Available);
        board.report(one, 0, Away, "refused");
        // Its other connection was never decided.
        assert_eq!(
            (board.status(), board.statistics().outages),
            (Connecting, 1)
        );
    }

    #[test]
    fn a_part_that_is_not_wanted_any_more_is_not_missed() {
        let (board, one, other) = board();
        board.report(one, 0, Available, "");
        board.remove(other);
        assert_eq!(board.status(), Available);
        board.report(other, 0, Away, "late");
        assert_eq!(board.status(), Available);
        assert_eq!(board.part(other), Away);
    }
}

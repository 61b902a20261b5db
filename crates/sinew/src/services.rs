//! Servers that an application needs beside itself.

use std::fmt;
use std::sync::Arc;

use sinew_web::Health;

/// A server that an application talks to.
pub(crate) struct Service {
    /// What it is, such as `redis`.
    kind: &'static str,
    /// What for, such as `sessions`.
    role: String,
    /// Whether visitors cannot be served without it.
    is_needed: bool,
    read: Box<dyn Fn() -> ServiceState + Send + Sync>,
}

/// What is known of a server, now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServiceState {
    pub(crate) is_available: bool,
    pub(crate) outages: u64,
    pub(crate) connections_opened: u64,
    pub(crate) connections_lost: u64,
    pub(crate) commands_failed: u64,
}

impl Service {
    /// Without a cache everything works, if slowly.
    #[cfg(feature = "redis")]
    pub(crate) fn redis(role: sinew_redis::RedisRole, redis: sinew_redis::Redis) -> Self {
        let read = move || {
            let statistics = redis.statistics();
            ServiceState {
                is_available: redis.status().is_available(),
                outages: statistics.outages,
                connections_opened: statistics.connections_opened,
                connections_lost: statistics.connections_lost,
                commands_failed: statistics.commands_failed,
            }
        };
        Self {
            kind: "redis",
            role: role.to_string(),
            is_needed: role != sinew_redis::RedisRole::Cache,
            read: Box::new(read),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(
        role: &str,
        is_needed: bool,
        postgres: sinew_postgres::Postgres,
    ) -> Self {
        let read = move || {
            let statistics = postgres.statistics();
            ServiceState {
                is_available: postgres.status().is_available(),
                outages: statistics.outages,
                connections_opened: statistics.connections_opened,
                connections_lost: statistics.connections_lost,
                commands_failed: statistics.statements_failed,
            }
        };
        Self {
            kind: "postgres",
            role: role.to_owned(),
            is_needed,
            read: Box::new(read),
        }
    }

    /// The streams on a PostgreSQL. They have a connection of their own, which may be away when
    /// the others are not: there may be too many, or a pooler between that shares it.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres_streams(streams: Arc<sinew_postgres::PostgresStreams>) -> Self {
        let read = move || {
            let statistics = streams.statistics();
            let can_publish = streams.postgres().status().is_available();
            ServiceState {
                is_available: can_publish && statistics.is_connected,
                outages: statistics.interruptions,
                connections_opened: statistics.connections_opened,
                connections_lost: statistics.interruptions,
                commands_failed: statistics.publish_failed,
            }
        };
        Self {
            kind: "postgres",
            role: "streams".to_owned(),
            is_needed: true,
            read: Box::new(read),
        }
    }

    /// Its label in the metrics.
    pub(crate) fn label(&self) -> String {
        format!("{}_{}", self.kind, self.role)
    }

    pub(crate) fn state(&self) -> ServiceState {
        (self.read)()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("label", &self.label())
            .field("state", &self.state())
            .finish()
    }
}

/// No new visitors while one of them is away that they cannot be served without.
pub(crate) fn require(health: &Health, services: &Arc<[Service]>) {
    for (index, service) in services.iter().enumerate() {
        if service.is_needed {
            let services = Arc::clone(services);
            let name = format!("{} ({})", service.kind, service.role);
            health.need(name, move || services[index].state().is_available);
        }
    }
}

//! Servers that an application needs beside itself.

use std::fmt;

use sinew_web::Health;

/// A server that visitors cannot be served without.
pub(crate) struct Service {
    /// What it is and what for, such as `redis_sessions`.
    name: String,
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
            name: format!("redis_{role}"),
            read: Box::new(read),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn state(&self) -> ServiceState {
        (self.read)()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish()
    }
}

/// No new visitors while one of them is away.
pub(crate) fn require(health: &Health, services: &std::sync::Arc<[Service]>) {
    for (index, service) in services.iter().enumerate() {
        let services = std::sync::Arc::clone(services);
        health.require(service.name(), move || services[index].state().is_available);
    }
}

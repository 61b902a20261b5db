//! The variables that operators set.

/// One variable as an operator reads about it.
///
/// ```
/// use sinew_redis::{RedisVariable, VARIABLES};
///
/// let pool: &RedisVariable = VARIABLES.iter().find(|it| it.name == "SINEW_REDIS_POOL_SIZE").expect("one of them");
/// assert_eq!(pool.default, "2");
/// assert!(pool.meaning.starts_with("connections"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisVariable {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// Every variable that [`RedisSettings::from_lookup`](crate::RedisSettings::from_lookup) reads.
pub const VARIABLES: &[RedisVariable] = &[
    RedisVariable {
        name: "SINEW_CACHE_REDIS_URL",
        default: "`SINEW_REDIS_URL`",
        meaning: "the Redis of the cache",
    },
    RedisVariable {
        name: "SINEW_SESSION_REDIS_URL",
        default: "`SINEW_REDIS_URL`",
        meaning: "the Redis of the sessions",
    },
    RedisVariable {
        name: "SINEW_CABLE_REDIS_URL",
        default: "`SINEW_REDIS_URL`",
        meaning: "the Redis that carries broadcasts between nodes",
    },
    RedisVariable {
        name: "SINEW_JOBS_REDIS_URL",
        default: "`SINEW_REDIS_URL`",
        meaning: "the Redis of a job queue, for the checks of `sinew doctor` only",
    },
    RedisVariable {
        name: "SINEW_REDIS_URL",
        default: "`REDIS_TLS_URL`, `REDIS_URL`, or the only `HEROKU_REDIS_<COLOUR>_URL`",
        meaning: "the Redis of every role that has none of its own: `redis://`, `rediss://`, `unix://`, `redis-sentinel://`, `redis-cluster://`",
    },
    RedisVariable {
        name: "SINEW_REDIS_TLS",
        default: "`system`",
        meaning: "by what certificates of `rediss://` are verified: `system`, a PEM file of authorities, or `unverified`",
    },
    RedisVariable {
        name: "SINEW_REDIS_POOL_SIZE",
        default: "2",
        meaning: "connections to each Redis server, at most 1024; each carries many commands at a time",
    },
    RedisVariable {
        name: "SINEW_REDIS_CONNECT_TIMEOUT_MS",
        default: "2000",
        meaning: "milliseconds that connecting may take, with TLS and the password",
    },
    RedisVariable {
        name: "SINEW_REDIS_COMMAND_TIMEOUT_MS",
        default: "1000",
        meaning: "milliseconds that a command may take, with all that it waits for",
    },
    RedisVariable {
        name: "SINEW_REDIS_HEALTH_INTERVAL_MS",
        default: "5000",
        meaning: "milliseconds between two looks at whether Redis answers",
    },
];

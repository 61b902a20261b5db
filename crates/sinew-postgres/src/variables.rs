//! The variables that operators set.

/// One variable as an operator reads about it.
///
/// ```
/// use sinew_postgres::{PostgresVariable, VARIABLES};
///
/// let pool: &PostgresVariable =
///     VARIABLES.iter().find(|it| it.name == "SINEW_DATABASE_POOL_SIZE").expect("one of them");
/// assert_eq!(pool.default, "10");
/// assert!(pool.meaning.starts_with("connections"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresVariable {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// Every variable that [`PostgresSettings::from_lookup`](crate::PostgresSettings::from_lookup)
/// reads, but for `DATABASE_URL`.
pub const VARIABLES: &[PostgresVariable] = &[
    PostgresVariable {
        name: "SINEW_DATABASE_URL",
        default: "`DATABASE_URL`",
        meaning: "the PostgreSQL of sessions, cache and streams: `postgres://user:password@host:port/database`",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_SSLMODE",
        default: "`sslmode` of the URL, or `prefer`",
        meaning: "whether PostgreSQL is spoken to by TLS, and what is verified: `disable`, `prefer`, `require`, `verify-ca` or `verify-full`",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_CA_FILE",
        default: "`sslrootcert` of the URL, or the system's authorities",
        meaning: "PEM file of the authority that signed PostgreSQL's certificate",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_POOL_SIZE",
        default: "10",
        meaning: "connections to PostgreSQL, at most 1024, beside the one that looks after it and the one of the streams that listens",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_CONNECT_TIMEOUT_MS",
        default: "2000",
        meaning: "milliseconds that connecting to PostgreSQL, or waiting for a free connection, may take",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_STATEMENT_TIMEOUT_MS",
        default: "2000",
        meaning: "milliseconds that one statement may take",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_HEALTH_INTERVAL_MS",
        default: "5000",
        meaning: "milliseconds between two looks at whether PostgreSQL answers",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_SCHEMA",
        default: "`public`",
        meaning: "schema of the tables",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_TABLE_PREFIX",
        default: "`sinew_`",
        meaning: "what the names of the tables begin with",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_MIGRATE",
        default: "`on`",
        meaning: "whether missing tables are made at the start: `on` or `off`",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_CACHE_BYTES_MAX",
        default: "1073741824 (1 GiB)",
        meaning: "bytes the table of the cache may hold; what was written first is forgotten",
    },
    PostgresVariable {
        name: "SINEW_DATABASE_LISTEN_URL",
        default: "the URL of the others",
        meaning: "the same database without a pooler between, for the connection by which streams listen",
    },
];

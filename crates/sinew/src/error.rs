//! Why an application does not start.

use std::net::SocketAddr;

use sinew_embedded::EmbeddedError;
use sinew_reflex::BuildError;
use sinew_streams::StreamsError;
use sinew_web::error::{ConfigError, SecretError};

use crate::content_security_policy::PolicyError;

/// Why an application does not start: the sentence to print, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The content security policy has something that no header can say.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// There is no secret, or none that can be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The embedded store cannot be opened.
    #[error(transparent)]
    Store(#[from] EmbeddedError),
    /// The reflexes contradict each other.
    #[error(transparent)]
    Reflexes(#[from] BuildError),
    /// The streams belong to another server.
    #[error("the streams cannot be attached")]
    Streams(#[from] StreamsError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: choose an address of this machine and a port above 1023, for example SINEW_LISTEN=127.0.0.1:3000"
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something else listens there already.
    #[error(
        "port {} of {} is taken by another program, or by this one started twice: stop that one, or choose another port, for example SINEW_LISTEN={}",
        address.port(), address.ip(), neighbour(*address)
    )]
    AddressInUse {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The address for Prometheus cannot be listened on.
    #[error(
        "metrics cannot be served at {address}: choose an address of this machine and a port that is free, for example SINEW_METRICS_LISTEN={}", neighbour(*address)
    )]
    Metrics {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Whoever started the process said that it left an open socket, and it is no TCP socket that listens.
    #[error(
        "LISTEN_FDS announces a socket that cannot be served: pass one TCP socket that listens (ListenStream= in a systemd unit), or unset LISTEN_FDS"
    )]
    Inherited(#[source] std::io::Error),
    /// There is a certificate, and the program was built without TLS.
    #[error(
        "SINEW_TLS_CERTIFICATE is set, and this program was built without TLS: build it with the feature `tls` of sinew, or unset the variable and let a proxy end TLS"
    )]
    WithoutTls,
    /// The certificate cannot be used.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] sinew_web::error::TlsError),
    /// A store is named that the program was built without.
    #[error(
        "{variable} is `{value}`, and this program was built without it: build it with the feature `{value}` of sinew, or choose another store"
    )]
    StoreNotCompiled {
        /// The variable that names it.
        variable: &'static str,
        /// The store, and the feature of this crate.
        value: &'static str,
    },
    /// A store is named, and nothing says where it is.
    #[error("`{store}` is chosen to keep things, and nothing says where it is: set {variables}")]
    StoreWithoutAddress {
        /// The store.
        store: &'static str,
        /// The variables that could say it.
        variables: String,
    },
    /// A Redis cannot be used as the variables say.
    #[cfg(feature = "redis")]
    #[error(transparent)]
    Redis(#[from] sinew_redis::RedisSettingsError),
    /// PostgreSQL cannot be used as the variables say.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] sinew_postgres::PostgresSettingsError),
    /// It was started outside of a tokio runtime.
    #[error(
        "Sinew needs a tokio runtime: start it from an async function, for instance under #[tokio::main]"
    )]
    NoRuntime,
}

/// What to propose instead of an address that is taken.
fn neighbour(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(3000))
}

//! Sanity checks: what looks wrong, and what to do about it.
//!
//! When an application is built, its settings and the system it runs on are looked at; later, its
//! first requests. What cannot work at all is a [`StartError`](crate::StartError). What works and
//! is probably not meant is a [`Finding`]: a warning in the log, once, whose sentence says what to
//! do. `SINEW_SANITY_CHECKS=off`, or [`EdgeConfig::sanity_checks`](crate::config::EdgeConfig),
//! turns them all off.
//!
//! ```
//! use sinew::{Sinew, sanity::Finding};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
//! let mut config = sinew::Config::default();
//! config.edge.environment = sinew::config::Environment::Production;
//! let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
//! assert!(app.findings().iter().any(|finding| matches!(finding, Finding::SessionsInMemory)));
//! # Ok(()) }
//! ```

mod start;
mod traffic;
mod variables;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use start::Subject;
pub(crate) use traffic::Traffic;

/// Something that looks wrong. Its text is the sentence to print: what is the matter, and what to
/// do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// An environment variable begins with `SINEW_` and nobody reads it.
    #[error(
        "the environment variable {name} is unknown and has no effect: {}",
        match nearest {
            Some(nearest) => format!("write {nearest} if that is meant, or unset it"),
            None => "unset it, or look for its name in the documentation of sinew_web::config::VARIABLES".to_owned(),
        }
    )]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The variable that is meant, if one has nearly the same name.
        nearest: Option<&'static str>,
    },
    /// Production, built for debugging.
    #[error(
        "this is a debug build in production, several times slower than it could be: build with `cargo build --release`, or set SINEW_ENV=development if this is no production"
    )]
    DebugBuild,
    /// Production, with a secret that somebody else can guess.
    #[error(
        "the secret looks like one of an example ({sign}), and whoever guesses it can sign in as anybody: set SINEW_SECRET to what `openssl rand -hex 32` prints"
    )]
    SampleSecret {
        /// What gives it away.
        sign: &'static str,
    },
    /// Any page of the world may open a socket.
    #[error(
        "the origin check is off, and any web page can open a socket with its visitor's session: set SINEW_ALLOWED_ORIGINS to the hosts of your pages instead of `*`, or unset it if they share the host of the cable"
    )]
    AnyOrigin,
    /// Production, with sessions that a restart forgets.
    #[error(
        "sessions are kept in memory, and a restart signs everybody out: leave `in_memory()` away to keep them in the data directory, or pass a store to `Sinew::store`"
    )]
    SessionsInMemory,
    /// Production, with the data on a file system in memory.
    #[error(
        "the data directory {} is on a file system in memory, and a reboot loses every session: set SINEW_DATA_DIR to a folder on a disk", directory.display()
    )]
    VolatileData {
        /// The data directory.
        directory: PathBuf,
    },
    /// Production, with fewer descriptors than visitors may come.
    #[error(
        "this process may hold {limit} files and sockets at a time, one for each open page: raise it, with `LimitNOFILE=65536` in a systemd unit, `--ulimit nofile=65536` in Docker, or `ulimit -n 65536` in the shell that starts it"
    )]
    FewDescriptors {
        /// The soft limit.
        limit: u64,
    },
    /// Pings that come too seldom for the stock clients.
    #[error(
        "pings come every {} s, and a stock client that hears nothing for 6 s connects again: set SINEW_PING_SECONDS to 5 or less, and let clients that want fewer ask for them, with `?pi=30` at the cable's address", interval.as_secs()
    )]
    SlowPings {
        /// The time between two.
        interval: Duration,
    },
    /// A reflex that nobody can call.
    #[error(
        "the reflex `{name}` has no action, so no page can call it: give its `#[reflex] impl` a method `async fn name(&self, cx: &mut Reflex)`, or do not register it"
    )]
    NoActions {
        /// Its name.
        name: String,
    },
    /// A proxy says who a request is from and is not believed.
    #[error(
        "a request came through {peer} with {header}, which is not believed, so that every visitor has the address of that proxy and none comes over https: if {peer} is your proxy, set SINEW_TRUSTED_PROXIES={peer} (or a network such as 10.0.0.0/8, or `loopback`)"
    )]
    UntrustedProxy {
        /// The other end of the socket.
        peer: IpAddr,
        /// The header that was not believed.
        header: &'static str,
    },
    /// Production over `http`, with a cookie that browsers drop then.
    #[error(
        "a page of {host} was asked for over http, where browsers drop the session cookie, since it is always secure: serve the site over https and set SINEW_TRUSTED_PROXIES to the proxy that does, or leave `CookieConfig::secure` at `FromRequest`"
    )]
    InsecureCookie {
        /// The host of the page.
        host: String,
    },
    /// Development: a page whose reflexes nobody listens to.
    #[error(
        "the page {path} has `data-reflex` and no script, so that its reflexes do nothing: take `client: ClientTags` as an argument of its handler and write it into its <head> (not escaped)"
    )]
    PageWithoutClient {
        /// The path of the page.
        path: String,
    },
    /// Development: a folder of templates that is not there.
    #[error(
        "there is no folder {} whose templates could be watched: `watch_templates` takes a path from the folder where the program is started, or a whole one, as concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/templates\") is", folder.display()
    )]
    NoTemplates {
        /// The folder.
        folder: PathBuf,
    },
    /// A page came compressed when it was rendered for a page morph.
    #[error(
        "the page came with `Content-Encoding: {encoding}`, which a page morph cannot read: compress only for requests with `Accept-Encoding`, as tower-http's CompressionLayer does; a page morph sends none"
    )]
    CompressedPage {
        /// What the response said.
        encoding: String,
    },
}

impl Finding {
    /// Writes it to the log.
    pub(crate) fn warn(&self) {
        tracing::warn!("{self}");
    }
}

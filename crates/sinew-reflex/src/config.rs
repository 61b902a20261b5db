//! What can be set on an engine, with its limits in one place.

use std::time::Duration;

/// How much an error may tell a browser.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Config, Environment, Reflex, Result};
///
/// struct Disk;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Disk {
///     async fn read(&self, _cx: &mut Reflex) -> Result {
///         Err("the disk at /data is full".into())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// for (environment, heard) in [
///     (Environment::Production, "Something went wrong on the server."),
///     (Environment::Development, "the disk at /data is full"),
/// ] {
///     let config = Config { environment, ..Config::default() };
///     let mut server = Server::with_config(config, |engine| engine.reflex(Disk)).await;
///     assert_eq!(server.error("Disk#read", json!({})).await, heard);
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Environment {
    /// Browsers hear a sentence fit for a visitor; the cause is in the log.
    #[default]
    Production,
    /// Browsers hear the text of the error and of its causes.
    Development,
}

/// What happens to a call from a client of another version.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::{Server, status};
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Config, Reflex, VersionCheck};
///
/// struct Counter;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Counter {
///     async fn increment(&self, cx: &mut Reflex) {
///         cx.morph_nothing();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // What the tab gets: the notice, if there is one, then the end of the reflex.
/// for (version_check, ending) in [
///     (VersionCheck::Exit, "error"),
///     (VersionCheck::Warn, "nothing"),
///     (VersionCheck::Ignore, "nothing"),
/// ] {
///     let config = Config { version_check, ..Config::default() };
///     let mut server = Server::with_config(config, |engine| engine.reflex(Counter)).await;
///     server.send("Counter#increment", json!({"version": "3.4.0"}));
///     if version_check != VersionCheck::Ignore {
///         let notice = server.message().await;
///         assert!(notice.to_string().contains("3.4.0"));
///     }
///     assert_eq!(status(&server.message().await), ending);
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionCheck {
    /// The call is refused: the browser is told about the mismatch, and the reflex ends with an error.
    #[default]
    Exit,
    /// The browser is told about the mismatch, then the reflex runs.
    Warn,
    /// Nothing is compared.
    Ignore,
}

/// The settings of an [`Engine`](crate::Engine), each with a default that a first application can live with.
///
/// ```
/// use sinew_reflex::Config;
/// use std::time::Duration;
///
/// let config = Config { action_time_limit: Duration::from_secs(5), ..Config::default() };
/// assert_eq!(config.lane_calls_max, 100);
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// How much an error may tell a browser. Default: production.
    pub environment: Environment,
    /// What happens to a call from a client of another version. Default: exit.
    pub version_check: VersionCheck,
    /// The `stimulus_reflex` version this server answers. Default: `3.5.5`.
    pub client_version: String,
    /// The `cable_ready` version of the browser's bundle. Default: `5.0.6`, the one this project's client is built with.
    /// A browser drops replies that name another one.
    pub cable_ready_version: String,
    /// How long callbacks and action of one reflex may take together. Default: 30 s.
    /// Over it: `morph-error`; the handler is dropped where it waits.
    pub action_time_limit: Duration,
    /// How long the page handler may take for a page morph. Default: 30 s. Over it: `morph-error`.
    pub page_time_limit: Duration,
    /// How long the session store may take for one commit. Default: 10 s. Over it: `morph-error`.
    pub commit_time_limit: Duration,
    /// How long a reply waits, where the session lives in its cookie, for the browser to take over what the reflex has
    /// written. 2 seconds. Then the reply leaves, the page gets the event `sinew:session-pending`, and the ticket goes
    /// out again with the connection's next reply.
    pub ticket_time_limit: Duration,
    /// How many calls of one tab may wait for the one that runs. Default: 100.
    /// Over it: `morph-error` with a sentence that says so, at once.
    pub lane_calls_max: usize,
    /// How many calls of one connection may be under way or waiting, all tabs and concurrent actions together. Default: 400.
    /// Over it: as `lane_calls_max`. A client that makes up a tab for each call meets this bound.
    pub connection_calls_max: usize,
    /// How many refusals of one connection may wait for a slow streams backend. Default: 1,000.
    /// Over it: the refusal is counted and dropped; only here is a call left unanswered.
    pub refusals_max: usize,
    /// Whether each reflex writes its line to the log, at the level `info` with the target
    /// `sinew::reflex`: session, reflex, selectors, kind of morph, operations, time. Default: yes.
    ///
    /// `[1f0c9ab2] CounterReflex#increment -> body via Page Morph (morph) in 1.2 ms`
    pub log: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environment: Environment::Production,
            version_check: VersionCheck::Exit,
            client_version: "3.5.5".to_owned(),
            cable_ready_version: sinew_cable_ready::VERSION.to_owned(),
            action_time_limit: Duration::from_secs(30),
            page_time_limit: Duration::from_secs(30),
            commit_time_limit: Duration::from_secs(10),
            ticket_time_limit: Duration::from_secs(2),
            lane_calls_max: 100,
            connection_calls_max: 400,
            refusals_max: 1_000,
            log: true,
        }
    }
}

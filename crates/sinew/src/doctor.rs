//! What looks wrong about an application and where it runs, and what to do about it.
//!
//! What cannot work at all is a [`StartError`](crate::StartError). What works and is probably not
//! meant is a [`Finding`]: when the application is built its settings and the system it runs on
//! are looked at, its servers in the background, and later its first requests. Each thing is said
//! once, in the log. `SINEW_SANITY_CHECKS=off`, or
//! [`EdgeConfig::sanity_checks`](crate::config::EdgeConfig), turns that off.
//!
//! ```
//! use sinew::{Sinew, doctor::Finding};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
//! let mut config = sinew::Config::default();
//! config.edge.environment = sinew::config::Environment::Production;
//! let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
//! let is_it = |finding: &&Finding| finding.code == "sessions-in-memory";
//! let finding = app.findings().iter().find(is_it).expect("found");
//! assert_eq!(finding.what, "sessions are kept in memory in production");
//! assert_eq!(finding.why, "a restart signs everybody out");
//! # Ok(()) }
//! ```
//!
//! # The doctor
//!
//! With `SINEW_DOCTOR=1` in its environment the application is examined and does not serve:
//! [`Sinew::build`](crate::Sinew::build) prints a [`Report`] to standard output and ends the
//! process, with the report's [exit code](Report::exit_code). `SINEW_DOCTOR=json` makes it one line
//! of JSON. The command `sinew doctor` builds an application and runs it in this way.
//!
//! An examination changes nothing but for a file that it creates in the data directory and removes,
//! to see whether that can be written: the store is not opened, so that it may be examined while it runs.

#[cfg(feature = "tls")]
mod certificate;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod distance;
mod examination;
mod kinds;
mod left_out;
mod platform;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod report;
mod settings;
mod system;
mod traffic;
mod variables;

use std::fmt;

use serde::Serialize;

pub use kinds::{KINDS, Kind};
pub use report::Report;

pub(crate) use examination::{end_with_report, requested};
pub(crate) use kinds::COMPRESSED_PAGE;
pub(crate) use left_out::findings as left_out;
pub(crate) use platform::Platform;
#[cfg(feature = "postgres")]
pub(crate) use postgres::Database;
#[cfg(feature = "redis")]
pub(crate) use redis::Instances;
pub(crate) use settings::{Place, Subject};
pub(crate) use traffic::Traffic;

/// How bad something is.
///
/// ```
/// use sinew::doctor::Severity;
///
/// assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Notice);
/// assert_eq!(Severity::Warning.to_string(), "warning");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; it may well be meant.
    Notice,
    /// It works, and will hurt.
    Warning,
    /// It does not work, for some visitors or for all, or lets strangers in.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Something that looks wrong. Its text is one line: what, why it hurts, and what to do about it.
///
/// None of it ever holds a secret: of a server's address it names the host alone.
///
/// ```
/// use sinew::doctor::Severity;
/// # use sinew::{Sinew, config::OriginPolicy};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
/// # let mut config = sinew::Config::default();
/// # config.edge.origins = OriginPolicy::any();
/// # let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
/// // The application was started with SINEW_ALLOWED_ORIGINS=*
/// let finding = &app.findings()[0];
/// assert_eq!((finding.code, finding.severity), ("any-origin", Severity::Warning));
/// assert_eq!(finding.subject, "SINEW_ALLOWED_ORIGINS");
/// assert!(finding.fix.starts_with("set SINEW_ALLOWED_ORIGINS to the hosts of your pages"));
/// assert!(finding.to_string().starts_with("the origin check is off: any web page can open a socket"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Its kind: one of the codes of [`KINDS`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a variable, a file, a server, a reflex.
    pub subject: String,
    /// What is the matter.
    pub what: String,
    /// Why it hurts.
    pub why: String,
    /// What to do about it: commands, lines of configuration, variables.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.what, self.why, self.fix)
    }
}

impl std::error::Error for Finding {}

impl Finding {
    /// The same in the words of the case.
    pub(crate) fn what(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    /// The same with why it hurts in this case.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// The same with what to do in this case.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// The same, less bad in this case.
    pub(crate) fn only(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Writes it to the log.
    pub(crate) fn log(&self) {
        let code = self.code;
        match self.severity {
            Severity::Error => tracing::error!(code, "{self}"),
            Severity::Warning => tracing::warn!(code, "{self}"),
            Severity::Notice => tracing::info!(code, "{self}"),
        }
    }
}

/// Says what a start should say: what is merely worth knowing waits for an examination.
pub(crate) fn log_findings(findings: &[Finding]) {
    let loud = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Notice);
    loud.for_each(Finding::log);
}

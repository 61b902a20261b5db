//! What an examination found, for people and for programs.

use std::fmt;

use serde::Serialize;
use sinew_web::Environment;

use super::{Finding, Severity};

/// The version of the JSON document. A number that grows when a field changes its meaning or goes; new fields may come.
const DOCUMENT_VERSION: u32 = 1;

/// What an examination found.
///
/// ```
/// use sinew::{Sinew, doctor::Report};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
/// let mut config = sinew::Config::default();
/// config.edge.environment = sinew::config::Environment::Test;
/// config.cable.ping_interval = std::time::Duration::from_secs(30);
/// let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
///
/// let report: Report = app.examine().await;
/// assert_eq!(report.findings()[0].code, "slow-pings");
/// assert_eq!(report.exit_code(), 1);
/// assert_eq!(report.to_string().lines().last(), Some("sinew doctor: 0 errors, 1 warning, 0 notices"));
///
/// let document: serde_json::Value = serde_json::from_str(&report.to_json())?;
/// assert_eq!(document["sinew_doctor"], 1);
/// assert_eq!(document["environment"], "test");
/// assert_eq!(document["exit_code"], 1);
/// assert_eq!(document["findings"][0]["code"], "slow-pings");
/// assert_eq!(document["findings"][0]["severity"], "warning");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// First, so that the line of the document can be told from every other.
    sinew_doctor: u32,
    version: &'static str,
    environment: String,
    exit_code: u8,
    /// What was looked at, and how it is.
    examined: Vec<String>,
    findings: Vec<Finding>,
    /// Codes of what was found and is meant.
    ignored: Vec<&'static str>,
}

impl Report {
    /// The worst first, otherwise in the order given.
    pub(crate) fn new(
        environment: Environment,
        examined: Vec<String>,
        findings: Vec<Finding>,
        ignored: &[String],
    ) -> Self {
        let is_meant = |finding: &Finding| ignored.iter().any(|code| code == finding.code);
        let (meant, mut findings): (Vec<_>, Vec<_>) = findings.into_iter().partition(is_meant);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let mut ignored: Vec<_> = meant.iter().map(|finding| finding.code).collect();
        ignored.dedup();
        Self {
            sinew_doctor: DOCUMENT_VERSION,
            version: env!("CARGO_PKG_VERSION"),
            environment: environment.to_string(),
            exit_code: match findings.first().map(|finding| finding.severity) {
                Some(Severity::Error) => 2,
                Some(Severity::Warning) => 1,
                Some(Severity::Notice) | None => 0,
            },
            examined,
            findings,
            ignored,
        }
    }

    /// What was found, the worst first, without what is [ignored](sinew_web::config::DoctorVariables::ignored).
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What the process ends with: 0 when nothing was found that is worse than a notice, 1 for warnings, 2 for errors.
    pub const fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// One line of JSON, an object: `sinew_doctor` (the version of this form, 1), `version` (of Sinew), `environment`,
    /// `exit_code`, `examined` (texts), `findings` (`code`, `severity`, `subject`, `what`, `why`, `fix`) and `ignored`
    /// (codes).
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    fn count(&self, severity: Severity) -> String {
        let count = self
            .findings
            .iter()
            .filter(|it| it.severity == severity)
            .count();
        format!("{count} {severity}{}", if count == 1 { "" } else { "s" })
    }
}

/// A paragraph for each finding, and a last line with their number.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.examined {
            writeln!(f, "examined: {line}")?;
        }
        for Finding {
            code,
            severity,
            subject,
            what,
            why,
            fix,
        } in &self.findings
        {
            writeln!(f, "\n{severity}: {what} [{code}]")?;
            writeln!(f, "  about  {subject}\n  why    {why}\n  fix    {fix}")?;
        }
        if !self.ignored.is_empty() {
            writeln!(f, "\nignored: {}", self.ignored.join(", "))?;
        }
        let [errors, warnings, notices] =
            [Severity::Error, Severity::Warning, Severity::Notice].map(|it| self.count(it));
        write!(f, "\nsinew doctor: {errors}, {warnings}, {notices}")
    }
}

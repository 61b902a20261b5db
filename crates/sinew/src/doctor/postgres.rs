//! PostgreSQL: whether it is there, lets us in, and has our tables.

use std::time::Duration;

use sinew_postgres::{
    Postgres, PostgresError, PostgresErrorKind, PostgresSettings, PostgresSettingsError,
    PostgresStatus,
};
use tokio::time::timeout;

use super::distance::Distance;
use super::kinds::{
    POSTGRES_DENIED, POSTGRES_PLAIN, POSTGRES_TABLES, POSTGRES_UNREACHABLE, SETTING_INVALID,
};
use super::{Finding, Severity};

/// The variables by which a store is chosen that this may be.
const STORES: [&str; 3] = ["SINEW_SESSION_STORE", "SINEW_CACHE_STORE", "SINEW_STREAMS"];

/// The database that the stores are in.
#[derive(Clone, Debug, Default)]
pub(crate) enum Database {
    /// No store is in one.
    #[default]
    None,
    At(Box<PostgresSettings>),
    /// Its settings cannot be used.
    Invalid(Finding),
}

impl Database {
    /// Only who names it uses it: a database of the application's own is none of our business.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let is_named = |variable: &&str| {
            lookup(variable).is_some_and(|value| value.trim().eq_ignore_ascii_case("postgres"))
        };
        let Some(variable) = STORES.into_iter().find(is_named) else {
            return Self::None;
        };
        match PostgresSettings::from_lookup(&lookup) {
            Ok(Some(settings)) => Self::At(Box::new(settings)),
            Ok(None) => Self::Invalid(
                SETTING_INVALID
                    .found(variable)
                    .what(format!(
                        "{variable} is `postgres`, and no variable says where that is"
                    ))
                    .fix("set SINEW_DATABASE_URL to postgres://user:password@host:port/database"),
            ),
            Err(error) => Self::Invalid(invalid(&error)),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Asks it: what was looked at, and what was found.
    pub(crate) async fn examine(&self, is_production: bool) -> (Vec<String>, Vec<Finding>) {
        let settings = match self {
            Self::None => return (Vec::new(), Vec::new()),
            Self::Invalid(finding) => return (Vec::new(), vec![finding.clone()]),
            Self::At(settings) => settings,
        };
        let mut findings = Vec::new();
        if is_production {
            findings.extend(exposed(settings));
        }
        let trouble = ask(settings).await;
        let state = if trouble.is_some() {
            "with trouble"
        } else {
            "answers"
        };
        findings.extend(trouble);
        (
            vec![format!("the PostgreSQL at {settings}: {state}")],
            findings,
        )
    }
}

fn invalid(error: &PostgresSettingsError) -> Finding {
    SETTING_INVALID
        .found("SINEW_DATABASE_URL")
        .what(error.to_string())
}

/// Who may listen.
fn exposed(settings: &PostgresSettings) -> Option<Finding> {
    let distance = Distance::of(&settings.hosts());
    if distance == Distance::Here || settings.ssl_mode.is_encrypted() {
        return None;
    }
    let what = format!(
        "the PostgreSQL at {settings} is on another machine and may be spoken to without TLS"
    );
    let found = POSTGRES_PLAIN.found(settings.variable()).what(what);
    Some(match distance {
        Distance::Public => found,
        _ => found.only(Severity::Notice),
    })
}

async fn ask(settings: &PostgresSettings) -> Option<Finding> {
    let mut asking = settings.clone();
    asking.pool_size = std::num::NonZeroUsize::MIN;
    // An examination makes no tables.
    asking.migrate = false;
    let patience = asking.connect_timeout + asking.statement_timeout + Duration::from_secs(1);
    let postgres = match Postgres::connect_lazily(asking) {
        Ok(postgres) => postgres,
        Err(error) => return Some(invalid(&error)),
    };
    let mut watch = postgres.watch();
    let decided = watch.wait_for(|status| *status != PostgresStatus::Connecting);
    match timeout(patience, decided).await {
        Ok(Ok(status)) if status.is_available() => None,
        Ok(_) => Some(away(settings, postgres.trouble().as_ref())),
        Err(_) => Some(away(settings, None)),
    }
}

fn away(settings: &PostgresSettings, trouble: Option<&PostgresError>) -> Finding {
    let variable = settings.variable();
    let reason = trouble.map_or_else(|| "no answer in time".to_owned(), ToString::to_string);
    match trouble.map(PostgresError::kind) {
        Some(PostgresErrorKind::NotMigrated) => {
            let found = POSTGRES_TABLES.found(settings.database()).what(format!(
                "the tables are missing in the PostgreSQL at {settings}"
            ));
            if settings.migrate {
                let fix = "nothing, if its user may make tables: the start does";
                return found.fix(fix).only(Severity::Notice);
            }
            found
        }
        Some(PostgresErrorKind::Denied) => POSTGRES_DENIED.found(variable).what(format!(
            "the PostgreSQL at {settings} does not let the application in ({reason})"
        )),
        _ => POSTGRES_UNREACHABLE.found(variable).what(format!(
            "the PostgreSQL at {settings} cannot be used ({reason})"
        )),
    }
}

#[cfg(test)]
mod tests;

//! What the variables ask for and the program was built without.

use sinew_web::Environment;
use sinew_web::config::{CacheStoreKind, SessionStoreKind, StreamsKind};

use super::kinds::{Kind, POSTGRES_NOT_BUILT_IN, REDIS_NOT_BUILT_IN, TLS_NOT_BUILT_IN};
use super::{Finding, Severity};
use crate::config::Config;
use crate::stores::{Because, Plan};

/// A server that things are kept on, and a feature of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Redis,
    Postgres,
}

impl Server {
    const ALL: [Self; 2] = [Self::Redis, Self::Postgres];

    fn is_built_in(self) -> bool {
        match self {
            Self::Redis => cfg!(feature = "redis"),
            Self::Postgres => cfg!(feature = "postgres"),
        }
    }

    /// The feature, and what a store is called that is kept there.
    fn feature(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Redis => REDIS_NOT_BUILT_IN,
            Self::Postgres => POSTGRES_NOT_BUILT_IN,
        }
    }

    /// Whether only we read this variable, and only for this server.
    fn has_variable(self, name: &str) -> bool {
        match self {
            Self::Redis => name.starts_with("SINEW_") && name.contains("_REDIS_"),
            Self::Postgres => name.starts_with("SINEW_DATABASE_"),
        }
    }

    /// Whether it says where one is that others may use as well. `DATABASE_URL` does not: it is the application's own,
    /// and no store is ever there by itself.
    fn is_address_of_platform(self, name: &str) -> bool {
        self == Self::Redis
            && (matches!(name, "REDIS_URL" | "REDIS_TLS_URL")
                || name.starts_with("HEROKU_REDIS_") && name.ends_with("_URL"))
    }

    /// The worst that there is to say; the same feature mends the rest.
    fn finding(
        self,
        plan: Option<&Plan>,
        variables: &[String],
        environment: Environment,
    ) -> Option<Finding> {
        let naming = plan.map(|plan| plan.naming(self.feature()));
        if let Some(naming) = naming.filter(|naming| !naming.is_empty()) {
            return Some(self.named_as_store(&naming));
        }
        let own = named(variables, |variable| self.has_variable(variable));
        if !own.is_empty() {
            return Some(self.configured(&own));
        }
        let offered = named(variables, |variable| self.is_address_of_platform(variable));
        let is_production = environment == Environment::Production;
        let would_be_used = is_production && plan.is_some_and(Plan::has_default);
        (would_be_used && !offered.is_empty()).then(|| self.offered(&offered))
    }

    fn named_as_store(self, variables: &[&str]) -> Finding {
        let state = format!("`{}`", self.feature());
        self.found(variables, &state)
            .why("the application does not start")
            .fix(format!("{}, or choose another store", self.add()))
    }

    fn configured(self, variables: &[&str]) -> Finding {
        self.found(variables, "set")
            .why(format!(
                "nothing reads it, and nothing is kept in {}",
                self.name()
            ))
            .fix(format!("{}, or unset what is not meant", self.add()))
            .only(Severity::Warning)
    }

    fn offered(self, variables: &[&str]) -> Finding {
        let code = self.kind().code;
        self.found(variables, "set")
            .why("sessions, cache and broadcasts would be kept there by themselves, and are not")
            .fix(format!(
                "{}; if it is there for something else, SINEW_DOCTOR_IGNORE={code}",
                self.add()
            ))
            .only(Severity::Notice)
    }

    fn found(self, variables: &[&str], state: &str) -> Finding {
        let verb = if variables.len() == 1 { "is" } else { "are" };
        let variables = variables.join(", ");
        let what = format!(
            "{variables} {verb} {state}, and this program was built without {}",
            self.name()
        );
        self.kind().found(variables).what(what)
    }

    fn add(self) -> String {
        let feature = self.feature();
        format!("`cargo add sinew --features {feature}` and build again")
    }
}

/// What is asked for and is not there.
pub(crate) fn findings(plan: Option<&Plan>, config: &Config) -> Vec<Finding> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_set = |name: &String| {
        let value = config.variable(name);
        value.is_some_and(|value| !value.trim().is_empty())
    };
    let mut variables: Vec<String> = names.filter(is_set).collect();
    // The environment has no order.
    variables.sort();
    let missing = Server::ALL.into_iter().filter(|it| !it.is_built_in());
    let mut findings: Vec<Finding> = missing
        .filter_map(|server| server.finding(plan, &variables, config.edge.environment))
        .collect();
    if !cfg!(feature = "tls") && config.edge.tls.is_some() {
        findings.push(TLS_NOT_BUILT_IN.found("SINEW_TLS_CERTIFICATE"));
    }
    findings
}

/// Whether the variable is one of a server that was left out: it is no unknown one then.
pub(super) fn has_variable(name: &str) -> bool {
    let mut missing = Server::ALL.into_iter().filter(|it| !it.is_built_in());
    missing.any(|server| server.has_variable(name))
}

fn named(variables: &[String], is_meant: impl Fn(&str) -> bool) -> Vec<&str> {
    let variables = variables.iter().map(String::as_str);
    variables.filter(|variable| is_meant(variable)).collect()
}

impl Plan {
    /// The variables that have named this store.
    fn naming(&self, store: &str) -> Vec<&str> {
        let choices = [
            (
                self.sessions.kind.map(SessionStoreKind::as_str),
                &self.sessions.because,
            ),
            (
                self.cache.kind.map(CacheStoreKind::as_str),
                &self.cache.because,
            ),
            (
                self.streams.kind.map(StreamsKind::as_str),
                &self.streams.because,
            ),
        ];
        let mut naming = Vec::new();
        for (kind, because) in choices {
            if let Because::Variable(variable) = because
                && kind == Some(store)
                // One may decide about several.
                && !naming.contains(&variable.as_ref())
            {
                naming.push(variable.as_ref());
            }
        }
        naming
    }

    /// Whether something is where it is since nobody has said anything.
    fn has_default(&self) -> bool {
        let reasons = [
            &self.sessions.because,
            &self.cache.because,
            &self.streams.because,
        ];
        reasons.contains(&&Because::Default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_belongs_to_one_server_or_to_none() {
        for variable in sinew_redis::VARIABLES {
            assert!(
                Server::Redis.has_variable(variable.name),
                "{}",
                variable.name
            );
            assert!(!Server::Postgres.has_variable(variable.name));
        }
        #[cfg(feature = "postgres")]
        for variable in sinew_postgres::VARIABLES {
            assert!(
                Server::Postgres.has_variable(variable.name),
                "{}",
                variable.name
            );
            assert!(!Server::Redis.has_variable(variable.name));
        }
        for variable in sinew_web::config::VARIABLES {
            let has = |server: Server| server.has_variable(variable.name);
            assert!(!Server::ALL.into_iter().any(has), "{}", variable.name);
        }
    }

    #[test]
    fn what_platforms_call_the_address_of_a_redis() {
        let is_address = |name: &str| Server::Redis.is_address_of_platform(name);
        assert!(is_address("REDIS_URL") && is_address("HEROKU_REDIS_GREEN_URL"));
        assert!(!is_address("REDIS_PASSWORD") && !is_address("HEROKU_REDIS_GREEN"));
        assert!(!Server::Postgres.is_address_of_platform("DATABASE_URL"));
    }
}

//! Redis: whether each instance fits what it is used for.
//!
//! What fits is said by Redis' own documentation on key eviction
//! (<https://redis.io/docs/latest/develop/reference/eviction/>): `noeviction` refuses writes when memory is full,
//! `volatile-*` evicts only what expires and refuses writes when there is nothing of that kind, `allkeys-*` evicts
//! anything. A queue of jobs must therefore have `noeviction`; sessions all expire, so that both kinds of eviction
//! take the ones that nobody used, unless they choose by chance; an entry of a cache may go at any time. What is
//! published to a channel is no key, and is never evicted.

use std::collections::BTreeMap;
use std::time::Duration;

use sinew_redis::{
    EvictionPolicy, Redis, RedisError, RedisErrorKind, RedisFacts, RedisRole, RedisSettings,
    RedisSettingsError,
};

use super::distance::Distance;
use super::kinds::{
    REDIS_CLOCK_SKEW, REDIS_DENIED, REDIS_EVICTS_AT_RANDOM, REDIS_EVICTS_JOBS, REDIS_NEARLY_FULL,
    REDIS_NO_MAXMEMORY, REDIS_NOT_PERSISTENT, REDIS_OLD, REDIS_OPEN, REDIS_PLAIN,
    REDIS_REFUSES_WRITES, REDIS_SHARED, REDIS_UNCHECKED, REDIS_UNREACHABLE, REDIS_UNVERIFIED,
    SETTING_INVALID,
};
use super::{Finding, Severity};

/// The oldest version with what the stores use, 6.2.
const VERSION_MIN: [u32; 3] = [6, 2, 0];

/// How far a server's clock may be from ours, 2 s: what expires does so by the server's clock.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(2);

/// Percent of `maxmemory` from which on an instance is nearly full.
const FULL_PERCENT: u64 = 90;

/// The instances of the roles that are in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instances {
    by_url: Vec<Instance>,
    invalid: Vec<Finding>,
}

/// One URL, and what it is used for.
#[derive(Clone, Debug)]
struct Instance {
    settings: RedisSettings,
    roles: Vec<RedisRole>,
}

impl Instances {
    /// Those that the variables name: of the queue of jobs, which other programs have, only one that is named for it.
    pub(crate) fn from_lookup(
        used: impl Fn(RedisRole) -> bool,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut instances = Self::default();
        for role in RedisRole::ALL {
            let is_used = role != RedisRole::Jobs && used(role);
            match RedisSettings::from_lookup(role, &lookup) {
                // A URL of its own is not set for nothing; all roles fall back to the others.
                Ok(Some(settings)) if is_used || settings.variable() == role.variable() => {
                    instances.add(role, settings);
                }
                Err(error) if is_used => instances.refuse(&error),
                _ => {}
            }
        }
        instances
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_url.is_empty() && self.invalid.is_empty()
    }

    fn add(&mut self, role: RedisRole, settings: RedisSettings) {
        let is_same = |known: &&mut Instance| known.settings.variable() == settings.variable();
        match self.by_url.iter_mut().find(is_same) {
            Some(known) => known.roles.push(role),
            None => self.by_url.push(Instance {
                settings,
                roles: vec![role],
            }),
        }
    }

    fn refuse(&mut self, error: &RedisSettingsError) {
        let finding = invalid(error);
        // Several roles may read the same variable.
        if !self.invalid.contains(&finding) {
            self.invalid.push(finding);
        }
    }

    /// Asks them all at a time: what was looked at, and what was found.
    pub(crate) async fn examine(&self, is_production: bool) -> (Vec<String>, Vec<Finding>) {
        let asked = self.by_url.iter().map(Instance::ask);
        let answers = futures_util::future::join_all(asked).await;
        let mut examined = Vec::new();
        let mut findings = self.invalid.clone();
        let mut servers: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
        for (instance, answer) in self.by_url.iter().zip(&answers) {
            examined.push(instance.examined(answer));
            if is_production {
                findings.extend(instance.exposed(answer.is_ok()));
            }
            match answer {
                Ok(facts) => {
                    findings.extend(instance.unfit(facts, is_production));
                    if let Some(id) = &facts.run_id {
                        servers.entry(id).or_default().push(instance);
                    }
                }
                Err(trouble) => findings.push(instance.away(trouble)),
            }
        }
        if is_production {
            findings.extend(servers.values().filter_map(|instances| shared(instances)));
        }
        (examined, findings)
    }
}

fn invalid(error: &RedisSettingsError) -> Finding {
    let subject = match error {
        RedisSettingsError::Url { variable, .. } => variable.clone().into_owned(),
        RedisSettingsError::Ambiguous { variables } => variables.join(", "),
        RedisSettingsError::Number { variable, .. } => (*variable).to_owned(),
        _ => "SINEW_REDIS_TLS".to_owned(),
    };
    SETTING_INVALID.found(subject).what(error.to_string())
}

/// Why there are no facts.
enum Trouble {
    Settings(RedisSettingsError),
    Server(RedisError),
}

impl Instance {
    async fn ask(&self) -> Result<RedisFacts, Trouble> {
        let mut settings = self.settings.clone();
        settings.pool_size = std::num::NonZeroUsize::MIN;
        let redis = Redis::connect_lazily(settings).map_err(Trouble::Settings)?;
        RedisFacts::gather(&redis).await.map_err(Trouble::Server)
    }

    fn has(&self, role: RedisRole) -> bool {
        self.roles.contains(&role)
    }

    /// How it is called in a sentence. Its address has neither user nor password.
    fn name(&self) -> String {
        format!("the Redis of {} ({})", listed(&self.roles), self.settings)
    }

    fn examined(&self, answer: &Result<RedisFacts, Trouble>) -> String {
        let Ok(facts) = answer else {
            return format!("{}, without an answer", self.name());
        };
        let mut told = Vec::new();
        if let Some([major, minor, patch]) = facts.version {
            told.push(format!("version {major}.{minor}.{patch}"));
        }
        told.extend(facts.policy.map(|policy| policy.to_string()));
        match (facts.used_memory_bytes, facts.maxmemory_bytes) {
            (Some(used), Some(0) | None) => told.push(mebibytes(used)),
            (Some(used), Some(max)) => {
                told.push(format!("{} of {}", mebibytes(used), mebibytes(max)))
            }
            _ => {}
        }
        format!("{}: {}", self.name(), told.join(", "))
    }

    fn away(&self, trouble: &Trouble) -> Finding {
        let variable = self.settings.variable();
        match trouble {
            Trouble::Settings(error) => invalid(error),
            Trouble::Server(error) if error.kind() == RedisErrorKind::Denied => {
                let what = format!("{} does not let the application in ({error})", self.name());
                REDIS_DENIED.found(variable).what(what)
            }
            Trouble::Server(error) => {
                let what = format!("{} cannot be reached ({error})", self.name());
                REDIS_UNREACHABLE.found(variable).what(what)
            }
        }
    }

    /// Who may listen, and who may come in.
    fn exposed(&self, is_reached: bool) -> Vec<Finding> {
        let (settings, variable) = (&self.settings, self.settings.variable());
        let distance = Distance::of(&settings.hosts());
        let mut findings = Vec::new();
        if settings.is_unverified() {
            let what = format!("the certificate of {} is not verified", self.name());
            findings.push(REDIS_UNVERIFIED.found("SINEW_REDIS_TLS").what(what));
        }
        if distance == Distance::Here {
            return findings;
        }
        if !settings.is_tls() {
            let what = format!(
                "{} is on another machine and spoken to without TLS",
                self.name()
            );
            let found = REDIS_PLAIN.found(variable).what(what);
            findings.push(match distance {
                Distance::Public => found,
                _ => found.only(Severity::Notice),
            });
        }
        if is_reached && !settings.has_password() {
            let what = format!(
                "{} is on another machine and asks for no password",
                self.name()
            );
            findings.push(REDIS_OPEN.found(variable).what(what));
        }
        findings
    }

    /// What it says of itself, against what it is used for.
    fn unfit(&self, facts: &RedisFacts, is_production: bool) -> Vec<Finding> {
        let variable = self.settings.variable();
        let mut findings = Vec::new();
        if let Some(version @ [major, minor, patch]) = facts.version
            && version < VERSION_MIN
        {
            let what = format!(
                "{} has the version {major}.{minor}.{patch}, older than 6.2",
                self.name()
            );
            findings.push(REDIS_OLD.found(variable).what(what));
        }
        if let Some(skew) = facts.clock_skew.filter(|skew| *skew > CLOCK_SKEW_MAX) {
            let what = format!(
                "the clock of {} is {} s from ours",
                self.name(),
                skew.as_secs()
            );
            findings.push(REDIS_CLOCK_SKEW.found(variable).what(what));
        }
        if is_production {
            findings.extend(self.eviction(facts));
            findings.extend(self.memory(facts));
            if self.has(RedisRole::Sessions) && facts.keeps_on_disk == Some(false) {
                let what = format!("{} keeps nothing on disk", self.name());
                findings.push(REDIS_NOT_PERSISTENT.found(variable).what(what));
            }
        }
        findings
    }

    fn eviction(&self, facts: &RedisFacts) -> Vec<Finding> {
        let variable = self.settings.variable();
        let Some(policy) = facts.policy else {
            // Of broadcasts nothing is kept.
            if self.roles == [RedisRole::Cable] {
                return Vec::new();
            }
            let what = format!("{} does not tell its maxmemory-policy", self.name());
            return vec![REDIS_UNCHECKED.found(variable).what(what)];
        };
        let mut findings = Vec::new();
        if self.has(RedisRole::Jobs) && policy.evicts() {
            let what = format!("{} has maxmemory-policy {policy}", self.name());
            findings.push(REDIS_EVICTS_JOBS.found(variable).what(what));
        }
        if self.has(RedisRole::Sessions) && policy.is_random() {
            let what = format!("{} has maxmemory-policy {policy}", self.name());
            findings.push(REDIS_EVICTS_AT_RANDOM.found(variable).what(what));
        }
        // Without a bound it is never full.
        let is_bounded = facts.maxmemory_bytes.is_some_and(|bytes| bytes > 0);
        if policy == EvictionPolicy::NoEviction && is_bounded && !self.has(RedisRole::Jobs) {
            let what = format!("{} has maxmemory-policy noeviction", self.name());
            let found = REDIS_REFUSES_WRITES.found(variable).what(what);
            let refused = "a full instance refuses every write";
            match (self.has(RedisRole::Cache), self.has(RedisRole::Sessions)) {
                (true, true) => findings.push(found),
                (true, false) => {
                    findings.push(found.why(format!("{refused}: nothing new is cached")));
                }
                (false, true) => findings.push(
                    found
                        .why(format!("{refused}: nobody can sign in"))
                        .only(Severity::Notice),
                ),
                (false, false) => {}
            }
        }
        findings
    }

    fn memory(&self, facts: &RedisFacts) -> Option<Finding> {
        let variable = self.settings.variable();
        let is_cache = self.roles == [RedisRole::Cache];
        let keeps = self.has(RedisRole::Cache) || self.has(RedisRole::Sessions);
        match (facts.maxmemory_bytes?, facts.used_memory_bytes) {
            (0, _) => {
                let what = format!("{} has no bound on its memory", self.name());
                let found = REDIS_NO_MAXMEMORY.found(variable).what(what);
                Some(if keeps {
                    found
                } else {
                    found.only(Severity::Notice)
                })
            }
            // A cache is meant to be full.
            (max, Some(used)) if !is_cache && used >= max / 100 * FULL_PERCENT => {
                let what = format!(
                    "{} has used {} of {}",
                    self.name(),
                    mebibytes(used),
                    mebibytes(max)
                );
                Some(REDIS_NEARLY_FULL.found(variable).what(what))
            }
            _ => None,
        }
    }
}

/// Roles of one server, however many URLs lead to it.
fn shared(instances: &[&Instance]) -> Option<Finding> {
    let roles: Vec<RedisRole> = instances.iter().flat_map(|it| it.roles.clone()).collect();
    let conflicting = [RedisRole::Sessions, RedisRole::Jobs];
    let mut others: Vec<RedisRole> = roles
        .iter()
        .copied()
        .filter(|role| conflicting.contains(role))
        .collect();
    if !roles.contains(&RedisRole::Cache) || others.is_empty() {
        return None;
    }
    let burst = others.iter().map(|role| match role {
        RedisRole::Sessions => "signs visitors out",
        _ => "leaves no room for jobs",
    });
    let burst = burst.collect::<Vec<_>>().join(", or ");
    others.insert(0, RedisRole::Cache);
    let settings = &instances[0].settings;
    Some(
        REDIS_SHARED
            .found(settings.variable())
            .what(format!("{} share one Redis ({settings})", listed(&others)))
            .why(format!("a burst of cache entries {burst}")),
    )
}

fn listed(roles: &[RedisRole]) -> String {
    let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests;

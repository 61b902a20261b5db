//! What can be seen before anybody has come.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use sinew_web::cookie::SecureFlag;
use sinew_web::{EdgeConfig, Effective, Environment, PublicUrl, Secret};

use super::kinds::{
    ANY_ORIGIN, CABLE_INSECURE, CACHE_NOT_SHARED, COOKIE_DOMAIN, DEBUG_BUILD, DEVELOPMENT_EXPOSED,
    KINDS, LISTENS_ON_LOOPBACK, NO_ACTIONS, NO_TEMPLATES, SECRET_SAMPLE, SESSIONS_IN_MEMORY,
    SESSIONS_NOT_SHARED, SLOW_PINGS, STREAMS_NOT_SHARED, UNKNOWN_CODE, URL_INSECURE,
    URL_ORIGIN_REFUSED, URL_UNSET,
};
use super::platform::Platform;
use super::{Finding, Report, system, variables};
use crate::Config;

/// The stock client's `ConnectionMonitor.staleThreshold`.
const STALE_AFTER: Duration = Duration::from_secs(6);

/// Words that a secret of an example is made of, in lower case.
const SAMPLE_WORDS: [&str; 9] = [
    "secret",
    "change",
    "example",
    "password",
    "sinew",
    "default",
    "please",
    "0123456789",
    "abcdef0123",
];

/// A text that repeats after so many bytes was typed, not drawn.
const PERIOD_BYTES_MAX: usize = 16;

/// Where an application keeps its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// [`in_memory`](crate::Sinew::in_memory).
    Memory,
    /// In the data directory, with nobody else.
    DataDirectory,
    /// In a store of the application's own, which may well be shared.
    Given,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) config: Config,
    pub(crate) sessions: Place,
    /// Whether each process has a cache of its own.
    pub(crate) has_own_cache: bool,
    /// Whether broadcasts stay within the process.
    pub(crate) has_own_streams: bool,
    /// What is kept where, in words; nothing when that cannot be decided.
    pub(crate) stores: Option<String>,
    /// The names of reflexes without an action.
    pub(crate) without_actions: Vec<String>,
    /// The folders whose templates are watched.
    pub(crate) templates: Vec<PathBuf>,
    pub(crate) platform: Platform,
    /// What is asked for and was left out of the program.
    pub(crate) left_out: Vec<Finding>,
    /// The Redis of each role that is in use.
    #[cfg(feature = "redis")]
    pub(crate) redis: super::Instances,
    /// The PostgreSQL of the stores.
    #[cfg(feature = "postgres")]
    pub(crate) postgres: super::Database,
}

impl Subject {
    /// What can be seen at once, the most dangerous first, without what is meant.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings = self.settings();
        self.take_away_ignored(&mut findings);
        findings
    }

    /// Everything, servers among it.
    pub(crate) async fn examine(&self, beforehand: Vec<Finding>) -> Report {
        let edge = &self.config.edge;
        let mut findings = beforehand;
        findings.extend(self.settings());
        let mut examined = self.examined();
        let servers = self.servers().await;
        examined.extend(servers.0);
        findings.extend(servers.1);
        Report::new(edge.environment, examined, findings, &edge.doctor.ignored)
    }

    /// What takes a while, since others are asked: what was looked at, and what was found.
    #[cfg_attr(
        not(any(feature = "redis", feature = "postgres")),
        allow(
            unused_mut,
            clippy::unused_async,
            reason = "who is asked is a matter of features"
        )
    )]
    pub(crate) async fn servers(&self) -> (Vec<String>, Vec<Finding>) {
        #[cfg(any(feature = "redis", feature = "postgres"))]
        let is_production = self.config.edge.environment == Environment::Production;
        let (mut examined, mut findings) = (Vec::new(), Vec::new());
        #[cfg(feature = "redis")]
        {
            let (lines, found) = self.redis.examine(is_production).await;
            examined.extend(lines);
            findings.extend(found);
        }
        #[cfg(feature = "postgres")]
        {
            let (lines, found) = self.postgres.examine(is_production).await;
            examined.extend(lines);
            findings.extend(found);
        }
        (examined, findings)
    }

    /// Whether others have to be asked.
    pub(crate) fn has_servers(&self) -> bool {
        #[cfg(feature = "redis")]
        let has_redis = !self.redis.is_empty();
        #[cfg(not(feature = "redis"))]
        let has_redis = false;
        #[cfg(feature = "postgres")]
        let has_postgres = !self.postgres.is_none();
        #[cfg(not(feature = "postgres"))]
        let has_postgres = false;
        has_redis || has_postgres
    }

    /// Asks them, and says in the log what was found.
    pub(crate) async fn log_servers(self: std::sync::Arc<Self>) {
        let (_, mut findings) = self.servers().await;
        self.take_away_ignored(&mut findings);
        super::log_findings(&findings);
    }

    fn take_away_ignored(&self, findings: &mut Vec<Finding>) {
        let ignored = &self.config.edge.doctor.ignored;
        findings.retain(|finding| !ignored.iter().any(|code| code == finding.code));
    }

    /// Processes that there are at least.
    fn nodes(&self) -> u32 {
        let told = self.config.edge.doctor.nodes.map(u32::from);
        told.unwrap_or(self.platform.nodes_min)
    }

    fn examined(&self) -> Vec<String> {
        let edge = &self.config.edge;
        let platform = self.platform.name.unwrap_or("no platform that is known");
        let processes = match self.nodes() {
            1 => "one process".to_owned(),
            more => format!("{more} processes"),
        };
        let mut examined = vec![format!(
            "settings of {}, {processes}, {platform}",
            edge.environment
        )];
        examined.extend(self.stores.clone());
        if self.sessions == Place::DataDirectory {
            examined.push(format!("data directory {}", edge.data_directory.display()));
        }
        examined
    }

    fn settings(&self) -> Vec<Finding> {
        let edge = &self.config.edge;
        let mut findings = Vec::new();
        if edge.origins.is_open() {
            findings.push(ANY_ORIGIN.found("SINEW_ALLOWED_ORIGINS"));
        }
        if edge.environment == Environment::Production {
            findings.extend(self.production());
        } else if let Some(platform) = self.platform.name {
            findings.push(
                DEVELOPMENT_EXPOSED
                    .found(Environment::VARIABLE)
                    .what(format!(
                        "the environment is {}, on {platform}",
                        edge.environment
                    )),
            );
        }
        if self.platform.routes_from_outside && edge.listen.ip().is_loopback() {
            findings.push(self.listens_on_loopback());
        }
        findings.extend(self.nodes_apart());
        findings.extend(addresses(edge));
        findings.extend(certificate(edge));
        findings.extend(self.left_out.iter().cloned());
        let interval = self.config.cable.ping_interval;
        if interval >= STALE_AFTER {
            let what = format!("pings come every {} s", interval.as_secs());
            findings.push(SLOW_PINGS.found("SINEW_PING_SECONDS").what(what));
        }
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        findings.extend(variables::unknown(names));
        findings.extend(unknown_codes(&edge.doctor.ignored));
        findings.extend(self.without_actions.iter().map(|name| {
            let what = format!("the reflex `{name}` has no action");
            NO_ACTIONS.found(name).what(what)
        }));
        if edge.environment == Environment::Development {
            let missing = self.templates.iter().filter(|folder| !folder.is_dir());
            findings.extend(missing.map(|folder| {
                let folder = folder.display().to_string();
                let what = format!("there is no folder {folder} whose templates could be watched");
                NO_TEMPLATES.found(folder).what(what)
            }));
        }
        findings
    }

    fn production(&self) -> Vec<Finding> {
        let edge = &self.config.edge;
        let mut findings = Vec::new();
        if let Some(sign) = edge.configured_secret.as_ref().and_then(sample_sign) {
            let what = format!("the secret looks like one of an example ({sign})");
            findings.push(SECRET_SAMPLE.found(Secret::VARIABLE).what(what));
        }
        match self.sessions {
            Place::Memory => findings.push(SESSIONS_IN_MEMORY.found("sessions")),
            Place::DataDirectory => {
                findings.extend(system::forgetful_data(&edge.data_directory, &self.platform));
            }
            Place::Given => {}
        }
        findings.extend(system::descriptors(edge));
        findings.extend(system::backlog(edge.server.backlog));
        if cfg!(debug_assertions) {
            findings.push(DEBUG_BUILD.found("the program"));
        }
        match &edge.public_url {
            None => findings.push(URL_UNSET.found("SINEW_URL")),
            Some(url) if !url.is_secure() => {
                let what = format!("SINEW_URL is {url} in production");
                findings.push(URL_INSECURE.found("SINEW_URL").what(what));
            }
            Some(_) => {}
        }
        findings
    }

    fn listens_on_loopback(&self) -> Finding {
        let listen = self.config.edge.listen;
        let platform = self.platform.name.unwrap_or_default();
        LISTENS_ON_LOOPBACK
            .found("SINEW_LISTEN")
            .what(format!(
                "the application listens at {listen}, and the router of {platform} comes from outside"
            ))
            .fix(format!("SINEW_LISTEN=0.0.0.0:{}", listen.port()))
    }

    /// What each process has for itself, where there are several.
    fn nodes_apart(&self) -> Vec<Finding> {
        let nodes = self.nodes();
        if nodes < 2 {
            return Vec::new();
        }
        let told = match (self.config.edge.doctor.nodes, self.platform.name) {
            (Some(_), _) | (None, None) => format!("SINEW_NODES={nodes}"),
            (None, Some(platform)) => {
                format!("this is process {nodes} of the application on {platform}")
            }
        };
        let mut findings = Vec::new();
        let place = match self.sessions {
            Place::Memory => Some("its memory"),
            Place::DataDirectory => Some("its data directory"),
            Place::Given => None,
        };
        if let Some(place) = place {
            let what = format!("{told}, and each keeps sessions in {place}");
            findings.push(SESSIONS_NOT_SHARED.found("sessions").what(what));
        }
        if self.has_own_cache {
            let what = format!("{told}, and each keeps a cache of its own");
            findings.push(CACHE_NOT_SHARED.found("cache").what(what));
        }
        if self.has_own_streams {
            let what = format!("{told}, and broadcasts stay within each");
            findings.push(STREAMS_NOT_SHARED.found("streams").what(what));
        }
        findings
    }
}

/// Hosts that contradict each other.
fn addresses(edge: &EdgeConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let url = edge.public_url.as_ref();
    let cable: Option<http::Uri> = edge.cable_url.as_deref().and_then(|url| url.parse().ok());
    let cable = cable.filter(|cable| cable.host().is_some());
    if let Some(url) = url.filter(|url| !is_page_allowed(edge, url)) {
        let what = format!("SINEW_ALLOWED_ORIGINS does not name {url}, which is SINEW_URL");
        findings.push(
            URL_ORIGIN_REFUSED
                .found("SINEW_ALLOWED_ORIGINS")
                .what(what)
                .fix(format!("add {url} to SINEW_ALLOWED_ORIGINS, or unset it")),
        );
    }
    let hosts = [
        ("SINEW_URL", url.map(PublicUrl::host)),
        ("SINEW_CABLE_URL", cable.as_ref().and_then(http::Uri::host)),
    ];
    match (&edge.cookie.domain, hosts) {
        (Some(domain), hosts) => {
            let outside = hosts
                .into_iter()
                .filter_map(|(variable, host)| Some((variable, host?)));
            let outside = outside.filter(|(_, host)| !covers(domain, host));
            findings.extend(outside.map(|(variable, host)| {
                COOKIE_DOMAIN.found("SINEW_COOKIE_DOMAIN").what(format!(
                    "the cookie's domain is {domain}, and {variable} has the host {host}"
                ))
            }));
        }
        (None, [(_, Some(pages)), (_, Some(cable))]) if pages != cable => {
            findings.push(COOKIE_DOMAIN.found("SINEW_COOKIE_DOMAIN").what(format!(
                "SINEW_COOKIE_DOMAIN is not set, the pages are at {pages} and the cable at {cable}"
            )));
        }
        _ => {}
    }
    let is_plain = cable.is_some_and(|url| matches!(url.scheme_str(), Some("ws" | "http")));
    if is_plain && url.is_some_and(PublicUrl::is_secure) {
        findings.push(CABLE_INSECURE.found("SINEW_CABLE_URL"));
    }
    findings
}

/// Whether the application's own pages may open its sockets. By default those of the same host may, and when the
/// cable has another host it is the list that counts.
fn is_page_allowed(edge: &EdgeConfig, url: &PublicUrl) -> bool {
    let Ok(origin) = HeaderValue::from_str(url.as_str()) else {
        return true;
    };
    let effective = Effective {
        client_address: None,
        secure: url.is_secure(),
        host: url.authority().to_owned(),
    };
    let headers = HeaderMap::from_iter([(header::ORIGIN, origin)]);
    edge.origins.check(&headers, &effective).is_ok()
}

/// Whether a browser sends a cookie of that domain to that host.
fn covers(domain: &str, host: &str) -> bool {
    let domain = domain.trim_start_matches('.').to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    host.strip_suffix(&domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn unknown_codes(codes: &[String]) -> impl Iterator<Item = Finding> {
    let unknown = codes
        .iter()
        .filter(|code| KINDS.iter().all(|kind| kind.code != code.as_str()));
    unknown.map(|code| {
        UNKNOWN_CODE.found("SINEW_DOCTOR_IGNORE").what(format!(
            "SINEW_DOCTOR_IGNORE names `{code}`, and nothing of that name can be found"
        ))
    })
}

#[cfg(feature = "tls")]
fn certificate(edge: &EdgeConfig) -> Option<Finding> {
    super::certificate::finding(edge.tls.as_ref()?, std::time::SystemTime::now())
}

#[cfg(not(feature = "tls"))]
fn certificate(_: &EdgeConfig) -> Option<Finding> {
    None
}

/// Whether the session cookie is only good over `https`.
pub(super) fn needs_https(config: &Config) -> bool {
    config.edge.environment == Environment::Production
        && config.edge.cookie.secure == SecureFlag::Always
}

/// What gives a secret away as one that was copied or typed.
fn sample_sign(secret: &Secret) -> Option<&'static str> {
    let bytes = secret.as_bytes();
    let lower = bytes.to_ascii_lowercase();
    let word = SAMPLE_WORDS.into_iter().find(|word| {
        let mut windows = lower.windows(word.len());
        windows.any(|window| window == word.as_bytes())
    });
    let repeats = || {
        let mut periods = 1..=PERIOD_BYTES_MAX;
        periods.any(|period| bytes.iter().skip(period).eq(&bytes[..bytes.len() - period]))
    };
    word.or_else(|| repeats().then_some("it repeats itself"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_drawn_is_no_sample() {
        for _ in 0..1000 {
            let secret = Secret::generate().expect("random");
            assert_eq!(sample_sign(&secret), None);
        }
    }

    #[test]
    fn a_secret_that_was_typed_is_a_sample() {
        for (text, sign) in [
            ("this-is-a-very-long-Secret-for-tests", "secret"),
            ("CHANGE-ME-before-you-go-to-production!", "change"),
            ("b5c1f7d3a9e84620b5c1f7d3a9e84620b5c1", "it repeats itself"),
            ("0123456789012345678901234567890123456789", "0123456789"),
        ] {
            let secret = Secret::new(text).expect("long enough");
            assert_eq!(sample_sign(&secret), Some(sign), "{text}");
        }
    }

    #[test]
    fn a_cookie_goes_to_its_domain_and_to_the_hosts_below_it() {
        for (domain, host, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "shop.example.com", true),
            (".Example.com", "SHOP.example.com", true),
            ("example.com", "badexample.com", false),
            ("shop.example.com", "example.com", false),
            ("example.org", "example.com", false),
        ] {
            assert_eq!(covers(domain, host), expected, "{domain} {host}");
        }
    }
}

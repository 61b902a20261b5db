//! Each fault set up for real, on private servers.

use sinew_redis::{RedisRole, RedisSettings};
use test_servers::{RedisOptions, RedisServer, old_redis_server};

use super::{Instance, Instances};
use crate::doctor::{Finding, Severity};

const SESSIONS: &str = "SINEW_SESSION_REDIS_URL";
const CACHE: &str = "SINEW_CACHE_REDIS_URL";
const CABLE: &str = "SINEW_CABLE_REDIS_URL";
const JOBS: &str = "SINEW_JOBS_REDIS_URL";

/// As a careful operator has it.
fn healthy() -> RedisOptions {
    RedisServer::options()
        .config("maxmemory 64mb")
        .config("maxmemory-policy volatile-lru")
        .config("appendonly yes")
}

fn instances(variables: &[(&str, &str)]) -> Instances {
    Instances::from_lookup(
        |_| true,
        |name| {
            let variable = variables.iter().find(|(known, _)| *known == name)?;
            Some(variable.1.to_owned())
        },
    )
}

async fn found(variables: &[(&str, &str)]) -> Vec<Finding> {
    let (_, findings) = instances(variables).examine(true).await;
    findings
}

async fn codes(variables: &[(&str, &str)]) -> Vec<(&'static str, Severity)> {
    let findings = found(variables).await.into_iter();
    findings
        .map(|finding| (finding.code, finding.severity))
        .collect()
}

#[tokio::test]
async fn a_healthy_instance_has_no_findings() {
    let server = healthy().password("unguessable").start();
    let variables = [(SESSIONS, server.url()), (CABLE, server.url())];
    let variables = variables
        .each_ref()
        .map(|(name, url)| (*name, url.as_str()));
    let (examined, findings) = instances(&variables).examine(true).await;
    assert_eq!(findings, []);
    let line = format!(
        "the Redis of sessions (redis://127.0.0.1:{}): version 7",
        server.port()
    );
    assert!(examined[0].starts_with(&line), "{examined:?}");
    assert!(examined[0].ends_with(" of 64.0 MiB"), "{examined:?}");
    assert!(!examined.concat().contains("unguessable"));
    // One URL for all roles but the jobs, of which nobody knows whether there are any.
    let all = instances(&[("REDIS_URL", &server.url())]);
    assert_eq!(
        all.by_url[0].roles,
        [RedisRole::Cache, RedisRole::Sessions, RedisRole::Cable]
    );
    assert!(instances(&[]).is_empty());
}

#[tokio::test]
async fn each_role_has_a_policy_that_fits() {
    use Severity::{Error, Notice, Warning};

    let server = healthy().start();
    let url = server.url();
    for (variable, policy, expected) in [
        (CACHE, "noeviction", Some(("redis-refuses-writes", Warning))),
        (CACHE, "allkeys-lru", None),
        (CACHE, "allkeys-random", None),
        (CACHE, "volatile-ttl", None),
        (
            SESSIONS,
            "noeviction",
            Some(("redis-refuses-writes", Notice)),
        ),
        (SESSIONS, "volatile-lru", None),
        (SESSIONS, "allkeys-lfu", None),
        (
            SESSIONS,
            "volatile-random",
            Some(("redis-evicts-at-random", Warning)),
        ),
        (
            SESSIONS,
            "allkeys-random",
            Some(("redis-evicts-at-random", Warning)),
        ),
        (CABLE, "noeviction", None),
        (CABLE, "allkeys-random", None),
        (JOBS, "noeviction", None),
        (JOBS, "volatile-lru", Some(("redis-evicts-jobs", Error))),
        (JOBS, "allkeys-lru", Some(("redis-evicts-jobs", Error))),
    ] {
        server.command(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let codes = codes(&[(variable, &url)]).await;
        assert_eq!(codes, Vec::from_iter(expected), "{variable} {policy}");
    }
}

#[tokio::test]
async fn a_finding_says_what_and_how_to_mend_it() {
    let server = healthy().start();
    let findings = found(&[(JOBS, &server.url())]).await;
    let address = format!("redis://127.0.0.1:{}", server.port());
    assert_eq!(
        findings[0].to_string(),
        format!(
            "the Redis of jobs ({address}) has maxmemory-policy volatile-lru: jobs vanish without a trace; `redis-cli CONFIG SET maxmemory-policy noeviction`, and `maxmemory-policy noeviction` in redis.conf"
        )
    );
    assert_eq!(findings[0].subject, JOBS);
}

#[tokio::test]
async fn roles_that_do_not_get_along_are_told_by_the_server_and_not_by_its_url() {
    let server = healthy().start();
    let socket = format!("unix://{}", server.socket().display());
    let url = server.url();
    let findings = found(&[(CACHE, &url), (SESSIONS, &socket)]).await;
    assert_eq!(findings[0].code, "redis-shared");
    assert!(
        findings[0]
            .what
            .starts_with("cache and sessions share one Redis"),
        "{findings:?}"
    );
    assert_eq!(
        findings[0].why,
        "a burst of cache entries signs visitors out"
    );
    assert_eq!(
        codes(&[("REDIS_URL", &url)]).await,
        [("redis-shared", Severity::Warning)]
    );

    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let findings = found(&[(CACHE, &url), (JOBS, &socket)]).await;
    let shared = findings.iter().find(|it| it.code == "redis-shared");
    assert_eq!(
        shared.map(|it| it.why.as_str()),
        Some("a burst of cache entries leaves no room for jobs")
    );
    // These do.
    assert_eq!(codes(&[(JOBS, &url), (CABLE, &socket)]).await, []);
    let another = healthy().start();
    assert_eq!(codes(&[(CACHE, &another.url()), (CABLE, &url)]).await, []);
}

#[tokio::test]
async fn memory_without_a_bound_and_memory_that_ends_soon() {
    let server = healthy().config("maxmemory 0").start();
    let url = server.url();
    assert_eq!(
        codes(&[(SESSIONS, &url)]).await,
        [("redis-no-maxmemory", Severity::Warning)]
    );
    assert_eq!(
        codes(&[(CABLE, &url)]).await,
        [("redis-no-maxmemory", Severity::Notice)]
    );
    // An empty server takes more than that.
    server.command(&["CONFIG", "SET", "maxmemory", "500kb"]);
    assert_eq!(
        codes(&[(SESSIONS, &url)]).await,
        [("redis-nearly-full", Severity::Warning)]
    );
    assert_eq!(codes(&[(CACHE, &url)]).await, []);
}

#[tokio::test]
async fn sessions_that_a_restart_forgets() {
    let server = healthy().config("appendonly no").start();
    let url = server.url();
    assert_eq!(
        codes(&[(SESSIONS, &url)]).await,
        [("redis-not-persistent", Severity::Notice)]
    );
    assert_eq!(codes(&[(CACHE, &url)]).await, []);
    server.command(&["CONFIG", "SET", "save", "3600 1"]);
    assert_eq!(codes(&[(SESSIONS, &url)]).await, []);
}

#[tokio::test]
async fn a_server_that_is_not_there_or_does_not_answer() {
    let mut server = healthy().start();
    let url = server.url();
    server.freeze();
    assert_eq!(
        codes(&[(SESSIONS, &url)]).await,
        [("redis-unreachable", Severity::Error)]
    );
    server.thaw();
    server.kill();
    let findings = found(&[(SESSIONS, &url)]).await;
    assert_eq!(findings[0].code, "redis-unreachable");
    let address = format!("redis://127.0.0.1:{}", server.port());
    let sentence = format!("the Redis of sessions ({address}) cannot be reached (");
    assert!(findings[0].what.starts_with(&sentence), "{findings:?}");
}

#[tokio::test]
async fn a_password_that_is_wrong_or_missing_is_named_and_never_shown() {
    let server = healthy().password("unguessable").start();
    let port = server.port();
    for url in [
        format!("redis://:mistyped@127.0.0.1:{port}"),
        format!("redis://nobody:mistyped@127.0.0.1:{port}"),
        format!("redis://127.0.0.1:{port}"),
    ] {
        let findings = found(&[(SESSIONS, &url)]).await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].code, "redis-denied");
        let said = format!("{findings:?}");
        assert!(
            !said.contains("mistyped") && !said.contains("unguessable"),
            "{said}"
        );
    }
    let broken = found(&[("REDIS_URL", "redis://:mistyped@host:port")]).await;
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(
        (broken[0].code, broken[0].subject.as_str()),
        ("setting-invalid", "REDIS_URL")
    );
    assert!(!format!("{broken:?}").contains("mistyped"));
}

#[tokio::test]
async fn colours_that_leave_open_which_is_meant() {
    let findings = found(&[
        ("HEROKU_REDIS_GREEN_URL", "redis://:one@green"),
        ("HEROKU_REDIS_RED_URL", "redis://:two@red"),
    ])
    .await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, "setting-invalid");
    assert_eq!(
        findings[0].subject,
        "HEROKU_REDIS_GREEN_URL, HEROKU_REDIS_RED_URL"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_looks_at() {
    let server = healthy().tls().start();
    let url = server.url();
    let with = |tls: &'static str| [(SESSIONS, url.clone()), ("SINEW_REDIS_TLS", tls.to_owned())];
    let unverified = with("unverified");
    let unverified = unverified
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(
        codes(&unverified).await,
        [("redis-unverified", Severity::Warning)]
    );

    let authority = server.ca_file().display().to_string();
    let verified = [(SESSIONS, url.as_str()), ("SINEW_REDIS_TLS", &authority)];
    assert_eq!(codes(&verified).await, []);
    let nobody = [
        (SESSIONS, url.as_str()),
        ("SINEW_REDIS_TLS", "/nowhere/ca.pem"),
    ];
    assert_eq!(codes(&nobody).await, [("setting-invalid", Severity::Error)]);
    let others = [(SESSIONS, url.as_str()), ("SINEW_REDIS_TLS", "system")];
    assert_eq!(
        codes(&others).await,
        [("redis-unreachable", Severity::Error)]
    );
}

/// A server at loopback with an address that does not look so: `127.1` is a name to whoever reads it, and 127.0.0.1 to
/// the system.
#[tokio::test]
async fn another_machine_without_tls_and_without_a_password() {
    let open = healthy().start();
    let url = format!("redis://127.1:{}", open.port());
    assert_eq!(
        codes(&[(SESSIONS, &url)]).await,
        [
            ("redis-plain", Severity::Warning),
            ("redis-open", Severity::Warning)
        ]
    );
    let locked = healthy().password("unguessable").start();
    let url = format!("redis://:unguessable@127.1:{}", locked.port());
    let findings = found(&[(SESSIONS, &url)]).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, "redis-plain");
    // In a network of one's own it may be meant.
    let private = Instance {
        settings: RedisSettings::from_url("redis://:x@redis").expect("a URL"),
        roles: vec![RedisRole::Cache],
    };
    assert_eq!(private.exposed(false)[0].severity, Severity::Notice);
}

#[tokio::test]
async fn a_managed_server_that_does_not_tell_everything() {
    let managed = |rights: &str| {
        let user = format!("user managed on >unguessable ~* &* +@all {rights}");
        healthy().config(&user).start()
    };
    let url =
        |server: &RedisServer| format!("redis://managed:unguessable@127.0.0.1:{}", server.port());
    // What CONFIG would tell stands in INFO too.
    let without_config = managed("-config");
    assert_eq!(codes(&[(SESSIONS, &url(&without_config))]).await, []);
    assert_eq!(
        codes(&[(JOBS, &url(&without_config))]).await,
        [("redis-evicts-jobs", Severity::Error)]
    );
    let without_info = managed("-info");
    assert_eq!(
        codes(&[(JOBS, &url(&without_info))]).await,
        [("redis-evicts-jobs", Severity::Error)]
    );
    let without_both = managed("-config -info");
    let url = url(&without_both);
    assert_eq!(
        codes(&[(JOBS, &url)]).await,
        [("redis-unchecked", Severity::Notice)]
    );
    assert_eq!(codes(&[(CABLE, &url)]).await, []);
}

/// The server's own clock is moved, in either direction.
#[tokio::test]
async fn clocks_that_differ() {
    for seconds in [60, -60] {
        let server = healthy().clock_ahead(seconds).start();
        let findings = found(&[(SESSIONS, &server.url())]).await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].code, "redis-clock-skew");
        let what = &findings[0].what;
        let says = |seconds: u64| what.contains(&format!(" is {seconds} s from ours"));
        assert!(says(60) || says(59), "{what}");
    }
    // The way to it and back, and a second, are no difference.
    let server = healthy().clock_ahead(1).start();
    assert_eq!(codes(&[(SESSIONS, &server.url())]).await, []);
}

/// It answers, and is told from one that cannot be reached.
#[tokio::test]
async fn an_old_version_is_told() {
    let server = healthy().program(old_redis_server()).start();
    let info = server.command(&["INFO", "server"]);
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
        .expect("every server has one")
        .trim_end();
    let (examined, findings) = instances(&[(SESSIONS, &server.url())]).examine(false).await;
    let name = format!(
        "the Redis of sessions (redis://127.0.0.1:{})",
        server.port()
    );
    let sentence = format!("{name} has the version {version}, older than 6.2");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        (findings[0].code, findings[0].what.as_str()),
        ("redis-old", sentence.as_str())
    );
    let line = format!("{name}: version {version}, ");
    assert!(examined[0].starts_with(&line), "{examined:?}");
    // It knows a password, and no users.
    let locked = healthy()
        .password("unguessable")
        .program(old_redis_server())
        .start();
    assert_eq!(
        codes(&[(SESSIONS, &locked.url())]).await,
        [("redis-old", Severity::Error)]
    );
}

/// What strangers could do, and how much room there is, is no concern of a developer's machine.
#[tokio::test]
async fn development_is_left_in_peace() {
    let server = RedisServer::start();
    let url = server.url();
    let (_, findings) = instances(&[("REDIS_URL", &url)]).examine(false).await;
    assert_eq!(findings, []);
    drop(server);
    let (_, findings) = instances(&[("REDIS_URL", &url)]).examine(false).await;
    assert_eq!(findings[0].code, "redis-unreachable");
}

//! Each thing that looks wrong, set up for real, and the sentence that says what to do.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::response::Html;
use axum::routing::get;
use http::header;
use parking_lot::Mutex;
use serde_json::json;
use sinew::config::{Environment, OriginPolicy, Secret};
use sinew::doctor::{Finding, KINDS, Kind};
use sinew::{Config, StartError, prelude::*};
use sinew_web::cookie::SecureFlag;

use crate::application::{Counter, counter, router};
use crate::browser::Browser;
use crate::process::{CHILD, log_of_start};
use crate::server::Server;

/// A reflex whose callbacks nobody can reach.
struct Unreachable;

#[reflex]
impl Unreachable {
    #[before]
    async fn note(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

/// With pings as they are by default.
fn config() -> Config {
    let mut config = crate::server::config();
    config.cable = Config::default().cable;
    config
}

fn production() -> Config {
    let mut config = config();
    config.edge.configured_secret = Some(Secret::generate().expect("random"));
    config.edge.public_url = Some("https://shop.example.com".parse().expect("an address"));
    config
}

fn development() -> Config {
    let mut config = config();
    config.edge.environment = Environment::Development;
    config
}

/// What production finds in any case on the machine that runs the tests.
fn is_of_the_machine(finding: &Finding) -> bool {
    matches!(
        finding.code,
        "debug-build" | "few-descriptors" | "short-backlog" | "volatile-data" | "ephemeral-data"
    )
}

/// What is found beside that.
fn findings(sinew: Sinew, config: Config) -> Vec<String> {
    let app = sinew.config(config).build().expect("builds");
    let findings = app.findings().iter();
    let findings = findings.filter(|finding| !is_of_the_machine(finding));
    findings
        .map(|finding| format!("{finding} [{}]", finding.code))
        .collect()
}

#[tokio::test]
async fn good_settings_have_no_findings() {
    let data = tempfile::tempdir().expect("a directory");
    let mut production = production();
    production.edge.data_directory = data.path().to_owned();
    let none: [&str; 0] = [];
    assert_eq!(findings(counter(), production), none);
    let app = counter().config(development()).in_memory().build();
    assert_eq!(app.expect("builds").findings(), []);
}

#[tokio::test]
async fn settings_that_production_should_not_have() {
    let mut config = production();
    config.edge.origins = OriginPolicy::any();
    let sample = "my-very-secret-key-that-nobody-knows";
    config.edge.configured_secret = Some(Secret::new(sample).expect("long enough"));
    assert_eq!(
        findings(counter().in_memory().reflex(Unreachable), config),
        [
            "the origin check is off: any web page can open a socket with its visitor's session; set SINEW_ALLOWED_ORIGINS to the hosts of your pages instead of `*`, or unset it if they share the host of the cable [any-origin]",
            "the secret looks like one of an example (secret): whoever guesses it can sign in as anybody; SINEW_SECRET=$(openssl rand -hex 32) [secret-sample]",
            "sessions are kept in memory in production: a restart signs everybody out; leave `in_memory()` and SINEW_SESSION_STORE=memory away to keep them in the data directory, or pass a store to `Sinew::store` [sessions-in-memory]",
            "the reflex `Unreachable` has no action: no page can call it; give its `#[reflex] impl` a method `async fn name(&self, cx: &mut Reflex)`, or do not register it [no-actions]",
        ]
    );
}

#[tokio::test]
async fn templates_that_are_not_there() {
    let folder = Path::new("/of/nobody/templates");
    let watching = || counter().in_memory().watch_templates(folder);
    assert_eq!(
        findings(watching(), development()),
        [
            "there is no folder /of/nobody/templates whose templates could be watched: pages do not follow its files; `watch_templates` takes a path from the folder where the program is started, or a whole one, as concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/templates\") is [no-templates]"
        ]
    );
    let mut elsewhere = config();
    elsewhere.edge.environment = Environment::Test;
    assert!(findings(watching(), elsewhere).is_empty());
}

/// The variable reaches the cable.
#[test]
fn pings_too_slow_for_stock_clients() {
    for (seconds, is_found) in [("5", false), ("30", true)] {
        let data = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(CHILD).env("SINEW_PING_SECONDS", seconds);
        let log = log_of_start(&mut command, data.path());
        let sentence =
            "pings come every 30 s: a stock client that hears nothing for 6 s connects again";
        let found = log.iter().find(|line| line.contains(sentence));
        assert_eq!(found.is_some(), is_found, "{log:?}");
        assert!(found.is_none_or(|line| line.ends_with("code=\"slow-pings\"")));
    }
}

#[tokio::test]
async fn checks_can_be_turned_off() {
    let mut config = production();
    config.edge.sanity_checks = false;
    let app = counter().reflex(Unreachable).config(config).in_memory();
    assert_eq!(app.build().expect("builds").findings(), []);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn data_on_a_file_system_in_memory() {
    let data = tempfile::tempdir_in("/dev/shm").expect("a file system in memory");
    let mut config = production();
    config.edge.data_directory = data.path().to_owned();
    let app = counter().config(config).build().expect("builds");
    let mut found = app.findings().iter().map(ToString::to_string);
    let expected = format!(
        "the data directory {} is on a file system in memory: a reboot loses every session; set SINEW_DATA_DIR to a folder on a disk",
        data.path().display()
    );
    assert!(found.any(|found| found == expected), "{:?}", app.findings());
}

#[test]
fn a_process_with_a_wrong_variable_and_few_descriptors() {
    let data = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"ulimit -n 1000; exec "$@""#, "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(CHILD)
        .env("SINEW_SECRETS", "typed wrong")
        .env("SINEW_COLOUR", "green");
    let log = log_of_start(&mut command, data.path());
    let expect = |text: &str| {
        let is_loud = |line: &&String| line.contains("WARN") || line.contains("ERROR");
        let found = log
            .iter()
            .filter(is_loud)
            .filter(|line| line.contains(text));
        assert_eq!(found.count(), 1, "{text}: {log:#?}");
    };
    expect(
        "SINEW_SECRETS is unknown: it has no effect; write SINEW_SECRET if that is meant, or unset it code=\"unknown-variable\"",
    );
    expect("SINEW_COLOUR is unknown: it has no effect; unset it, or look for its name");
    expect("this process may hold 1000 files and sockets at a time");
    expect("`LimitNOFILE=65536` in a systemd unit");
    // The secret of the child is made of 0 to 9.
    expect("the secret looks like one of an example (0123456789)");
    if cfg!(debug_assertions) {
        expect("this is a debug build in production");
    }
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_the_way_out() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let mut config = production();
    config.edge.listen = taken.local_addr().expect("bound");
    let port = config.edge.listen.port();
    let app = counter()
        .config(config)
        .in_memory()
        .build()
        .expect("builds");
    let refused = app.serve().await.expect_err("the port is taken");
    assert!(matches!(refused, StartError::AddressInUse { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "port {port} of 127.0.0.1 is taken by another program, or by this one started twice: stop that one, or choose another port, for example SINEW_LISTEN=127.0.0.1:{}",
            port.checked_add(1).unwrap_or(3000)
        )
    );

    let refused = counter().reflex(Counter).config(production()).in_memory();
    let refused = refused.build().expect_err("registered twice").to_string();
    assert!(refused.ends_with("or register it once"), "{refused}");

    let data = tempfile::tempdir().expect("a directory");
    let mut config = production();
    config.edge.data_directory = data.path().to_owned();
    let _first = counter().config(config.clone()).build().expect("builds");
    let refused = counter()
        .config(config)
        .build()
        .expect_err("in use")
        .to_string();
    assert!(
        refused.contains("stop that one first, or give this one a data directory"),
        "{refused}"
    );

    let mut config = production();
    config.edge.data_directory = Path::new("/proc/self/data").to_owned();
    let refused = counter()
        .config(config)
        .build()
        .expect_err("no directory")
        .to_string();
    assert!(
        refused.contains("create it for the user that runs this program, or choose another"),
        "{refused}"
    );
}

/// The log, for as long as it is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Writes the warnings of this thread, on which a test and its server run.
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .with_level(false)
            .with_target(false)
            .with_max_level(tracing::Level::WARN)
            .with_writer(move || writer.clone())
            .finish();
        (log, crate::listening::listen(subscriber))
    }

    /// What was written since it was last asked.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock());
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_believed_is_named_once() {
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7;proto=https"),
    ] {
        let (log, _guard) = Log::begin();
        let server = Server::start(counter()).await;
        log.take();
        Browser::new(&server).get("/").await;
        assert_eq!(log.take(), Vec::<String>::new());
        let mut browser = Browser::new(&server).header(name, value);
        for _ in 0..2 {
            browser.get("/").await;
        }
        assert_eq!(
            log.take(),
            [format!(
                "a request came through 127.0.0.1 with {name}, which is not believed: every visitor has the address of that proxy and none comes over https; if 127.0.0.1 is your proxy, set SINEW_TRUSTED_PROXIES=127.0.0.1 (or a network such as 10.0.0.0/8, or `loopback`) code=\"untrusted-proxy\""
            )]
        );
    }
    let mut config = config();
    config.edge.trusted_proxies = "loopback".parse().expect("a word");
    let (log, _guard) = Log::begin();
    let server = Server::with(counter(), config).await;
    log.take();
    let mut browser = Browser::new(&server).header("x-forwarded-for", "203.0.113.7");
    browser.get("/").await;
    assert_eq!(log.take(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secure_cookie_over_http_is_named_once() {
    let mut config = config();
    config.edge.cookie.secure = SecureFlag::Always;
    config.edge.trusted_proxies = "loopback".parse().expect("a word");
    let (log, _guard) = Log::begin();
    let server = Server::with(counter(), config).await;
    log.take();
    // Neither a probe nor a visitor behind a proxy that speaks https, nor one on this machine.
    Browser::new(&server).get("/").await;
    let person = || Browser::new(&server).header("accept", "text/html,*/*;q=0.8");
    person().get("/").await;
    let behind = |proto| {
        let browser = person().header("x-forwarded-host", "app.example.com");
        browser.header("x-forwarded-proto", proto)
    };
    behind("https").get("/").await;
    assert_eq!(log.take(), Vec::<String>::new());
    for _ in 0..2 {
        behind("http").get("/").await;
    }
    assert_eq!(
        log.take(),
        [
            "a page of app.example.com was asked for over http, and the session cookie is always secure: browsers drop the cookie then; serve the site over https and set SINEW_TRUSTED_PROXIES to the proxy that does, or leave `CookieConfig::secure` at `FromRequest` code=\"insecure-cookie\""
        ]
    );
}

#[tokio::test]
async fn a_page_without_the_client_is_named_once_in_development() {
    let page = "<!DOCTYPE html><html><body><button data-reflex=\"click->Counter#increment\">+</button></body></html>";
    let sinew =
        || Sinew::new(router().route("/forgotten", get(async move || Html(page)))).reflex(Counter);
    let (log, _guard) = Log::begin();
    let server = Server::with(sinew(), development()).await;
    let mut browser = Browser::new(&server);
    browser.get("/").await;
    assert_eq!(log.take(), Vec::<String>::new());
    for _ in 0..2 {
        assert_eq!(browser.get("/forgotten").await.body, page);
    }
    assert_eq!(
        log.take(),
        [
            "the page /forgotten has `data-reflex` and no script: its reflexes do nothing; take `client: ClientTags` as an argument of its handler and write it into its <head> (not escaped) code=\"page-without-client\""
        ]
    );
    let server = Server::start(sinew()).await;
    log.take();
    Browser::new(&server).get("/forgotten").await;
    assert_eq!(log.take(), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_that_is_always_compressed_cannot_be_morphed() {
    let compressed = get(async || ([(header::CONTENT_ENCODING, "gzip")], Html("\u{1f}\u{8b}")));
    let sinew = Sinew::new(router().route("/zipped", compressed)).reflex(Counter);
    let server = Server::with(sinew, development()).await;
    let mut tab = Browser::visit(&server, "/").await.tab("/zipped").await;
    let reply = tab.perform("Counter#increment", json!([])).await;
    let mut kinds = KINDS.iter();
    let kind = kinds.find(|kind| kind.code == "compressed-page");
    let Kind { why, fix, .. } = kind.expect("one of them");
    let sentence = format!("the page came with `Content-Encoding: gzip`: {why}; {fix}");
    assert!(reply.error().contains(&sentence), "{}", reply.error());
}

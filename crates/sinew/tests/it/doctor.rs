//! An application that is examined in place of serving, as a process of its own with the variables that an operator
//! sets. Findings that a start has as well are in `findings.rs`, those about Redis and
//! PostgreSQL beside what finds them.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sinew::config::Secret;
use sinew::doctor::KINDS;
use tempfile::TempDir;

use crate::application::{Counter, counter};
use crate::server::Server;

/// What the child shall be; without it the child's test does nothing.
const CHILD: &str = "TEST_DOCTOR_CHILD";

/// What production finds on some machines that run the tests.
const OF_THE_MACHINE: &str =
    "debug-build,few-descriptors,short-backlog,volatile-data,ephemeral-data";

/// Not a test of its own: what the tests below start.
#[tokio::test]
async fn child_that_is_examined() {
    let Ok(kind) = std::env::var(CHILD) else {
        return;
    };
    let sinew = match kind.as_str() {
        "two of a kind" => counter().reflex(Counter),
        _ => counter(),
    };
    let served = sinew.serve().await;
    served.expect("serves until it is told to stop");
}

/// A start of the child.
struct Start {
    command: Command,
    _data: TempDir,
}

impl Start {
    /// As a careful operator has it.
    fn new() -> Self {
        let program = std::env::current_exe().expect("this program");
        Self::of(Command::new(program))
    }

    /// By way of a program that becomes it.
    fn by(mut command: Command) -> Self {
        command.arg(std::env::current_exe().expect("this program"));
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let secret = Secret::generate().expect("random");
        let secret = String::from_utf8(secret.as_bytes().to_vec()).expect("digits");
        command
            .args(["--exact", "doctor::child_that_is_examined", "--nocapture"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env(CHILD, "a counter")
            .env("SINEW_DOCTOR", "json")
            .env("SINEW_ENV", "production")
            .env("SINEW_SECRET", secret)
            .env("SINEW_LISTEN", "127.0.0.1:0")
            .env("SINEW_DATA_DIR", data.path())
            .env("SINEW_URL", "https://shop.example.com")
            .env("SINEW_DOCTOR_IGNORE", OF_THE_MACHINE);
        Self {
            command,
            _data: data,
        }
    }

    fn with(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    fn without(mut self, variable: &str) -> Self {
        self.command.env_remove(variable);
        self
    }

    fn run(mut self) -> Output {
        self.command.output().expect("runs")
    }

    fn report(self) -> Report {
        let output = self.run();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let document = said
            .lines()
            .find(|line| line.starts_with("{\"sinew_doctor\":1,"));
        let document = document.unwrap_or_else(|| panic!("no report: {output:?}"));
        Report {
            document: serde_json::from_str(document).expect("JSON"),
            exit_code: output.status.code().expect("not killed"),
        }
    }
}

/// What it says, and what it ends with.
struct Report {
    document: Value,
    exit_code: i32,
}

impl Report {
    fn findings(&self) -> &[Value] {
        self.document["findings"].as_array().expect("a list")
    }

    fn codes(&self) -> Vec<&str> {
        let codes = self
            .findings()
            .iter()
            .map(|finding| finding["code"].as_str());
        codes.map(|code| code.expect("a text")).collect()
    }

    /// The one with this code.
    #[track_caller]
    fn finding(&self, code: &str) -> &Value {
        let found = self
            .findings()
            .iter()
            .find(|finding| finding["code"] == code);
        found.unwrap_or_else(|| panic!("no {code}: {}", self.document))
    }
}

fn what(finding: &Value) -> &str {
    finding["what"].as_str().expect("a text")
}

#[test]
fn a_healthy_application_ends_with_0_and_says_what_was_examined() {
    let report = Start::new().report();
    assert_eq!(report.codes(), [""; 0]);
    assert_eq!(
        (report.exit_code, &report.document["exit_code"]),
        (0, &Value::from(0))
    );
    assert_eq!(report.document["environment"], "production");
    let examined = report.document["examined"].as_array().expect("a list");
    assert_eq!(
        examined[0],
        "settings of production, one process, no platform that is known"
    );
    assert_eq!(
        examined[1],
        "sessions embedded (by default), cache memory (by default), streams memory (by default)"
    );
}

#[test]
fn an_application_with_variables_that_cannot_be_used_is_examined_all_the_same() {
    let report = Start::new()
        .with(&[
            ("SINEW_LISTEN", "3000"),
            ("SINEW_NODES", "many"),
            ("SINEW_SECRET", "hunter2"),
        ])
        .report();
    assert_eq!(
        report.codes(),
        [
            "secret-weak",
            "setting-invalid",
            "setting-invalid",
            "secret-missing"
        ]
    );
    assert_eq!(report.exit_code, 2);
    let listen = report.finding("setting-invalid");
    assert_eq!(listen["subject"], "SINEW_LISTEN");
    assert_eq!(
        listen["fix"],
        "set SINEW_LISTEN to an address and a port, such as `0.0.0.0:3000`, or unset it"
    );
    assert!(!report.document.to_string().contains("hunter2"));
}

#[test]
fn what_would_not_start() {
    let report = Start::new().without("SINEW_SECRET").report();
    assert_eq!(report.codes(), ["secret-missing"]);
    assert!(
        report.findings()[0]["fix"]
            .as_str()
            .expect("a text")
            .contains("openssl rand -hex 32")
    );

    let report = Start::new()
        .with(&[("SINEW_DATA_DIR", "/proc/self/data")])
        .report();
    assert_eq!(report.codes(), ["data-unwritable"]);
    assert!(
        what(&report.findings()[0])
            .starts_with("the data directory /proc/self/data cannot be written (")
    );

    let report = Start::new().with(&[(CHILD, "two of a kind")]).report();
    assert_eq!(report.codes(), ["start-refused"]);
    assert!(
        what(&report.findings()[0]).ends_with("or register it once"),
        "{}",
        report.document
    );
    assert_eq!(report.exit_code, 2);
}

#[tokio::test]
async fn an_address_that_is_taken_by_a_stranger_and_by_itself() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let stranger = taken.local_addr().expect("bound").to_string();
    // A stranger who says nothing is given up.
    let examine = |address: String| {
        tokio::task::spawn_blocking(move || {
            let variables = [("SINEW_LISTEN", address.as_str())];
            let report = Start::new().with(&variables).report();
            (report.exit_code, report.finding("port-in-use").clone())
        })
    };
    let (exit_code, finding) = examine(stranger.clone()).await.expect("no panic");
    assert_eq!(
        (exit_code, what(&finding)),
        (2, format!("something else listens at {stranger}").as_str())
    );
    let server = Server::start(counter()).await;
    let (exit_code, finding) = examine(server.address.to_string()).await.expect("no panic");
    assert_eq!(
        (exit_code, &finding["severity"]),
        (0, &Value::from("notice"))
    );
}

/// The application may run meanwhile: nothing of its data is opened or changed.
#[test]
fn an_examination_leaves_the_data_directory_as_it_is() {
    let data = tempfile::tempdir().expect("a directory");
    let folder = data.path().join("shop/data");
    let report = Start::new()
        .with(&[("SINEW_DATA_DIR", &folder.display().to_string())])
        .report();
    assert_eq!(report.exit_code, 0);
    assert_eq!(std::fs::read_dir(data.path()).expect("readable").count(), 0);
}

#[test]
fn what_platforms_need() {
    let development = [
        ("SINEW_ENV", "development"),
        ("DYNO", "web.1"),
        ("SINEW_LISTEN", "0.0.0.0:0"),
    ];
    let report = Start::new().with(&development).report();
    assert_eq!(report.codes(), ["development-exposed"]);
    assert_eq!(
        what(&report.findings()[0]),
        "the environment is development, on Heroku"
    );

    let report = Start::new().with(&[("RENDER", "true")]).report();
    assert_eq!(report.codes(), ["listens-on-loopback"]);
    assert_eq!(report.exit_code, 1);

    let ignored = OF_THE_MACHINE.replace(",ephemeral-data", "");
    let heroku = [
        ("DYNO", "web.1"),
        ("SINEW_LISTEN", "0.0.0.0:0"),
        ("SINEW_DOCTOR_IGNORE", &ignored),
    ];
    let report = Start::new().with(&heroku).report();
    // Where the directory is in memory by itself, that is what is said.
    assert!(
        report.codes() == ["ephemeral-data"] || report.codes() == [""; 0],
        "{}",
        report.document
    );
}

/// The file system of a container, made with the means of one.
#[cfg(target_os = "linux")]
#[test]
fn data_within_a_container() {
    let folder = tempfile::tempdir().expect("a directory");
    let script = "cd \"$LAYERS\" && mkdir lower upper work data && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work data && exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
    ]);
    let data = folder.path().join("data");
    let report = Start::by(unshare)
        .with(&[
            ("LAYERS", &folder.path().display().to_string()),
            ("SINEW_DATA_DIR", &data.display().to_string()),
            (
                "SINEW_DOCTOR_IGNORE",
                &OF_THE_MACHINE.replace(",ephemeral-data", ""),
            ),
        ])
        .report();
    assert_eq!(report.codes(), ["ephemeral-data"]);
    assert!(
        report.findings()[0]["fix"]
            .as_str()
            .expect("a text")
            .starts_with("mount a volume")
    );
}

#[test]
fn several_processes_that_share_nothing() {
    let report = Start::new().with(&[("SINEW_NODES", "3")]).report();
    assert_eq!(
        report.codes(),
        [
            "sessions-not-shared",
            "streams-not-shared",
            "cache-not-shared"
        ]
    );
    assert_eq!(report.exit_code, 2);
    let finding = report.finding("sessions-not-shared");
    assert_eq!(
        what(finding),
        "SINEW_NODES=3, and each keeps sessions in its data directory"
    );

    let second = [("DYNO", "web.2"), ("SINEW_LISTEN", "0.0.0.0:0")];
    let report = Start::new().with(&second).report();
    assert_eq!(
        report.codes(),
        [
            "sessions-not-shared",
            "streams-not-shared",
            "cache-not-shared"
        ]
    );
    let sentence =
        "this is process 2 of the application on Heroku, and broadcasts stay within each";
    assert_eq!(what(report.finding("streams-not-shared")), sentence);
    // Who says how many there are is believed.
    let report = Start::new()
        .with(&second)
        .with(&[("SINEW_NODES", "1")])
        .report();
    assert_eq!(report.codes(), [""; 0]);
}

#[test]
fn addresses_that_contradict_each_other() {
    for (variables, expected) in [
        (
            &[("SINEW_URL", "http://shop.example.com")][..],
            &["url-insecure"][..],
        ),
        (&[("SINEW_URL", "")], &["url-unset"]),
        (
            &[("SINEW_ALLOWED_ORIGINS", "https://example.org")],
            &["url-origin-refused"],
        ),
        (&[("SINEW_ALLOWED_ORIGINS", "*.example.com")], &[]),
        (&[("SINEW_COOKIE_DOMAIN", "example.com")], &[]),
        (
            &[("SINEW_COOKIE_DOMAIN", "example.org")],
            &["cookie-domain"],
        ),
        (
            &[("SINEW_CABLE_URL", "wss://cable.example.com/cable")],
            &["cookie-domain"],
        ),
        (
            &[
                ("SINEW_CABLE_URL", "wss://cable.example.com/cable"),
                ("SINEW_COOKIE_DOMAIN", "example.com"),
            ],
            &[],
        ),
        (
            &[
                ("SINEW_CABLE_URL", "wss://cable.example.org/cable"),
                ("SINEW_COOKIE_DOMAIN", "example.com"),
            ],
            &["cookie-domain"],
        ),
        (
            &[("SINEW_CABLE_URL", "ws://shop.example.com/cable")],
            &["cable-insecure"],
        ),
        (&[("SINEW_CABLE_URL", "/socket")], &[]),
    ] {
        let report = Start::new().with(variables).report();
        assert_eq!(report.codes(), expected, "{variables:?}");
    }
}

#[test]
fn fewer_descriptors_than_connections() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -n 1000; exec "$@""#, "sh"]);
    let report = Start::by(shell)
        .with(&[
            ("SINEW_CONNECTIONS_MAX", "2000"),
            (
                "SINEW_DOCTOR_IGNORE",
                &OF_THE_MACHINE.replace("few-descriptors,", ""),
            ),
        ])
        .report();
    assert_eq!(report.codes(), ["few-descriptors"]);
    let sentence = "this process may hold 1000 files and sockets at a time, and SINEW_CONNECTIONS_MAX=2000 needs 2128";
    assert_eq!(what(&report.findings()[0]), sentence);
    assert!(
        report.findings()[0]["fix"]
            .as_str()
            .expect("a text")
            .contains("`ulimit -n 2128`")
    );
}

/// The system's own bound, of a network of the child's own.
#[cfg(target_os = "linux")]
#[test]
fn a_queue_that_the_system_cuts_short() {
    let script = r#"ip link set lo up && echo 16 > /proc/sys/net/core/somaxconn && exec "$@""#;
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        script,
        "sh",
    ]);
    let ignored = OF_THE_MACHINE.replace("short-backlog,", "");
    let report = Start::by(unshare)
        .with(&[("SINEW_DOCTOR_IGNORE", &ignored)])
        .report();
    assert_eq!(report.codes(), ["short-backlog"]);
    assert_eq!(report.exit_code, 0, "{}", report.document);
    let finding = &report.findings()[0];
    let wanted = sinew::Config::default().edge.server.backlog;
    let sentence = format!(
        "the system keeps 16 waiting connections (net.core.somaxconn), and the application asks for {wanted}"
    );
    assert_eq!(what(finding), sentence);
    let fix = finding["fix"].as_str().expect("a text");
    assert!(fix.starts_with(&format!("`sysctl -w net.core.somaxconn={wanted}`")));
}

#[test]
fn what_is_meant_is_ignored_by_its_code() {
    let open = [("SINEW_ALLOWED_ORIGINS", "*")];
    assert_eq!(Start::new().with(&open).report().codes(), ["any-origin"]);
    let ignored = format!("{OF_THE_MACHINE},any-origin,any-colour");
    let report = Start::new()
        .with(&open)
        .with(&[("SINEW_DOCTOR_IGNORE", &ignored)])
        .report();
    assert_eq!(report.codes(), ["unknown-code"]);
    let ignored = report.document["ignored"].as_array().expect("a list");
    assert!(
        ignored.contains(&"any-origin".into()),
        "{}",
        report.document
    );
}

#[test]
fn a_person_reads_paragraphs() {
    let start = Start::new().with(&[("SINEW_DOCTOR", "1"), ("SINEW_ALLOWED_ORIGINS", "*")]);
    let output = start.run();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let paragraph = "\nwarning: the origin check is off [any-origin]\n  about  SINEW_ALLOWED_ORIGINS\n  why    any web page can open a socket with its visitor's session\n  fix    set SINEW_ALLOWED_ORIGINS to";
    assert!(said.contains(paragraph), "{said}");
    assert!(
        said.ends_with("\nsinew doctor: 0 errors, 1 warning, 0 notices\n"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");

    let output = Start::new().with(&[("SINEW_DOCTOR", "please")]).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("SINEW_DOCTOR") && said.contains("`1`, `json` or `0`"),
        "{said}"
    );
    assert!(!output.status.success());
}

/// In the background, so that a server that is away holds nobody up.
#[cfg(feature = "redis")]
#[test]
fn a_start_asks_its_servers_and_serves_meanwhile() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    use crate::process::Process;

    let server = test_servers::RedisServer::options()
        .config("maxmemory 64mb")
        .config("maxmemory-policy allkeys-lru")
        .start();
    let mut start = Start::new()
        .without("SINEW_DOCTOR")
        .with(&[("SINEW_JOBS_REDIS_URL", &server.url()), ("NO_COLOR", "1")]);
    let mut child = start
        .command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let _process = Process(child);
    let (mut listens, mut found) = (false, false);
    for line in lines.map_while(Result::ok) {
        listens |= line.contains("listening on http://");
        found |= line.contains("ERROR") && line.contains("code=\"redis-evicts-jobs\"");
        if listens && found {
            return;
        }
    }
    panic!("it ended; listening: {listens}, the finding: {found}");
}

#[cfg(feature = "tls")]
#[test]
fn certificates_that_end() {
    let folder = tempfile::tempdir().expect("a directory");
    let files = ["cert.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    let variables = [
        ("SINEW_TLS_CERTIFICATE", files[0].as_str()),
        ("SINEW_TLS_KEY", &files[1]),
    ];
    let report = Start::new().with(&variables).report();
    assert_eq!(report.codes(), ["certificate-unusable"]);
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 60 * 60);
    let now = std::time::SystemTime::now();
    for (ends, expected) in [
        (now - days(1), Some(("error", 2))),
        (now + days(7), Some(("warning", 1))),
        (now + days(30), None),
    ] {
        let mut params = rcgen::CertificateParams::new(["example.com".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = ends.into();
        let key = rcgen::KeyPair::generate().expect("random");
        let certificate = params.self_signed(&key).expect("made");
        std::fs::write(&files[0], certificate.pem()).expect("written");
        std::fs::write(&files[1], key.serialize_pem()).expect("written");
        let report = Start::new().with(&variables).report();
        match expected {
            Some((severity, exit_code)) => {
                assert_eq!(report.finding("certificate-expires")["severity"], severity);
                assert_eq!(report.exit_code, exit_code);
            }
            None => assert_eq!(report.codes(), [""; 0]),
        }
    }
}

/// As every program is that does not ask for the feature.
#[cfg(not(feature = "redis"))]
#[test]
fn redis_that_was_left_out_of_the_program() {
    let url = "redis://:hunter2@redis.example.com";
    let report = Start::new().with(&[("REDIS_URL", url)]).report();
    assert_eq!(report.codes(), ["redis-not-built-in"]);
    assert_eq!(report.exit_code, 0, "it may be there for something else");
    assert_eq!(
        what(report.finding("redis-not-built-in")),
        "REDIS_URL is set, and this program was built without Redis"
    );
    // Who says where things are kept needs no more.
    let said = [
        ("REDIS_URL", url),
        ("SINEW_SESSION_STORE", "embedded"),
        ("SINEW_CACHE_STORE", "memory"),
        ("SINEW_STREAMS", "memory"),
    ];
    assert_eq!(Start::new().with(&said).report().codes(), [""; 0]);

    // Nothing but a store reads these.
    let own = [
        ("SINEW_SESSION_REDIS_URL", url),
        ("SINEW_REDIS_TLS", "system"),
    ];
    let report = Start::new().with(&own).report();
    assert_eq!(report.codes(), ["redis-not-built-in"]);
    assert_eq!(report.exit_code, 1);
    let finding = report.finding("redis-not-built-in");
    assert_eq!(
        what(finding),
        "SINEW_REDIS_TLS, SINEW_SESSION_REDIS_URL are set, and this program was built without Redis"
    );
    assert_eq!(
        finding["fix"],
        "`cargo add sinew --features redis` and build again, or unset what is not meant"
    );
    assert!(!report.document.to_string().contains("hunter2"));

    let named = [("SINEW_SESSION_STORE", "redis"), ("REDIS_URL", url)];
    refuses_to_start(&named, "redis-not-built-in", "SINEW_SESSION_STORE");
}

#[cfg(not(feature = "postgres"))]
#[test]
fn postgresql_that_was_left_out_of_the_program() {
    // It is the application's own.
    let url = "postgres://ada:hunter2@db.example.com/shop";
    let report = Start::new().with(&[("DATABASE_URL", url)]).report();
    assert_eq!(report.codes(), [""; 0]);
    let report = Start::new().with(&[("SINEW_DATABASE_URL", url)]).report();
    assert_eq!(report.codes(), ["postgres-not-built-in"]);
    assert_eq!(report.exit_code, 1);
    assert_eq!(
        what(report.finding("postgres-not-built-in")),
        "SINEW_DATABASE_URL is set, and this program was built without PostgreSQL"
    );
    // Broadcasts would be there too, and the one variable has said so.
    for variable in ["SINEW_SESSION_STORE", "SINEW_CACHE_STORE", "SINEW_STREAMS"] {
        let named = [(variable, "postgres"), ("DATABASE_URL", url)];
        refuses_to_start(&named, "postgres-not-built-in", variable);
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_that_was_left_out_of_the_program() {
    let files = [
        ("SINEW_TLS_CERTIFICATE", "/etc/shop/cert.pem"),
        ("SINEW_TLS_KEY", "/etc/shop/key.pem"),
    ];
    refuses_to_start(&files, "tls-not-built-in", "SINEW_TLS_CERTIFICATE");
}

/// What the doctor calls an error keeps the application from starting, which says so in its own words.
#[cfg(not(all(feature = "redis", feature = "postgres", feature = "tls")))]
#[track_caller]
fn refuses_to_start(variables: &[(&str, &str)], code: &str, subject: &str) {
    let report = Start::new().with(variables).report();
    assert_eq!(report.codes(), [code]);
    assert_eq!(report.exit_code, 2);
    assert_eq!(report.finding(code)["subject"], subject);
    let start = Start::new().with(variables).without("SINEW_DOCTOR");
    let output = start.run();
    assert!(!output.status.success());
    let said = format!("{output:?}");
    assert!(said.contains("this program was built without"), "{said}");
}

#[test]
fn every_kind_has_a_name_of_its_own_and_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = [
        "tests/it/doctor.rs",
        "tests/it/findings.rs",
        "src/doctor/redis/tests.rs",
        "src/doctor/postgres/tests.rs",
    ];
    let tests = tests
        .map(|file| std::fs::read_to_string(folder.join(file)).expect("readable"))
        .concat();
    let mut codes: Vec<_> = KINDS.iter().map(|kind| kind.code).collect();
    let is_tested = |code: &&&str| {
        // As a text, behind a sentence, or as a field of the log, where the quotes are escaped.
        let forms = [
            format!("\"{code}\""),
            format!("[{code}]"),
            format!("=\\\"{code}\\\""),
        ];
        forms.iter().any(|form| tests.contains(form))
    };
    let untested: Vec<_> = codes.iter().filter(|code| !is_tested(code)).collect();
    assert_eq!(untested, Vec::<&&str>::new());
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), KINDS.len());
    let is_good = |code: &str| {
        code.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    assert!(codes.iter().all(|code| is_good(code)));
}

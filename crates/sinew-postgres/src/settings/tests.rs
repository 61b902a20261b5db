use proptest::prelude::*;

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<PostgresSettings>, PostgresSettingsError> {
    PostgresSettings::from_lookup(|name| {
        let found = variables.iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| value.to_string())
    })
}

const URL: &str = "postgres://ada:secret@db.example.com/app";

#[test]
fn nothing_is_set() {
    assert!(read(&[]).unwrap().is_none());
    assert!(read(&[("DATABASE_URL", "  ")]).unwrap().is_none());
}

#[test]
fn the_own_variable_comes_first() {
    let settings = read(&[
        ("DATABASE_URL", URL),
        ("SINEW_DATABASE_URL", "postgres://b/c"),
    ]);
    let settings = settings.unwrap().unwrap();
    assert_eq!(settings.variable(), "SINEW_DATABASE_URL");
    assert_eq!(settings.to_string(), "postgres://b:5432/c");
}

#[test]
fn every_variable_is_read() {
    let settings = read(&[
        ("SINEW_DATABASE_URL", URL),
        ("SINEW_DATABASE_SSLMODE", "verify-ca"),
        ("SINEW_DATABASE_CA_FILE", "/ca.pem"),
        ("SINEW_DATABASE_POOL_SIZE", "3"),
        ("SINEW_DATABASE_CONNECT_TIMEOUT_MS", "4"),
        ("SINEW_DATABASE_STATEMENT_TIMEOUT_MS", "5"),
        ("SINEW_DATABASE_HEALTH_INTERVAL_MS", "6"),
        ("SINEW_DATABASE_SCHEMA", "shop"),
        ("SINEW_DATABASE_TABLE_PREFIX", "web_"),
        ("SINEW_DATABASE_MIGRATE", "off"),
        ("SINEW_DATABASE_CACHE_BYTES_MAX", "7"),
        ("SINEW_DATABASE_LISTEN_URL", "postgres://ada:hunter2@d/app"),
    ]);
    let shown = format!("{:?}", settings.unwrap().unwrap());
    assert_eq!(
        shown,
        "PostgresSettings { url: \"postgres://db.example.com:5432/app\", \
         has_listen_url: true, variable: \"SINEW_DATABASE_URL\", schema: \"shop\", table_prefix: \"web_\", \
         pool_size: 3, connect_timeout: 4ms, statement_timeout: 5ms, health_interval: 6ms, \
         ssl_mode: VerifyCa, ca_file: Some(\"/ca.pem\"), migrate: false, cache_bytes_max: 7 }"
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    for (variable, value) in [
        ("SINEW_DATABASE_SSLMODE", "yes"),
        ("SINEW_DATABASE_POOL_SIZE", "0"),
        ("SINEW_DATABASE_POOL_SIZE", "1025"),
        ("SINEW_DATABASE_CONNECT_TIMEOUT_MS", "0"),
        ("SINEW_DATABASE_STATEMENT_TIMEOUT_MS", "600001"),
        ("SINEW_DATABASE_HEALTH_INTERVAL_MS", "1s"),
        ("SINEW_DATABASE_SCHEMA", "Shop"),
        ("SINEW_DATABASE_SCHEMA", "1a"),
        ("SINEW_DATABASE_TABLE_PREFIX", "a\"; drop table"),
        ("SINEW_DATABASE_MIGRATE", "yes"),
        ("SINEW_DATABASE_CACHE_BYTES_MAX", "1 GiB"),
    ] {
        let refused = read(&[("DATABASE_URL", URL), (variable, value)]);
        let said = refused.unwrap_err().to_string();
        assert!(
            said.starts_with(&format!("{variable} is `{value}`, expected ")),
            "{said}"
        );
    }
}

#[test]
fn parameters_of_a_url() {
    let settings = PostgresSettings::from_url(
        "postgres://ada@/app?sslmode=require&sslrootcert=/a%20b.pem&pool=5&host=%2Frun&encoding=utf8",
    )
    .unwrap();
    assert_eq!(settings.ssl_mode, PostgresSslMode::Require);
    assert_eq!(settings.ca_file.as_deref(), Some("/a b.pem".as_ref()));
    assert_eq!(settings.hosts(), ["/run"]);
    // A socket on this machine is not encrypted, whatever the mode.
    let mode = settings.target().get_ssl_mode();
    assert_eq!(mode, tokio_postgres::config::SslMode::Disable);
}

#[test]
fn the_server_is_told_its_bounds() {
    let mut settings = PostgresSettings::from_url("postgres://a/b?options=-c%20x=y").unwrap();
    settings.statement_timeout = Duration::from_millis(70);
    assert_eq!(
        settings.target().get_options(),
        Some("-c x=y -c statement_timeout=70 -c default_transaction_isolation=read\\ committed")
    );
}

#[test]
fn silent_connections_are_looked_after() {
    let idle = |url| {
        PostgresSettings::from_url(url)
            .unwrap()
            .target()
            .get_keepalives_idle()
    };
    assert_eq!(idle("postgres://a/b"), KEEPALIVES_IDLE);
    assert_eq!(
        idle("postgres://a/b?keepalives_idle=9"),
        Duration::from_secs(9)
    );
}

#[test]
fn urls_that_are_none() {
    for url in [
        "",
        "mysql://ada:secret@db/app",
        "host=db password=secret",
        "postgres://ada:secret@db:port/app",
        "postgres://ada:secret@db/app?sslmode=secret",
        "postgres://ada:secret@db/app?secret",
        "postgres:///app",
        "postgres://ada:se/cret@db/secret?host=",
    ] {
        let said = match PostgresSettings::from_url(url) {
            Ok(settings) => settings.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(!said.contains("secret@") && !said.contains("ada"), "{said}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_no_password_is_told(
        password in "[a-zA-Z0-9%@:/?#&= ]{6,20}",
        rest in r"[a-z0-9.:/?&=%,\[\]@-]{0,30}",
    ) {
        let password = format!("pass-{password}-word");
        let url = format!("postgres://ada:{password}@{rest}");
        if let Err(error) = PostgresSettings::from_url(&url) {
            let said = format!("{error} {error:?}");
            prop_assert!(!said.contains("pass-"));
        }
    }
}

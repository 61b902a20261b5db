//! Each fault set up for real, on a private server.

use sinew_postgres::{Postgres, PostgresSettings};
use test_servers::PostgresServer;

use super::Database;
use crate::doctor::{Finding, Severity};

async fn found(variables: &[(&str, &str)]) -> Vec<Finding> {
    let database = Database::from_lookup(|name| {
        let variable = variables.iter().find(|(known, _)| *known == name)?;
        Some(variable.1.to_owned())
    });
    database.examine(true).await.1
}

async fn codes(variables: &[(&str, &str)]) -> Vec<(&'static str, Severity)> {
    let chosen = [variables, &[("SINEW_SESSION_STORE", "postgres")]].concat();
    let findings = found(&chosen).await.into_iter();
    findings
        .map(|finding| (finding.code, finding.severity))
        .collect()
}

#[tokio::test]
async fn a_database_with_its_tables_has_no_findings() {
    let server = PostgresServer::start();
    let url = server.url();
    let settings = PostgresSettings::from_url(&url).expect("a URL");
    let postgres = Postgres::connect_lazily(settings).expect("no certificates");
    postgres.migrate().await.expect("its user may");
    assert_eq!(codes(&[("DATABASE_URL", &url)]).await, []);
    // Nobody has said that it is for the stores.
    assert_eq!(
        found(&[("DATABASE_URL", "postgres://nowhere/app")]).await,
        []
    );
}

#[tokio::test]
async fn tables_that_are_missing() {
    let server = PostgresServer::start();
    let url = server.url();
    assert_eq!(
        codes(&[("DATABASE_URL", &url)]).await,
        [("postgres-tables", Severity::Notice)]
    );
    let by_hand = [
        ("DATABASE_URL", url.as_str()),
        ("SINEW_DATABASE_MIGRATE", "off"),
    ];
    assert_eq!(
        codes(&by_hand).await,
        [("postgres-tables", Severity::Error)]
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_or_keeps_us_out() {
    let mut server = PostgresServer::start();
    let url = server.url();
    let wrong = url.replace(server.password(), "mistyped");
    let variables = [
        ("DATABASE_URL", wrong.as_str()),
        ("SINEW_CACHE_STORE", "postgres"),
    ];
    let findings = found(&variables).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, "postgres-denied");
    assert!(!format!("{findings:?}").contains("mistyped"));
    server.freeze();
    assert_eq!(
        codes(&[("DATABASE_URL", &url)]).await,
        [("postgres-unreachable", Severity::Error)]
    );
    server.thaw();
    server.stop();
    assert_eq!(
        codes(&[("DATABASE_URL", &url)]).await,
        [("postgres-unreachable", Severity::Error)]
    );
}

/// `127.1` is a name to whoever reads it, and 127.0.0.1 to the system.
#[tokio::test]
async fn another_machine_without_tls() {
    let server = PostgresServer::start();
    let url = server.url().replace("127.0.0.1", "127.1");
    assert_eq!(
        codes(&[("DATABASE_URL", &url)]).await[0],
        ("postgres-plain", Severity::Warning)
    );
}

#[tokio::test]
async fn a_store_without_an_address() {
    assert_eq!(codes(&[]).await, [("setting-invalid", Severity::Error)]);
    let findings = found(&[
        ("SINEW_SESSION_STORE", "postgres"),
        (
            "SINEW_DATABASE_URL",
            "postgres://ada:mistyped@host:port/app",
        ),
    ])
    .await;
    assert_eq!(findings[0].code, "setting-invalid");
    assert!(!format!("{findings:?}").contains("mistyped"));
}

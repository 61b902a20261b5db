//! What is encrypted, and whose certificate is believed.

use sinew_postgres::{
    Postgres, PostgresError, PostgresErrorKind, PostgresSettingsError, PostgresSslMode,
};
use test_servers::PostgresServer;

use crate::database::{Database, settings};

struct Attempt<'a> {
    url: &'a str,
    mode: PostgresSslMode,
    ca_file: Option<&'a std::path::Path>,
}

impl Attempt<'_> {
    async fn run(&self) -> Result<(), PostgresError> {
        let mut settings = settings(self.url);
        settings.ssl_mode = self.mode;
        settings.ca_file = self.ca_file.map(Into::into);
        Postgres::connect_lazily(settings).unwrap().migrate().await
    }
}

/// Connections of the database's users that are encrypted now, and those that are not.
async fn connections(database: &Database) -> (i64, i64) {
    let sql = "select count(*) filter (where ssl), count(*) filter (where not ssl)
        from pg_stat_ssl join pg_stat_activity using (pid)
        where application_name = 'sinew' and datname = current_database()";
    let row = database.admin.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn certificates_are_verified_as_the_mode_says() {
    use PostgresSslMode::{Prefer, Require, VerifyCa, VerifyFull};

    let database = Database::create().await;
    let authority = database.server.ca_file();
    // Another server's authority, which did not sign.
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stranger = folder.path().join("ca.pem");
    std::fs::write(&stranger, other.cert.pem()).unwrap();
    // The certificate is of localhost and 127.0.0.1; this is another name of the same host.
    let renamed = database.url.replace("127.0.0.1", "127.0.0.1.nip.invalid");
    let renamed = renamed + "?hostaddr=127.0.0.1";
    let url = database.url.as_str();

    for (url, mode, ca_file, expected) in [
        (url, VerifyFull, Some(&authority), true),
        (url, VerifyFull, Some(&stranger), false),
        (&renamed, VerifyFull, Some(&authority), false),
        (&renamed, VerifyCa, Some(&authority), true),
        (&renamed, VerifyCa, Some(&stranger), false),
        (url, Require, Some(&stranger), false),
        (url, Require, Some(&authority), true),
        (url, Require, None, true),
        (url, Prefer, None, true),
    ] {
        let ca_file = ca_file.map(|file| file.as_path());
        let done = Attempt { url, mode, ca_file }.run().await;
        assert_eq!(done.is_ok(), expected, "{mode:?} {ca_file:?}: {done:?}");
        if let Err(error) = done {
            assert_eq!(error.kind(), PostgresErrorKind::Unavailable);
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    }
}

#[tokio::test]
async fn what_is_encrypted() {
    let database = Database::create().await;
    for (mode, expected) in [
        (PostgresSslMode::Disable, (0, 1)),
        (PostgresSslMode::Prefer, (1, 0)),
        (PostgresSslMode::Require, (1, 0)),
    ] {
        let mut settings = database.settings();
        settings.ssl_mode = mode;
        let postgres = Postgres::connect_lazily(settings).unwrap();
        let mut watch = postgres.watch();
        watch
            .wait_for(|status| status.is_available())
            .await
            .unwrap();
        assert_eq!(connections(&database).await, expected, "{mode:?}");
        drop((postgres, watch));
        while connections(&database).await != (0, 0) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_and_its_socket_is_not() {
    let server = PostgresServer::start();
    let mut required = settings(&server.url());
    required.ssl_mode = PostgresSslMode::Require;
    let error = Postgres::connect_lazily(required).unwrap().migrate().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), PostgresErrorKind::Unavailable);
    assert!(error.to_string().contains("TLS"), "{error}");

    let url = format!(
        "postgres://postgres@/postgres?host={}&port={}&sslmode=require",
        server.socket_directory().display(),
        server.port()
    );
    let postgres = Postgres::connect_lazily(settings(&url)).unwrap();
    postgres.migrate().await.unwrap();
}

#[test]
fn a_file_of_authorities_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for content in [None, Some(""), Some("no certificate")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let mut settings = settings("postgres://db/app");
        settings.ssl_mode = PostgresSslMode::VerifyFull;
        settings.ca_file = Some(file.clone());
        let refused = Postgres::connect_lazily(settings).unwrap_err();
        assert!(
            matches!(refused, PostgresSettingsError::CaFile { .. }),
            "{refused}"
        );
    }
}

//! TLS: who is believed.

mod cluster;
mod sentinel;

use std::fs;
use std::path::{Path, PathBuf};

use sinew_redis::{Redis, RedisErrorKind, RedisSettingsError, RedisStatus, RedisTls};
use tempfile::TempDir;
use test_servers::{Authority, RedisOptions, RedisServer};

use crate::{set, settings, wait_for};

fn connect(server: &RedisServer, tls: RedisTls) -> Result<Redis, RedisSettingsError> {
    let mut settings = settings(&server.url());
    settings.tls = tls;
    Redis::connect_lazily(settings)
}

/// Whoever an authority of this file has signed is believed.
fn believing(authorities: &Path, url: &str) -> Redis {
    let mut settings = settings(url);
    settings.tls = RedisTls::CaFile(authorities.to_owned());
    Redis::connect_lazily(settings).unwrap()
}

/// Why nothing can be written; nothing else but an address and the certificate is to blame.
async fn refusal(redis: &Redis, key: &str) -> String {
    let error = set(redis, key, "value").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
    assert!(!error.was_sent(), "{error}");
    assert!(
        error.to_string().contains("invalid peer certificate: "),
        "{error}"
    );
    error.to_string()
}

/// Two authorities whose servers believe both.
struct Pair {
    one: Authority,
    other: Authority,
    directory: TempDir,
}

impl Pair {
    fn new() -> Self {
        let (one, other) = (Authority::new(), Authority::new());
        let directory = tempfile::tempdir().unwrap();
        let pem = |authority: &Authority| fs::read_to_string(authority.ca_file()).unwrap();
        let both = pem(&one) + &pem(&other);
        fs::write(directory.path().join("both.crt"), both).unwrap();
        Self {
            one,
            other,
            directory,
        }
    }

    fn both(&self) -> PathBuf {
        self.directory.path().join("both.crt")
    }

    /// A server that one of them has signed.
    fn server(&self, signed_by: &Authority) -> RedisOptions {
        let believes = format!("tls-ca-cert-file {}", self.both().display());
        RedisServer::options().tls_by(signed_by).config(&believes)
    }
}

#[tokio::test]
async fn the_authority_of_a_file_is_believed() {
    let server = RedisServer::options().tls().password("secret").start();
    let redis = connect(&server, RedisTls::CaFile(server.ca_file())).unwrap();
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(server.command(&["GET", "key"]), "value");
}

#[tokio::test]
async fn without_its_authority_a_server_is_refused() {
    let server = RedisServer::options().tls().start();
    let other = RedisServer::options().tls().start();
    let redis = connect(&server, RedisTls::CaFile(other.ca_file())).unwrap();
    let error = set(&redis, "key", "value").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
    assert!(error.to_string().contains("certificate"), "{error}");
    wait_for(&redis, RedisStatus::Away).await;
    assert_eq!(server.command(&["GET", "key"]), "");
}

#[tokio::test]
async fn unverified_believes_everybody() {
    let server = RedisServer::options().tls().start();
    let redis = connect(&server, RedisTls::Unverified).unwrap();
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(server.command(&["GET", "key"]), "value");
}

#[tokio::test]
async fn plain_text_gets_no_answer_from_a_server_with_tls() {
    let server = RedisServer::options().tls().start();
    let redis = crate::connect(&format!("redis://127.0.0.1:{}", server.port()));
    let error = set(&redis, "key", "value").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
}

#[test]
fn a_file_that_is_none_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |content: Option<&str>| {
        let file = directory.path().join("ca.pem");
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let mut settings = settings("rediss://127.0.0.1");
        settings.tls = RedisTls::CaFile(file);
        Redis::connect_lazily(settings).unwrap_err().to_string()
    };
    assert!(refused(None).contains("ca.pem, which cannot be used: "));
    assert!(refused(Some("nothing")).contains("it holds no certificate"));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(refused(Some(broken)).starts_with("SINEW_REDIS_TLS names "));
    assert!(refused(Some(&"x".repeat((1 << 20) + 1))).contains("larger than 1 MiB"));
}

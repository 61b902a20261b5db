//! TLS: who is believed.

use sinew_redis::{Redis, RedisErrorKind, RedisSettingsError, RedisStatus, RedisTls};
use test_servers::RedisServer;

use crate::{set, settings, wait_for};

fn connect(server: &RedisServer, tls: RedisTls) -> Result<Redis, RedisSettingsError> {
    let mut settings = settings(&server.url());
    settings.tls = tls;
    Redis::connect_lazily(settings)
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

//! TLS that ends in the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sinew_cable::{Application, Cable, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::server::{Tls, TlsFiles};
use sinew_web::{
    CableEndpoint, Effective, Server, ServerConfig, TrustedProxies, forwarded::Direct,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::http::{REQUEST, answer_to, expect_closed};

/// A certificate in two files, and whom a browser must trust for it.
struct Authority {
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("cert.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    /// Writes another certificate.
    fn renew(&self) -> CertificateDer<'static> {
        let made: CertifiedKey<KeyPair> =
            rcgen::generate_simple_self_signed(["example.com".to_owned()]).expect("a certificate");
        let files = self.files();
        std::fs::write(files.certificate, made.cert.pem()).expect("writes");
        std::fs::write(files.key, made.signing_key.serialize_pem()).expect("writes");
        made.cert.der().clone()
    }
}

/// What a browser sees, and a cable.
fn router() -> Router {
    let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .build()
        .expect("fresh streams");
    let endpoint = CableEndpoint::new(cable);
    Router::new()
        .route(
            "/",
            get(async |request: Request| {
                let (parts, _) = request.into_parts();
                TrustedProxies::none()
                    .effective(&Direct::of(&parts))
                    .origin()
            }),
        )
        .route(
            "/cable",
            any(async move |effective: Effective, request: Request| {
                endpoint.upgrade(request, &effective)
            }),
        )
}

/// A server that accepts on a port of its own.
async fn start(tls: Tls, config: ServerConfig) -> (Server, SocketAddr) {
    let server = Server::new(router()).config(config).tls(tls);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    let accepts = server.clone();
    tokio::spawn(async move { accepts.accept(&listener, std::future::pending()).await });
    (server, address)
}

async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("example.com").expect("a name");
    let socket = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
}

#[tokio::test]
async fn pages_and_the_cable_come_encrypted() {
    let authority = Authority::new();
    let certificate = authority.renew();
    let tls = Tls::from_files(authority.files()).expect("good files");
    let (server, address) = start(tls, ServerConfig::default()).await;

    let mut browser = connect(address, &certificate).await.expect("trusted");
    let (_, session) = browser.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
    let request = b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n";
    let answer = answer_to(&mut browser, request).await;
    assert!(answer.ends_with("https://example.com"), "{answer}");

    let mut socket = connect(address, &certificate).await.expect("trusted");
    let upgrade = b"GET /cable HTTP/1.1\r\nhost: example.com\r\nconnection: Upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade).await.expect("open");
    let mut read = Vec::new();
    while !read.ends_with(br#"{"type":"welcome"}"#) {
        read.push(socket.read_u8().await.expect("up to the welcome"));
    }
    assert!(read.starts_with(b"HTTP/1.1 101 "));
    assert_eq!(server.admission().statistics().tls_failures, 0);
}

#[tokio::test]
async fn a_renewed_certificate_is_presented_to_who_comes_after() {
    let authority = Authority::new();
    let before = authority.renew();
    let tls = Tls::from_files(authority.files()).expect("good files");
    let (_server, address) = start(tls.clone(), ServerConfig::default()).await;
    let mut earlier = connect(address, &before).await.expect("trusted");

    // Broken for a moment, as a file that is being written is: nothing changes, and it is said once.
    let good = std::fs::read(authority.files().certificate).expect("reads");
    std::fs::write(authority.files().certificate, &good[..good.len() / 2]).expect("writes");
    assert!(tls.reload().is_err());
    assert!(!tls.reload().expect("told already"));
    connect(address, &before).await.expect("as before");

    // The key of another certificate.
    let another = Authority::new();
    another.renew();
    std::fs::write(authority.files().certificate, &good).expect("writes");
    std::fs::copy(another.files().key, authority.files().key).expect("copies");
    let error = tls.reload().expect_err("they do not belong together");
    assert_eq!(
        error.to_string(),
        "the certificate cannot be used with the key"
    );
    connect(address, &before).await.expect("as before");

    let after = authority.renew();
    assert!(tls.reload().expect("good files"));
    connect(address, &before).await.expect_err("another one");
    connect(address, &after).await.expect("the new one");
    assert!(
        answer_to_close(&mut earlier)
            .await
            .ends_with("https://example.com")
    );
}

async fn answer_to_close(browser: &mut TlsStream<TcpStream>) -> String {
    let request = b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n";
    answer_to(browser, request).await
}

#[tokio::test]
async fn the_server_looks_at_the_files_by_itself() {
    let authority = Authority::new();
    let before = authority.renew();
    let tls = Tls::from_files(authority.files()).expect("good files");
    let mut config = ServerConfig::default();
    config.tls_reload_interval = Duration::from_millis(10);
    let (server, address) = start(tls, config).await;
    connect(address, &before).await.expect("trusted");
    let after = authority.renew();
    while server.admission().statistics().tls_reloads == 0 {
        tokio::task::yield_now().await;
    }
    connect(address, &after).await.expect("the new one");
}

#[tokio::test]
async fn who_does_not_speak_tls_is_turned_away() {
    let authority = Authority::new();
    authority.renew();
    let tls = Tls::from_files(authority.files()).expect("good files");
    let (server, address) = start(tls, ServerConfig::default()).await;
    let mut plain = TcpStream::connect(address).await.expect("connects");
    plain.write_all(REQUEST).await.expect("open");
    let mut rest = Vec::new();
    // It is told so in TLS's own words, or cut off.
    let _ = plain.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"));
    assert_eq!(server.admission().statistics().tls_failures, 1);
    server.stop();
    server.stopped().await;
}

#[tokio::test]
async fn who_says_nothing_is_given_up() {
    let authority = Authority::new();
    authority.renew();
    let tls = Tls::from_files(authority.files()).expect("good files");
    let mut config = ServerConfig::default();
    config.header_read_timeout = Duration::from_millis(10);
    let (server, address) = start(tls.clone(), config).await;
    let mut silent = TcpStream::connect(address).await.expect("connects");
    expect_closed(&mut silent).await;
    assert_eq!(server.admission().statistics().tls_failures, 1);

    let mut config = ServerConfig::default();
    config.header_read_timeout = Duration::from_secs(3600);
    config.first_request_wait = Some(Duration::from_millis(10));
    let (server, address) = start(tls, config).await;
    let mut silent = TcpStream::connect(address).await.expect("connects");
    while server.connections() == 0 {
        tokio::task::yield_now().await;
    }
    server.stop();
    expect_closed(&mut silent).await;
    server.stopped().await;
}

//! What an idle connection costs: 10,000 of them, each subscribed, in a server process of its own.
//!
//! The test starts itself once more as that server, so that the clients' memory is not counted.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use bytes::BytesMut;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sinew_cable::{
    Answer, Application, Cable, Config, Confirmation, ConnectRequest, ConnectionIdentifiers,
    DirectChannel, DirectSubscription, Refusal,
};
use sinew_streams::InProcessStreams;
use sinew_web::{CableEndpoint, Effective, Server, WebSocketConfig};
use sinew_websocket::handshake::{client_key, client_request};
use sinew_websocket::{Opcode, masked_frame_into};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 10_000;
/// Resident memory per connection, in bytes.
const BYTES_MAX: usize = 2048;
/// Clients that connect at the same time: fewer than the listener's backlog.
const AT_ONCE: usize = 200;
/// A source address has about 28,000 ports, and slows down when half of them are taken.
const PER_ADDRESS: usize = 5_000;
/// Set for the process that is the server, to the number of its shard threads, or [`TLS`].
const SERVER: &str = "SINEW_TEST_IDLE_SERVER";
/// Connections over TLS, which live on tasks.
const TLS: &str = "0 (TLS)";
/// What the server says first on its own line, before its address.
const ADDRESS: &str = "idle server on ";

const IDENTIFIER: &str = r#"{"channel":"StimulusReflex::Channel"}"#;

#[tokio::test]
async fn idle_subscribed_connection_costs_at_most_2_kib() {
    if std::env::var_os(SERVER).is_some() {
        return;
    }
    allow_descriptors();
    // One after the other: each needs most of the descriptors that a machine may allow.
    measure("0", BYTES_MAX).await;
    measure("2", BYTES_MAX).await;
    // What rustls keeps for a connection comes on top: keys, and buffers that it has once needed.
    #[cfg(feature = "tls")]
    measure(TLS, 16 * 1024).await;
}

/// Starts a server of this kind, connects clients, and says what each takes.
async fn measure(kind: &str, bytes_max: usize) {
    let mut server = tokio::process::Command::new(std::env::current_exe().expect("known"))
        .args(["--exact", "serve_idle_connections", "--nocapture"])
        .env(SERVER, kind)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("starts");
    let pid = server.id().expect("runs");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    let address: SocketAddr = loop {
        let line = lines.next_line().await.expect("reads").expect("says where");
        if let Some((_, address)) = line.split_once(ADDRESS) {
            break address.parse().expect("an address");
        }
    };

    let before = resident_bytes(pid);
    let mut clients = Vec::with_capacity(CONNECTIONS);
    let mut connecting = JoinSet::new();
    for number in 0..CONNECTIONS {
        connecting.spawn(connect(address, number, kind == TLS));
        if connecting.len() >= AT_ONCE {
            clients.push(
                connecting
                    .join_next()
                    .await
                    .expect("some")
                    .expect("no panic"),
            );
        }
    }
    clients.extend(connecting.join_all().await);
    let after = resident_bytes(pid);
    let each = (after - before) / CONNECTIONS;
    report(&format!(
        "{CONNECTIONS} idle subscribed connections, {kind} shard threads: {before} to {after} bytes resident, {each} each"
    ));
    assert!(each <= bytes_max, "{each} bytes per connection");
    drop(clients);
}

/// The server, when started by the test above; otherwise nothing.
#[test]
fn serve_idle_connections() {
    let Ok(kind) = std::env::var(SERVER) else {
        return;
    };
    let shard_threads: usize = if kind == TLS {
        0
    } else {
        kind.parse().expect("a number")
    };
    allow_descriptors();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("starts");
    runtime.block_on(async {
        let mut config = Config::default();
        config.ping_interval = Duration::from_secs(3600);
        let application = Application::new(identify).direct_channel(Arc::new(Reflexes));
        let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
            .config(config)
            .build()
            .expect("fresh streams");
        let mut sockets = WebSocketConfig::default();
        sockets.shard_threads = shard_threads;
        let endpoint = CableEndpoint::new(cable).config(sockets);
        let upgrade = async move |effective: Effective, request: Request| {
            endpoint.upgrade(request, &effective)
        };
        let server = Server::new(Router::new().route("/cable", any(upgrade)));
        #[cfg(feature = "tls")]
        let server = if kind == TLS {
            server.tls(encrypted::certificate())
        } else {
            server
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let address = listener.local_addr().expect("bound");
        report(&format!("{ADDRESS}{address}"));
        tokio::spawn(async move { server.accept(&listener, std::future::pending()).await });
        // Until the test has gone: then its end of the pipe closes.
        let mut nothing = [0];
        let _ = tokio::io::stdin().read(&mut nothing).await;
    });
}

async fn identify(request: Arc<ConnectRequest>) -> Result<ConnectionIdentifiers, Refusal> {
    let cookie = request
        .headers
        .get("cookie")
        .and_then(|it| it.to_str().ok());
    let id = cookie.and_then(|cookie| cookie.strip_prefix("_session="));
    let id = id.ok_or_else(Refusal::unauthorized)?;
    Ok(ConnectionIdentifiers::new().with("session_id", id))
}

/// A subscription with a stream of its own, as that of a visitor's reflexes.
struct Reflexes;

impl DirectChannel for Reflexes {
    fn name(&self) -> &str {
        "StimulusReflex::Channel"
    }

    fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
        let key = subscription.identifiers().key();
        Confirmation::new()
            .stream_from(format!("StimulusReflex::Channel:{key}"))
            .into()
    }

    fn perform(&self, _: DirectSubscription<'_>, _: &str) {}
}

/// What a client speaks over.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A client with a browser's headers, welcomed and subscribed.
async fn connect(server: SocketAddr, number: usize, is_encrypted: bool) -> Box<dyn Stream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    let source = [127, 0, 0, 2 + (number / PER_ADDRESS) as u8];
    socket.bind((source, 0).into()).expect("binds");
    let stream = socket.connect(server).await.expect("connects");
    let mut stream: Box<dyn Stream> = if is_encrypted {
        encrypted::connect(stream).await
    } else {
        Box::new(stream)
    };
    let request = client_request(
        &server.to_string(),
        "/cable",
        &client_key(),
        &[
            ("Origin", &format!("http://{server}")),
            (
                "User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
            ),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Accept-Language", "en-US,en;q=0.9"),
            ("Cache-Control", "no-cache"),
            ("Pragma", "no-cache"),
            ("Cookie", &format!("_session={number:032x}")),
            (
                "Sec-WebSocket-Protocol",
                "actioncable-v1-json, actioncable-unsupported",
            ),
            (
                "Sec-WebSocket-Extensions",
                "permessage-deflate; client_max_window_bits",
            ),
        ],
    );
    stream.write_all(request.as_bytes()).await.expect("writes");
    read_until(&mut stream, r#"{"type":"welcome"}"#).await;
    let subscribe = format!(
        r#"{{"command":"subscribe","identifier":{}}}"#,
        serde_json::json!(IDENTIFIER)
    );
    let mut frame = Vec::new();
    masked_frame_into(&mut frame, Opcode::Text, subscribe.as_bytes(), [1, 2, 3, 4]);
    stream.write_all(&frame).await.expect("writes");
    read_until(&mut stream, "confirm_subscription\"}").await;
    stream
}

async fn read_until(stream: &mut Box<dyn Stream>, end: &str) {
    let mut read = BytesMut::new();
    while !read.ends_with(end.as_bytes()) {
        let count = stream.read_buf(&mut read).await.expect("reads");
        assert_ne!(count, 0, "more than {read:?}");
    }
}

/// As many descriptors as this process may have.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )
    .expect("the soft limit may rise to the hard one");
    let enough = limit
        .maximum
        .is_none_or(|most| most > CONNECTIONS as u64 + 100);
    assert!(
        enough,
        "the hard limit of descriptors is too low: {limit:?}"
    );
}

/// Resident memory of a process, in bytes.
fn resident_bytes(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("runs on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.expect("is there").trim().trim_end_matches("kB").trim();
    kibibytes.parse::<usize>().expect("a number") * 1024
}

/// Says a line, also when the test runner keeps what passing tests print.
fn report(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .expect("writes");
}

#[cfg(feature = "tls")]
mod encrypted {
    use std::sync::{Arc, OnceLock};

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::ring;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
    use sinew_web::server::{Tls, TlsFiles};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;

    use super::Stream;

    pub(super) fn certificate() -> Tls {
        let folder = tempfile::tempdir().expect("a folder");
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let files = TlsFiles {
            certificate: folder.path().join("cert.pem"),
            key: folder.path().join("key.pem"),
        };
        std::fs::write(&files.certificate, made.cert.pem()).expect("writes");
        std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writes");
        Tls::from_files(files).expect("good files")
    }

    pub(super) async fn connect(stream: TcpStream) -> Box<dyn Stream> {
        static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let config = CONFIG.get_or_init(|| {
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("versions")
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody))
                .with_no_client_auth();
            Arc::new(config)
        });
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(config.clone()).connect(name, stream);
        Box::new(stream.await.expect("shakes hands"))
    }

    /// The server is another process, with a certificate of its own making.
    #[derive(Debug)]
    struct Anybody;

    impl ServerCertVerifier for Anybody {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            ring::default_provider()
                .signature_verification_algorithms
                .supported_schemes()
        }
    }
}

#[cfg(not(feature = "tls"))]
mod encrypted {
    use tokio::net::TcpStream;

    use super::Stream;

    pub(super) async fn connect(_: TcpStream) -> Box<dyn Stream> {
        unreachable!("no server speaks TLS")
    }
}

//! Shards that accept by themselves let in whom the server would, and leave nobody behind.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::Request;
use sinew_cable::{Application, Cable, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::forwarded::Direct;
use sinew_web::server::{Admission, Arrival};
use sinew_web::websocket::{AcceptedStream, Door, Listening};
use sinew_web::{CableEndpoint, Effective, Server, ServerConfig, TrustedProxies, WebSocketConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::{REQUEST, answer_to, ask};

const UPGRADE: &[u8] = b"GET /cable HTTP/1.1\r\nhost: example.com\r\nconnection: Upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-forwarded-for: 192.0.2.7\r\n\r\n";

struct Pages {
    server: Server,
    proxies: TrustedProxies,
}

impl Door for Pages {
    fn admit(&self, request: &mut Request<()>) -> Option<Effective> {
        let is_cable = request.uri().path() == "/cable";
        is_cable.then(|| self.proxies.effective(&Direct::of_request(request)))
    }

    fn serve(&self, stream: AcceptedStream, peer: SocketAddr, arrival: Option<Arrival>) {
        let arrival = arrival.expect("the endpoint has an admission");
        tokio::spawn(self.server.serve_arrival(stream, peer, arrival));
    }
}

struct Started {
    listening: Listening,
    admission: Admission,
    server: Server,
    cable: Cable,
}

impl Started {
    async fn connect(&self) -> TcpStream {
        let address = self.listening.local_addr();
        TcpStream::connect(address).await.expect("connects")
    }
}

/// Behind a proxy on this machine.
fn start(config: ServerConfig) -> Started {
    let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .build()
        .expect("fresh streams");
    let admission = Admission::new(config).cable(cable.clone());
    let mut sockets = WebSocketConfig::default();
    sockets.shard_threads = 2;
    let endpoint = CableEndpoint::new(cable.clone())
        .config(sockets)
        .admission(admission.clone());
    let router = Router::new().route("/", get(async || "Hello"));
    let server = Server::new(router).with_admission(admission.clone());
    let pages = Pages {
        server: server.clone(),
        proxies: "127.0.0.1".parse().expect("an address"),
    };
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listening = endpoint.listen(any, Arc::new(pages)).expect("listens");
    Started {
        listening,
        admission,
        server,
        cable,
    }
}

/// Opens the cable and waits for its welcome.
async fn welcomed(browser: &mut TcpStream) {
    browser.write_all(UPGRADE).await.expect("open");
    let mut answer = Vec::new();
    while !answer.ends_with(br#"{"type":"welcome"}"#) {
        let byte = browser.read_u8().await.expect("the rest of the answer");
        answer.push(byte);
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_again() {
    let mut config = ServerConfig::default();
    config.connections_max = Some(2);
    let started = start(config);
    let mut page = started.connect().await;
    ask(&mut page).await;
    let mut tab = started.connect().await;
    welcomed(&mut tab).await;
    for request in [REQUEST, UPGRADE] {
        let answer = answer_to(&mut started.connect().await, request).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
    }
    assert_eq!(started.admission.statistics().refused_connections, 2);

    // Whoever goes makes room.
    drop(tab);
    while started.cable.statistics().connections > 0 {
        tokio::task::yield_now().await;
    }
    welcomed(&mut started.connect().await).await;
}

#[tokio::test]
async fn visitor_behind_a_proxy_with_too_many_tabs_is_told_so() {
    let mut config = ServerConfig::default();
    config.connections_per_address_max = 1;
    let started = start(config);
    let mut tab = started.connect().await;
    welcomed(&mut tab).await;
    let answer = answer_to(&mut started.connect().await, UPGRADE).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert_eq!(started.admission.statistics().refused_addresses, 1);
}

#[tokio::test]
async fn those_who_have_connected_are_answered_before_nobody_is_accepted() {
    let mut config = ServerConfig::default();
    // They wait in the system's queue: the first takes all there is for a long time.
    config.accepts_per_second_max = 1;
    let started = start(config);
    let mut waiting = Vec::new();
    while started.admission.statistics().accept_pauses == 0 {
        waiting.push(started.connect().await);
    }
    for _ in 0..20 {
        waiting.push(started.connect().await);
    }
    started.listening.stopped().await;
    for browser in &mut waiting {
        ask(browser).await;
    }
    started.server.stop();
    drop(waiting);
    started.server.stopped().await;
    let refused = TcpStream::connect(started.listening.local_addr()).await;
    assert!(refused.is_err(), "nobody listens");
}

//! Clients of the cable, taken from the server with their handshake, and everybody else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request as PageRequest;
use axum::routing::{any, get};
use axum::{Extension, Router};
use http::Request;
use sinew_cable::{Application, Cable, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::forwarded::Direct;
use sinew_web::server::Arrival;
use sinew_web::websocket::{AcceptedStream, Door};
use sinew_web::{CableEndpoint, Effective, Server, TrustedProxies};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::http::{ask, expect_closed};

const HANDSHAKE: &str = "GET /cable HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const WELCOME: &[u8] = b"\x81\x12{\"type\":\"welcome\"}";

/// As an application has it: the router knows the cable as well.
struct Entrance(Server);

impl Door for Entrance {
    fn admit(&self, request: &mut Request<()>) -> Option<Effective> {
        let is_cable = request.uri().path() == "/cable";
        is_cable.then(|| TrustedProxies::none().effective(&Direct::of_request(request)))
    }

    fn serve(&self, stream: AcceptedStream, peer: SocketAddr, arrival: Option<Arrival>) {
        let arrival = arrival.expect("counted as it came");
        tokio::spawn(self.0.serve_arrival(stream, peer, arrival));
    }
}

async fn start() -> (Server, TcpListener) {
    let application =
        Application::new(async |_| Ok(ConnectionIdentifiers::new())).connects_in_place();
    let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .build()
        .expect("starts");
    let endpoint = CableEndpoint::new(cable);
    let open = async |Extension(endpoint): Extension<CableEndpoint>, request: PageRequest| {
        let (parts, body) = request.into_parts();
        let effective = TrustedProxies::none().effective(&Direct::of(&parts));
        endpoint.upgrade(Request::from_parts(parts, body), &effective)
    };
    let router = Router::new()
        .route("/", get(async || "Hello"))
        .route("/cable", any(open))
        .layer(Extension(endpoint.clone()));
    let pages = Server::new(router);
    let server = pages.clone().cable(endpoint, Arc::new(Entrance(pages)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    (server, listener)
}

fn accept(server: &Server, listener: TcpListener) {
    let server = server.clone();
    tokio::spawn(async move { server.accept(&listener, std::future::pending()).await });
}

async fn connect(listener: &TcpListener) -> TcpStream {
    let address = listener.local_addr().expect("bound");
    TcpStream::connect(address).await.expect("connects")
}

/// Until the server waits for what a connection says first.
async fn accepted(server: &Server) {
    while server.connections() == 0 {
        tokio::task::yield_now().await;
    }
}

async fn expect_welcome(client: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(WELCOME) {
        answer.push(client.read_u8().await.expect("the rest of the answer"));
    }
    let head = String::from_utf8_lossy(&answer).into_owned();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(head.matches("\r\n\r\n").count(), 1, "{head}");
}

#[tokio::test]
async fn handshake_that_is_there_already_needs_no_server() {
    let (server, listener) = start().await;
    let mut client = connect(&listener).await;
    client.write_all(HANDSHAKE.as_bytes()).await.expect("open");
    accept(&server, listener);
    expect_welcome(&mut client).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn handshake_is_waited_for() {
    let (server, listener) = start().await;
    let mut client = connect(&listener).await;
    accept(&server, listener);
    accepted(&server).await;
    client.write_all(HANDSHAKE.as_bytes()).await.expect("open");
    expect_welcome(&mut client).await;
}

#[tokio::test]
async fn handshake_in_pieces_is_the_routers() {
    let (server, listener) = start().await;
    let mut client = connect(&listener).await;
    client.set_nodelay(true).expect("an option");
    client
        .write_all(&HANDSHAKE.as_bytes()[..40])
        .await
        .expect("open");
    accept(&server, listener);
    accepted(&server).await;
    client
        .write_all(&HANDSHAKE.as_bytes()[40..])
        .await
        .expect("open");
    expect_welcome(&mut client).await;
}

#[tokio::test]
async fn what_follows_a_handshake_at_once_is_not_lost() {
    let (server, listener) = start().await;
    let mut client = connect(&listener).await;
    // An empty ping, masked with zeros.
    let mut bytes = HANDSHAKE.as_bytes().to_vec();
    bytes.extend_from_slice(b"\x89\x80\0\0\0\0");
    client.write_all(&bytes).await.expect("open");
    accept(&server, listener);
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x8a\x00") {
        answer.push(client.read_u8().await.expect("a pong"));
    }
    let welcome = answer.windows(WELCOME.len()).any(|it| it == WELCOME);
    assert!(welcome, "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn pages_are_answered_one_after_another() {
    let (server, listener) = start().await;
    let mut browser = connect(&listener).await;
    accept(&server, listener);
    accepted(&server).await;
    assert!(ask(&mut browser).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(ask(&mut browser).await.starts_with("HTTP/1.1 200 OK\r\n"));
    server.stop();
    expect_closed(&mut browser).await;
    server.stopped().await;
}

#[tokio::test]
async fn connection_accepted_before_the_stop_is_answered() {
    let (server, listener) = start().await;
    let mut browser = connect(&listener).await;
    accept(&server, listener);
    accepted(&server).await;
    server.stop();
    assert!(ask(&mut browser).await.contains("connection: close"));
    server.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn silent_connection_is_closed_after_a_while() {
    let (server, listener) = start().await;
    let mut browser = connect(&listener).await;
    accept(&server, listener);
    accepted(&server).await;
    expect_closed(&mut browser).await;
    assert_eq!(server.admission().statistics().header_timeouts, 1);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn client_that_leaves_without_a_word_is_forgotten() {
    let (server, listener) = start().await;
    let browser = connect(&listener).await;
    accept(&server, listener);
    accepted(&server).await;
    drop(browser);
    while server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.admission().statistics().header_timeouts, 0);
}

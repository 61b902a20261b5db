//! Who is let in.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::any;
use http::Response;
use sinew_cable::{Application, Cable, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::server::Admission;
use sinew_web::{CableEndpoint, Effective, Server, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::http::{REQUEST, answer_to, ask, peer, server};

/// A cable whose application welcomes as many as it has permits for.
fn cable(welcomes: &Arc<Semaphore>) -> Cable {
    let welcomes = welcomes.clone();
    let application = Application::new(move |_| {
        let welcomes = welcomes.clone();
        async move {
            welcomes.acquire().await.expect("open").forget();
            Ok(ConnectionIdentifiers::new())
        }
    });
    Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .build()
        .expect("fresh streams")
}

fn upgrade_of(address: &str, endpoint: &CableEndpoint) -> Response<Body> {
    let request = Request::get("/cable")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(Body::empty())
        .expect("a request");
    let effective = Effective {
        client_address: address.parse().ok(),
        secure: false,
        host: "example.com".to_owned(),
    };
    endpoint.upgrade(request, &effective)
}

/// Opens the cable, as far as the answer to the upgrade.
async fn open(stream: &mut TcpStream) -> String {
    let request = "GET /cable HTTP/1.1\r\nhost: example.com\r\nconnection: Upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("open");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the rest of the head"));
    }
    String::from_utf8(head).expect("text")
}

/// A server with a cable that accepts on a port of its own.
async fn start(config: ServerConfig, welcomes: &Arc<Semaphore>) -> (Server, TcpListener) {
    let cable = cable(welcomes);
    let admission = Admission::new(config).cable(cable.clone());
    let endpoint = CableEndpoint::new(cable).admission(admission.clone());
    let router = Router::new().route("/", any(async || "Hello")).route(
        "/cable",
        any(async move |effective: Effective, request: Request| {
            endpoint.upgrade(request, &effective)
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    (Server::new(router).with_admission(admission), listener)
}

#[tokio::test]
async fn one_socket_too_many_is_told_to_come_again() {
    let mut config = ServerConfig::default();
    config.connections_max = Some(1);
    let server = server(config);
    let (first, mut in_time) = tokio::io::duplex(4096);
    tokio::spawn(server.serve_stream(first, peer()));
    ask(&mut in_time).await;

    let (second, mut late) = tokio::io::duplex(4096);
    tokio::spawn(server.serve_stream(second, peer()));
    let answer = answer_to(&mut late, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
    ask(&mut in_time).await;
    assert_eq!(server.admission().statistics().refused_connections, 1);

    drop(in_time);
    let (third, mut next) = tokio::io::duplex(4096);
    // The first has ended when nothing else is left to do.
    while server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    tokio::spawn(server.serve_stream(third, peer()));
    ask(&mut next).await;
}

#[tokio::test]
async fn an_address_with_too_many_sockets_is_told_so() {
    let mut config = ServerConfig::default();
    config.connections_per_address_max = 1;
    let server = server(config);
    let mut browsers = Vec::new();
    for (address, refused) in [
        ("192.0.2.7:1", false),
        ("192.0.2.7:2", true),
        ("192.0.2.8:1", false),
        // This machine may be a proxy that nobody has named.
        ("127.0.0.1:1", false),
        ("127.0.0.1:2", false),
    ] {
        let (socket, mut browser) = tokio::io::duplex(4096);
        tokio::spawn(server.serve_stream(socket, address.parse().expect("an address")));
        if refused {
            let answer = answer_to(&mut browser, REQUEST).await;
            assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        } else {
            ask(&mut browser).await;
        }
        browsers.push(browser);
    }
    assert_eq!(server.admission().statistics().refused_addresses, 1);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let mut config = ServerConfig::default();
    config.header_bytes_max = 200;
    let server = server(config);
    let (socket, mut browser) = tokio::io::duplex(4096);
    tokio::spawn(server.serve_stream(socket, peer()));
    let request = format!(
        "GET / HTTP/1.1\r\nhost: a\r\ncookie: {}\r\n\r\n",
        "x".repeat(200)
    );
    let answer = answer_to(&mut browser, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_visitor_who_leaves_the_cable_makes_room() {
    let welcomes = Arc::new(Semaphore::new(100));
    let cable = cable(&welcomes);
    let mut config = ServerConfig::default();
    config.connections_per_address_max = 1;
    let admission = Admission::new(config).cable(cable.clone());
    let endpoint = CableEndpoint::new(cable).admission(admission.clone());
    let open_as = |visitor: &'static str| {
        let endpoint = endpoint.clone();
        Router::new().route(
            "/cable",
            any(async move |request: Request| {
                let effective = Effective {
                    client_address: visitor.parse().ok(),
                    secure: false,
                    host: "example.com".to_owned(),
                };
                endpoint.upgrade(request, &effective)
            }),
        )
    };
    let connect = async |visitor: &'static str| {
        let server = Server::new(open_as(visitor));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { server.accept(&listener, std::future::pending()).await });
        TcpStream::connect(address).await.expect("connects")
    };
    let mut first = connect("192.0.2.7").await;
    assert!(open(&mut first).await.starts_with("HTTP/1.1 101 "));
    let mut second = connect("192.0.2.7").await;
    assert!(open(&mut second).await.starts_with("HTTP/1.1 429 "));
    let mut other = connect("192.0.2.8").await;
    assert!(open(&mut other).await.starts_with("HTTP/1.1 101 "));
    assert_eq!(admission.statistics().refused_addresses, 1);

    drop(first);
    while endpoint.cable().statistics().connections > 1 {
        tokio::task::yield_now().await;
    }
    let mut again = connect("192.0.2.7").await;
    assert!(open(&mut again).await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn handshakes_in_flight_are_bounded_by_the_application() {
    let welcomes = Arc::new(Semaphore::new(0));
    let cable = cable(&welcomes);
    let mut config = ServerConfig::default();
    config.handshakes_max = 1;
    let admission = Admission::new(config).cable(cable.clone());
    let endpoint = CableEndpoint::new(cable.clone()).admission(admission.clone());
    let (socket, mut browser) = tokio::io::duplex(1024);
    endpoint.serve(
        socket,
        bytes::Bytes::new(),
        sinew_cable::ConnectRequest::default(),
    );
    assert_eq!(cable.statistics().handshakes, 1);
    assert_eq!(upgrade_of("192.0.2.7", &endpoint).status(), 503);
    assert_eq!(admission.statistics().refused_handshakes, 1);

    welcomes.add_permits(1);
    let mut frame = [0; 20];
    browser.read_exact(&mut frame).await.expect("the welcome");
    assert_eq!(cable.statistics().handshakes, 0);
    assert_eq!(upgrade_of("192.0.2.7", &endpoint).status(), 101);
    drop(browser);
    while cable.statistics().connections > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(cable.statistics().handshakes, 0);
}

#[tokio::test]
async fn a_returning_crowd_waits_in_the_queue_and_everybody_is_let_in() {
    const CROWD: usize = 300;
    let welcomes = Arc::new(Semaphore::new(CROWD));
    let mut config = ServerConfig::default();
    config.handshakes_max = 8;
    let (server, listener) = start(config, &welcomes).await;
    let address = listener.local_addr().expect("bound");
    let crowd = (0..CROWD).map(|_| async move {
        let mut browser = TcpStream::connect(address).await.expect("connects");
        assert!(open(&mut browser).await.starts_with("HTTP/1.1 101 "));
        let mut welcome = [0; 20];
        browser.read_exact(&mut welcome).await.expect("the welcome");
        browser
    });
    let accepts = server.clone();
    tokio::spawn(async move { accepts.accept(&listener, std::future::pending()).await });
    let welcomed = futures_util::future::join_all(crowd).await;
    assert_eq!(welcomed.len(), CROWD);
    let statistics = server.admission().statistics();
    assert!(statistics.accept_pauses > 0, "the crowd was paced");
    assert_eq!(statistics.refused_handshakes, 0, "and nobody sent away");
}

#[tokio::test]
async fn silent_connections_keep_nobody_out() {
    let mut config = ServerConfig::default();
    config.handshakes_max = 4;
    let welcomes = Arc::new(Semaphore::new(0));
    let (server, listener) = start(config, &welcomes).await;
    let address = listener.local_addr().expect("bound");
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(address).await.expect("connects"));
    }
    let accepts = server.clone();
    tokio::spawn(async move { accepts.accept(&listener, std::future::pending()).await });
    let mut browser = TcpStream::connect(address).await.expect("connects");
    ask(&mut browser).await;
    assert_eq!(server.connections(), 5);
}

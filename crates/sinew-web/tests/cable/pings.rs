use std::time::Duration;

use serde_json::Value;
use sinew_web::WebSocketConfig;
use sinew_websocket::handshake::{client_key, client_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::server::{Server, slow_pings};

async fn connect(server: &Server, path: &str) -> Client {
    let stream = TcpStream::connect(server.address).await.expect("connects");
    let mut client = Client::at(stream, path, "", &["actioncable-v1-json"])
        .await
        .expect("upgrades");
    client.expect(r#"{"type":"welcome"}"#).await;
    client
}

/// The digits of the next ping's timestamp.
async fn ping_digits(client: &mut Client) -> usize {
    let ping: Value = serde_json::from_str(&client.text().await).expect("JSON");
    assert_eq!(ping["type"], "ping");
    let timestamp = ping["message"].as_u64().expect("a whole number");
    timestamp.to_string().len()
}

#[tokio::test]
async fn client_asks_for_its_own_interval_and_precision() {
    let mut config = slow_pings();
    config.ping_interval_min = Duration::from_millis(50);
    config.ping_interval_max = Duration::from_millis(100);
    let server = Server::with(config, WebSocketConfig::default()).await;
    let mut patient = server.client().await;
    for (query, digits) in [("pi=1", 10), ("pi=1&ptp=ms", 13), ("jid=x&ptp=ns&pi=0", 19)] {
        let mut client = connect(&server, &format!("/cable?{query}")).await;
        for _ in 0..3 {
            assert_eq!(ping_digits(&mut client).await, digits, "{query}");
        }
    }
    patient.expect_nothing().await;
}

/// A client by hand that was welcomed: nothing answers for it.
async fn silent(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.expect("connects");
    let request = client_request(&server.address.to_string(), "/cable", &client_key(), &[]);
    stream.write_all(request.as_bytes()).await.expect("writes");
    read_until(&mut stream, br#"{"type":"welcome"}"#).await;
    stream
}

async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        let byte = stream.read_u8().await.expect("more comes");
        read.push(byte);
    }
    read
}

#[tokio::test]
async fn client_that_does_not_answer_is_given_up_and_one_that_does_is_kept() {
    let mut config = slow_pings();
    config.ping_interval = Duration::from_millis(50);
    // Long enough for a busy machine to answer in.
    config.pong_timeout = Duration::from_secs(2);
    let server = Server::with(config, WebSocketConfig::default()).await;
    let mut answering = server.client().await;
    let mut silent = silent(&server).await;
    let given_up = async {
        let told = br#"{"type":"disconnect","reason":"no_pong","reconnect":true}"#;
        let read = read_until(&mut silent, told).await;
        let asked = read.windows(2).any(|frame| frame == [0x89, 0]);
        assert!(asked, "with a ping frame of the WebSocket protocol");
        let mut close = [0; 4];
        silent.read_exact(&mut close).await.expect("a close frame");
        let code = u16::from_be_bytes([close[2], close[3]]);
        assert_eq!((close[0], code), (0x88, 1000));
    };
    // Its library answers while it is read.
    let kept = async {
        let mut asked = 0;
        while asked < 6 {
            match answering.next().await {
                Some(Ok(Message::Ping(_))) => asked += 1,
                Some(Ok(Message::Text(text))) => assert!(text.starts_with(r#"{"type":"ping""#)),
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::join!(given_up, kept);
    assert_eq!(server.cable.statistics().silent_connections, 1);
}

/// The `pong` command of the extended protocol, like anything else, is a sign of life.
#[tokio::test]
async fn pong_command_keeps_a_connection() {
    let mut config = slow_pings();
    config.ping_interval = Duration::from_millis(50);
    // Long enough for a busy machine to answer in.
    config.pong_timeout = Duration::from_secs(2);
    let server = Server::with(config, WebSocketConfig::default()).await;
    let mut stream = silent(&server).await;
    let mut silent = silent(&server).await;
    let pong = br#"{"command":"pong"}"#;
    let mut frame = Vec::new();
    sinew_websocket::masked_frame_into(
        &mut frame,
        sinew_websocket::Opcode::Text,
        pong,
        [1, 2, 3, 4],
    );
    // Until the one that does not answer is given up, and once more as long.
    while server.cable.statistics().silent_connections == 0 {
        read_until(&mut stream, b"}").await;
        stream.write_all(&frame).await.expect("writes");
    }
    read_until(&mut silent, br#""reason":"no_pong","reconnect":true}"#).await;
    for _ in 0..16 {
        let read = read_until(&mut stream, b"}").await;
        assert!(!String::from_utf8_lossy(&read).contains("disconnect"));
        stream.write_all(&frame).await.expect("writes");
    }
    assert_eq!(server.cable.statistics().silent_connections, 1);
}

/// What the socket was told can be read from another descriptor of it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn taken_tcp_socket_has_the_configured_timeouts() {
    let mut socket = WebSocketConfig::default();
    socket.tcp_user_timeout = Duration::from_secs(7);
    socket.tcp_keepalive = Duration::from_secs(40);
    socket.shard_threads = crate::WAY.threads();
    let server = Server::start().await;
    let endpoint = sinew_web::CableEndpoint::new(server.cable.clone()).config(socket);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("binds");
    let address = listener.local_addr().expect("bound");
    let mut browser = TcpStream::connect(address).await.expect("connects");
    let (accepted, _) = listener.accept().await.expect("accepts");
    let copy = socket2::SockRef::from(&accepted)
        .try_clone()
        .expect("copies");
    endpoint
        .serve_tcp(accepted, bytes::Bytes::new(), Default::default())
        .expect("is taken");
    read_until(&mut browser, br#"{"type":"welcome"}"#).await;
    let timeout = copy.tcp_user_timeout().expect("reads");
    assert_eq!(timeout, Some(Duration::from_secs(7)));
    let keepalive = copy.tcp_keepalive_time().expect("reads");
    assert_eq!(keepalive, Duration::from_secs(40));
}

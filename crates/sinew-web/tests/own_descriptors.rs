//! Shards with a descriptor table each: more sockets than one table holds, and no descriptor on a wrong thread.
#![cfg(target_os = "linux")]

/// This program has a server of its own.
const WAY: server::Way = server::Way::ListeningThreads;

#[allow(dead_code, reason = "shared with other test programs")]
#[path = "cable/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with other test programs")]
#[path = "cable/server.rs"]
mod server;

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use nix::sched::{CloneFlags, unshare};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sinew_web::WebSocketConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use client::Client;
use server::{Server, slow_pings};

const NEWS: &str = r#"{"channel":"NewsChannel"}"#;
const ECHO: &str = r#"{"channel":"EchoChannel"}"#;
/// Descriptors that one table may have.
const DESCRIPTORS_MAX: u64 = 400;
/// Both ends of them are in this process: in one table there is no room for half of them.
const CLIENTS: usize = 300;
const SHARDS: usize = 3;
/// More than fits into the sockets and the memory between.
const BODY_BYTES: usize = 3 << 19;

fn own_table() -> io::Result<()> {
    unshare(CloneFlags::CLONE_FILES).map_err(io::Error::from)
}

// One test: while it runs, copies of this process's descriptors are in other tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_with_tables_of_their_own_serve_more_sockets_than_one_table_holds() {
    let limit = getrlimit(Resource::Nofile);
    let lower = Rlimit {
        current: Some(DESCRIPTORS_MAX),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, lower).expect("a lower limit is allowed");

    let mut sockets = WebSocketConfig::default();
    sockets.own_descriptors = Some(own_table);
    let pages = Router::new()
        .route("/page", get(async || "a page"))
        .route("/echo", post(async |body: Bytes| body));
    let server = Server::listening(slow_pings(), sockets, SHARDS, pages).await;

    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let mut client = server.client().await;
        client.subscribed(NEWS).await;
        clients.push(client);
    }
    assert_eq!(server.cable.statistics().connections, CLIENTS as u64);
    let tables = tables();
    assert_eq!(
        tables.len(),
        SHARDS + 1,
        "one each, and that of all others: {tables:?}"
    );

    // From the runtime to every shard.
    let broadcaster = server.cable.broadcaster();
    broadcaster.broadcast("news", &1).await.expect("broadcasts");
    for client in &mut clients {
        client.expect_data(NEWS, "1").await;
    }
    // From a shard to the runtime and back, on each of them.
    for client in &mut clients {
        client.subscribed(ECHO).await;
        client.message(ECHO, r#"{"action":"say","n":2}"#).await;
        client.expect_data(ECHO, r#"{"action":"say","n":2}"#).await;
    }
    pages_are_served(&server).await;
    upgrade_that_a_router_answers_works(&server).await;

    // Those who leave make room for others, in the tables of the shards as well.
    let before = server.cable.statistics().connections_opened;
    clients.clear();
    while server.cable.statistics().connections > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..CLIENTS {
        clients.push(server.client().await);
    }
    let statistics = server.cable.statistics();
    assert_eq!(statistics.connections_opened - before, CLIENTS as u64);

    server
        .endpoint
        .drain(Duration::from_secs(20))
        .await
        .expect("in time");
    server.stop_listening();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    setrlimit(Resource::Nofile, limit).expect("the limit from before");
}

/// How many descriptors each table of this process has, one entry for tables that look the same from threads sharing them.
fn tables() -> Vec<(String, usize)> {
    let mut tables = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").expect("Linux") {
        let task = task.expect("a thread").path();
        let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default();
        // A thread may end meanwhile.
        let Ok(descriptors) = std::fs::read_dir(task.join("fd")) else {
            continue;
        };
        let is_shard = name.starts_with("sinew-shard");
        let name = if is_shard { name } else { "others".to_owned() };
        let count = descriptors.count();
        if !tables.iter().any(|(known, _)| *known == name) {
            tables.push((name, count));
        }
    }
    tables
}

/// A request of a browser: the socket stays on its shard, the answer comes from the runtime.
async fn pages_are_served(server: &Server) {
    let mut socket = TcpStream::connect(server.address).await.expect("connects");
    // In two parts, then a second one on the same connection, then a large one there and back.
    socket.write_all(b"GET /page HT").await.expect("writes");
    socket
        .write_all(b"TP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("writes");
    assert!(answer(&mut socket).await.ends_with(b"a page"));
    socket
        .write_all(b"GET /page HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("writes");
    assert!(answer(&mut socket).await.ends_with(b"a page"));

    let body: Vec<u8> = (0..BODY_BYTES).map(|at| (at % 251) as u8).collect();
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
    );
    let (mut reader, mut writer) = socket.split();
    let write = async {
        writer.write_all(head.as_bytes()).await.expect("writes");
        writer.write_all(&body).await.expect("writes");
    };
    let mut all = Vec::new();
    let (_, read) = tokio::join!(write, reader.read_to_end(&mut all));
    read.expect("until the server closes");
    assert!(all.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(all.ends_with(&body), "{} bytes came back", all.len());
}

/// A response as far as the end of its body, which is `a page`.
async fn answer(socket: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"a page") {
        let count = socket.read_buf(&mut answer).await.expect("reads");
        assert!(count > 0, "ended: {}", String::from_utf8_lossy(&answer));
    }
    answer
}

/// On a path that the shard leaves to the router, as an application's own WebSocket would be.
async fn upgrade_that_a_router_answers_works(server: &Server) {
    let stream = TcpStream::connect(server.address).await.expect("connects");
    let mut client = Client::at(stream, "/another", "", &[])
        .await
        .expect("upgrades");
    client.expect(r#"{"type":"welcome"}"#).await;
    client.subscribed(ECHO).await;
    client.message(ECHO, r#"{"action":"say"}"#).await;
    client.expect_data(ECHO, r#"{"action":"say"}"#).await;
}

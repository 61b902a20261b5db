//! What an idle connection of a whole application costs, in a process of its own.

use sinew_websocket::handshake::{client_key, client_request};
use sinew_websocket::{Opcode, masked_frame_into};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::browser::{Browser, REFLEXES};
use crate::process::start;

/// Few enough for the usual limit of open files. More only spread what a server costs by itself.
const CONNECTIONS: usize = 500;
/// Resident memory per connection, in bytes.
const BYTES_MAX: usize = 4096;

#[tokio::test]
async fn idle_subscribed_connection_costs_at_most_4_kib() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (process, address) = start(directory.path());
    let mut browsers = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut browser = Browser::at(address);
        browser.get("/").await;
        browsers.push(browser);
    }
    let before = resident_bytes(process.0.id());
    let mut sockets = Vec::new();
    for browser in &browsers {
        let cookie = browser.cookie.as_deref().expect("a session");
        sockets.push(connect(&address.to_string(), cookie).await);
    }
    let after = resident_bytes(process.0.id());
    let each = after.saturating_sub(before) / CONNECTIONS;
    assert!(each <= BYTES_MAX, "{each} bytes per connection");
}

/// A socket with a browser's headers, welcomed and subscribed, and nothing else that would take
/// this process's own memory.
async fn connect(host: &str, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).await.expect("connects");
    let headers = [
        ("Origin", &*format!("http://{host}")),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
        ),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-US,en;q=0.9"),
        ("Cookie", cookie),
        ("Sec-WebSocket-Protocol", "actioncable-v1-json"),
    ];
    let request = client_request(host, "/cable", &client_key(), &headers);
    stream.write_all(request.as_bytes()).await.expect("writes");
    read_until(&mut stream, r#"{"type":"welcome"}"#).await;
    let command = serde_json::json!({"command": "subscribe", "identifier": REFLEXES}).to_string();
    let mut frame = Vec::new();
    masked_frame_into(&mut frame, Opcode::Text, command.as_bytes(), [1, 2, 3, 4]);
    stream.write_all(&frame).await.expect("writes");
    read_until(&mut stream, r#""type":"confirm_subscription"}"#).await;
    stream
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let count = stream.read_buf(&mut read).await.expect("reads");
        assert_ne!(count, 0, "more than {}", String::from_utf8_lossy(&read));
    }
}

fn resident_bytes(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.expect("is there").trim().trim_end_matches("kB").trim();
    kibibytes.parse::<usize>().expect("a number") * 1024
}

//! One in ten of many subscribers stops reading.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sinew_web::WebSocketConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::server::{Server, slow_pings};

const SUBSCRIBERS: usize = 2000;
const STALLED: usize = SUBSCRIBERS / 10;
/// Fewer than a listener's backlog.
const AT_ONCE: usize = 100;
const MESSAGE_BYTES: usize = 4 * 1024;
const OUTBOX_BYTES: usize = 64 * 1024;
const NEWS: &str = r#"{"channel":"NewsChannel"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_subscribers_are_cut_off_and_all_others_get_everything() {
    allow_descriptors();
    let mut config = slow_pings();
    config.outbox_bytes_max = OUTBOX_BYTES;
    let mut socket = WebSocketConfig::default();
    // Those that stall read again later: they must be found alive, to hear why they were cut off.
    socket.write_timeout = Duration::from_secs(120);
    socket.close_timeout = Duration::from_secs(120);
    let server = Server::on(small_listener(), config, socket);
    let mut clients = connect(&server).await;
    let stalled = clients.split_off(SUBSCRIBERS - STALLED);

    let (told, mut tells) = mpsc::unbounded_channel();
    let mut readers = JoinSet::new();
    for mut client in clients {
        let told = told.clone();
        readers.spawn(async move {
            let mut expected = 0;
            loop {
                let text = client.text().await;
                if text.contains("the end") {
                    return;
                }
                assert!(text.contains(&format!("[{expected},")), "in order, all");
                expected += 1;
                told.send(()).expect("is waited for");
            }
        });
    }
    // Until the queue of every one that stalls is full. What the kernel holds for them is not ours to count.
    let broadcaster = server.cable.broadcaster();
    let message = "x".repeat(MESSAGE_BYTES);
    let mut broadcasts = 0;
    while server.cable.statistics().slow_connections < STALLED as u64 {
        let numbered = (broadcasts, &message);
        let broadcast = broadcaster.broadcast("news", &numbered);
        broadcast.await.expect("broadcasts");
        broadcasts += 1;
        for _ in 0..SUBSCRIBERS - STALLED {
            tells.recv().await.expect("all get it");
        }
        assert!(broadcasts < 5000, "they are cut off some time");
    }
    let end = broadcaster.broadcast("news", "the end");
    end.await.expect("broadcasts");
    readers.join_all().await;

    // What the kernel held arrives, then the reason. What had waited was dropped.
    for mut client in stalled {
        let mut frames = 0;
        let last = loop {
            let text = client.text().await;
            if text.contains("disconnect") {
                break text;
            }
            frames += 1;
        };
        assert_eq!(
            last,
            r#"{"type":"disconnect","reason":"too_slow","reconnect":true}"#
        );
        assert!(frames + OUTBOX_BYTES / MESSAGE_BYTES <= broadcasts + 1);
        client.expect_close(1000, "").await;
    }
    assert_eq!(server.cable.statistics().slow_connections, STALLED as u64);
}

/// Its sockets hold little of what their clients do not read.
fn small_listener() -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_send_buffer_size(8 * 1024)
        .expect("a small buffer");
    socket
        .bind(([127, 0, 0, 1], 0).into())
        .expect("a free port");
    socket.listen(1024).expect("listens")
}

async fn connect(server: &Server) -> Vec<Client> {
    let mut clients = Vec::with_capacity(SUBSCRIBERS);
    while clients.len() < SUBSCRIBERS {
        let mut connecting = JoinSet::new();
        for _ in 0..AT_ONCE {
            let address = server.address;
            connecting.spawn(async move {
                let socket = TcpSocket::new_v4().expect("a socket");
                socket
                    .set_recv_buffer_size(4 * 1024)
                    .expect("a small buffer");
                let stream = socket.connect(address).await.expect("connects");
                let mut client = Client::on(stream, "", &["actioncable-v1-json"])
                    .await
                    .expect("upgrades");
                client.expect(r#"{"type":"welcome"}"#).await;
                client.subscribed(NEWS).await;
                client
            });
        }
        clients.extend(connecting.join_all().await);
    }
    clients
}

/// As many descriptors as this process may have: each subscriber takes two.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, most).expect("the soft limit may rise to the hard one");
}

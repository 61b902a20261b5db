//! A peer that is gone without a word: no FIN, no reset, nothing answers any more.
//!
//! This needs a network that can be taken away, so the test runs itself again in a network namespace of its own, which
//! an ordinary user can make where the system allows user namespaces, and root everywhere. In there it takes the
//! loopback device down: what is sent then arrives nowhere, and nobody says so.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use sinew_cable::{Application, Cable, Config, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::forwarded::Direct;
use sinew_web::{CableEndpoint, Server, TrustedProxies, WebSocketConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const INSIDE: &str = "SINEW_TEST_IN_A_NAMESPACE";
const HANDSHAKE: &[u8] = b"GET /cable HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Well below this the server must have noticed.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// In a network of its own, as the first thing that this process does there.
fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs one test of this file again, where it has a network of its own.
fn run_inside(test: &str) {
    let this = std::env::current_exe().expect("this test");
    let output = Command::new("unshare")
        .args(["--net", "--map-root-user", "--"])
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("`unshare` of util-linux");
    assert!(
        output.status.success(),
        "{}\n{}\nA network namespace is needed: as an ordinary user that takes user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1).",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn set_loopback(state: &str) {
    let done = Command::new("ip")
        .args(["link", "set", "lo", state])
        .status()
        .expect("`ip` of iproute2");
    assert!(done.success(), "the loopback device goes {state}");
}

/// Opens a socket, takes the network away, and waits until the server has let go of it.
fn vanish(cable_config: Config, config: WebSocketConfig) {
    set_loopback("up");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
        let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
            .config(cable_config)
            .build()
            .expect("starts");
        let endpoint = CableEndpoint::new(cable.clone()).config(config);
        let open = move |request: Request| {
            let endpoint = endpoint.clone();
            async move {
                let (parts, body) = request.into_parts();
                let effective = TrustedProxies::none().effective(&Direct::of(&parts));
                endpoint.upgrade(Request::from_parts(parts, body), &effective)
            }
        };
        let server = Server::new(Router::new().route("/cable", any(open)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { server.accept(&listener, std::future::pending()).await });

        let mut client = TcpStream::connect(address).await.expect("connects");
        client.write_all(HANDSHAKE).await.expect("open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"type\":\"welcome\"}") {
            answer.push(client.read_u8().await.expect("the welcome"));
        }
        assert_eq!(cable.statistics().connections, 1);

        set_loopback("down");
        let gone = async {
            let mut looks = tokio::time::interval(Duration::from_millis(20));
            while cable.statistics().connections > 0 {
                looks.tick().await;
            }
        };
        let noticed = tokio::time::timeout(GIVEN_UP_AFTER, gone).await;
        assert!(
            noticed.is_ok(),
            "the server still holds a peer that is gone"
        );
        // The peer's end has heard nothing either.
        drop(client);
    });
}

fn long_ago() -> Duration {
    Duration::from_secs(3600)
}

#[test]
fn pings_that_nobody_acknowledges_end_a_connection() {
    if !inside() {
        return run_inside("pings_that_nobody_acknowledges_end_a_connection");
    }
    let mut cable = Config::default();
    cable.ping_interval = Duration::from_secs(1);
    cable.pong_timeout = long_ago();
    let mut config = WebSocketConfig::default();
    config.tcp_keepalive = long_ago();
    config.tcp_user_timeout = Duration::from_secs(1);
    vanish(cable, config);
}

#[test]
fn a_silent_connection_is_asked_by_the_system() {
    if !inside() {
        return run_inside("a_silent_connection_is_asked_by_the_system");
    }
    let mut cable = Config::default();
    cable.ping_interval = long_ago();
    cable.pong_timeout = long_ago();
    let mut config = WebSocketConfig::default();
    config.tcp_keepalive = Duration::from_secs(1);
    config.tcp_user_timeout = Duration::from_secs(2);
    vanish(cable, config);
}

#[test]
fn a_client_that_can_pong_and_does_not_is_let_go() {
    if !inside() {
        return run_inside("a_client_that_can_pong_and_does_not_is_let_go");
    }
    let mut cable = Config::default();
    cable.ping_interval = Duration::from_millis(200);
    cable.pong_timeout = Duration::from_secs(1);
    let mut config = WebSocketConfig::default();
    config.tcp_keepalive = long_ago();
    config.tcp_user_timeout = long_ago();
    config.close_timeout = Duration::from_millis(200);
    vanish(cable, config);
}

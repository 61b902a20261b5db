use std::net::{TcpListener, TcpStream};

use super::*;

/// Both ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("bound");
    let client = TcpStream::connect(address).expect("connects");
    let (server, _) = listener.accept().expect("accepts");
    (server, client)
}

#[test]
fn socket_notices_that_its_peer_is_gone() {
    let (server, _client) = pair();
    let socket = SockRef::from(&server);
    let config = WebSocketConfig::default();
    prepare(SockRef::from(&server), &config);
    assert!(socket.tcp_nodelay().expect("reads"));
    assert!(socket.keepalive().expect("reads"));
    let seconds = Duration::from_secs;
    assert_eq!(socket.tcp_keepalive_time().expect("reads"), seconds(60));
    assert_eq!(socket.tcp_keepalive_interval().expect("reads"), seconds(15));
    assert_eq!(socket.tcp_keepalive_retries().expect("reads"), 3);
    let timeout = socket.tcp_user_timeout().expect("reads");
    assert_eq!(timeout, Some(seconds(30)));
}

/// Shards that accept set the options once, on their listeners.
#[test]
fn accepted_socket_has_what_its_listener_was_told() {
    let config = WebSocketConfig::default();
    let any = "127.0.0.1:0".parse().expect("an address");
    let listeners = crate::server::listen(any, 1024, 1).expect("binds");
    prepare(SockRef::from(&listeners[0]), &config);
    let address = listeners[0].local_addr().expect("bound");
    let _client = TcpStream::connect(address).expect("connects");
    listeners[0].set_nonblocking(false).expect("sets");
    let (server, _) = listeners[0].accept().expect("it has connected");
    let socket = SockRef::from(&server);
    assert!(socket.tcp_nodelay().expect("reads"));
    assert!(socket.keepalive().expect("reads"));
    let timeout = socket.tcp_user_timeout().expect("reads");
    assert_eq!(timeout, Some(config.tcp_user_timeout));
    let time = socket.tcp_keepalive_time().expect("reads");
    assert_eq!(time, config.tcp_keepalive);
}

/// So that a socket is not told again what it has.
#[test]
fn what_a_socket_has_already_is_left() {
    let (server, _client) = pair();
    let socket = SockRef::from(&server);
    let config = WebSocketConfig::default();
    prepare(SockRef::from(&server), &config);
    assert!(is_prepared(&socket, &config));
    socket.set_tcp_nodelay(false).expect("sets");
    prepare(SockRef::from(&server), &config);
    assert!(!socket.tcp_nodelay().expect("reads"), "as it was");
    let other = WebSocketConfig {
        tcp_user_timeout: Duration::from_secs(7),
        ..WebSocketConfig::default()
    };
    prepare(SockRef::from(&server), &other);
    assert!(socket.tcp_nodelay().expect("reads"), "told anew");
}

#[test]
fn zero_leaves_the_system_its_own() {
    let (server, _client) = pair();
    let socket = SockRef::from(&server);
    let before = socket.tcp_keepalive_time().expect("reads");
    let config = WebSocketConfig {
        tcp_keepalive: Duration::ZERO,
        tcp_user_timeout: Duration::ZERO,
        ..WebSocketConfig::default()
    };
    prepare(SockRef::from(&server), &config);
    assert!(!socket.keepalive().expect("reads"));
    assert_eq!(socket.tcp_keepalive_time().expect("reads"), before);
    assert_eq!(socket.tcp_user_timeout().expect("reads"), None);
}

#[test]
fn times_below_a_second_are_a_second() {
    let (server, _client) = pair();
    let config = WebSocketConfig {
        tcp_keepalive: Duration::from_millis(1),
        ..WebSocketConfig::default()
    };
    prepare(SockRef::from(&server), &config);
    let socket = SockRef::from(&server);
    let second = Duration::from_secs(1);
    assert_eq!(socket.tcp_keepalive_time().expect("reads"), second);
    assert_eq!(socket.tcp_keepalive_interval().expect("reads"), second);
}

use sinew_websocket::HandshakeError;
use sinew_websocket::handshake::{
    RESPONSE_BYTES_MAX, accept_key, check_request, client_key, client_request, is_upgrade,
    read_response,
};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

const REQUEST: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
];

/// The request with one header's values replaced.
fn with<'a>(name: &'a str, values: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let others = REQUEST.into_iter().filter(|header| header.0 != name);
    others
        .chain(values.iter().map(|value| (name, *value)))
        .collect()
}

#[test]
fn a_request_is_accepted_in_any_case_and_any_number_of_lines() {
    let headers = [
        ("connection", "keep-alive"),
        ("CONNECTION", "te ,UPGRADE"),
        ("upgrade", "h2c, WebSocket"),
        ("sec-websocket-VERSION", " 13 "),
        ("sec-websocket-key", KEY),
        ("sec-websocket-protocol", "b,, a"),
        ("sec-websocket-protocol", "c"),
    ];
    let acceptance = check_request("GET", headers).unwrap();
    assert_eq!(acceptance.accept, accept_key(KEY));
    assert_eq!(acceptance.protocols, ["b", "a", "c"]);
    assert_eq!(
        acceptance.choose_protocol(&["c", "a"]),
        Some("a"),
        "the client's order"
    );
    assert_eq!(acceptance.choose_protocol(&["d"]), None);
}

#[test]
fn each_broken_rule_is_told_apart() {
    use HandshakeError::{Key, Method, NotAnUpgrade, Version};
    let long = "A".repeat(24);
    for (method, headers, error, status) in [
        (
            "GET",
            with("Connection", &["keep-alive"]),
            NotAnUpgrade,
            426,
        ),
        ("GET", with("Upgrade", &[]), NotAnUpgrade, 426),
        ("GET", with("Upgrade", &["websockets"]), NotAnUpgrade, 426),
        ("POST", with("", &[]), Method, 405),
        ("GET", with("Sec-WebSocket-Version", &["8"]), Version, 426),
        ("GET", with("Sec-WebSocket-Version", &[]), Version, 426),
        ("GET", with("Sec-WebSocket-Key", &[]), Key, 400),
        ("GET", with("Sec-WebSocket-Key", &[KEY, KEY]), Key, 400),
        ("GET", with("Sec-WebSocket-Key", &["not base64!"]), Key, 400),
        ("GET", with("Sec-WebSocket-Key", &[long.as_str()]), Key, 400),
    ] {
        assert_eq!(
            check_request(method, headers.clone()),
            Err(error.clone()),
            "{headers:?}"
        );
        assert_eq!(error.status(), status);
    }
}

#[test]
fn an_upgrade_needs_both_headers() {
    assert!(is_upgrade(REQUEST));
    assert!(!is_upgrade([("connection", "upgrade")]));
    assert!(!is_upgrade([("upgrade", "websocket")]));
    assert!(!is_upgrade([
        ("x-upgrade", "websocket"),
        ("connection", "upgrade")
    ]));
}

#[test]
fn a_client_meets_a_server_of_this_crate() {
    let key = client_key();
    assert_ne!(key, client_key());
    let request = client_request(
        "localhost:1",
        "/cable?a=b",
        &key,
        &[("Origin", "http://a.test")],
    );
    let (line, rest) = request.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /cable?a=b HTTP/1.1");
    let headers: Vec<_> = rest
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert!(headers.contains(&("Host", "localhost:1")));
    assert!(headers.contains(&("Origin", "http://a.test")));

    let accept = check_request("GET", headers).unwrap().accept;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\nsec-websocket-protocol: actioncable-v1-json\r\n\r\n"
    );
    let with_frame = [answer.as_bytes(), b"\x81\x00"].concat();
    let response = read_response(&with_frame, &key).unwrap().unwrap();
    assert_eq!(response.header_bytes, answer.len());
    assert_eq!(response.protocol, Some("actioncable-v1-json"));
    for end in 0..answer.len() {
        assert_eq!(
            read_response(&with_frame[..end], &key),
            Ok(None),
            "{end} bytes"
        );
    }
}

#[test]
fn a_client_refuses_answers_that_do_not_upgrade() {
    let accept = accept_key(KEY);
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade";
    for (answer, error) in [
        (
            "HTTP/1.1 403 Forbidden".to_owned(),
            HandshakeError::Status(403),
        ),
        ("HTTP/1.0 101 Sure".to_owned(), HandshakeError::Malformed),
        ("SSH-2.0-OpenSSH".to_owned(), HandshakeError::Malformed),
        (
            format!("HTTP/1.1 101 Sure\r\nSec-WebSocket-Accept: {accept}"),
            HandshakeError::ResponseNotAnUpgrade,
        ),
        (
            format!("HTTP/1.1 101 Sure\r\n{upgrade}\r\nno colon"),
            HandshakeError::Malformed,
        ),
        (
            format!("HTTP/1.1 101 Sure\r\n{upgrade}"),
            HandshakeError::Accept,
        ),
        (
            format!("HTTP/1.1 101 Sure\r\n{upgrade}\r\nSec-WebSocket-Accept: {KEY}"),
            HandshakeError::Accept,
        ),
        (
            format!(
                "HTTP/1.1 101 Sure\r\n{upgrade}\r\nSec-WebSocket-Accept: {accept}\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate"
            ),
            HandshakeError::Extension,
        ),
    ] {
        let answer = format!("{answer}\r\n\r\n");
        assert_eq!(
            read_response(answer.as_bytes(), KEY),
            Err(error),
            "{answer}"
        );
    }
    let endless = vec![b'a'; RESPONSE_BYTES_MAX + 1];
    let limit = RESPONSE_BYTES_MAX;
    assert_eq!(
        read_response(&endless, KEY),
        Err(HandshakeError::TooBig { limit })
    );
}

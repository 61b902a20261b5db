use super::*;

const UPGRADE_REQUEST: &str = "GET /cable?room=1 HTTP/1.1\r\nHost: app.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n";

#[test]
fn whole_request_for_an_upgrade_is_read_and_what_follows_is_left() {
    let bytes = format!("{UPGRADE_REQUEST}frames");
    let (request, length) = upgrade_request(bytes.as_bytes()).expect("one");
    assert_eq!(&bytes[length..], "frames");
    assert_eq!(request.uri(), "/cable?room=1");
    assert_eq!(request.headers()["host"], "app.example");
    let cookies: Vec<_> = request.headers().get_all("cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}

#[test]
fn anything_else_is_for_the_server_of_pages() {
    let one = |from: &str, to: &str| {
        let changed = UPGRADE_REQUEST.replace(from, to);
        assert_ne!(changed, UPGRADE_REQUEST, "{from} is there");
        changed
    };
    let cases = [
        one("Upgrade: websocket", "X: y"),
        one("GET", "POST"),
        one("HTTP/1.1", "HTTP/1.0"),
        one("Cookie: a=1", "Content-Length: 3"),
        one("Cookie: a=1", "Transfer-Encoding: chunked"),
        one("Cookie: a=1", "Cookie : a=1"),
        one("/cable", "cable[]"),
        one(
            "Cookie: a=1",
            &format!("Cookie: a=1{}", "\r\nX: y".repeat(HEADERS)),
        ),
        one("\r\n\r\n", "\r\n"),
        "\x16\x03\x01".to_owned(),
        String::new(),
    ];
    for case in cases {
        assert!(upgrade_request(case.as_bytes()).is_none(), "{case}");
    }
}

#[test]
fn part_of_a_request_is_none() {
    for length in 0..UPGRADE_REQUEST.len() {
        assert!(upgrade_request(&UPGRADE_REQUEST.as_bytes()[..length]).is_none());
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_looked_at_without_trouble(bytes: Vec<u8>, at in 0..UPGRADE_REQUEST.len(), octet: u8) {
        let _ = upgrade_request(&bytes);
        let mut changed = UPGRADE_REQUEST.as_bytes().to_vec();
        changed[at] = octet;
        if let Some((_, length)) = upgrade_request(&changed) {
            proptest::prop_assert!(length <= changed.len());
        }
    }
}

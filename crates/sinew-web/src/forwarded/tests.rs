use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().expect("a header value"));
    }
    headers
}

/// Who the request is from, as `address scheme host`.
fn check(proxies: &TrustedProxies, peer: &str, lines: &[(&'static str, &str)], expected: &str) {
    let mut headers = headers(lines);
    headers
        .entry("host")
        .or_insert_with(|| "inside:3000".parse().expect("a header value"));
    let effective = proxies.effective(&Direct {
        peer: peer.parse().ok(),
        secure: false,
        headers: &headers,
        authority: None,
    });
    let address = effective
        .client_address
        .map_or_else(|| "-".to_owned(), |a| a.to_string());
    let scheme = if effective.secure { "https" } else { "http" };
    assert_eq!(
        format!("{address} {scheme} {}", effective.host),
        expected,
        "{peer} {lines:?}"
    );
}

fn trusted() -> TrustedProxies {
    "10.0.0.0/8, 2001:db8:1::/48".parse().expect("networks")
}

#[test]
fn strangers_are_not_believed() {
    let everything = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "444"),
        ("forwarded", "for=1.2.3.4;proto=https;host=evil.example"),
    ];
    check(
        &trusted(),
        "203.0.113.9",
        &everything,
        "203.0.113.9 http inside:3000",
    );
    check(
        &trusted(),
        "2001:db8:2::1",
        &everything,
        "2001:db8:2::1 http inside:3000",
    );
    check(&trusted(), "-", &everything, "- http inside:3000");
    for peer in ["127.0.0.1", "::1", "192.168.1.1"] {
        check(
            &TrustedProxies::none(),
            peer,
            &everything,
            &format!("{peer} http inside:3000"),
        );
    }
}

#[test]
fn x_forwarded() {
    for (lines, expected) in [
        (vec![], "10.0.0.1 http inside:3000"),
        (
            vec![("x-forwarded-for", "203.0.113.9")],
            "203.0.113.9 http inside:3000",
        ),
        // What the visitor wrote stands to the left of what the proxy added.
        (
            vec![("x-forwarded-for", "1.2.3.4, 203.0.113.9")],
            "203.0.113.9 http inside:3000",
        ),
        (
            vec![("x-forwarded-for", "10.9.9.9, 203.0.113.9")],
            "203.0.113.9 http inside:3000",
        ),
        (
            vec![
                ("x-forwarded-for", "1.2.3.4"),
                ("x-forwarded-for", "203.0.113.9, 10.0.0.2"),
            ],
            "203.0.113.9 http inside:3000",
        ),
        // All trusted: the farthest of them.
        (
            vec![("x-forwarded-for", "10.0.0.3, 10.0.0.2")],
            "10.0.0.3 http inside:3000",
        ),
        (
            vec![("x-forwarded-for", "10.0.0.3, rubbish")],
            "10.0.0.1 http inside:3000",
        ),
        (
            vec![("x-forwarded-for", "203.0.113.9:4711")],
            "203.0.113.9 http inside:3000",
        ),
        (
            vec![("x-forwarded-for", "[2001:db8::7]:4711")],
            "2001:db8::7 http inside:3000",
        ),
        (
            vec![("x-forwarded-for", "2001:db8::7")],
            "2001:db8::7 http inside:3000",
        ),
        (
            vec![("x-forwarded-for", "::ffff:203.0.113.9")],
            "203.0.113.9 http inside:3000",
        ),
        (
            vec![("x-forwarded-proto", "https")],
            "10.0.0.1 https inside:3000",
        ),
        (
            vec![("x-forwarded-proto", "wss")],
            "10.0.0.1 https inside:3000",
        ),
        (
            vec![("x-forwarded-proto", "WSS")],
            "10.0.0.1 https inside:3000",
        ),
        (
            vec![("x-forwarded-proto", "http")],
            "10.0.0.1 http inside:3000",
        ),
        (
            vec![("x-forwarded-proto", "ws")],
            "10.0.0.1 http inside:3000",
        ),
        (
            vec![("x-forwarded-proto", "gopher")],
            "10.0.0.1 http inside:3000",
        ),
        // A spoofed scheme before the proxy's own.
        (
            vec![
                ("x-forwarded-for", "1.2.3.4, 203.0.113.9"),
                ("x-forwarded-proto", "https, http"),
            ],
            "203.0.113.9 http inside:3000",
        ),
        // Two trusted proxies, each of which added its view: the outer one met the visitor.
        (
            vec![
                ("x-forwarded-for", "203.0.113.9, 10.0.0.2"),
                ("x-forwarded-proto", "https, http"),
                ("x-forwarded-host", "app.example.com, inner"),
            ],
            "203.0.113.9 https app.example.com",
        ),
        // Two trusted proxies, and the scheme was only said once.
        (
            vec![
                ("x-forwarded-for", "203.0.113.9, 10.0.0.2"),
                ("x-forwarded-proto", "https"),
            ],
            "203.0.113.9 https inside:3000",
        ),
        (
            vec![("x-forwarded-host", "App.Example.com")],
            "10.0.0.1 http app.example.com",
        ),
        (
            vec![("x-forwarded-host", "app.example.com:8443")],
            "10.0.0.1 http app.example.com:8443",
        ),
        (
            vec![
                ("x-forwarded-host", "app.example.com:443"),
                ("x-forwarded-proto", "https"),
            ],
            "10.0.0.1 https app.example.com",
        ),
        (
            vec![
                ("x-forwarded-host", "app.example.com"),
                ("x-forwarded-port", "8443"),
            ],
            "10.0.0.1 http app.example.com:8443",
        ),
        (
            vec![
                ("host", "app.example.com"),
                ("x-forwarded-port", "443"),
                ("x-forwarded-proto", "https"),
            ],
            "10.0.0.1 https app.example.com",
        ),
        (
            vec![("x-forwarded-host", "user@evil/path")],
            "10.0.0.1 http inside:3000",
        ),
        (
            vec![("x-forwarded-host", "[2001:db8::7]:80")],
            "10.0.0.1 http [2001:db8::7]",
        ),
        // The proxy speaks X-Forwarded; what came in as Forwarded is the visitor's.
        (
            vec![
                ("x-forwarded-for", "203.0.113.9"),
                ("forwarded", "for=1.2.3.4;host=evil"),
            ],
            "203.0.113.9 http inside:3000",
        ),
    ] {
        check(&trusted(), "10.0.0.1", &lines, expected);
    }
}

#[test]
fn rfc_7239() {
    for (line, expected) in [
        ("for=203.0.113.9", "203.0.113.9 http inside:3000"),
        (
            "For=203.0.113.9; Proto=https ;HOST=app.example.com",
            "203.0.113.9 https app.example.com",
        ),
        (
            r#"for="[2001:db8::7]:4711";proto=wss"#,
            "2001:db8::7 https inside:3000",
        ),
        (
            r#"for="203.0.113.9:4711";by=10.0.0.1"#,
            "203.0.113.9 http inside:3000",
        ),
        (
            r#"host="app\.example.com:8080";for=203.0.113.9"#,
            "203.0.113.9 http app.example.com:8080",
        ),
        (
            "for=1.2.3.4;proto=https;host=evil, for=203.0.113.9",
            "203.0.113.9 http inside:3000",
        ),
        (
            "for=203.0.113.9;proto=https;host=app.example.com, for=10.0.0.2",
            "203.0.113.9 https app.example.com",
        ),
        (
            "for=10.0.0.3, for=10.0.0.2;proto=https",
            "10.0.0.3 https inside:3000",
        ),
        (
            "for=1.2.3.4;proto=https, for=unknown",
            "10.0.0.1 http inside:3000",
        ),
        (
            "for=1.2.3.4, for=_hidden;proto=https",
            "10.0.0.1 https inside:3000",
        ),
        // A comma and a semicolon inside quotes separate nothing.
        (
            r#"for=203.0.113.9;secret="a,b;c=d""#,
            "203.0.113.9 http inside:3000",
        ),
        // Malformed: nothing is believed.
        (r#"for="203.0.113.9"#, "10.0.0.1 http inside:3000"),
        ("for=203.0.113.9;for=1.2.3.4", "10.0.0.1 http inside:3000"),
        ("203.0.113.9", "10.0.0.1 http inside:3000"),
        (
            r#"for="203.0.113.9"x;proto=https"#,
            "10.0.0.1 http inside:3000",
        ),
        ("", "10.0.0.1 http inside:3000"),
    ] {
        check(&trusted(), "10.0.0.1", &[("forwarded", line)], expected);
    }
    check(
        &trusted(),
        "10.0.0.1",
        &[
            ("forwarded", "for=203.0.113.9;proto=https"),
            ("forwarded", "for=10.0.0.2"),
        ],
        "203.0.113.9 https inside:3000",
    );
}

#[test]
fn one_family_only() {
    let both = [
        ("x-forwarded-for", "1.2.3.4"),
        ("forwarded", "for=203.0.113.9"),
    ];
    let rfc = trusted().headers(ForwardedHeaders::Rfc7239);
    check(&rfc, "10.0.0.1", &both, "203.0.113.9 http inside:3000");
    let x = trusted().headers(ForwardedHeaders::XForwarded);
    check(&x, "10.0.0.1", &both, "1.2.3.4 http inside:3000");
    check(&x, "10.0.0.1", &both[1..], "10.0.0.1 http inside:3000");
}

#[test]
fn networks() {
    for (network, address, expected) in [
        ("10.0.0.7", "10.0.0.7", true),
        ("10.0.0.7", "10.0.0.8", false),
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("192.168.1.128/25", "192.168.1.127", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("::ffff:10.0.0.7", "10.0.0.7", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fe00::1", false),
        ("::/0", "2001:db8::1", true),
        ("::1", "::1", true),
    ] {
        let parsed: Network = network.parse().expect(network);
        assert_eq!(
            parsed.contains(address.parse().expect(address)),
            expected,
            "{network} {address}"
        );
    }
    for refused in [
        "",
        "10.0.0",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/x",
        "10.0.0.0/-1",
        "localhost",
    ] {
        assert_eq!(
            refused.parse::<Network>(),
            Err(NetworkError(refused.to_owned()))
        );
    }
}

#[test]
fn words() {
    let proxies: TrustedProxies = " Loopback,,".parse().expect("a word");
    assert!(proxies.trusts("127.0.0.2".parse().expect("an address")));
    assert!(proxies.trusts("::1".parse().expect("an address")));
    assert!(!proxies.trusts("10.0.0.1".parse().expect("an address")));
    let proxies: TrustedProxies = "private".parse().expect("a word");
    for address in [
        "127.0.0.1",
        "10.1.1.1",
        "172.31.0.1",
        "192.168.0.1",
        "fd00::1",
    ] {
        assert!(
            proxies.trusts(address.parse().expect("an address")),
            "{address}"
        );
    }
    assert!(!proxies.trusts("172.32.0.1".parse().expect("an address")));
    assert!("loopback, nonsense".parse::<TrustedProxies>().is_err());
    assert_eq!("".parse::<TrustedProxies>(), Ok(TrustedProxies::none()));
}

#[test]
fn the_uris_authority_goes_before_the_header() {
    let headers = headers(&[("host", "header")]);
    let effective = TrustedProxies::none().effective(&Direct {
        peer: None,
        secure: true,
        headers: &headers,
        authority: Some("Uri:443"),
    });
    assert_eq!(effective.host, "uri");
    assert_eq!(effective.origin(), "https://uri");
}

#[test]
fn the_peer_is_what_the_server_or_axum_left() {
    let mut extensions = Extensions::new();
    assert_eq!(Peer::of(&extensions), Peer::default());
    let address: SocketAddr = "203.0.113.9:4711".parse().expect("an address");
    extensions.insert(ConnectInfo(address));
    assert_eq!(Peer::of(&extensions).address, Some(address.ip()));
    let tls = Peer {
        address: None,
        secure: true,
    };
    extensions.insert(tls);
    assert_eq!(Peer::of(&extensions), tls);
}

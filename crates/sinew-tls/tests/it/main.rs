//! Handshakes in memory, with servers of every kind.

mod server;

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};
use server::{Authority, Server};
use sinew_tls::{Authorities, Verification, client_config};

/// What comes of a handshake with a server that is called `name`.
fn shake_hands(
    verification: &Verification,
    name: &str,
    server: &Server,
) -> Result<(), rustls::Error> {
    let config = Arc::new(client_config(verification).expect("usable authorities"));
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = ClientConnection::new(config, name)?;
    let mut server = ServerConnection::new(server.config())?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).expect("memory");
        server.read_tls(&mut bytes.as_slice()).expect("memory");
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        server.write_tls(&mut bytes).expect("memory");
        client.read_tls(&mut bytes.as_slice()).expect("memory");
        client.process_new_packets()?;
    }
    Ok(())
}

fn refusal(verification: &Verification, name: &str, server: &Server) -> String {
    shake_hands(verification, name, server)
        .expect_err("a refusal")
        .to_string()
}

/// Each way of verifying by this authority.
fn full(authority: &Authority) -> Verification {
    Verification::Full(Authorities::File(authority.file()))
}

fn any_name(authority: &Authority) -> Verification {
    Verification::Authority(Authorities::File(authority.file()))
}

#[test]
fn a_server_is_verified_by_the_name_or_the_address_that_was_asked_for() {
    let authority = Authority::new();
    let server = Server::of(&authority, &["db.example.com", "127.0.0.1", "::1"]);
    for name in ["db.example.com", "DB.example.com", "127.0.0.1", "::1"] {
        shake_hands(&full(&authority), name, &server).expect(name);
    }
    for name in ["other.example.com", "127.0.0.2", "localhost"] {
        let refusal = refusal(&full(&authority), name, &server);
        assert!(
            refusal.contains(&format!("not valid for name \"{name}\"")),
            "{refusal}"
        );
    }
}

#[test]
fn any_name_of_the_authority_is_enough_if_it_is_to_be() {
    let authority = Authority::new();
    let server = Server::of(&authority, &["db.example.com"]);
    shake_hands(&any_name(&authority), "other.example.com", &server).unwrap();
}

#[test]
fn whom_no_authority_has_signed_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::of(&theirs, &["db.example.com"]);
    for verification in [full(&ours), any_name(&ours), Verification::default()] {
        // A system without authorities refuses everybody earlier.
        if client_config(&verification).is_err() {
            assert_eq!(verification, Verification::default());
            continue;
        }
        let refusal = refusal(&verification, "db.example.com", &server);
        assert!(
            refusal.contains("invalid peer certificate: "),
            "{verification:?}: {refusal}"
        );
    }
    shake_hands(&Verification::Nothing, "db.example.com", &server).unwrap();
}

#[test]
fn what_has_expired_is_refused_whatever_its_name() {
    let authority = Authority::new();
    let server = Server::expired(&authority, &["db.example.com"]);
    for verification in [full(&authority), any_name(&authority)] {
        let refusal = refusal(&verification, "db.example.com", &server);
        assert!(refusal.contains("expired"), "{verification:?}: {refusal}");
    }
}

#[test]
fn who_shows_a_certificate_without_its_key_is_refused_by_everybody() {
    let authority = Authority::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let honest = Server::of(&authority, &["db.example.com"]).only(version);
        let thief = honest.with_another_key();
        for verification in [
            full(&authority),
            any_name(&authority),
            Verification::Nothing,
        ] {
            shake_hands(&verification, "db.example.com", &honest).unwrap();
            let refusal = refusal(&verification, "db.example.com", &thief);
            assert!(
                refusal.contains("BadSignature"),
                "{verification:?}: {refusal}"
            );
        }
    }
}

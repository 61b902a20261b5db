//! A certificate authority for one server, and the server's certificate.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Writes `ca.crt`, `server.crt` (of `localhost` and 127.0.0.1) and `server.key`.
pub(crate) fn write_into(directory: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "Authority of a test");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"))
        .expect("a certificate");

    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names)
        .expect("names")
        .signed_by(&key, &authority)
        .expect("a certificate");

    let write = |name: &str, content: String| {
        fs::write(directory.join(name), content).expect("the server's directory is writable");
    };
    write("ca.crt", authority.pem());
    write("server.crt", server.pem());
    write("server.key", key.serialize_pem());
}

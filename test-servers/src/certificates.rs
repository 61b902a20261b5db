//! Who signs the certificates of servers.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// What a server's certificate is of, unless it is said.
pub(crate) const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate authority. Clones are the same one: servers that speak TLS with each other are
/// signed by one.
///
/// ```
/// use test_servers::{Authority, RedisServer};
///
/// let authority = Authority::new();
/// let one = RedisServer::options().tls_by(&authority).start();
/// let other = RedisServer::options().tls_by(&authority).start();
/// let same = |a, b| std::fs::read(a).unwrap() == std::fs::read(b).unwrap();
/// assert!(same(one.ca_file(), authority.ca_file()));
/// assert!(same(one.ca_file(), other.ca_file()));
/// assert!(!same(one.ca_file(), Authority::new().ca_file()));
/// ```
#[derive(Clone)]
pub struct Authority {
    signs: Arc<Signs>,
}

struct Signs {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    /// Another one.
    ///
    /// # Panics
    ///
    /// No temporary file can be written.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);

        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL looks for who signed by the name.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("Authority {number} of a test");
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
            .expect("a certificate");
        let directory = tempfile::Builder::new().prefix("authority-").tempdir();
        let directory = directory.expect("a temporary directory");
        fs::write(directory.path().join("ca.crt"), issuer.pem()).expect("writable");
        Self {
            signs: Arc::new(Signs { issuer, directory }),
        }
    }

    /// Its certificate, in PEM. Gone with the last clone; servers have a copy of their own.
    pub fn ca_file(&self) -> PathBuf {
        self.signs.directory.path().join("ca.crt")
    }

    /// Writes `ca.crt`, `server.crt` (of these names) and `server.key`.
    pub(crate) fn write_into(&self, directory: &Path, names: &[String]) {
        let issuer = &self.signs.issuer;
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(names)
            .expect("names")
            .signed_by(&key, issuer)
            .expect("a certificate");
        let write = |name: &str, content: String| {
            fs::write(directory.join(name), content).expect("the server's directory is writable");
        };
        write("ca.crt", issuer.pem());
        write("server.crt", server.pem());
        write("server.key", key.serialize_pem());
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("ca_file", &self.ca_file())
            .finish_non_exhaustive()
    }
}

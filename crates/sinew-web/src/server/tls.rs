//! TLS that ends in the server itself, with certificates that are renewed while it runs.

mod expiry;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::RwLock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::statistics::up;
use super::{Server, TlsFiles};
use crate::error::TlsError;

/// Bytes that a certificate with its chain, or a key, may have. A larger file is refused.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A certificate with its key, from two files in PEM, for [`Server::tls`]. Clones share what was loaded.
///
/// TLS 1.2 and 1.3, and HTTP/1.1 in it.
///
/// ```
/// use axum::Router;
/// use sinew_web::Server;
/// use sinew_web::server::{Tls, TlsFiles};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let files = TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
/// # let make = || -> Result<(), Box<dyn std::error::Error>> {
/// #     let made = rcgen::generate_simple_self_signed(["example.com".to_owned()])?;
/// #     std::fs::write(&files.certificate, made.cert.pem())?;
/// #     std::fs::write(&files.key, made.signing_key.serialize_pem())?;
/// #     Ok(())
/// # };
/// # make()?;
/// // `files` names two files that are there.
/// let tls = Tls::from_files(files.clone())?;
/// let server = Server::new(Router::new()).tls(tls.clone());
/// assert!(server.is_secure());
///
/// // The server looks by itself, every five seconds.
/// assert!(!tls.reload()?, "nothing has changed");
/// # make()?;
/// assert!(tls.reload()?, "the certificate was renewed");
///
/// // A file that cannot be used changes nothing.
/// std::fs::write(&files.key, "broken")?;
/// assert!(tls.reload().is_err());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

/// What is presented, now.
struct Certificate {
    files: TlsFiles,
    hasher: RandomState,
    loaded: RwLock<Loaded>,
}

struct Loaded {
    key: Arc<CertifiedKey>,
    /// Of the files as they were looked at last, whether they could be used or not: each change is told once.
    fingerprint: u64,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.loaded.read().key.clone())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read, holds nothing of its kind, or they do not belong together.
    pub fn from_files(files: TlsFiles) -> Result<Self, TlsError> {
        let hasher = RandomState::new();
        let read = Files::read(&files)?;
        let loaded = Loaded {
            key: read.certified_key(&files)?,
            fingerprint: hasher.hash_one(&read),
        };
        let certificate = Arc::new(Certificate {
            files,
            hasher,
            loaded: RwLock::new(loaded),
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::refused)?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }

    /// Reads the files again, and presents the new certificate to those who come from now on, if they have changed.
    /// Blocks while it reads.
    ///
    /// # Errors
    ///
    /// As [`from_files`](Self::from_files), once for each change: the certificate stays as it is.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let certificate = &*self.certificate;
        let read = Files::read(&certificate.files)?;
        let fingerprint = certificate.hasher.hash_one(&read);
        if certificate.loaded.read().fingerprint == fingerprint {
            return Ok(false);
        }
        // Remembered before it is known to be good.
        certificate.loaded.write().fingerprint = fingerprint;
        let key = read.certified_key(&certificate.files)?;
        certificate.loaded.write().key = key;
        Ok(true)
    }

    /// Until when what is presented is valid: the certificate, and those that lead to a root. Nothing when one of them
    /// does not say it in a form that browsers read.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use sinew_web::server::{Tls, TlsFiles};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let files = TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    /// # let mut params = rcgen::CertificateParams::new(["example.com".to_owned()])?;
    /// # params.not_after = rcgen::date_time_ymd(2100, 3, 1);
    /// # let key = rcgen::KeyPair::generate()?;
    /// # std::fs::write(&files.certificate, params.self_signed(&key)?.pem())?;
    /// # std::fs::write(&files.key, key.serialize_pem())?;
    /// // A certificate until the first of March 2100.
    /// let tls = Tls::from_files(files)?;
    /// assert_eq!(tls.expires(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(4_107_542_400)));
    /// # Ok(()) }
    /// ```
    pub fn expires(&self) -> Option<SystemTime> {
        let key = self.certificate.loaded.read().key.clone();
        let ends = key
            .cert
            .iter()
            .map(|certificate| expiry::not_after(certificate));
        ends.min().flatten()
    }
}

/// What stands in the files.
#[derive(Hash)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
        })
    }

    fn certified_key(&self, files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(files.certificate.clone()));
        }
        // What the parser says of a key could repeat a part of it.
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| TlsError::NoKey(files.key.clone()))?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(TlsError::refused)?;
        Ok(Arc::new(key))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    };
    read().map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Looks at the files, as long as it is polled.
pub(super) async fn watch(server: &Server, tls: &Tls) {
    let mut said = String::new();
    loop {
        sleep(server.admission().config().tls_reload_interval).await;
        let looks = tls.clone();
        let looked = tokio::task::spawn_blocking(move || looks.reload()).await;
        match looked {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => {
                up(&server.admission().counters().tls_reloads);
                tracing::info!("the certificate was renewed");
            }
            Ok(Err(error)) => {
                // A file that is not there is so each time.
                let sentence = error.to_string();
                if sentence != said {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the certificate stays as it is"
                    );
                }
                said = sentence;
                continue;
            }
            Err(error) => tracing::warn!(%error, "the certificate was not looked at"),
        }
        said.clear();
    }
}

/// Shakes hands, within the time that a connection has for its first request.
pub(super) async fn shake_hands(
    server: &Server,
    tls: &Tls,
    socket: TcpStream,
) -> Option<TlsStream<TcpStream>> {
    let config = server.admission().config();
    let handshake = timeout(config.header_read_timeout, tls.acceptor.accept(socket));
    match handshake.await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            up(&server.admission().counters().tls_failures);
            tracing::debug!(%error, "a handshake of TLS failed");
            None
        }
        Err(_) => {
            up(&server.admission().counters().tls_failures);
            None
        }
    }
}

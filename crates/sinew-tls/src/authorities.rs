//! Whose signatures are believed.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::AuthoritiesError;

/// Bytes of a file of authorities: 1 MiB. A larger one is refused.
///
/// ```
/// assert_eq!(sinew_tls::CA_FILE_BYTES_MAX, 1024 * 1024);
/// ```
pub const CA_FILE_BYTES_MAX: u64 = 1 << 20;

/// Whose signatures under a server's certificate are believed.
///
/// ```
/// use sinew_tls::Authorities;
///
/// assert_eq!(Authorities::default(), Authorities::System);
/// assert_ne!(Authorities::default(), Authorities::File("/etc/db/ca.pem".into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorities {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those in a PEM file of at most [`CA_FILE_BYTES_MAX`], and no others.
    File(PathBuf),
}

impl Authorities {
    pub(crate) fn read(&self) -> Result<RootCertStore, AuthoritiesError> {
        match self {
            Self::System => system_roots(),
            Self::File(file) => roots_in(file),
        }
    }
}

fn system_roots() -> Result<RootCertStore, AuthoritiesError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(AuthoritiesError::no_system_roots());
    }
    Ok(roots)
}

fn roots_in(file: &Path) -> Result<RootCertStore, AuthoritiesError> {
    let mut pem = Vec::new();
    File::open(file)
        .and_then(|it| it.take(CA_FILE_BYTES_MAX + 1).read_to_end(&mut pem))
        .map_err(|error| AuthoritiesError::of_file(file, error))?;
    parse(&pem).map_err(|problem| AuthoritiesError::of_file(file, problem))
}

/// The authorities in a PEM text, or what is wrong with it.
fn parse(pem: &[u8]) -> Result<RootCertStore, String> {
    if pem.len() as u64 > CA_FILE_BYTES_MAX {
        return Err("it is larger than 1 MiB".to_owned());
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;

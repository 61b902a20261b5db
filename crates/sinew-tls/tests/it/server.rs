//! Servers, and who signs their certificates.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;

/// A certificate authority, and its file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

/// What a server presents, and with which key.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    presented: Arc<CertifiedKey>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Server {
    pub(crate) fn of(authority: &Authority, names: &[&str]) -> Self {
        Self::signed(authority, params(names))
    }

    pub(crate) fn expired(authority: &Authority, names: &[&str]) -> Self {
        let mut params = params(names);
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        Self::signed(authority, params)
    }

    fn signed(authority: &Authority, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority.issuer).unwrap();
        let presented = CertifiedKey::new(vec![certificate.der().clone()], signing(&key));
        Self {
            presented: Arc::new(presented),
            versions: rustls::ALL_VERSIONS.to_vec(),
        }
    }

    /// The same, in this version of TLS alone.
    pub(crate) fn only(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    /// Who has seen the certificate, and has no more of it.
    pub(crate) fn with_another_key(&self) -> Self {
        let chain: Vec<CertificateDer<'static>> = self.presented.cert.clone();
        let presented = CertifiedKey::new(chain, signing(&KeyPair::generate().unwrap()));
        Self {
            presented: Arc::new(presented),
            versions: self.versions.clone(),
        }
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        Arc::new(config)
    }
}

impl ResolvesServerCert for Server {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.presented))
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

fn signing(key: &KeyPair) -> Arc<dyn SigningKey> {
    let der = PrivatePkcs8KeyDer::from(key.serialize_der());
    ring::sign::any_supported_type(&PrivateKeyDer::Pkcs8(der)).unwrap()
}

//! What rustls connects with.

use std::sync::Arc;

use rustls::ClientConfig;

use crate::authorities::Authorities;
use crate::error::AuthoritiesError;
use crate::verifier::AnyName;

/// By what a server's certificate is verified. That the server has the key of its certificate is
/// verified in any case.
///
/// ```
/// use sinew_tls::{Authorities, Verification};
///
/// assert_eq!(Verification::default(), Verification::Full(Authorities::System));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// One of the authorities has signed it, and it is of the host's name, or of the host's
    /// address if the host is given as one.
    Full(Authorities),
    /// One of the authorities has signed it, whatever its name: every server of theirs is
    /// believed to be the one that is meant.
    Authority(Authorities),
    /// Nothing: whoever answers is believed. Whoever chooses this should say so in the log, since
    /// whoever gets in between reads and changes everything.
    Nothing,
}

impl Default for Verification {
    /// In full, by the authorities of the system.
    fn default() -> Self {
        Self::Full(Authorities::System)
    }
}

/// TLS 1.2 and 1.3 to servers that are verified so. Reads the authorities now; blocks while it
/// does.
///
/// ```
/// use sinew_tls::{Authorities, Verification, client_config};
///
/// assert!(client_config(&Verification::Nothing).is_ok());
/// let missing = Verification::Full(Authorities::File("/nowhere/ca.pem".into()));
/// assert!(client_config(&missing).is_err());
/// ```
///
/// # Errors
///
/// The authorities cannot be used: [`AuthoritiesError`].
pub fn client_config(verification: &Verification) -> Result<ClientConfig, AuthoritiesError> {
    // Named here, so that a second provider in the same program is no question to anybody.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites of both versions");
    let roots = match verification {
        Verification::Full(authorities) => {
            let config = config.with_root_certificates(authorities.read()?);
            return Ok(config.with_no_client_auth());
        }
        Verification::Authority(authorities) => Some(authorities.read()?),
        Verification::Nothing => None,
    };
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyName::new(roots, provider)));
    Ok(config.with_no_client_auth())
}

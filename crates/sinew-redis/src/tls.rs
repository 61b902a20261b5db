//! By what a server's certificate is verified.

use std::sync::Arc;

use sinew_tls::{Authorities, AuthoritiesError, Verification, client_config};
use tokio_rustls::TlsConnector;

use crate::error::RedisSettingsError;
use crate::settings::RedisTls;

/// Speaks TLS 1.2 and 1.3.
pub(crate) fn connector(trust: &RedisTls) -> Result<TlsConnector, RedisSettingsError> {
    let verification = match trust {
        RedisTls::System => Verification::Full(Authorities::System),
        RedisTls::CaFile(file) => Verification::Full(Authorities::File(file.clone())),
        RedisTls::Unverified => Verification::Nothing,
    };
    let config = client_config(&verification)?;
    Ok(TlsConnector::from(Arc::new(config)))
}

impl From<AuthoritiesError> for RedisSettingsError {
    fn from(error: AuthoritiesError) -> Self {
        match error.file() {
            Some(file) => Self::CaFile {
                file: file.to_owned(),
                problem: error.problem().to_owned(),
            },
            None => Self::NoSystemRoots,
        }
    }
}

//! TLS to a server, and by what its certificate is verified.
//!
//! For the crates that connect to a service of somebody else, such as a database. It says who is
//! believed, [`Verification`], and makes of it what rustls connects with, [`client_config`]: TLS
//! 1.2 and 1.3, without a certificate of the client's. Settings, their variables and what the log
//! says of them are the caller's, and so is the connection: it opens no socket, and reads nothing
//! but the authorities.
//!
//! ```
//! use sinew_tls::{Authorities, Verification, client_config};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("ca.pem");
//! # std::fs::write(&file, rcgen::generate_simple_self_signed(["db".to_owned()])?.cert.pem())?;
//! // `file` is a PEM file with one authority or several.
//! let config = client_config(&Verification::Full(Authorities::File(file)))?;
//! assert!(config.alpn_protocols.is_empty());
//! # Ok(()) }
//! ```

mod authorities;
mod config;
mod error;
mod verifier;

pub use authorities::{Authorities, CA_FILE_BYTES_MAX};
pub use config::{Verification, client_config};
pub use error::AuthoritiesError;

//! Sign and verify, seal and open: Rails-style message verifier and encryptor, key derivation from a secret key base, signed stream names.
//!
//! For the cable (`CableReady::Stream`), the session layer and anyone who hands a text to a browser and wants it back unchanged.
//! It does not know what the signed text means, nor where secrets are kept.
//!
//! ```
//! use sinew_verifier::{Digest, MessageVerifier, SecretKeyBase};
//!
//! let secret = SecretKeyBase::new("reference-peer-not-a-secret-".repeat(4));
//! let verifier = MessageVerifier::new(secret.derive("cable_ready/verifier_key", Digest::Sha1));
//! let signed = verifier.sign("news");
//! assert_eq!(signed, "Im5ld3Mi--66001d15205940caee7c96779d2047d6982dd58486591df0f06cbd32056b3700");
//! assert_eq!(verifier.verify(&signed).unwrap(), "news");
//! ```
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `rails` | the module `rails`: messages with purpose and expiry, and sessions in cookies, as Rails writes them | no |

mod encryptor;
mod error;
mod key;
#[cfg(feature = "rails")]
pub mod rails;
mod verifier;

pub use encryptor::MessageEncryptor;
pub use error::{DecryptError, VerifyError};
pub use key::{Digest, EncryptionKey, Key, SecretKeyBase};
pub use verifier::MessageVerifier;

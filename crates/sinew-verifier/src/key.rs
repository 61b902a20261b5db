use std::fmt;

use pbkdf2::pbkdf2_hmac;

/// Rounds of PBKDF2, as Rails' key generator makes for an application.
const ITERATIONS: u32 = 1000;
/// Length of a derived key to sign with, in bytes.
const KEY_BYTES: usize = 64;
/// Length of a key to encrypt with, in bytes: that of AES-256.
const ENCRYPTION_KEY_BYTES: usize = 32;

/// The digest inside PBKDF2: Rails uses SHA-256 with the defaults of 7.0 and later, SHA-1 before.
///
/// ```
/// use sinew_verifier::{Digest, SecretKeyBase};
///
/// let secret = SecretKeyBase::new("secret");
/// let new = secret.derive("cable_ready/verifier_key", Digest::default());
/// let old = secret.derive("cable_ready/verifier_key", Digest::Sha1);
/// assert_ne!(new.as_bytes(), old.as_bytes());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digest {
    /// As in applications with the defaults of Rails 6.1 and older.
    Sha1,
    /// As in applications with the defaults of Rails 7.0 and newer.
    #[default]
    Sha256,
}

/// The application's one secret, from which every key is derived. Its `Debug` output hides it.
///
/// ```
/// use sinew_verifier::{Digest, SecretKeyBase};
///
/// let secret = SecretKeyBase::new("hunter2");
/// assert_eq!(secret.len_bytes(), 7);
/// assert!(!format!("{secret:?}").contains("hunter2"));
/// assert_eq!(secret.derive("signed streams", Digest::Sha256).as_bytes().len(), 64);
/// ```
#[derive(Clone)]
pub struct SecretKeyBase(String);

impl SecretKeyBase {
    /// Takes the secret as it stands in the configuration.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Length of the secret in bytes, for whoever insists on a least one.
    pub fn len_bytes(&self) -> usize {
        self.0.len()
    }

    /// Derives the key for one purpose: PBKDF2-HMAC, 1000 iterations, 64 bytes, the purpose as salt.
    ///
    /// This takes about a millisecond: derive at start, not per message.
    ///
    /// # Example: two purposes never share a key
    ///
    /// ```
    /// use sinew_verifier::{Digest, SecretKeyBase};
    ///
    /// let secret = SecretKeyBase::new("secret");
    /// let one = secret.derive("cable_ready/verifier_key", Digest::Sha256);
    /// let two = secret.derive("turbo/signed_stream_verifier_key", Digest::Sha256);
    /// assert_ne!(one.as_bytes(), two.as_bytes());
    /// ```
    pub fn derive(&self, salt: &str, digest: Digest) -> Key {
        let mut key = vec![0; KEY_BYTES];
        self.derive_into(&mut key, salt, digest);
        Key(key)
    }

    /// Derives a key to encrypt with: as [`Self::derive`], 32 bytes.
    ///
    /// ```
    /// use sinew_verifier::{Digest, SecretKeyBase};
    ///
    /// let secret = SecretKeyBase::new("secret");
    /// let key = secret.derive_encryption_key("authenticated encrypted cookie", Digest::Sha1);
    /// let longer = secret.derive("authenticated encrypted cookie", Digest::Sha1);
    /// assert_eq!(key.as_bytes()[..], longer.as_bytes()[..32]);
    /// ```
    pub fn derive_encryption_key(&self, salt: &str, digest: Digest) -> EncryptionKey {
        let mut key = [0; ENCRYPTION_KEY_BYTES];
        self.derive_into(&mut key, salt, digest);
        EncryptionKey(key)
    }

    fn derive_into(&self, key: &mut [u8], salt: &str, digest: Digest) {
        let (password, salt) = (self.0.as_bytes(), salt.as_bytes());
        match digest {
            Digest::Sha1 => pbkdf2_hmac::<sha1::Sha1>(password, salt, ITERATIONS, key),
            Digest::Sha256 => pbkdf2_hmac::<sha2::Sha256>(password, salt, ITERATIONS, key),
        }
    }
}

impl fmt::Debug for SecretKeyBase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKeyBase(hidden)")
    }
}

/// A key to sign with. Its `Debug` output hides it.
///
/// ```
/// use sinew_verifier::Key;
///
/// let key = Key::from_bytes("shared with another program");
/// assert_eq!(key.as_bytes(), b"shared with another program");
/// assert_eq!(format!("{key:?}"), "Key(hidden)");
/// ```
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// Takes key bytes that are shared with another program as they are, not derived.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The key itself, for handing it to another signer.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(hidden)")
    }
}

/// A key to encrypt with, of 32 bytes. Its `Debug` output hides it.
///
/// ```
/// use sinew_verifier::EncryptionKey;
///
/// let key = EncryptionKey::from_bytes([7; 32]);
/// assert_eq!(key.as_bytes(), &[7; 32]);
/// assert_eq!(format!("{key:?}"), "EncryptionKey(hidden)");
/// ```
#[derive(Clone)]
pub struct EncryptionKey([u8; ENCRYPTION_KEY_BYTES]);

impl EncryptionKey {
    /// Takes key bytes that are shared with another program as they are, not derived.
    pub fn from_bytes(bytes: [u8; ENCRYPTION_KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The key itself, for handing it to another program.
    pub fn as_bytes(&self) -> &[u8; ENCRYPTION_KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EncryptionKey(hidden)")
    }
}

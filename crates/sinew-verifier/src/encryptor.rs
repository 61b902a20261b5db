use std::fmt;

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{DecryptError, EncryptionKey};

/// Length of the initialization vector, in bytes.
const VECTOR_BYTES: usize = 12;
/// Length of the authentication tag, in bytes. A shorter one is refused: it would be easier to forge.
const TAG_BYTES: usize = 16;
/// What stands between the three parts of a message.
const SEPARATOR: &str = "--";

/// Seals bytes and opens what comes back: nobody without the key can read them or change them unnoticed.
///
/// The format is that of Rails' `MessageEncryptor` with AES-256-GCM: base64 of the ciphertext, `--`,
/// base64 of a random initialization vector of 12 bytes, `--`, base64 of the tag of 16 bytes.
/// The alphabet is the standard one with padding, and each message has one spelling only.
///
/// It seals with the key it was made with, and also opens what was sealed with [older keys](Self::with_older_key).
/// The vectors are random: with one key, seal no more than 2³² messages.
///
/// ```
/// use sinew_verifier::{Digest, MessageEncryptor, SecretKeyBase};
///
/// let secret = SecretKeyBase::new("a secret of the application");
/// let key = secret.derive_encryption_key("authenticated encrypted cookie", Digest::Sha256);
/// let encryptor = MessageEncryptor::new(&key);
///
/// let sealed = encryptor.encrypt(b"user 42");
/// assert_eq!(sealed.split("--").count(), 3);
/// assert_eq!(encryptor.decrypt(&sealed).unwrap(), b"user 42");
/// ```
#[derive(Clone)]
pub struct MessageEncryptor {
    /// The first one seals; all of them open.
    ciphers: Vec<Aes256Gcm>,
    message_bytes_max: usize,
}

impl MessageEncryptor {
    /// How long a message may be that is opened, unless told otherwise, in bytes of its text.
    ///
    /// A cookie holds 4 KiB and a store's session 64 KiB of fields; what is longer was not sealed by us,
    /// and is refused before any work is done for it.
    pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

    /// Seals and opens with this key.
    pub fn new(key: &EncryptionKey) -> Self {
        Self {
            ciphers: vec![cipher(key)],
            message_bytes_max: Self::MESSAGE_BYTES_MAX,
        }
    }

    /// Also opens what was sealed with `key`, tried after those given before. Nothing is sealed with it.
    ///
    /// # Example: a new secret
    ///
    /// ```
    /// use sinew_verifier::{Digest, MessageEncryptor, SecretKeyBase};
    ///
    /// let key = |secret| SecretKeyBase::new(secret).derive_encryption_key("salt", Digest::Sha256);
    /// let before = MessageEncryptor::new(&key("of last year"));
    /// let now = MessageEncryptor::new(&key("of this year")).with_older_key(&key("of last year"));
    ///
    /// assert_eq!(now.decrypt(&before.encrypt(b"kept")).unwrap(), b"kept");
    /// assert!(before.decrypt(&now.encrypt(b"new")).is_err());
    /// ```
    #[must_use]
    pub fn with_older_key(mut self, key: &EncryptionKey) -> Self {
        self.ciphers.push(cipher(key));
        self
    }

    /// Opens messages of at most this many bytes of text; without this, [`Self::MESSAGE_BYTES_MAX`].
    ///
    /// ```
    /// use sinew_verifier::{DecryptError, EncryptionKey, MessageEncryptor};
    ///
    /// let encryptor = MessageEncryptor::new(&EncryptionKey::from_bytes([7; 32])).with_message_bytes_max(100);
    /// let long = encryptor.encrypt(&[0; 100]);
    /// assert!(matches!(encryptor.decrypt(&long), Err(DecryptError::TooLong { bytes_max: 100, .. })));
    /// ```
    #[must_use]
    pub fn with_message_bytes_max(mut self, bytes: usize) -> Self {
        self.message_bytes_max = bytes;
        self
    }

    /// Seals bytes. The result is ASCII without spaces, and [`Self::sealed_bytes`] long.
    ///
    /// # Panics
    ///
    /// When the operating system gives no random bytes.
    pub fn encrypt(&self, plaintext: &[u8]) -> String {
        let mut vector = [0; VECTOR_BYTES];
        getrandom::fill(&mut vector).expect("the operating system gives random bytes");
        self.encrypt_with_vector(plaintext, vector)
    }

    fn encrypt_with_vector(&self, plaintext: &[u8], vector: [u8; VECTOR_BYTES]) -> String {
        let mut buffer = plaintext.to_vec();
        let tag = self.ciphers[0]
            .encrypt_in_place_detached(Nonce::from_slice(&vector), b"", &mut buffer)
            .expect("AES-GCM takes what fits into memory");
        let mut message = String::with_capacity(Self::sealed_bytes(plaintext.len()));
        STANDARD.encode_string(&buffer, &mut message);
        message.push_str(SEPARATOR);
        STANDARD.encode_string(vector, &mut message);
        message.push_str(SEPARATOR);
        STANDARD.encode_string(tag, &mut message);
        message
    }

    /// How long the message is that `plaintext_bytes` are sealed into, in bytes: for whoever has to keep a limit.
    ///
    /// ```
    /// use sinew_verifier::{EncryptionKey, MessageEncryptor};
    ///
    /// let encryptor = MessageEncryptor::new(&EncryptionKey::from_bytes([7; 32]));
    /// assert_eq!(encryptor.encrypt(&[0; 1000]).len(), MessageEncryptor::sealed_bytes(1000));
    /// ```
    pub fn sealed_bytes(plaintext_bytes: usize) -> usize {
        let encoded = |bytes: usize| bytes.div_ceil(3).saturating_mul(4);
        encoded(plaintext_bytes)
            .saturating_add(encoded(VECTOR_BYTES) + encoded(TAG_BYTES) + 2 * SEPARATOR.len())
    }

    /// Gives back the bytes that were sealed with this key or an older one.
    ///
    /// # Errors
    ///
    /// A [`DecryptError`] when the message is too long, has not the form of one, was sealed with another key,
    /// or was changed in any bit. Which of the last two it was cannot be known.
    pub fn decrypt(&self, message: &str) -> Result<Vec<u8>, DecryptError> {
        self.decrypt_noting_key(message)
            .map(|(plaintext, _)| plaintext)
    }

    /// As [`Self::decrypt`], and says which key it was: 0 is the present one, 1 the first of the older ones.
    ///
    /// What an older key has opened is worth sealing again, so that the older key can be dropped some day.
    ///
    /// # Errors
    ///
    /// As [`Self::decrypt`].
    ///
    /// ```
    /// use sinew_verifier::{EncryptionKey, MessageEncryptor};
    ///
    /// let (new, old) = (EncryptionKey::from_bytes([2; 32]), EncryptionKey::from_bytes([1; 32]));
    /// let encryptor = MessageEncryptor::new(&new).with_older_key(&old);
    /// let sealed = MessageEncryptor::new(&old).encrypt(b"kept");
    /// assert_eq!(encryptor.decrypt_noting_key(&sealed).unwrap(), (b"kept".to_vec(), 1));
    /// ```
    pub fn decrypt_noting_key(&self, message: &str) -> Result<(Vec<u8>, usize), DecryptError> {
        if message.len() > self.message_bytes_max {
            return Err(DecryptError::TooLong {
                bytes: message.len(),
                bytes_max: self.message_bytes_max,
            });
        }
        let parts = Parts::decode(message).ok_or(DecryptError::NotSealed)?;
        for (index, cipher) in self.ciphers.iter().enumerate() {
            if let Some(plaintext) = parts.open(cipher) {
                return Ok((plaintext, index));
            }
        }
        Err(DecryptError::NotAuthentic)
    }
}

impl fmt::Debug for MessageEncryptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "MessageEncryptor({} keys, hidden)",
            self.ciphers.len()
        )
    }
}

fn cipher(key: &EncryptionKey) -> Aes256Gcm {
    Aes256Gcm::new(key.as_bytes().into())
}

/// The three parts of a message, decoded.
struct Parts {
    ciphertext: Vec<u8>,
    vector: [u8; VECTOR_BYTES],
    tag: [u8; TAG_BYTES],
}

impl Parts {
    /// `None` when it is not exactly three parts of base64, the last two of their lengths.
    fn decode(message: &str) -> Option<Self> {
        // The standard alphabet has no `-`, so the separator cannot be within a part.
        let (ciphertext, rest) = message.split_once(SEPARATOR)?;
        let (vector, tag) = rest.split_once(SEPARATOR)?;
        Some(Self {
            vector: decode_exactly(vector)?,
            tag: decode_exactly(tag)?,
            ciphertext: STANDARD.decode(ciphertext).ok()?,
        })
    }

    fn open(&self, cipher: &Aes256Gcm) -> Option<Vec<u8>> {
        let mut buffer = self.ciphertext.clone();
        let (vector, tag) = (Nonce::from_slice(&self.vector), Tag::from_slice(&self.tag));
        cipher
            .decrypt_in_place_detached(vector, b"", &mut buffer, tag)
            .ok()?;
        Some(buffer)
    }
}

fn decode_exactly<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    // Room for what the decoder estimates, which may be up to two bytes more.
    let mut buffer = [0; 24];
    let length = STANDARD.decode_slice(text, &mut buffer).ok()?;
    buffer[..length].try_into().ok()
}

#[cfg(test)]
mod tests;

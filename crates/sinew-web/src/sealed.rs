//! Sessions that leave the process: sealed, so that nobody reads or changes them.

mod moving;
#[cfg(feature = "rails")]
mod rails;

use std::fmt;
use std::time::Duration;
#[cfg(feature = "rails")]
use std::time::SystemTime;

pub use self::moving::MoveTicket;
#[cfg(feature = "rails")]
pub use self::rails::shared_bytes_max;
use sinew_store::cookie::{CookieState, Ticket};
use sinew_verifier::{Digest, EncryptionKey, MessageEncryptor, SecretKeyBase};

use crate::cookie::CookieConfig;

/// The most bytes a browser keeps of a cookie: name, value and attributes.
pub const COOKIE_BYTES_MAX: usize = 4096;

/// The most bytes of a sealed ticket, or of a message between processes: a state that fills its cookie, and the names
/// of what was changed.
pub const TICKET_BYTES_MAX: usize = 16 * 1024;

/// From what the keys are derived: what is sealed for one purpose is nothing for another.
const COOKIE_SALT: &str = "sinew session cookie";
const TICKET_SALT: &str = "sinew session ticket";
const NOTICE_SALT: &str = "sinew session notice";
const MOVE_SALT: &str = "sinew session move";

/// Seals sessions into cookies, tickets and messages between processes, each with a key of its own.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::Sessions;
/// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
/// use sinew_verifier::SecretKeyBase;
/// use sinew_web::SessionSealer;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = CookieStore::new(CookieStoreConfig::default());
/// let session = Sessions::new(Arc::new(store.clone())).create();
/// session.set("user", "ada").await?;
/// session.commit().await?;
/// let state = store.state(session.id()).ok_or("it was just written")?;
///
/// let before = SessionSealer::new(&SecretKeyBase::new("of last year"), &[]);
/// let now = SessionSealer::new(&SecretKeyBase::new("of this year"), &[SecretKeyBase::new("of last year")]);
/// let cookie = before.seal_cookie(&state, 512);
/// assert_eq!(now.open_cookie(&cookie), Some((state.clone(), true)), "by an older secret");
/// assert_eq!(before.open_cookie(&now.seal_cookie(&state, 512)), None);
///
/// store.handed_out(session.id());
/// session.set("user", "grace").await?;
/// session.commit().await?;
/// let offer = store.offer(session.id()).ok_or("something was written")?;
/// let ticket = now.seal_ticket(offer.ticket(), 512);
/// assert_eq!(now.open_ticket(&ticket).as_ref(), Some(offer.ticket()));
/// assert!(now.open_ticket(&cookie).is_none(), "a cookie is no ticket");
/// assert_eq!(now.open_notice(&now.seal_notice(b"ended")).as_deref(), Some(&b"ended"[..]));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SessionSealer {
    cookies: MessageEncryptor,
    tickets: MessageEncryptor,
    notices: MessageEncryptor,
    moves: MessageEncryptor,
    #[cfg(feature = "rails")]
    rails: Option<rails::RailsCookie>,
}

impl SessionSealer {
    /// Seals with keys of `secret`, and opens what was sealed with those of `older`, too.
    pub fn new(secret: &SecretKeyBase, older: &[SecretKeyBase]) -> Self {
        let encryptor = |salt: &str, bytes_max: usize| {
            let key = |secret: &SecretKeyBase| -> EncryptionKey {
                secret.derive_encryption_key(salt, Digest::Sha256)
            };
            let encryptor = MessageEncryptor::new(&key(secret)).with_message_bytes_max(bytes_max);
            older.iter().fold(encryptor, |encryptor, older| {
                encryptor.with_older_key(&key(older))
            })
        };
        Self {
            cookies: encryptor(COOKIE_SALT, COOKIE_BYTES_MAX),
            tickets: encryptor(TICKET_SALT, TICKET_BYTES_MAX),
            notices: encryptor(NOTICE_SALT, TICKET_BYTES_MAX),
            moves: encryptor(MOVE_SALT, TICKET_BYTES_MAX),
            #[cfg(feature = "rails")]
            rails: None,
        }
    }

    /// The value of a cookie; `compress_over` as in [`CookieState::pack`].
    pub fn seal_cookie(&self, state: &CookieState, compress_over: usize) -> String {
        #[cfg(feature = "rails")]
        if let Some(rails) = &self.rails {
            return rails.seal(state);
        }
        self.cookies.encrypt(&state.pack(compress_over))
    }

    /// What a cookie's value says, and whether it was an older secret that opened it; nothing when it is none of ours.
    pub fn open_cookie(&self, value: &str) -> Option<(CookieState, bool)> {
        #[cfg(feature = "rails")]
        if let Some(rails) = &self.rails {
            return rails.open(value, SystemTime::now());
        }
        let (bytes, key) = self.cookies.decrypt_noting_key(value).ok()?;
        Some((CookieState::unpack(&bytes)?, key > 0))
    }

    /// A ticket as a page may hold it.
    pub fn seal_ticket(&self, ticket: &Ticket, compress_over: usize) -> String {
        self.tickets.encrypt(&ticket.pack(compress_over))
    }

    /// The ticket that a page presents; nothing when it is none of ours.
    pub fn open_ticket(&self, text: &str) -> Option<Ticket> {
        Ticket::unpack(&self.tickets.decrypt(text).ok()?)
    }

    /// A ticket for another id, as a page may hold it.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sinew_store::SessionId;
    /// use sinew_verifier::SecretKeyBase;
    /// use sinew_web::SessionSealer;
    /// use sinew_web::sealed::MoveTicket;
    ///
    /// let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
    /// let (from, to) = (SessionId::generate(), SessionId::generate());
    /// let ticket = MoveTicket::new(from, to, "the page's", SystemTime::now());
    /// let sealed = sealer.seal_move(&ticket);
    /// assert!(!sealed.contains(&to.to_string()), "no script reads it");
    /// ```
    pub fn seal_move(&self, ticket: &MoveTicket) -> String {
        self.moves.encrypt(&ticket.to_bytes())
    }

    /// The ticket for another id that a page presents; nothing when it is none of ours. Whether it
    /// [has expired](MoveTicket::has_expired) is another question.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sinew_store::SessionId;
    /// use sinew_verifier::SecretKeyBase;
    /// use sinew_web::SessionSealer;
    /// use sinew_web::sealed::MoveTicket;
    ///
    /// let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
    /// let (from, to) = (SessionId::generate(), SessionId::generate());
    /// let ticket = MoveTicket::new(from, to, "the page's", SystemTime::now());
    /// let sealed = sealer.seal_move(&ticket);
    /// assert_eq!(sealer.open_move(&sealed), Some(ticket));
    /// assert_eq!(sealer.open_move("made up"), None);
    /// ```
    pub fn open_move(&self, text: &str) -> Option<MoveTicket> {
        MoveTicket::from_bytes(&self.moves.decrypt(text).ok()?)
    }

    /// What one process tells the others.
    pub fn seal_notice(&self, bytes: &[u8]) -> String {
        self.notices.encrypt(bytes)
    }

    /// What another process said; nothing when it was none of ours.
    pub fn open_notice(&self, text: &str) -> Option<Vec<u8>> {
        self.notices.decrypt(text).ok()
    }
}

impl fmt::Debug for SessionSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSealer(hidden)")
    }
}

/// How many bytes a session may have before it is sealed, so that it fits into a cookie that looks like `cookie` and is
/// kept for `lifetime`: [`CookieStoreConfig::packed_bytes_max`](sinew_store::cookie::CookieStoreConfig::packed_bytes_max).
///
/// ```
/// use std::time::Duration;
/// use sinew_web::CookieConfig;
/// use sinew_web::sealed::packed_bytes_max;
///
/// let lifetime = Duration::from_secs(14 * 24 * 60 * 60);
/// let most = packed_bytes_max(&CookieConfig::default(), lifetime);
/// assert_eq!(most, 2_985);
/// let named = CookieConfig { name: "n".repeat(100), ..CookieConfig::default() };
/// assert!(packed_bytes_max(&named, lifetime) < most);
/// ```
pub fn packed_bytes_max(cookie: &CookieConfig, lifetime: Duration) -> usize {
    let around = cookie.set("", true, lifetime).len();
    let sealed = MessageEncryptor::sealed_bytes(0);
    let base64 = COOKIE_BYTES_MAX.saturating_sub(around + sealed);
    base64 / 4 * 3
}

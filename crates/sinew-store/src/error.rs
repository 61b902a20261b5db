//! Everything that can go wrong, in one place.

use std::error::Error;

/// What kind of trouble a store is in.
///
/// ```
/// use sinew_store::{Commit, Key, MemoryStore, Store, StoreErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let store = MemoryStore::new().records_max(0);
/// let mut commit = Commit::new();
/// commit.create = true;
/// let error = store.commit(&Key::new("one too many"), commit).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Full);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached or did not answer in time. Trying again later may work.
    Unavailable,
    /// The store has no room for another record. Trying again works once records have expired.
    Full,
    /// The record is there and cannot be read as one.
    Corrupt,
    /// The store was shut down by this process.
    Closed,
    /// The request can never succeed: a defect of the adapter or of its set-up.
    Rejected,
    /// The value to be incremented is not the decimal text of an `i64`.
    NotANumber,
    /// The incremented value would not be an `i64`.
    Overflow,
}

impl StoreErrorKind {
    fn sentence(self) -> &'static str {
        match self {
            Self::Unavailable => "the store is unavailable",
            Self::Full => "the store is full",
            Self::Corrupt => "the stored record is corrupt",
            Self::Closed => "the store is closed",
            Self::Rejected => "the store refused the request",
            Self::NotANumber => "the stored value is not a whole number",
            Self::Overflow => "the stored number would be too large",
        }
    }
}

/// A store could not do what it was asked.
///
/// The vendor's own error is the [`source`](Error::source); its type is not part of the
/// contract. The display text names the kind only and is safe to log.
///
/// ```
/// use std::error::Error;
/// use sinew_store::{StoreError, StoreErrorKind};
///
/// let cause = std::io::Error::other("connection refused by 10.0.0.7");
/// let error = StoreError::new(StoreErrorKind::Unavailable, cause);
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "the store is unavailable");
/// assert!(error.source().is_some());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}", kind.sentence())]
pub struct StoreError {
    kind: StoreErrorKind,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind`, caused by `source`.
    pub fn new(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> StoreError {
        StoreError {
            kind,
            source: Some(source.into()),
        }
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same request may succeed later without a change: so for
    /// [`Unavailable`](StoreErrorKind::Unavailable) and [`Full`](StoreErrorKind::Full).
    ///
    /// ```
    /// use sinew_store::{StoreError, StoreErrorKind};
    ///
    /// assert!(StoreError::from(StoreErrorKind::Unavailable).is_retryable());
    /// assert!(!StoreError::from(StoreErrorKind::Corrupt).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Unavailable | StoreErrorKind::Full
        )
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> StoreError {
        StoreError { kind, source: None }
    }
}

/// A session could not be read, written or saved.
///
/// Nothing is half done: a refused write leaves the session as it was, a failed
/// [`commit`](crate::Session::commit) leaves the record as it was.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{MemoryStore, Sessions};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// use sinew_store::SessionError;
///
/// let session = sessions.create();
/// let error = session.set("", "nameless").await.unwrap_err();
/// assert!(matches!(error, SessionError::NameReserved { .. }));
/// assert!(!error.is_retryable());
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store failed.
    #[error("the session store failed")]
    Store(#[from] StoreError),
    /// The stored field is not JSON, or not JSON of the type asked for. Other fields are
    /// unharmed, and this one can be overwritten or removed.
    #[error("the session field {field:?} cannot be read as what was asked for")]
    Decode {
        /// The field's name.
        field: String,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// The value cannot be written as JSON.
    #[error("the value for the session field {field:?} cannot be written as JSON")]
    Encode {
        /// The field's name.
        field: String,
        /// What the encoder said.
        source: serde_json::Error,
    },
    /// The name is longer than [`SessionConfig::name_bytes_max`](crate::SessionConfig::name_bytes_max).
    #[error("a session field's name has {bytes} bytes, over the limit of {bytes_max}")]
    NameTooLong {
        /// Bytes of the name.
        bytes: usize,
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// The name is empty or belongs to Sinew (it begins with `_sinew:`).
    #[error("{field:?} cannot be the name of a session field: it is empty or reserved")]
    NameReserved {
        /// The name.
        field: String,
    },
    /// The value is longer than [`SessionConfig::field_bytes_max`](crate::SessionConfig::field_bytes_max).
    #[error(
        "the value for the session field {field:?} has {bytes} bytes, over the limit of {bytes_max}"
    )]
    FieldTooLarge {
        /// The field's name.
        field: String,
        /// Bytes of the value as JSON.
        bytes: usize,
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// The session as a whole would be over [`SessionConfig::session_bytes_max`](crate::SessionConfig::session_bytes_max).
    #[error("the session would be over the limit of {bytes_max} bytes")]
    SessionTooLarge {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// The session would have more fields than [`SessionConfig::fields_max`](crate::SessionConfig::fields_max).
    #[error("the session would have more than {fields_max} fields")]
    TooManyFields {
        /// The limit.
        fields_max: usize,
    },
    /// The session lives in a cookie, and would be more than a cookie holds
    /// ([`CookieStoreConfig::packed_bytes_max`](crate::cookie::CookieStoreConfig::packed_bytes_max)).
    #[error("the session would not fit into its cookie: packed it may have {bytes_max} bytes")]
    CookieTooLarge {
        /// The limit in bytes, of the packed session.
        bytes_max: usize,
    },
    /// The session was destroyed or its id was renewed, here or by another request, and what
    /// was written under the old id can reach nobody.
    #[error("the session has ended")]
    Ended,
    /// The id was to be renewed where the visitor's cookie cannot be: by a reflex of a page without our client
    /// ([`Renewal::Refused`](crate::Renewal::Refused)). Nothing was written.
    #[error(
        "the session's id cannot be renewed here: the page could not take it over into its cookie"
    )]
    RenewalRefused,
    /// Others wrote the same field between every one of our attempts
    /// ([`SessionConfig::conflicts_max`](crate::SessionConfig::conflicts_max)).
    #[error("the session field was written by others {conflicts} times while it was being saved")]
    Contended {
        /// Attempts that met another's write.
        conflicts: u32,
    },
}

impl SessionError {
    /// Whether the same call may succeed later without a change: so for
    /// [`Contended`](SessionError::Contended), and for a store's error that
    /// [is](StoreError::is_retryable).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Contended { .. } => true,
            _ => false,
        }
    }
}

//! Messages that live for one request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::SessionError;
use crate::session::Session;

/// Where a session keeps what the next request shall see.
const FIELD: &str = "_sinew:flash";

type Messages = BTreeMap<String, Box<RawValue>>;

/// Messages for the next page: "saved", after a redirect.
///
/// In an HTTP request it shows what the request before has left, once: by the time this
/// request's session is committed, the messages are gone, unless they were
/// [kept](Flash::keep). Nothing is read or swept in a request that never asks for its flash,
/// so that an image or a background call does not eat the messages meant for a page.
///
/// In a reflex ([`Flash::for_reflex`]) whatever is set is visible in the page morph of that
/// reflex, and nowhere else: it is never stored.
///
/// A clone is the same flash. Values are anything that serde can turn into JSON and back. The
/// messages are one field of the session and count towards its limits.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::{Flash, MemoryStore, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let post = sessions.create();
/// Flash::for_request(post.clone()).set("notice", "Saved.").await?;
/// post.commit().await?;
///
/// let page = sessions.open(post.id());
/// let flash = Flash::for_request(page.clone());
/// assert_eq!(flash.get::<String>("notice").await?.as_deref(), Some("Saved."));
/// page.commit().await?;
///
/// let reload = Flash::for_request(sessions.open(post.id()));
/// assert_eq!(reload.get::<String>("notice").await?, None);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Flash(Arc<Shared>);

struct Shared {
    /// `None` in a reflex.
    session: Option<Session>,
    visible: Mutex<Visible>,
}

#[derive(Default)]
struct Visible {
    messages: Messages,
    is_swept: bool,
}

impl Flash {
    /// The flash of an HTTP request, which is kept in `session` and saved by its commit.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::Flash;
    ///
    /// let post = sessions.create();
    /// Flash::for_request(post.clone()).set("notice", "Saved.").await?;
    /// assert!(post.is_dirty(), "the message waits for the session's commit");
    /// post.commit().await?;
    ///
    /// let page = Flash::for_request(sessions.open(post.id()));
    /// assert_eq!(page.keys().await?, ["notice"]);
    /// # Ok(()) }
    /// ```
    pub fn for_request(session: Session) -> Flash {
        Flash::new(Some(session))
    }

    /// The flash of a reflex: seen by its own page morph only.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// use sinew_store::Flash;
    ///
    /// let flash = Flash::for_reflex();
    /// flash.set("notice", "Liked.").await?;
    /// assert_eq!(flash.get::<String>("notice").await?.as_deref(), Some("Liked."));
    /// # Ok(()) }
    /// ```
    pub fn for_reflex() -> Flash {
        Flash::new(None)
    }

    fn new(session: Option<Session>) -> Flash {
        Flash(Arc::new(Shared {
            session,
            visible: Mutex::default(),
        }))
    }

    /// The message of this name that is visible now.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::{Flash, SessionError};
    ///
    /// let flash = Flash::for_request(sessions.create());
    /// flash.set("deleted", &3).await?;
    /// assert_eq!(flash.get::<u32>("deleted").await?, Some(3));
    /// assert_eq!(flash.get::<u32>("notice").await?, None);
    /// assert!(matches!(flash.get::<String>("deleted").await, Err(SessionError::Decode { .. })));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] when the message is no `T`; the session store's errors.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        self.sweep().await?;
        let visible = self.0.visible.lock();
        let Some(message) = visible.messages.get(name) else {
            return Ok(None);
        };
        serde_json::from_str(message.get())
            .map(Some)
            .map_err(|source| decode_error(name, source))
    }

    /// The names of all messages that are visible now, in order.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::Flash;
    ///
    /// let flash = Flash::for_request(sessions.create());
    /// flash.set("notice", "Saved.").await?;
    /// flash.now("alert", "One picture is missing.").await?;
    /// assert_eq!(flash.keys().await?, ["alert", "notice"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Only the session store's.
    pub async fn keys(&self) -> Result<Vec<String>, SessionError> {
        self.sweep().await?;
        Ok(self.0.visible.lock().messages.keys().cloned().collect())
    }

    /// Leaves a message for the next request. It is visible in this one already.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::Flash;
    ///
    /// let post = sessions.create();
    /// let flash = Flash::for_request(post.clone());
    /// flash.set("notice", "Saved.").await?;
    /// assert_eq!(flash.get::<String>("notice").await?.as_deref(), Some("Saved."));
    /// post.commit().await?;
    ///
    /// let next = Flash::for_request(sessions.open(post.id()));
    /// assert_eq!(next.get::<String>("notice").await?.as_deref(), Some("Saved."));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Encode`], a limit of the session, or its store's errors.
    pub async fn set<T>(&self, name: &str, value: &T) -> Result<(), SessionError>
    where
        T: Serialize + Sync + ?Sized,
    {
        self.sweep().await?;
        let message = encode(name, value)?;
        self.leave(name, message.clone()).await?;
        self.show(name, message);
        Ok(())
    }

    /// Shows a message in this request only.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::Flash;
    ///
    /// let request = sessions.create();
    /// let flash = Flash::for_request(request.clone());
    /// flash.now("alert", "The title is missing.").await?;
    /// assert_eq!(flash.keys().await?, ["alert"]);
    /// request.commit().await?;
    ///
    /// let next = Flash::for_request(sessions.open(request.id()));
    /// assert!(next.keys().await?.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Encode`], or the session store's errors.
    pub async fn now<T>(&self, name: &str, value: &T) -> Result<(), SessionError>
    where
        T: Serialize + Sync + ?Sized,
    {
        self.sweep().await?;
        let message = encode(name, value)?;
        self.show(name, message);
        Ok(())
    }

    /// Keeps a message that is visible now for the next request as well, such as over a second
    /// redirect. A name without a message is no error.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::Flash;
    ///
    /// let post = sessions.create();
    /// Flash::for_request(post.clone()).set("notice", "Saved.").await?;
    /// post.commit().await?;
    ///
    /// let redirect = sessions.open(post.id());
    /// Flash::for_request(redirect.clone()).keep("notice").await?;
    /// redirect.commit().await?;
    ///
    /// let page = Flash::for_request(sessions.open(post.id()));
    /// assert_eq!(page.get::<String>("notice").await?.as_deref(), Some("Saved."));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// A limit of the session, or its store's errors.
    pub async fn keep(&self, name: &str) -> Result<(), SessionError> {
        self.sweep().await?;
        let message = self.0.visible.lock().messages.get(name).cloned();
        match message {
            Some(message) => self.leave(name, message).await,
            None => Ok(()),
        }
    }

    fn show(&self, name: &str, message: Box<RawValue>) {
        let mut visible = self.0.visible.lock();
        visible.messages.insert(name.to_owned(), message);
    }

    /// Takes over what the request before has left, and strikes it from the session.
    ///
    /// Only what was taken is struck: a message that another request leaves at the same time
    /// is for the next page.
    async fn sweep(&self) -> Result<(), SessionError> {
        let Some(session) = &self.0.session else {
            return Ok(());
        };
        if self.0.visible.lock().is_swept {
            return Ok(());
        }
        let stored = session.read_reserved(FIELD).await?;
        let taken = messages(stored.as_ref());
        {
            let mut visible = self.0.visible.lock();
            if visible.is_swept {
                return Ok(());
            }
            visible.is_swept = true;
            visible.messages = taken.clone();
        }
        if stored.is_none() {
            return Ok(());
        }
        session
            .derive_reserved(FIELD, move |stored| {
                let mut left = messages(stored);
                left.retain(|name, message| {
                    taken.get(name).map(|it| it.get()) != Some(message.get())
                });
                text(left)
            })
            .await
    }

    async fn leave(&self, name: &str, message: Box<RawValue>) -> Result<(), SessionError> {
        let Some(session) = &self.0.session else {
            return Ok(());
        };
        let name = name.to_owned();
        session
            .derive_reserved(FIELD, move |stored| {
                let mut left = messages(stored);
                left.insert(name.clone(), message.clone());
                text(left)
            })
            .await
    }
}

/// The messages in a stored text. One that cannot be read is none at all: a broken flash must
/// not break the page that would have shown it.
fn messages(stored: Option<&Bytes>) -> Messages {
    stored
        .and_then(|text| serde_json::from_slice(text).ok())
        .unwrap_or_default()
}

fn text(messages: Messages) -> Result<Option<Bytes>, SessionError> {
    if messages.is_empty() {
        return Ok(None);
    }
    serde_json::to_vec(&messages)
        .map(|text| Some(text.into()))
        .map_err(|source| encode_error(FIELD, source))
}

fn encode<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<Box<RawValue>, SessionError> {
    serde_json::value::to_raw_value(value).map_err(|source| encode_error(name, source))
}

fn encode_error(name: &str, source: serde_json::Error) -> SessionError {
    SessionError::Encode {
        field: format!("flash.{name}"),
        source,
    }
}

fn decode_error(name: &str, source: serde_json::Error) -> SessionError {
    SessionError::Decode {
        field: format!("flash.{name}"),
        source,
    }
}

impl fmt::Debug for Flash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Flash")
            .field("is_stored", &self.0.session.is_some())
            .finish_non_exhaustive()
    }
}

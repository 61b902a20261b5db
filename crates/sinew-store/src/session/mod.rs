//! One visitor's fields, read once and saved together.

mod config;
mod id;
mod pending;
mod renewal;
mod save;
mod sessions;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::config::SessionConfig;
pub use self::id::{SessionId, SessionIdError};
pub use self::renewal::Renewal;
pub(crate) use self::save::ENDED_REMEMBERED;
pub use self::save::Saved;
pub use self::sessions::Sessions;

use self::pending::Pending;
use self::state::{Life, Origin, Snapshot, State};
use crate::error::SessionError;

/// Names that begin so are Sinew's own: an application cannot write them and does not see them.
const RESERVED: &str = "_sinew:";
/// Stands in the record of a session that has ended, so that an open socket which still knows
/// its id cannot bring it back to life.
pub(crate) const ENDED: &str = "_sinew:ended";

/// What a visitor's requests and reflexes have in common.
///
/// A clone is the same session: one page's handler, its extractors and layers share what was
/// written and not committed yet. It is made for one request or one reflex and sees the store
/// as it was when it was first read; [`Sessions::open`] it again for the next.
///
/// - **Reading** is lazy: the first read loads the whole record, the others are answered from
///   memory. A session that is only written is never read.
/// - **Writing** is kept here, visible to reads at once, until [`commit`](Session::commit).
///   Whoever made the session (the web layer, the reflex engine) commits it; handlers do not.
/// - **Values** are anything that serde can turn into JSON and back.
///
/// Limits: [`SessionConfig`].
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::{MemoryStore, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let session = sessions.create();
/// session.set("theme", "dark").await?;
/// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
///
/// // Nobody else sees it before the commit.
/// let other = sessions.open(session.id());
/// assert_eq!(other.get::<String>("theme").await?, None);
/// session.commit().await?;
/// let next = sessions.open(session.id());
/// assert_eq!(next.keys().await?, ["theme"]);
///
/// // A field that nobody wrote is absent, or the type's default.
/// assert_eq!(next.get::<u32>("visits").await?, None);
/// assert_eq!(next.get_or_default::<u32>("visits").await?, 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    sessions: Sessions,
    state: Mutex<State>,
    /// Held by the one commit that is under way, so that a second answers only when what the
    /// first took with it is stored.
    turn: futures_util::lock::Mutex<()>,
}

impl Session {
    fn new(sessions: Sessions, id: SessionId, origin: Origin) -> Session {
        let snapshot = (origin == Origin::Created).then(Snapshot::default);
        Session(Arc::new(Shared {
            state: Mutex::new(State {
                id,
                key: sessions.store().session_key(&id),
                origin,
                life: Life::Alive,
                snapshot,
                pending: Pending::default(),
                renewal: None,
                renewing: Renewal::default(),
                ensure: false,
                changes: 0,
            }),
            sessions,
            turn: futures_util::lock::Mutex::new(()),
        }))
    }

    /// The id under which the session is stored, or will be.
    ///
    /// It changes when a [claimed](Sessions::claim) id turns out to be unknown, and when a
    /// commit has carried out [`renew_id`](Session::renew_id).
    pub fn id(&self) -> SessionId {
        self.0.state.lock().id
    }

    /// The id that the session has after the next commit: what is to be remembered of it elsewhere.
    ///
    /// It differs from [`id`](Session::id) when the visitor presented an id that the store does not
    /// know, and after [`renew_id`](Session::renew_id). The store is asked only when the id was
    /// [claimed](Sessions::claim) and nothing has been read yet.
    ///
    /// # Errors
    ///
    /// Only the store's.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::{MemoryStore, SessionId, Sessions};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let made_up = SessionId::generate();
    /// let session = sessions.claim(made_up);
    /// let settled = session.settled_id().await?;
    /// assert_ne!(settled, made_up);
    /// session.ensure();
    /// session.commit().await?;
    /// assert_eq!(session.id(), settled);
    /// # Ok(()) }
    /// ```
    pub async fn settled_id(&self) -> Result<SessionId, SessionError> {
        {
            let state = self.0.state.lock();
            if let Some(renewal) = state.renewal {
                return Ok(renewal);
            }
            if state.origin != Origin::Claimed {
                return Ok(state.id);
            }
        }
        self.load().await?;
        Ok(self.id())
    }

    /// The field's value, or `None` when there is no such field.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::SessionError;
    ///
    /// # let session = sessions.create();
    /// session.set("cart", &[7, 9]).await?;
    /// assert_eq!(session.get::<Vec<u32>>("cart").await?, Some(vec![7, 9]));
    /// assert!(matches!(session.get::<String>("cart").await, Err(SessionError::Decode { .. })));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] when the stored JSON is no `T`, or no JSON at all.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        match self.read(name).await?.0 {
            Some(text) => decode(name, &text).map(Some),
            None => Ok(None),
        }
    }

    /// The field's value, or the type's default when there is no such field.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// # let session = sessions.create();
    /// assert!(session.get_or_default::<Vec<u32>>("cart").await?.is_empty());
    /// session.set("cart", &[7, 9]).await?;
    /// assert_eq!(session.get_or_default::<Vec<u32>>("cart").await?, [7, 9]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get): a value of another type is an error, not a default.
    pub async fn get_or_default<T>(&self, name: &str) -> Result<T, SessionError>
    where
        T: DeserializeOwned + Default,
    {
        Ok(self.get(name).await?.unwrap_or_default())
    }

    /// Writes a field, whatever it held. Reads nothing from the store.
    ///
    /// Writing what a session that was read holds already is not a change.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::SessionError;
    ///
    /// # let session = sessions.create();
    /// session.set("name", "Ada").await?;
    /// let long = "x".repeat(64 * 1024);
    /// let refused = session.set("name", &long).await;
    /// assert!(matches!(refused, Err(SessionError::FieldTooLarge { bytes: 65_538, .. })));
    /// assert_eq!(session.get::<String>("name").await?.as_deref(), Some("Ada"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Over a limit, a reserved name, or [`SessionError::Ended`]; the field keeps its value.
    pub async fn set<T>(&self, name: &str, value: &T) -> Result<(), SessionError>
    where
        T: Serialize + Sync + ?Sized,
    {
        self.check_name(name)?;
        let text = self.encode(name, value)?;
        if self.0.sessions.store().room().is_some() {
            // How much there is room for depends on the other fields, which such a store has at hand.
            self.load().await?;
        }
        self.put(name, Some(text))
    }

    /// Makes the field's next value from its present one (or from the type's default), and
    /// returns it.
    ///
    /// The function is kept and runs again, on the newest value, when somebody else has
    /// written the field before this session is committed: increments are never lost. So it
    /// should do nothing but compute. The value returned is the one seen by this session now;
    /// after the commit, [`get`](Session::get) tells what was stored.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let session = Sessions::new(Arc::new(MemoryStore::new())).create();
    /// assert_eq!(session.update("count", |count: i64| count + 1).await?, 1);
    /// assert_eq!(session.update("count", |count: i64| count + 1).await?, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`set`](Session::set); the field keeps its value.
    pub async fn update<T, F>(&self, name: &str, function: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned + Default + 'static,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        self.check_name(name)?;
        let sessions = self.0.sessions.clone();
        let field = name.to_owned();
        self.derive(name, move |present: Option<&Bytes>| {
            let value = match present {
                Some(text) => decode(&field, text)?,
                None => T::default(),
            };
            let value = function(value);
            let text = encode(sessions.config(), &field, &value)?;
            Ok((Some(text), value))
        })
        .await
    }

    /// Removes a field; one that is not there is no error.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("coupon", "WINTER").await?;
    /// session.remove("coupon").await?;
    /// session.remove("never there").await?;
    /// assert_eq!(session.get::<String>("coupon").await?, None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// A reserved name, or [`SessionError::Ended`].
    pub async fn remove(&self, name: &str) -> Result<(), SessionError> {
        self.check_name(name)?;
        self.put(name, None)
    }

    /// Removes every field, those included that others have written since this session was
    /// read. The session itself and its id stay.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("theme", "dark").await?;
    /// session.commit().await?;
    /// let id = session.id();
    ///
    /// session.clear().await?;
    /// session.commit().await?;
    /// assert!(session.keys().await?.is_empty());
    /// assert_eq!(session.id(), id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Ended`].
    pub async fn clear(&self) -> Result<(), SessionError> {
        let mut state = self.0.state.lock();
        state.check_alive()?;
        state.pending.clear();
        state.changes += 1;
        Ok(())
    }

    /// The names of all fields, in order.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("theme", "dark").await?;
    /// session.set("cart", &[7, 9]).await?;
    /// assert_eq!(session.keys().await?, ["cart", "theme"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn keys(&self) -> Result<Vec<String>, SessionError> {
        self.load().await?;
        let state = self.0.state.lock();
        Ok(state
            .effective()
            .into_keys()
            .filter(|name| !name.starts_with(RESERVED))
            .map(str::to_owned)
            .collect())
    }

    /// Whether the store has a record of this session.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("theme", "dark").await?;
    /// assert!(!session.exists().await?, "written, and not committed yet");
    /// session.commit().await?;
    /// assert!(session.exists().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn exists(&self) -> Result<bool, SessionError> {
        self.load().await?;
        let state = self.0.state.lock();
        Ok(state.life != Life::Ended && state.snapshot.as_ref().is_some_and(|it| it.is_stored))
    }

    /// Sees to it that the session is stored by the next commit although no field was written,
    /// so that the visitor has an id.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.commit().await?;
    /// assert!(!session.exists().await?, "nothing was written");
    ///
    /// session.ensure();
    /// session.commit().await?;
    /// assert!(session.exists().await?);
    /// # Ok(()) }
    /// ```
    pub fn ensure(&self) {
        let mut state = self.0.state.lock();
        state.ensure = true;
        state.changes += 1;
    }

    /// Gives the session a new id at the next commit, and returns it. The fields move along;
    /// the old id is dead from then on, also for sockets that were opened with it.
    ///
    /// Do so when the visitor's rights change: at a login above all, so that an id which
    /// somebody else has planted or seen before is worth nothing.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("cart", &[7, 9]).await?;
    /// session.commit().await?;
    /// let before = session.id();
    ///
    /// // The visitor logs in.
    /// let new = session.renew_id();
    /// session.set("user", "ada").await?;
    /// session.commit().await?;
    /// assert_eq!(session.id(), new);
    /// assert_eq!(sessions.open(new).keys().await?, ["cart", "user"]);
    /// assert!(!sessions.open(before).exists().await?);
    /// # Ok(()) }
    /// ```
    pub fn renew_id(&self) -> SessionId {
        let mut state = self.0.state.lock();
        let new = SessionId::generate();
        state.renewal = Some(new);
        state.changes += 1;
        new
    }

    /// Removes every field and gives the session a new id at the next commit: what a logout
    /// wants that has something to say afterwards.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// # let session = sessions.create();
    /// # session.set("user", "ada").await?;
    /// # session.commit().await?;
    /// let before = session.id();
    /// let new = session.reset().await?;
    /// session.set("notice", "You are logged out.").await?;
    /// session.commit().await?;
    /// assert_ne!(new, before);
    /// assert_eq!(sessions.open(new).keys().await?, ["notice"]);
    /// assert!(!sessions.open(before).exists().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Ended`].
    pub async fn reset(&self) -> Result<SessionId, SessionError> {
        self.clear().await?;
        Ok(self.renew_id())
    }

    /// Ends the session at the next commit: its record goes, its id is dead, and writing to it
    /// from now on is [`SessionError::Ended`]. What was written and not committed is dropped.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// use sinew_store::{Saved, SessionError};
    ///
    /// # let session = sessions.create();
    /// # session.set("user", "ada").await?;
    /// # session.commit().await?;
    /// session.destroy();
    /// assert_eq!(session.commit().await?, Saved::Destroyed);
    /// assert!(!sessions.open(session.id()).exists().await?);
    /// assert!(matches!(session.set("user", "ada").await, Err(SessionError::Ended)));
    /// # Ok(()) }
    /// ```
    pub fn destroy(&self) {
        let mut state = self.0.state.lock();
        if state.life == Life::Alive {
            state.life = Life::Condemned;
        }
        state.pending = Pending::default();
        state.renewal = None;
        state.changes += 1;
    }

    /// Forgets everything since the last commit: writes, a new id, an end.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("theme", "dark").await?;
    /// session.commit().await?;
    ///
    /// session.set("theme", "light").await?;
    /// session.discard();
    /// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
    /// # Ok(()) }
    /// ```
    pub fn discard(&self) {
        let mut state = self.0.state.lock();
        if state.life == Life::Condemned {
            state.life = Life::Alive;
        }
        state.pending = Pending::default();
        state.renewal = None;
        state.ensure = false;
        state.changes += 1;
    }

    /// Whether the next commit has something to write.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("theme", "dark").await?;
    /// assert!(session.is_dirty());
    /// session.commit().await?;
    /// assert!(!session.is_dirty());
    ///
    /// // Writing what is there already is not a change.
    /// session.set("theme", "dark").await?;
    /// assert!(!session.is_dirty());
    /// # Ok(()) }
    /// ```
    pub fn is_dirty(&self) -> bool {
        self.0.state.lock().is_dirty()
    }
}

// Reading and writing fields.
impl Session {
    fn state_mut<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.0.state.lock();
        state.changes += 1;
        change(&mut state)
    }

    fn check_name(&self, name: &str) -> Result<(), SessionError> {
        let bytes_max = self.0.sessions.config().name_bytes_max;
        if name.len() > bytes_max {
            return Err(SessionError::NameTooLong {
                bytes: name.len(),
                bytes_max,
            });
        }
        if name.is_empty() || name.starts_with(RESERVED) {
            return Err(SessionError::NameReserved {
                field: name.to_owned(),
            });
        }
        Ok(())
    }

    fn encode<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<Bytes, SessionError> {
        encode(self.0.sessions.config(), name, value)
    }

    /// Loads the record unless that was done. Two callers at once may both load; the first
    /// answer counts.
    async fn load(&self) -> Result<(), SessionError> {
        loop {
            let key = {
                let state = self.0.state.lock();
                if state.snapshot.is_some() {
                    return Ok(());
                }
                state.key.clone()
            };
            let record = self.0.sessions.store().load(&key).await?;
            let mut state = self.0.state.lock();
            if state.snapshot.is_none() && state.key == key {
                state.changes += 1;
                state.adopt(record, self.0.sessions.store().as_ref());
            }
        }
    }

    /// A field's present text, and the count of changes at which it was so.
    async fn read(&self, name: &str) -> Result<(Option<Bytes>, u64), SessionError> {
        loop {
            {
                let state = self.0.state.lock();
                if let Some(present) = state.get(name) {
                    return Ok((present, state.changes));
                }
            }
            self.load().await?;
        }
    }

    fn put(&self, name: &str, outcome: Option<Bytes>) -> Result<(), SessionError> {
        let mut state = self.0.state.lock();
        state.check_alive()?;
        // Only a field without pending changes: a derived one says more than its outcome.
        if state.pending.get(name).is_none()
            && let Some(snapshot) = &state.snapshot
            && snapshot.fields.get(name) == outcome.as_ref()
        {
            return Ok(());
        }
        state.check_room(&self.0.sessions, name, outcome.as_ref())?;
        state.pending.put(name, outcome);
        state.changes += 1;
        Ok(())
    }

    /// Adds a change that depends on the field's present text.
    ///
    /// The function runs without the lock; when a clone of this session wrote meanwhile, it
    /// runs again.
    async fn derive<R, F>(&self, name: &str, function: F) -> Result<R, SessionError>
    where
        F: Fn(Option<&Bytes>) -> Result<(Option<Bytes>, R), SessionError> + Send + Sync + 'static,
        R: 'static,
    {
        let function = Arc::new(function);
        loop {
            let (present, changes) = self.read(name).await?;
            let (outcome, answer) = function(present.as_ref())?;
            let mut state = self.0.state.lock();
            state.check_alive()?;
            if state.changes != changes {
                continue;
            }
            state.check_room(&self.0.sessions, name, outcome.as_ref())?;
            let again = Arc::clone(&function);
            let derive = Arc::new(move |present: Option<&Bytes>| Ok(again(present)?.0));
            state.pending.derive(name, present, outcome, derive);
            state.changes += 1;
            return Ok(answer);
        }
    }

    /// One of Sinew's own fields, as text.
    pub(crate) async fn read_reserved(&self, name: &str) -> Result<Option<Bytes>, SessionError> {
        debug_assert!(name.starts_with(RESERVED));
        Ok(self.read(name).await?.0)
    }

    /// Changes one of Sinew's own fields.
    pub(crate) async fn derive_reserved<F>(
        &self,
        name: &str,
        function: F,
    ) -> Result<(), SessionError>
    where
        F: Fn(Option<&Bytes>) -> Result<Option<Bytes>, SessionError> + Send + Sync + 'static,
    {
        debug_assert!(name.starts_with(RESERVED));
        self.derive(name, move |present| Ok((function(present)?, ())))
            .await
    }
}

fn decode<T: DeserializeOwned>(name: &str, text: &Bytes) -> Result<T, SessionError> {
    serde_json::from_slice(text).map_err(|source| SessionError::Decode {
        field: name.to_owned(),
        source,
    })
}

fn encode<T: Serialize + ?Sized>(
    config: &SessionConfig,
    name: &str,
    value: &T,
) -> Result<Bytes, SessionError> {
    let text = serde_json::to_vec(value).map_err(|source| SessionError::Encode {
        field: name.to_owned(),
        source,
    })?;
    if text.len() > config.field_bytes_max {
        return Err(SessionError::FieldTooLarge {
            field: name.to_owned(),
            bytes: text.len(),
            bytes_max: config.field_bytes_max,
        });
    }
    Ok(text.into())
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        formatter
            .debug_struct("Session")
            .field("id", &state.id)
            .field("is_read", &state.snapshot.is_some())
            .field("is_dirty", &state.is_dirty())
            .finish_non_exhaustive()
    }
}

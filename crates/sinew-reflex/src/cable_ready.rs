//! CableReady from anywhere: operations for whoever follows a stream.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use sinew_cable_ready::Operations;
use sinew_streams::{StreamName, Streams};
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind, Result};

/// How many messages of [`Broadcast::broadcast_later`] may wait for a slow streams backend, in one process. Over it: an error.
pub const LATER_MESSAGES_MAX: usize = 10_000;

/// Sends CableReady operations to streams; cloneable, usable in reflexes, in HTTP handlers and in background work alike.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// use sinew_reflex::CableReady;
/// use sinew_streams::Streams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew_reflex::Result {
/// # let mut server = server::Server::new(|engine| engine).await;
/// # let streams = server.streams.clone();
/// # let runtime = tokio::runtime::Handle::current();
/// streams.follow(&"news".into()).await?;
/// let cable_ready = CableReady::new(streams, runtime);
///
/// let mut news = cable_ready.to("news");
/// news.inner_html("#news", "<b>fresh</b>").console_log("news");
/// news.broadcast().await?;
/// let (stream, message) = server.message_on().await;
/// assert_eq!(stream, "news");
/// assert_eq!(message["operations"][0]["html"], "<b>fresh</b>");
///
/// cable_ready.send("news", |operations| operations.remove("#old")).await?;
/// assert_eq!(server.message().await["operations"][0]["selector"], "#old");
///
/// let mut both = cable_ready.to_all(["news", "archive"]);
/// both.append("#news", "<li>one more</li>");
/// both.broadcast().await?;
/// assert_eq!(server.message_on().await.0, "news");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CableReady {
    shared: Arc<Shared>,
}

struct Shared {
    streams: Arc<dyn Streams>,
    runtime: Handle,
    /// What messages for the StimulusReflex subscription say; other subscriptions do not look.
    version: String,
    later: Mutex<Later>,
}

#[derive(Default)]
struct Later {
    waiting: VecDeque<(StreamName, Bytes)>,
    is_running: bool,
}

impl CableReady {
    /// Publishes on `streams`; what is sent later runs on `runtime`.
    pub fn new(streams: Arc<dyn Streams>, runtime: Handle) -> Self {
        Self::with_version(streams, runtime, sinew_cable_ready::VERSION)
    }

    pub(crate) fn with_version(streams: Arc<dyn Streams>, runtime: Handle, version: &str) -> Self {
        let (version, later) = (version.to_owned(), Mutex::default());
        Self {
            shared: Arc::new(Shared {
                streams,
                runtime,
                version,
                later,
            }),
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.shared.version
    }

    /// Begins a message to a stream. Nothing is sent before one of its `broadcast` methods is called.
    pub fn to(&self, stream: impl Into<StreamName>) -> Broadcast {
        self.to_all([stream])
    }

    /// Begins a message to several streams. It is written once and shared.
    pub fn to_all<S: Into<StreamName>>(&self, streams: impl IntoIterator<Item = S>) -> Broadcast {
        Broadcast {
            cable_ready: self.clone(),
            streams: streams.into_iter().map(Into::into).collect(),
            operations: Operations::new(),
        }
    }

    /// Sends the operations that `write` adds to a stream.
    ///
    /// # Errors
    /// As [`Broadcast::broadcast`].
    pub async fn send(
        &self,
        stream: impl Into<StreamName>,
        write: impl FnOnce(&mut Operations) -> &mut Operations,
    ) -> Result {
        let mut broadcast = self.to(stream);
        write(&mut broadcast.operations);
        broadcast.broadcast().await
    }

    pub(crate) async fn publish(&self, stream: &StreamName, message: impl Into<Bytes>) -> Result {
        self.shared
            .streams
            .publish(stream, message.into())
            .await
            .map(|_| ())
            .map_err(|error| {
                Error::of(ErrorKind::Broadcast, "operations could not be published")
                    .with_source(error)
            })
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// Lets a message follow those that wait.
    fn enqueue(&self, streams: Vec<StreamName>, message: &Bytes) -> Result {
        let mut later = self.shared.later.lock();
        if later.waiting.len() + streams.len() > LATER_MESSAGES_MAX {
            return Err(Error::of(
                ErrorKind::Broadcast,
                "too many messages are waiting to be broadcast later",
            ));
        }
        later
            .waiting
            .extend(streams.into_iter().map(|stream| (stream, message.clone())));
        if !later.is_running {
            later.is_running = true;
            let this = self.clone();
            self.shared.runtime.spawn(async move { this.drain().await });
        }
        Ok(())
    }

    /// One task at a time sends what waits, so that the order stays.
    async fn drain(&self) {
        loop {
            let next = {
                let mut later = self.shared.later.lock();
                let next = later.waiting.pop_front();
                if next.is_none() {
                    later.is_running = false;
                    later.waiting.shrink_to(64);
                }
                next
            };
            let Some((stream, message)) = next else {
                return;
            };
            if let Err(error) = self.publish(&stream, message).await {
                tracing::error!(target: "sinew::cable_ready", %stream, error = error.chain(), "broadcast later failed");
            }
        }
    }
}

impl std::fmt::Debug for CableReady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CableReady").finish_non_exhaustive()
    }
}

/// Operations on their way to one or several streams; add to it as to [`Operations`], then broadcast.
///
/// Dropped without a broadcast it sends nothing: operations never leak into somebody else's message.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// use sinew_streams::Streams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew_reflex::Result {
/// # let mut server = server::Server::new(|engine| engine).await;
/// # let cable_ready = server.engine.cable_ready().clone();
/// # for room in ["room_1", "room_2"] { server.streams.follow(&room.into()).await?; }
/// let mut closing = cable_ready.to_all(["room_1", "room_2"]);
/// closing.append("#messages", "<li>We close in five minutes.</li>");
/// closing.broadcast().await?;
/// assert_eq!(server.message_on().await.0, "room_1");
/// assert_eq!(server.message_on().await.0, "room_2");
///
/// // Where nothing can be awaited.
/// let mut closed = cable_ready.to("room_1");
/// closed.remove("#form");
/// closed.broadcast_later()?;
/// assert_eq!(server.message().await["operations"][0]["operation"], "remove");
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `broadcast`"]
#[derive(Debug)]
pub struct Broadcast {
    cable_ready: CableReady,
    streams: Vec<StreamName>,
    operations: Operations,
}

impl Broadcast {
    /// Sends the operations, in one message, to each of the streams. Does nothing when there are no operations.
    ///
    /// # Errors
    /// When a stream could not be reached; the streams before it have been.
    pub async fn broadcast(self) -> Result {
        if self.operations.is_empty() {
            return Ok(());
        }
        let message = Bytes::from(self.operations.message(None));
        for stream in &self.streams {
            self.cable_ready.publish(stream, message.clone()).await?;
        }
        Ok(())
    }

    /// Sends them as soon as the current work yields, after everything that was sent later before; does not wait for it.
    ///
    /// # Errors
    /// When [`LATER_MESSAGES_MAX`] are waiting.
    pub fn broadcast_later(self) -> Result {
        if self.operations.is_empty() {
            return Ok(());
        }
        let message = Bytes::from(self.operations.message(None));
        self.cable_ready.enqueue(self.streams, &message)
    }
}

impl Deref for Broadcast {
    type Target = Operations;

    fn deref(&self) -> &Operations {
        &self.operations
    }
}

impl DerefMut for Broadcast {
    fn deref_mut(&mut self) -> &mut Operations {
        &mut self.operations
    }
}

//! What a long job keeps of the reflex that started it.

use std::sync::Arc;

use sinew_cable_ready::Operations;
use sinew_streams::StreamName;

use crate::cable_ready::CableReady;
use crate::data::ReflexData;
use crate::error::Result;
use crate::reply;

/// Sends operations to the tab that called a reflex, also after the reflex has ended.
///
/// Cloneable and independent of the reflex. The tab carries out what arrives for as long as it shows the page it called from.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use sinew_cable_ready::Operations;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Reflex, ReflexHandle, Result};
///
/// async fn import(tab: ReflexHandle) -> Result {
///     for percent in [50, 100] {
///         tab.send(|operations| operations.set_style("#bar", "width", format!("{percent}%"))).await?;
///     }
///     let done = Operations::new().remove("#bar").take();
///     tab.broadcast(&done).await?;
///     tab.cable_ready().send("imports", |operations| operations.reload()).await
/// }
///
/// struct Import;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Import {
///     async fn start(&self, cx: &mut Reflex) -> Result {
///         assert_eq!(cx.handle().id().as_deref(), Some("call-1"));
///         import(cx.handle()).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Import)).await;
/// let first = server.call("Import#start").await;
/// assert_eq!(first["operations"][0]["value"], "50%");
/// assert_eq!(first["operations"][0]["reflexId"], "call-1");
/// assert_eq!(server.message().await["operations"][0]["value"], "100%");
/// assert_eq!(server.message().await["operations"][0]["operation"], "remove");
/// # }
/// ```
#[derive(Clone)]
pub struct ReflexHandle {
    cable_ready: CableReady,
    stream: StreamName,
    data: Arc<ReflexData>,
}

impl ReflexHandle {
    pub(crate) fn new(cable_ready: CableReady, stream: StreamName, data: Arc<ReflexData>) -> Self {
        Self {
            cable_ready,
            stream,
            data,
        }
    }

    /// The reflex's id; nothing when the call had none, and then the tab ignores what is sent.
    pub fn id(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.data.id()
    }

    /// Sends the operations that `write` adds, in one message.
    ///
    /// # Errors
    /// When the stream could not be reached.
    pub async fn send(&self, write: impl FnOnce(&mut Operations) -> &mut Operations) -> Result {
        let mut operations = Operations::new();
        write(&mut operations);
        self.broadcast(&operations).await
    }

    /// Sends finished operations, in one message. Does nothing when there are none.
    ///
    /// # Errors
    /// When the stream could not be reached.
    pub async fn broadcast(&self, operations: &Operations) -> Result {
        if operations.is_empty() {
            return Ok(());
        }
        let message = reply::message(&self.data, operations, self.cable_ready.version());
        self.cable_ready.publish(&self.stream, message).await
    }

    /// CableReady for other streams.
    pub fn cable_ready(&self) -> &CableReady {
        &self.cable_ready
    }
}

impl std::fmt::Debug for ReflexHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReflexHandle")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

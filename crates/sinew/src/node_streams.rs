//! The application's streams, and on one of them what the nodes tell each other.
//!
//! A logout is answered by one node and ends sockets on all of them. The nodes say so on a stream
//! that only they follow and write: an application that publishes to it is refused, and whoever
//! follows it, by a channel or by a signed name, hears nothing.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use sinew_cable::{Cable, ConnectionIdentifiers, WeakCable};
use sinew_store::SessionId;
use sinew_streams::{BoxFuture, Missed, Position, Sink, StreamName, Streams, StreamsError};
use tokio::runtime::Handle;

use crate::identify::{Connected, SESSION_ID};

/// The stream of the nodes. Its name is Sinew's own.
const NEWS: &str = "sinew:sessions";

/// The beginning of the streams on which nodes tell each other what became of one session, where it lives in its
/// cookie: the session's label follows.
const SESSION: &str = "sinew:session:";

/// The longest message of the nodes in bytes; a longer one is not read.
const NEWS_BYTES_MAX: usize = 512;

/// How long the news of an ended session is offered to streams that do not take it.
const OFFERED: Duration = Duration::from_secs(10);

/// The pause before something is tried at the streams again, and how long it becomes.
const RETRY_DELAY: Duration = Duration::from_millis(100);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);

/// The streams as everybody in the application has them.
pub(crate) struct NodeStreams {
    inner: Arc<dyn Streams>,
    news: StreamName,
    /// Random: it tells this node from the others.
    node: String,
    cable: Arc<OnceLock<WeakCable>>,
    runtime: Handle,
    /// Who hears what is said of sessions that live in cookies, or go on under another id.
    sessions: Arc<OnceLock<Hear>>,
}

type Hear = Box<dyn Fn(&[u8]) + Send + Sync>;

/// One message of the nodes: whose connections end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    /// Who says it.
    node: String,
    /// The label of the session, never its id: whoever listens at the carrier learns nothing that
    /// opens it.
    session: String,
    /// Whether connections count that carry the label as their only identity, besides those that
    /// have the session.
    identified: bool,
    /// Whether the browser shall come again.
    reconnect: bool,
    /// Where the session goes on, and which connection goes with it: sealed. A node that cannot read it ends that
    /// connection with the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved: Option<String>,
}

impl Ended {
    fn to_bytes(&self) -> Bytes {
        let text = serde_json::to_vec(self);
        text.expect("text and truth values can be written as JSON")
            .into()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > NEWS_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }

    /// Ends the connections that it speaks of, on this node.
    fn carry_out(&self, cable: &Cable) {
        let Some(label) = Connected::label_from(&self.session) else {
            return;
        };
        let identifiers = self
            .identified
            .then(|| ConnectionIdentifiers::new().with(SESSION_ID, self.session.clone()));
        cable.disconnect_if(
            move |known| {
                let is_named = identifiers.as_ref().is_some_and(|it| known.same_as(it));
                is_named || Connected::of_label(known, label)
            },
            self.reconnect,
        );
    }
}

impl NodeStreams {
    pub(crate) fn new(inner: Arc<dyn Streams>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            inner,
            news: StreamName::from(NEWS),
            // As long as a session id, and as random.
            node: SessionId::generate().label(),
            cable: Arc::default(),
            runtime,
            sessions: Arc::default(),
        })
    }

    /// The cable is made with the streams: it comes later.
    pub(crate) fn set_cable(self: &Arc<Self>, cable: &Cable) {
        // Set once, by the builder.
        let _ = self.cable.set(cable.downgrade());
        self.runtime.spawn(follow_news(Arc::downgrade(self)));
    }

    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    fn cable(&self) -> Option<Cable> {
        self.cable.get().and_then(WeakCable::upgrade)
    }

    /// Whoever shall hear what the nodes say of sessions that live in cookies, or go on under another id: sealed.
    pub(crate) fn hear_sessions(&self, hear: impl Fn(&[u8]) + Send + Sync + 'static) {
        // Set once, by the builder.
        let _ = self.sessions.set(Box::new(hear));
    }

    /// Hears what is said of one session from now on.
    pub(crate) fn follow_session(&self, label: &str) {
        let stream = StreamName::from(format!("{SESSION}{label}"));
        // It begins with the call; waiting says only whether it has come about.
        let following = self.inner.follow(&stream);
        if let Some(Err(error)) = following.now_or_never() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what other nodes write to a session is not heard of"
            );
        }
    }

    pub(crate) fn unfollow_session(&self, label: &str) {
        self.inner
            .unfollow(&StreamName::from(format!("{SESSION}{label}")));
    }

    /// Tells the nodes that have connections of a session.
    pub(crate) fn tell_session(self: &Arc<Self>, label: &str, payload: String) {
        let stream = StreamName::from(format!("{SESSION}{label}"));
        let streams = Arc::clone(self);
        let mut telling = Box::pin(async move {
            if let Err(error) = streams.inner.publish(&stream, payload.into()).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "other nodes could not be told what a session holds"
                );
            }
        });
        // Streams in this process take it at once.
        if telling.as_mut().now_or_never().is_none() {
            self.runtime.spawn(telling);
        }
    }

    /// Ends the connections of a session on this node; the browsers shall come again.
    pub(crate) fn end_connections_here(&self, id: SessionId) {
        let Some(label) = Connected::label_from(&id.label()) else {
            return;
        };
        if let Some(cable) = self.cable() {
            cable.disconnect_if(move |known| Connected::of_label(known, label), true);
        }
    }

    /// Ends the connections of a session, here at once and on the other nodes as soon as they hear
    /// of it.
    pub(crate) fn end_connections(
        self: &Arc<Self>,
        id: SessionId,
        identified: bool,
        reconnect: bool,
    ) {
        self.end(Ended {
            node: self.node.clone(),
            session: id.label(),
            identified,
            reconnect,
            moved: None,
        });
    }

    /// Ends the connections of a session that goes on under another id, but the one that goes with it: `moved` tells the
    /// other nodes which that is, and on this one it has another session already.
    pub(crate) fn end_other_connections(self: &Arc<Self>, from: SessionId, moved: Option<String>) {
        self.end(Ended {
            node: self.node.clone(),
            session: from.label(),
            // The one that goes along has come with the old label.
            identified: false,
            reconnect: true,
            moved,
        });
    }

    fn end(self: &Arc<Self>, ended: Ended) {
        if let Some(cable) = self.cable() {
            ended.carry_out(&cable);
        }
        self.runtime
            .spawn(offer(Arc::clone(self), ended.to_bytes()));
    }
}

/// Follows the stream of the nodes, however long the streams are away.
async fn follow_news(streams: Weak<NodeStreams>) {
    let mut delay = RETRY_DELAY;
    while let Some(streams) = streams.upgrade() {
        match streams.inner.follow(&streams.news).await {
            Ok(()) => return,
            Err(error) if delay == RETRY_DELAY => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "sessions that end on other nodes are not heard of yet"
                );
            }
            Err(_) => {}
        }
        drop(streams);
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(RETRY_DELAY_MAX);
    }
}

/// Tells the other nodes, again and again when the streams do not take it.
async fn offer(streams: Arc<NodeStreams>, news: Bytes) {
    let mut delay = RETRY_DELAY;
    let mut offered = Duration::ZERO;
    loop {
        let Err(error) = streams.inner.publish(&streams.news, news.clone()).await else {
            return;
        };
        if offered >= OFFERED {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "other nodes could not be told that a session has ended; its sockets there stay open"
            );
            return;
        }
        tokio::time::sleep(delay).await;
        offered += delay;
        delay = (delay * 2).min(RETRY_DELAY_MAX);
    }
}

impl Streams for NodeStreams {
    fn attach(&self, sink: Arc<dyn Sink>) -> Result<(), StreamsError> {
        self.inner.attach(Arc::new(NodeSink {
            inner: sink,
            node: self.node.clone(),
            cable: Arc::clone(&self.cable),
            sessions: Arc::clone(&self.sessions),
        }))
    }

    fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<Position, StreamsError>> {
        if is_of_nodes(stream) {
            return Box::pin(std::future::ready(Err(StreamsError::Reserved)));
        }
        self.inner.publish(stream, payload)
    }

    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
        if is_of_nodes(stream) {
            // It stays silent for whoever it is.
            return Box::pin(std::future::ready(Ok(())));
        }
        self.inner.follow(stream)
    }

    fn unfollow(&self, stream: &StreamName) {
        if !is_of_nodes(stream) {
            self.inner.unfollow(stream);
        }
    }

    fn missed(&self) -> Missed {
        self.inner.missed()
    }
}

fn is_of_nodes(stream: &StreamName) -> bool {
    stream.as_str() == NEWS || stream.as_str().starts_with(SESSION)
}

/// Takes the messages of the nodes out of what goes to the cable.
struct NodeSink {
    sessions: Arc<OnceLock<Hear>>,
    inner: Arc<dyn Sink>,
    node: String,
    cable: Arc<OnceLock<WeakCable>>,
}

impl NodeSink {
    fn hear(&self, payload: &[u8]) {
        let Some(ended) = Ended::from_bytes(payload) else {
            // Another version's, or nobody's.
            tracing::debug!("a message of the nodes cannot be read");
            return;
        };
        if ended.node == self.node {
            return;
        }
        // First, so that whoever goes on with the session is not among those who end.
        if let (Some(moved), Some(hear)) = (&ended.moved, self.sessions.get()) {
            hear(moved.as_bytes());
        }
        if let Some(cable) = self.cable.get().and_then(WeakCable::upgrade) {
            ended.carry_out(&cable);
        }
    }
}

impl Sink for NodeSink {
    fn deliver(&self, stream: &StreamName, position: Position, payload: &Bytes) {
        if stream.as_str() == NEWS {
            return self.hear(payload);
        }
        if stream.as_str().starts_with(SESSION) {
            if let Some(hear) = self.sessions.get() {
                hear(payload);
            }
            return;
        }
        self.inner.deliver(stream, position, payload);
    }

    fn pressure(&self) -> Option<BoxFuture<'static, ()>> {
        self.inner.pressure()
    }
}

#[cfg(test)]
mod tests;

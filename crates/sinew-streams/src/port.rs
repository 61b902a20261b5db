use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{StreamName, StreamsError};

/// Where in its stream a message stands. Grows with every message of a stream, not necessarily by one.
///
/// ```
/// use sinew_streams::Position;
///
/// let (first, second) = (Position::from_offset(7), Position::from_offset(9));
/// assert!(first < second);
/// assert_eq!(second.offset(), 9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    offset: u64,
}

impl Position {
    /// A position, as an adapter counts it.
    pub fn from_offset(offset: u64) -> Self {
        Self { offset }
    }

    /// The count behind the position.
    pub fn offset(self) -> u64 {
        self.offset
    }
}

/// A node's receiving end: its hub.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use bytes::Bytes;
/// use futures_util::FutureExt;
/// use sinew_streams::{InProcessStreams, Position, Sink, StreamName, Streams};
///
/// /// Keeps what it is given.
/// #[derive(Default)]
/// struct Log(Mutex<Vec<String>>);
///
/// impl Sink for Log {
///     fn deliver(&self, stream: &StreamName, _: Position, payload: &Bytes) {
///         let line = format!("{stream}: {}", String::from_utf8_lossy(payload));
///         self.0.lock().unwrap().push(line);
///     }
/// }
///
/// let log = Arc::new(Log::default());
/// let streams = InProcessStreams::new();
/// streams.attach(log.clone())?;
/// let news = StreamName::from("news");
/// streams.follow(&news).now_or_never().expect("at once in process")?;
/// streams.publish(&news, Bytes::from("1")).now_or_never().expect("at once in process")?;
/// streams.publish(&news, Bytes::from("2")).now_or_never().expect("at once in process")?;
/// assert_eq!(*log.0.lock().unwrap(), ["news: 1", "news: 2"]);
/// # Ok::<(), sinew_streams::StreamsError>(())
/// ```
pub trait Sink: Send + Sync {
    /// Takes one message of a followed stream.
    ///
    /// Called with the messages of one stream in the order of their positions, one at a time; different streams may be
    /// delivered at the same time from several threads.
    /// Must neither block nor call back into the [`Streams`] that delivers.
    fn deliver(&self, stream: &StreamName, position: Position, payload: &Bytes);

    /// When messages come faster than they can be passed on: what to wait for before the next.
    ///
    /// Whoever delivers asks after each delivery, and waits where that holds up nobody else: a publisher in its
    /// [`publish`](Streams::publish), an adapter in its receiving loop. Nothing is refused meanwhile.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use sinew_streams::{Position, Sink, StreamName};
    ///
    /// /// Passes on at once: never under pressure.
    /// struct Nowhere;
    /// impl Sink for Nowhere {
    ///     fn deliver(&self, _: &StreamName, _: Position, _: &Bytes) {}
    /// }
    /// assert!(Nowhere.pressure().is_none());
    /// ```
    fn pressure(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

/// What a node has missed since its start, because it was cut off from the others.
///
/// ```
/// use sinew_streams::{InProcessStreams, Missed, Streams};
///
/// let missed: Missed = InProcessStreams::new().missed();
/// assert_eq!((missed.interruptions, missed.messages), (0, 0), "nothing to be cut off from");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed {
    /// How often it was cut off.
    pub interruptions: u64,
    /// Messages that were published meanwhile, as far as is known: of followed streams, or of any
    /// where nothing tells which streams they were of.
    pub messages: u64,
}

/// The port: publish to streams and follow them, on this node or across many.
///
/// An implementation keeps these obligations, and runs the `contract` suite to show it:
///
/// - **Order.** Messages of one stream reach every node in the same order, and `publish` calls made one after another
///   keep their order. Between streams there is none.
/// - **Once.** A message reaches a following node at most once. A node that is cut off may miss messages; it never sees
///   one twice.
/// - **Nobody there.** Publishing to a stream that no one follows succeeds.
/// - **Payloads** are opaque bytes and arrive unchanged.
///
/// Streams around other ones, that count what is published:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bytes::Bytes;
/// use futures_util::FutureExt;
/// use sinew_streams::{
///     BoxFuture, InProcessStreams, Position, Sink, StreamName, Streams, StreamsError, contract,
/// };
///
/// struct Counted<S> {
///     inner: S,
///     published: AtomicU64,
/// }
///
/// impl<S: Streams> Streams for Counted<S> {
///     fn attach(&self, sink: Arc<dyn Sink>) -> Result<(), StreamsError> {
///         self.inner.attach(sink)
///     }
///
///     fn publish(
///         &self,
///         stream: &StreamName,
///         payload: Bytes,
///     ) -> BoxFuture<'_, Result<Position, StreamsError>> {
///         self.published.fetch_add(1, Ordering::Relaxed);
///         self.inner.publish(stream, payload)
///     }
///
///     fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
///         self.inner.follow(stream)
///     }
///
///     fn unfollow(&self, stream: &StreamName) {
///         self.inner.unfollow(stream);
///     }
/// }
///
/// let counted = || Counted { inner: InProcessStreams::new(), published: AtomicU64::new(0) };
/// contract::run_all(counted).now_or_never().expect("at once in process");
///
/// let streams = counted();
/// let news = StreamName::from("news");
/// streams.publish(&news, Bytes::from("1")).now_or_never().expect("at once in process")?;
/// assert_eq!(streams.published.load(Ordering::Relaxed), 1);
/// # Ok::<(), StreamsError>(())
/// ```
pub trait Streams: Send + Sync + 'static {
    /// Gives this node's receiving end. Nothing is delivered before.
    ///
    /// # Errors
    ///
    /// [`StreamsError::AlreadyAttached`] when the node has one.
    fn attach(&self, sink: Arc<dyn Sink>) -> Result<(), StreamsError>;

    /// Appends a message to a stream and sends it to the nodes that follow it.
    ///
    /// The payload is JSON text by convention of those above.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Unavailable`] when the message was not taken; whether a part of the nodes saw it is then unknown.
    fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<Position, StreamsError>>;

    /// Begins to deliver a stream to this node's sink; resolves when every later `publish` will be delivered.
    ///
    /// The work begins with the call, not with the first poll, and goes on when the future is dropped: calls to `follow`
    /// and [`unfollow`](Self::unfollow) take effect in the order they are made.
    /// Following what is already followed is allowed and resolves when it stands; it is not counted, one `unfollow` ends it.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Unavailable`] when the stream cannot be followed; it then is not.
    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>>;

    /// Ends the delivery of a stream to this node. A delivery already under way on another thread may still arrive.
    fn unfollow(&self, stream: &StreamName);

    /// What this node has missed, for whoever watches over it. Streams within one process miss nothing.
    ///
    /// ```
    /// use sinew_streams::{InProcessStreams, Missed, Streams};
    ///
    /// assert_eq!(InProcessStreams::new().missed(), Missed::default());
    /// ```
    fn missed(&self) -> Missed {
        Missed::default()
    }
}

//! Messages on their way to a server, for adapters that have one (feature `outbox`).

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::{Position, StreamName, StreamsError};

/// What a message costs besides its name and its payload, in bytes.
const OVERHEAD_BYTES: usize = 128;

/// Queues with more room than this give it back when they are empty, in messages.
const KEPT_MESSAGES: usize = 256;

/// Messages that wait to be sent, in the order of the calls that published them.
///
/// An adapter's [`publish`](crate::Streams::publish) is a [`push`](Self::push); one task of it
/// [takes](Self::take) a batch, sends it, [answers](Outgoing::answer) each message and takes the next.
/// Calls keep their order so, also when nobody waits for their futures.
///
/// ```
/// use bytes::Bytes;
/// use sinew_streams::outbox::{Outbox, Outgoing};
/// use sinew_streams::{Position, StreamsError};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // Room for one message of this size, and for no second one.
/// let outbox = Outbox::new(200);
/// let news = "news".into();
/// let first = outbox.push(&news, Bytes::from("1"));
/// let second = outbox.push(&news, Bytes::from("2"));
/// assert!(matches!(second.await, Err(StreamsError::Unavailable(_))));
///
/// let batch: Vec<Outgoing> = outbox.take(100, 1 << 20).await;
/// assert_eq!(batch.len(), 1);
/// for message in batch {
///     assert_eq!((message.stream.as_str(), &message.payload[..]), ("news", &b"1"[..]));
///     message.answer(Ok(Position::from_offset(1)));
/// }
/// assert_eq!(first.await.unwrap().offset(), 1);
/// # }
/// ```
pub struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    bytes_max: usize,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Outgoing>,
    bytes: usize,
}

/// A message that was taken out of an [`Outbox`] to be sent. Whoever published it is told that the
/// streams have ended when it is dropped without an answer.
///
/// ```
/// use sinew_streams::Position;
/// use sinew_streams::outbox::{Outbox, Outgoing};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let outbox = Outbox::new(1 << 20);
/// let (one, two) = (outbox.push(&"news".into(), "1".into()), outbox.push(&"news".into(), "2".into()));
/// let mut batch = outbox.take(100, 1 << 20).await.into_iter();
///
/// let taken: Outgoing = batch.next().unwrap();
/// taken.answer(Ok(Position::from_offset(7)));
/// assert_eq!(one.await.unwrap().offset(), 7);
///
/// drop(batch);
/// assert!(two.await.unwrap_err().is_retryable());
/// # }
/// ```
#[non_exhaustive]
pub struct Outgoing {
    /// The stream it is published to.
    pub stream: StreamName,
    /// What is published.
    pub payload: Bytes,
    answer: oneshot::Sender<Result<Position, StreamsError>>,
}

impl Outbox {
    /// An empty one for messages of so many bytes together. With more, the next message is refused
    /// with [`StreamsError::Unavailable`]; one message alone may be larger.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Notify::new(),
            bytes_max,
        }
    }

    /// Takes a message, and resolves when it has its answer. The work begins with the call.
    pub fn push(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> BoxFuture<'static, Result<Position, StreamsError>> {
        let (answer, answered) = oneshot::channel();
        let outgoing = Outgoing {
            stream: stream.clone(),
            payload,
            answer,
        };
        if !self.queue.lock().push(outgoing, self.bytes_max) {
            return Box::pin(std::future::ready(Err(unavailable(
                "too many messages wait to be sent",
            ))));
        }
        self.filled.notify_one();
        Box::pin(async move {
            let answer = answered.await;
            answer.unwrap_or_else(|_| Err(unavailable("the streams have ended")))
        })
    }

    /// Waits until there is a message, and takes what one batch holds: at least one, and at most
    /// so many messages and bytes. For one task: of several that wait, one is woken.
    pub async fn take(&self, messages_max: usize, bytes_max: usize) -> Vec<Outgoing> {
        loop {
            let filled = self.filled.notified();
            let batch = self.queue.lock().take(messages_max, bytes_max);
            if !batch.is_empty() {
                return batch;
            }
            filled.await;
        }
    }
}

impl Queue {
    /// Whether there was room for it.
    fn push(&mut self, outgoing: Outgoing, bytes_max: usize) -> bool {
        let bytes = self.bytes + outgoing.bytes();
        if bytes > bytes_max && !self.messages.is_empty() {
            return false;
        }
        self.bytes = bytes;
        self.messages.push_back(outgoing);
        true
    }

    fn take(&mut self, messages_max: usize, bytes_max: usize) -> Vec<Outgoing> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.messages.front() {
            bytes += next.bytes();
            let is_full = batch.len() >= messages_max || bytes > bytes_max;
            if is_full && !batch.is_empty() {
                break;
            }
            self.bytes -= next.bytes();
            batch.extend(self.messages.pop_front());
        }
        if self.messages.is_empty() && self.messages.capacity() > KEPT_MESSAGES {
            self.messages = VecDeque::new();
        }
        batch
    }
}

impl Outgoing {
    /// Tells whoever published it what became of it.
    pub fn answer(self, answer: Result<Position, StreamsError>) {
        // Whoever does not listen any more need not hear it.
        let _ = self.answer.send(answer);
    }

    fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.stream.as_str().len() + self.payload.len()
    }
}

fn unavailable(reason: &'static str) -> StreamsError {
    StreamsError::Unavailable(reason.into())
}

impl fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.queue.lock();
        formatter
            .debug_struct("Outbox")
            .field("messages", &queue.messages.len())
            .field("bytes", &queue.bytes)
            .field("bytes_max", &self.bytes_max)
            .finish()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Outgoing")
            .field("stream", &self.stream)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn payloads(batch: &[Outgoing]) -> Vec<&[u8]> {
        batch.iter().map(|it| &it.payload[..]).collect()
    }

    fn taken(outbox: &Outbox, messages_max: usize, bytes_max: usize) -> Option<Vec<Outgoing>> {
        outbox.take(messages_max, bytes_max).now_or_never()
    }

    #[test]
    fn batches_are_bounded_and_keep_the_order() {
        let outbox = Outbox::new(1 << 20);
        for payload in ["1", "2", "3", "4"] {
            drop(outbox.push(&"news".into(), payload.into()));
        }
        let batch = taken(&outbox, 2, 1 << 20).expect("there are some");
        assert_eq!(payloads(&batch), [b"1", b"2"]);
        let batch = taken(&outbox, 2, 1).expect("one may be larger");
        assert_eq!(payloads(&batch), [b"3"]);
        let batch = taken(&outbox, 2, 1 << 20).expect("one is left");
        assert_eq!(payloads(&batch), [b"4"]);
        assert!(taken(&outbox, 2, 1 << 20).is_none());
    }

    #[test]
    fn room_is_free_again_when_messages_were_taken() {
        let outbox = Outbox::new(OVERHEAD_BYTES + 10);
        let mut first = outbox.push(&"news".into(), "1".into());
        let refused = outbox.push(&"news".into(), "2".into()).now_or_never();
        assert!(refused.expect("at once").is_err());
        drop(taken(&outbox, 1, 1).expect("one"));
        let ended = (&mut first).now_or_never().expect("it was dropped");
        let reason =
            std::error::Error::source(&ended.expect_err("no answer")).map(|it| it.to_string());
        assert_eq!(reason.as_deref(), Some("the streams have ended"));
        assert!(
            outbox
                .push(&"news".into(), "3".into())
                .now_or_never()
                .is_none()
        );
    }
}

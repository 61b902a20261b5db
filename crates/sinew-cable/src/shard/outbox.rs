//! What a socket has not taken yet.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::Bytes;

use crate::inbox::Inbox;
use crate::statistics::{add, up};

/// Frames in the order in which they are to be written; shared, not copied.
///
/// A driver writes what [`slices`](Self::slices) gives, in one system call, and says with [`advance`](Self::advance) how
/// much of it the socket took; the [module's example](super) does both.
///
/// ```
/// use std::io::IoSlice;
/// use sinew_cable::shard::Outbox;
///
/// let outbox = Outbox::default();
/// assert!(outbox.is_empty());
/// assert_eq!(outbox.slices(&mut [IoSlice::new(&[]); 16]), 0);
/// ```
#[derive(Default)]
pub struct Outbox {
    /// One frame is the rule, and needs no list.
    first: Option<Bytes>,
    rest: VecDeque<Bytes>,
    /// How much of the first was written.
    written: usize,
    /// Of all frames, what was written included.
    bytes: usize,
    /// The first is no message: it opens the connection.
    has_head: bool,
    /// Where its shard counts.
    inbox: Option<Arc<Inbox>>,
}

impl Outbox {
    /// Adds what goes out before everything else and is no message: the answer to a handshake.
    pub(super) fn push_head(&mut self, head: Bytes) {
        debug_assert!(
            self.is_empty(),
            "nothing is written before the handshake is answered"
        );
        self.bytes = head.len();
        self.first = Some(head);
        self.has_head = true;
    }

    /// Adds a frame.
    pub(super) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        if let Some(Inbox { counters, .. }) = self.inbox.as_deref() {
            up(&counters.messages_queued);
            add(&counters.bytes_queued, frame.len() as u64);
        }
        match &self.first {
            None => self.first = Some(frame),
            Some(_) => self.rest.push_back(frame),
        }
    }

    /// Whether everything was written.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many frames wait, and bytes of them.
    pub(super) fn load(&self) -> (usize, usize) {
        let frames = self.rest.len() + usize::from(self.first.is_some());
        (frames, self.bytes - self.written)
    }

    /// How many messages wait.
    fn messages(&self) -> usize {
        self.load().0 - usize::from(self.has_head)
    }

    /// What to write next, if that is one frame: it needs no [slices](Self::slices).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// # use std::sync::Arc;
    /// # use std::time::Instant;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// let mut line = client.shard.visit(client.key).expect("it is there").line;
    /// line.receive_text(Instant::now(), r#"{"command":"ping"}"#);
    /// let outbox = line.outbox().expect("the answer");
    /// assert_eq!(outbox.only(), Some(&b"\x81\x0f{\"type\":\"pong\"}"[..]));
    /// outbox.advance(2);
    /// assert_eq!(outbox.only(), Some(&br#"{"type":"pong"}"#[..]));
    ///
    /// line.receive_text(Instant::now(), r#"{"command":"ping"}"#);
    /// assert_eq!(line.outbox().expect("two answers").only(), None);
    /// # Ok(()) }
    /// ```
    pub fn only(&self) -> Option<&[u8]> {
        let first = self.first.as_ref()?;
        self.rest.is_empty().then(|| &first[self.written..])
    }

    /// Fills in what to write next; how many slices that makes.
    pub fn slices<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        let first = self.first.iter().map(|frame| &frame[self.written..]);
        let rest = self.rest.iter().map(|frame| &frame[..]);
        let mut count = 0;
        for (frame, slice) in first.chain(rest).zip(into) {
            *slice = IoSlice::new(frame);
            count += 1;
        }
        count
    }

    /// The socket took that many bytes.
    pub fn advance(&mut self, mut count: usize) {
        let (bytes, mut messages) = (count as u64, 0);
        while let Some(frame) = &self.first {
            let rest = frame.len() - self.written;
            if count < rest {
                self.written += count;
                break;
            }
            count -= rest;
            self.bytes -= frame.len();
            self.written = 0;
            messages += u64::from(!std::mem::take(&mut self.has_head));
            self.first = self.rest.pop_front();
        }
        if let Some(Inbox { counters, .. }) = self.inbox.as_deref() {
            add(&counters.bytes_sent, bytes);
            add(&counters.messages_sent, messages);
        }
    }

    /// Drops what waits, except the rest of a frame that was begun: without it the next would not be read.
    pub(super) fn drop_waiting(&mut self) {
        let (messages, (_, bytes)) = (self.messages(), self.load());
        self.rest.clear();
        // Nor is a handshake left without its answer.
        let is_begun = self.written > 0 || self.has_head;
        self.first = self.first.take().filter(|_| is_begun);
        self.bytes = self.first.as_ref().map_or(0, Bytes::len);
        self.count_dropped(messages - self.messages(), bytes - self.load().1);
    }

    fn count_dropped(&self, messages: usize, bytes: usize) {
        if let Some(Inbox { counters, .. }) = self.inbox.as_deref() {
            add(&counters.messages_dropped, messages as u64);
            add(&counters.bytes_dropped, bytes as u64);
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if let Some(head) = self.first.take_if(|_| self.has_head) {
            self.bytes -= head.len();
            (self.written, self.has_head) = (0, false);
        }
        let bytes = self.bytes - self.written;
        let messages = self.rest.len() + usize::from(self.first.is_some());
        self.count_dropped(messages, bytes);
    }
}

/// Emptied outboxes that are kept for the next connections that have something to write: a broadcast to as many
/// allocates none. Of some hundred bytes each, so that a shard keeps one or two megabytes after the largest of them.
const SPARES_MAX: usize = 16 * 1024;
/// How many frames beside the first one that is kept may have room for. A larger one is given back.
const SPARE_FRAMES_MAX: usize = 4;

/// Outboxes that are empty: those that write take one, and leave it when all is written.
pub(super) struct Spares {
    #[allow(
        clippy::vec_box,
        reason = "moved between here and connections, which keep a pointer"
    )]
    outboxes: Vec<Box<Outbox>>,
    inbox: Arc<Inbox>,
}

impl Spares {
    /// Outboxes of the shard that counts there.
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self {
            outboxes: Vec::new(),
            inbox,
        }
    }

    pub(super) fn take(&mut self) -> Box<Outbox> {
        self.outboxes.pop().unwrap_or_else(|| {
            let mut outbox = Box::<Outbox>::default();
            outbox.inbox = Some(self.inbox.clone());
            outbox
        })
    }

    pub(super) fn keep(&mut self, outbox: Box<Outbox>) {
        let is_small = outbox.rest.capacity() <= SPARE_FRAMES_MAX;
        if outbox.is_empty() && is_small && self.outboxes.len() < SPARES_MAX {
            self.outboxes.push(outbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(frames: &[&'static str]) -> Outbox {
        let mut outbox = Outbox::default();
        for frame in frames {
            outbox.push(Bytes::from_static(frame.as_bytes()));
        }
        outbox
    }

    fn next(outbox: &Outbox) -> Vec<String> {
        let mut slices = [IoSlice::new(&[]); 2];
        let count = outbox.slices(&mut slices);
        slices[..count]
            .iter()
            .map(|slice| String::from_utf8_lossy(slice).into_owned())
            .collect()
    }

    #[test]
    fn what_is_written_is_left_out() {
        let mut outbox = outbox(&["one", "two", "three"]);
        assert_eq!(next(&outbox), ["one", "two"]);
        outbox.advance(4);
        assert_eq!(next(&outbox), ["wo", "three"]);
        assert_eq!(outbox.load(), (2, 7));
        outbox.advance(2);
        assert_eq!(next(&outbox), ["three"]);
        outbox.advance(5);
        assert!(outbox.is_empty());
        assert_eq!(outbox.load(), (0, 0));
    }

    #[test]
    fn what_opens_a_connection_is_no_message_and_is_not_dropped() {
        let mut outbox = Outbox::default();
        outbox.push_head(Bytes::from_static(b"101"));
        outbox.push(Bytes::from_static(b"welcome"));
        assert_eq!(next(&outbox), ["101", "welcome"]);
        assert_eq!(outbox.messages(), 1);
        outbox.drop_waiting();
        assert_eq!((next(&outbox), outbox.messages()), (vec!["101".into()], 0));
        outbox.advance(3);
        assert!(outbox.is_empty());
        outbox.push(Bytes::from_static(b"ping"));
        assert_eq!(outbox.messages(), 1);
    }

    #[test]
    fn a_frame_that_was_begun_is_not_dropped() {
        let mut begun = outbox(&["one", "two"]);
        begun.advance(1);
        begun.drop_waiting();
        assert_eq!(next(&begun), ["ne"]);
        let mut whole = outbox(&["one", "two"]);
        whole.drop_waiting();
        assert!(whole.is_empty());
    }
}

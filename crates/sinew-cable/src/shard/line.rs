//! One connection at hand, for whoever drives its socket.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::intake::{Buckets, Rates};
use super::perform::Performer;
use super::pulse::Pulse;
use super::{Closing, Outbox};
use crate::connection::{Connection, Event};
use crate::statistics::{add, up};

/// The cable's part of a connection: takes messages and frames.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use sinew_cable::shard::Line;
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
/// # use sinew_streams::InProcessStreams;
///
/// fn bring(mut line: Line<'_>) {
///     line.receive_text(std::time::Instant::now(), r#"{"command":"ping"}"#);
///     assert!(line.outbox().is_some_and(|outbox| !outbox.is_empty()));
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// # bring(client.shard.visit(client.key).expect("there").line);
/// # Ok(()) }
/// ```
pub struct Line<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) performer: Performer<'a>,
    pub(super) rates: &'a Rates,
    pub(super) buckets: &'a mut Buckets,
    pub(super) pulse: &'a mut Pulse,
}

impl Line<'_> {
    /// So many bytes were read from the socket; what messages they are comes next.
    pub fn read(&mut self, now: Instant, bytes: usize) {
        self.pulse.heard();
        self.rates.count_bytes(now, self.buckets, bytes);
    }

    fn count_message(&mut self, now: Instant) {
        self.pulse.heard();
        self.rates.count_message(now, self.buckets);
    }

    /// A text message came.
    pub fn receive_text(&mut self, now: Instant, text: &str) {
        self.count_message(now);
        self.count_received(text.len());
        self.connection
            .handle(now, Event::Text(text), &mut self.performer);
    }

    /// A binary message came.
    pub fn receive_binary(&mut self, now: Instant, bytes: &[u8]) {
        self.count_message(now);
        self.count_received(bytes.len());
        self.connection
            .handle(now, Event::Binary(bytes), &mut self.performer);
    }

    fn count_received(&self, bytes: usize) {
        let counters = self.performer.mailbox.counters();
        add(&counters.bytes_received, bytes as u64);
    }

    /// A frame of the WebSocket protocol itself came, such as a ping, and this is the answer to it.
    pub fn receive_control(&mut self, now: Instant, answer: Bytes) {
        self.count_message(now);
        self.performer.write(answer);
    }

    /// A frame of the WebSocket protocol itself is to be written, such as a close.
    pub fn send_frame(&mut self, frame: Bytes) {
        self.performer.write(frame);
    }

    /// The closing handshake is over or under way: nothing may follow what is to be written already.
    pub fn stop(&mut self) {
        self.performer.stop();
    }

    /// What is to be written, if anything.
    pub fn outbox(&mut self) -> Option<&mut Outbox> {
        self.performer.outbox.as_deref_mut()
    }

    /// The close to send, once the connection has ended.
    pub fn closing(&self) -> Option<Closing> {
        self.performer.closing.as_deref().copied()
    }

    /// Whether the socket should not be read until the application has caught up.
    pub fn is_congested(&self) -> bool {
        self.connection.is_congested()
    }

    /// How long the socket should not be read, since its client sends faster than it may; to be asked once after the
    /// messages of a [read](Self::read). One that has sent [far too much](crate::Config::incoming_pause_max) is closed
    /// instead, and read on for its answer.
    pub fn pause(&mut self, now: Instant) -> Option<Duration> {
        if self.performer.closing.is_some() {
            return None;
        }
        let pause = self.rates.pause(now, *self.buckets)?;
        let node = &self.performer.cable.node;
        if pause > node.config.incoming_pause_max {
            up(&self.performer.mailbox.counters().flooding_connections);
            tracing::debug!(
                connection = self.performer.mailbox.id.get(),
                "a client sent far more than it may, connection closed"
            );
            self.connection
                .handle(now, Event::Flooded, &mut self.performer);
            return None;
        }
        up(&self.performer.mailbox.counters().incoming_pauses);
        Some(pause)
    }
}

//! A shard driven by hand: frames of clients in, frames for them out, no socket.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use sinew_cable::shard::{Key, Shard};
use sinew_cable::{Cable, ConnectRequest};
use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, masked_frame_into};
use tokio::sync::Notify;

/// How many frames go into one write, as in `sinew-web`.
const SLICES: usize = 64;
const MASK_KEY: [u8; 4] = [1, 2, 3, 4];

pub(crate) struct Driver {
    cable: Cable,
    shard: Shard<Endpoint>,
    mail: Arc<Notify>,
    limits: Limits,
    now: Instant,
    input: Vec<u8>,
}

/// What was written in one turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

/// A client's text as it comes from the socket.
pub(crate) fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    masked_frame_into(&mut frame, Opcode::Text, text, MASK_KEY);
    frame
}

/// A command as it comes from the socket.
pub(crate) fn command(command: &str, identifier: &str, data: &str) -> Vec<u8> {
    let command = serde_json::json!({ "command": command, "identifier": identifier, "data": data });
    masked(command.to_string().as_bytes())
}

impl Driver {
    pub(crate) fn new(cable: Cable) -> Self {
        let mail = Arc::new(Notify::new());
        let wakes = mail.clone();
        Self {
            shard: Shard::new(&cable, move || wakes.notify_one()),
            cable,
            mail,
            limits: Limits::default(),
            now: Instant::now(),
            input: Vec::new(),
        }
    }

    /// Opens a connection and waits for its welcome.
    pub(crate) async fn open(&mut self) -> Result<Key> {
        let endpoint = Endpoint::new(Role::Server, &self.limits);
        let request = Arc::new(ConnectRequest::default());
        let key = self
            .shard
            .open(self.now, self.cable.incoming(), request, endpoint);
        self.written(1).await?;
        Ok(key)
    }

    /// Ends a connection, as its socket would.
    pub(crate) fn leave(&mut self, key: Key) {
        self.shard.remove(key);
        self.shard.take_mail(self.now);
    }

    /// Brings what the socket read.
    pub(crate) fn receive(&mut self, key: Key, frame: &[u8]) -> Result<()> {
        let now = self.now;
        self.input.clear();
        self.input.extend_from_slice(frame);
        let visit = self.shard.visit(key).context("the connection is gone")?;
        let mut line = visit.line;
        visit.peer.receive(&mut self.input, |effect| {
            if let Effect::Text(text) = effect {
                line.receive_text(now, text);
            }
        });
        Ok(())
    }

    /// Brings a frame whose answer is so many frames.
    pub(crate) async fn ask(&mut self, key: Key, frame: &[u8], frames: usize) -> Result<Written> {
        self.receive(key, frame)?;
        self.written(frames).await
    }

    /// Takes mail and writes until so many frames are written, as a driver of sockets does in its turns.
    pub(crate) async fn written(&mut self, frames: usize) -> Result<Written> {
        let mut written = Written::default();
        loop {
            let any = self.shard.take_mail(self.now) | self.write(&mut written);
            if !any && self.shard.sleep() {
                if written.frames >= frames {
                    break;
                }
                self.mail.notified().await;
            }
        }
        ensure!(written.frames == frames, "{written:?} instead of {frames}");
        Ok(written)
    }

    fn write(&mut self, written: &mut Written) -> bool {
        let mut any = false;
        while let Some(key) = self.shard.next_dirty() {
            any = true;
            let Some(mut visit) = self.shard.visit(key) else {
                continue;
            };
            if let Some(outbox) = visit.line.outbox() {
                let (frames, bytes) = match outbox.only() {
                    Some(frame) => (1, frame.len()),
                    None => {
                        let mut slices = [IoSlice::new(&[]); SLICES];
                        let frames = outbox.slices(&mut slices);
                        (
                            frames,
                            slices[..frames].iter().map(|slice| slice.len()).sum(),
                        )
                    }
                };
                outbox.advance(bytes);
                written.frames += frames;
                written.bytes += bytes;
            }
            self.shard.recycle(key);
        }
        any
    }
}

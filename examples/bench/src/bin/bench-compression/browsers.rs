//! The other end of the connections: read and checked on a thread of its own.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream as Blocking;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde_json::json;
use sinew_websocket::deflate::{Deflater, Inflater};
use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, masked_frame_into, random_mask_key};

use crate::cpu::BROWSERS;

const READ_BYTES: usize = 256 * 1024;

/// A connection of a browser.
pub(crate) struct Browser {
    socket: Blocking,
    endpoint: Endpoint,
    deflate: bool,
}

/// What came of a text on its way.
#[derive(Default)]
struct Heard {
    texts: usize,
    bytes: usize,
    is_over: bool,
}

impl Heard {
    fn take(&mut self, effect: &Effect<'_>) {
        match effect {
            Effect::Text(text) if text.starts_with(r#"{"type":"#) => {}
            Effect::Text(text) => {
                self.texts += 1;
                self.bytes += text.len();
            }
            Effect::Closed { .. } | Effect::Failed { .. } => self.is_over = true,
            _ => {}
        }
    }
}

impl Browser {
    pub(crate) fn new(socket: Blocking, deflate: bool) -> Self {
        let endpoint = Endpoint::new(Role::Client, &Limits::default());
        let endpoint = if deflate {
            endpoint.with_deflate()
        } else {
            endpoint
        };
        Self {
            socket,
            endpoint,
            deflate,
        }
    }

    /// Subscribes, and waits for the confirmation.
    pub(crate) fn subscribe(&mut self, identifier: &str) -> Result<()> {
        let command = json!({"command": "subscribe", "identifier": identifier});
        self.socket
            .write_all(&frame(command.to_string().as_bytes()))?;
        let mut buffer = [0; 4096];
        let mut is_confirmed = false;
        while !is_confirmed {
            let count = self.socket.read(&mut buffer)?;
            ensure!(count > 0, "the server closed the connection");
            self.endpoint.receive(&mut buffer[..count], |effect| {
                is_confirmed |= matches!(effect, Effect::Text(text) if text.contains("confirm_subscription"));
            });
        }
        Ok(())
    }

    /// Says something and waits for the answer, again and again for a while; the answers, and the bytes of each way.
    pub(crate) fn converse(
        &mut self,
        text: &str,
        answer_bytes_min: usize,
        time: Duration,
    ) -> Result<(usize, usize, usize)> {
        let message = match self.deflate {
            true => compressed_frame(text).unwrap_or_else(|| frame(text.as_bytes())),
            false => frame(text.as_bytes()),
        };
        let mut inflater = Inflater::default();
        let mut buffer = vec![0; READ_BYTES];
        let begins = Instant::now();
        let (mut answers, mut received) = (0, 0);
        while begins.elapsed() < time {
            self.socket.write_all(&message)?;
            let mut heard = Heard::default();
            while heard.texts == 0 {
                let count = self.socket.read(&mut buffer)?;
                ensure!(count > 0, "the server closed the connection");
                received += count;
                self.endpoint
                    .receive_with(&mut inflater, &mut buffer[..count], |effect| {
                        heard.take(&effect)
                    });
            }
            ensure!(
                heard.texts == 1 && heard.bytes > answer_bytes_min,
                "not the answer"
            );
            answers += 1;
        }
        Ok((answers, answers * message.len(), received))
    }
}

fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    masked_frame_into(&mut frame, Opcode::Text, text, random_mask_key());
    frame
}

/// As a browser compresses: the payload of a server's frame under a mask, with the bit that says so.
fn compressed_frame(text: &str) -> Option<Vec<u8>> {
    let plain = Deflater::new(6)
        .compress(&[text.as_bytes()])?
        .text_frame(&[])?;
    let mut frame = Vec::new();
    masked_frame_into(&mut frame, Opcode::Text, plain.payload(), random_mask_key());
    frame[0] |= 0x40;
    Some(frame)
}

/// Browsers that follow the same stream.
pub(crate) struct Audience {
    /// Told when all of them have heard something: how many bytes came for it.
    heard: Receiver<Result<usize>>,
}

impl Audience {
    pub(crate) fn start(browsers: Vec<Browser>, message_bytes: usize) -> Result<Self> {
        let (tell, heard) = channel();
        thread::Builder::new()
            .name(BROWSERS.to_owned())
            .spawn(move || {
                let outcome = listen(browsers, message_bytes, |bytes| {
                    tell.send(Ok(bytes)).is_ok()
                });
                if let Err(error) = outcome {
                    // Whoever waits for it hears why there is nothing.
                    let _ = tell.send(Err(error));
                }
            })?;
        Ok(Self { heard })
    }

    /// Waits until everybody has heard the last message.
    pub(crate) fn hear(&self) -> Result<usize> {
        self.heard.recv().context("the browsers are gone")?
    }
}

fn listen(
    browsers: Vec<Browser>,
    message_bytes: usize,
    mut tell: impl FnMut(usize) -> bool,
) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut inflater = Inflater::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut open = Vec::with_capacity(browsers.len());
    for Browser {
        socket, endpoint, ..
    } in browsers
    {
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry()
            .register(&mut socket, Token(open.len()), Interest::READABLE)?;
        open.push((socket, endpoint));
    }
    let mut heard = Heard::default();
    let (mut first_bytes, mut bytes) = (0, 0);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let number = event.token().0;
            let (socket, endpoint) = &mut open[number];
            loop {
                let count = match socket.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                bytes += count;
                // All are sent the same bytes. One looks at them: browsers that inflate would have another pace on each
                // side, and what the kernel does for a socket falls on whoever has time.
                if number == 0 {
                    first_bytes += count;
                    endpoint.receive_with(&mut inflater, &mut buffer[..count], |effect| {
                        heard.take(&effect)
                    });
                }
                if count < buffer.len() {
                    break;
                }
            }
        }
        ensure!(!heard.is_over, "the server closed a connection");
        if heard.texts == 1 && bytes == first_bytes * open.len() {
            ensure!(heard.bytes >= message_bytes, "a message is too short");
            if !tell(bytes) {
                return Ok(());
            }
            heard = Heard::default();
            (first_bytes, bytes) = (0, 0);
        }
    }
}

//! What the cable is compared with: bare epoll loops that answer with fixed bytes.
//!
//! `bare-loop echo|fan-out [--listen 127.0.0.1:PORT] [--threads N]` prints the port it listens on.
//!
//! Each thread has a listener of its own on one shared port, and an epoll of its own. A client is
//! answered with a fixed 101 and a welcome in one write, and its first frame with a fixed
//! confirmation. Nobody is authorised, no frame is checked, nothing is remembered.
//!
//! - `echo`: every read after that is written back as it is.
//! - `fan-out`: a message whose action is `broadcast` is framed once and written to every socket
//!   but the sender's, those of the other threads included.
//!
//! What a socket does not take is kept up to a bound; beyond it the socket is dropped.

#![allow(
    clippy::print_stdout,
    reason = "the port is what whoever starts it waits for"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result, bail};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use serde_json::value::RawValue;
use sinew_websocket::handshake::accept_key;
use sinew_websocket::{Effect, Endpoint, Limits, Role, SharedFrame};
use socket2::{Domain, Protocol, Socket, Type};

/// The tokens of what is no connection; connections have their place in the list.
const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
const READ_BYTES: usize = 64 * 1024;
/// What a socket may leave waiting before it is dropped: as much as the cable's own queue holds.
const REST_BYTES_MAX: usize = 1 << 20;
const BACKLOG: i32 = 4096;

/// The nonce that the load program sends, so that the accept key is one fixed line.
const CLIENT_KEY: &str = "c2luZXcgbG9hZCB0b29sIQ==";
const WELCOME: &[u8] = br#"{"type":"welcome"}"#;
const CONFIRMATION: &[u8] = br#"{"identifier":"{\"channel\":\"BenchChannel\",\"room\":\"0\"}","type":"confirm_subscription"}"#;

fn main() -> Result<()> {
    let options = Options::from_words(std::env::args().skip(1))?;
    let address = probe(options.listen)?;
    let mut loops = Vec::new();
    let mut others = Vec::new();
    for _ in 0..options.threads {
        let (one, neighbour) = Loop::new(address, options.is_echo)?;
        loops.push(one);
        others.push(neighbour);
    }
    let others: Arc<[Neighbour]> = others.into();
    println!("{}", address.port());
    let threads: Vec<_> = loops
        .into_iter()
        .enumerate()
        .map(|(number, one)| {
            let others = Arc::clone(&others);
            thread::spawn(move || one.run(number, &others))
        })
        .collect();
    for thread in threads {
        match thread.join() {
            Ok(ended) => ended?,
            Err(_) => bail!("a loop panicked"),
        }
    }
    Ok(())
}

struct Options {
    is_echo: bool,
    listen: SocketAddr,
    threads: usize,
}

impl Options {
    fn from_words(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let is_echo = match words.next().as_deref() {
            Some("echo") => true,
            Some("fan-out") => false,
            _ => bail!("bare-loop echo|fan-out [--listen 127.0.0.1:PORT] [--threads N]"),
        };
        let mut options = Self {
            is_echo,
            listen: "127.0.0.1:0".parse()?,
            threads: thread::available_parallelism().map_or(1, usize::from),
        };
        while let Some(word) = words.next() {
            let value = words
                .next()
                .with_context(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--listen" => options.listen = value.parse()?,
                "--threads" => options.threads = value.parse::<usize>()?.max(1),
                _ => bail!("`{word}` is not understood"),
            }
        }
        Ok(options)
    }
}

/// The address with its port, which nobody else listens on: sharing a port would hide that.
fn probe(listen: SocketAddr) -> Result<SocketAddr> {
    let listener = StdListener::bind(listen).with_context(|| {
        format!("cannot listen on {listen}: end what listens there, or choose another port")
    })?;
    Ok(listener.local_addr()?)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// How the loops of other threads are told of a broadcast.
struct Neighbour {
    frames: Sender<SharedFrame>,
    waker: Waker,
}

/// One thread's share.
struct Loop {
    poll: Poll,
    listener: TcpListener,
    frames: Receiver<SharedFrame>,
    is_echo: bool,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    opening: Vec<u8>,
    confirmation: SharedFrame,
}

struct Connection {
    socket: TcpStream,
    phase: Phase,
    endpoint: Endpoint,
    /// What the socket has not taken yet.
    rest: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Request,
    Subscribe,
    Open,
}

impl Loop {
    fn new(address: SocketAddr, is_echo: bool) -> Result<(Self, Neighbour)> {
        let poll = Poll::new()?;
        let mut listener = listen(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (sender, frames) = channel();
        let mut opening = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: actioncable-v1-json\r\n\r\n",
            accept_key(CLIENT_KEY)
        )
        .into_bytes();
        opening.extend_from_slice(SharedFrame::text(WELCOME).as_bytes());
        let one = Self {
            poll,
            listener,
            frames,
            is_echo,
            connections: Vec::new(),
            free: Vec::new(),
            opening,
            confirmation: SharedFrame::text(CONFIRMATION),
        };
        let neighbour = Neighbour {
            frames: sender,
            waker,
        };
        Ok((one, neighbour))
    }

    fn run(mut self, number: usize, others: &[Neighbour]) -> Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            self.poll.poll(&mut events, None)?;
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    WAKER => {
                        while let Ok(frame) = self.frames.try_recv() {
                            self.fan_out(&frame, None);
                        }
                    }
                    Token(place) => {
                        let is_ending = event.is_read_closed();
                        let broadcast = self.serve(place, is_ending, &mut buffer);
                        let Some(frame) = broadcast else { continue };
                        for (at, other) in others.iter().enumerate() {
                            if at != number && other.frames.send(frame.clone()).is_ok() {
                                other.waker.wake()?;
                            }
                        }
                        self.fan_out(&frame, Some(place));
                    }
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot accept"),
            };
            socket.set_nodelay(true)?;
            let place = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut socket, Token(place), interest)?;
            self.connections[place] = Some(Connection {
                socket,
                phase: Phase::Request,
                endpoint: Endpoint::new(Role::Server, &Limits::default()),
                rest: Vec::new(),
            });
        }
    }

    /// Answers what has come; a broadcast, if that is what came. An error ends the connection.
    fn serve(&mut self, place: usize, is_ending: bool, buffer: &mut [u8]) -> Option<SharedFrame> {
        let connection = self.connections.get_mut(place)?.as_mut()?;
        let fixed = (&self.opening[..], self.confirmation.as_bytes());
        let mut broadcast = None;
        let served = connection.serve(fixed, self.is_echo, buffer, &mut broadcast);
        // The end that came with what was read is told once.
        if served.is_err() || is_ending {
            self.end(place);
        }
        broadcast
    }

    /// The same bytes to every socket of this thread.
    fn fan_out(&mut self, frame: &SharedFrame, sender: Option<usize>) {
        for place in 0..self.connections.len() {
            let Some(connection) = &mut self.connections[place] else {
                continue;
            };
            if connection.phase == Phase::Open
                && sender != Some(place)
                && connection.write(frame.as_bytes()).is_err()
            {
                self.end(place);
            }
        }
    }

    fn end(&mut self, place: usize) {
        if self.connections[place].take().is_some() {
            self.free.push(place);
        }
    }
}

impl Connection {
    fn serve(
        &mut self,
        (opening, confirmation): (&[u8], &[u8]),
        is_echo: bool,
        buffer: &mut [u8],
        broadcast: &mut Option<SharedFrame>,
    ) -> io::Result<()> {
        self.write_rest()?;
        loop {
            let count = match self.socket.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let input = &mut buffer[..count];
            match self.phase {
                // Requests come whole on loopback; of one in parts the end alone counts.
                Phase::Request if input.ends_with(b"\r\n\r\n") => {
                    self.phase = Phase::Subscribe;
                    self.write(opening)?;
                }
                Phase::Request => {}
                Phase::Subscribe => {
                    self.phase = Phase::Open;
                    self.write(confirmation)?;
                }
                Phase::Open if is_echo => self.write(input)?,
                Phase::Open => self.endpoint.receive(input, |effect| {
                    if let Effect::Text(text) = effect {
                        *broadcast = broadcast_of(text).or_else(|| broadcast.take());
                    }
                }),
            }
            // A read that did not fill the buffer took all there was: what comes later is a new event.
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while self.rest.is_empty() && written < bytes.len() {
            match self.socket.write(&bytes[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if written < bytes.len() {
            if self.rest.len() > REST_BYTES_MAX {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.rest.extend_from_slice(&bytes[written..]);
        }
        Ok(())
    }

    fn write_rest(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.rest.len() {
            match self.socket.write(&self.rest[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if written == self.rest.len() {
            self.rest = Vec::new();
        } else {
            self.rest.drain(..written);
        }
        Ok(())
    }
}

/// A command as a client sends it.
#[derive(serde::Deserialize)]
struct Command<'a> {
    #[serde(borrow)]
    identifier: &'a RawValue,
    data: Option<String>,
}

/// The frame that a broadcast's receivers get: the data as it was sent, as the cable frames it.
fn broadcast_of(text: &str) -> Option<SharedFrame> {
    let command: Command<'_> = serde_json::from_str(text).ok()?;
    let data = command.data?;
    data.contains(r#""action":"broadcast""#).then(|| {
        SharedFrame::text_from_parts(&[
            br#"{"identifier":"#,
            command.identifier.get().as_bytes(),
            br#","message":"#,
            data.as_bytes(),
            b"}",
        ])
    })
}

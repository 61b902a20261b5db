//! A socket that stays with its shard while the runtime serves it: the bytes go through memory.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use mio::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// How often each direction gets its turn before other sockets have theirs.
const ROUNDS: usize = 4;

/// The two ends, and what one of them has not taken yet.
pub(super) struct Pipe {
    pub(super) socket: TcpStream,
    stream: DuplexStream,
    waker: Waker,
    to_stream: Vec<u8>,
    to_socket: Vec<u8>,
    is_readable: bool,
    is_writable: bool,
    socket_ended: bool,
}

/// Where it stands after a turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    /// One of the two will say when there is more to do.
    Waiting,
    /// There is more to do at once.
    More,
    /// It is over.
    Over,
}

impl Pipe {
    /// `head` was read from the socket already. The waker is called when the stream has something to do.
    pub(super) fn new(socket: TcpStream, stream: DuplexStream, head: &[u8], waker: Waker) -> Self {
        Self {
            socket,
            stream,
            waker,
            to_stream: head.to_vec(),
            to_socket: Vec::new(),
            is_readable: true,
            is_writable: true,
            socket_ended: false,
        }
    }

    /// The socket may be read or written again.
    pub(super) fn ready(&mut self, readable: bool, writable: bool) {
        self.is_readable |= readable;
        self.is_writable |= writable;
    }

    /// Passes on what there is.
    pub(super) fn pump(&mut self, buffer: &mut [u8]) -> Pumped {
        for _ in 0..ROUNDS {
            let step = self
                .inward(buffer)
                .and_then(|inward| Ok((inward, self.outward(buffer)?)));
            match step {
                Ok((false, false)) => return Pumped::Waiting,
                Ok(_) => {}
                Err(_) => return Pumped::Over,
            }
        }
        Pumped::More
    }

    /// From the socket to the stream. Whether anything was done.
    fn inward(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        if !self.to_stream.is_empty() {
            let bytes = std::mem::take(&mut self.to_stream);
            let count = self.write_stream(&bytes)?;
            self.to_stream = bytes[count..].to_vec();
            return Ok(count > 0);
        }
        if !self.is_readable || self.socket_ended {
            return Ok(false);
        }
        match self.socket.read(buffer) {
            Ok(0) => {
                self.socket_ended = true;
                let mut context = Context::from_waker(&self.waker);
                let _ = Pin::new(&mut self.stream).poll_shutdown(&mut context);
                Ok(true)
            }
            Ok(count) => {
                let written = self.write_stream(&buffer[..count])?;
                self.to_stream.extend_from_slice(&buffer[written..count]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_readable = false;
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// From the stream to the socket. Whether anything was done; an error when the stream has ended and all is written.
    fn outward(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        if !self.to_socket.is_empty() {
            if !self.is_writable {
                return Ok(false);
            }
            let bytes = std::mem::take(&mut self.to_socket);
            let count = self.write_socket(&bytes)?;
            self.to_socket = bytes[count..].to_vec();
            return Ok(count > 0);
        }
        let mut read = ReadBuf::new(buffer);
        let mut context = Context::from_waker(&self.waker);
        match Pin::new(&mut self.stream).poll_read(&mut context, &mut read) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) if read.filled().is_empty() => {
                // An error of the shutdown says no more than that the other side has gone as well.
                let _ = self.socket.shutdown(Shutdown::Write);
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Poll::Ready(Ok(())) => {
                let count = read.filled().len();
                let written = self.write_socket(&buffer[..count])?;
                self.to_socket.extend_from_slice(&buffer[written..count]);
                Ok(true)
            }
        }
    }

    fn write_stream(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut context = Context::from_waker(&self.waker);
        match Pin::new(&mut self.stream).poll_write(&mut context, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Ok(0),
        }
    }

    fn write_socket(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.socket.write(bytes) {
            Ok(count) => Ok(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_writable = false;
                Ok(0)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }
}

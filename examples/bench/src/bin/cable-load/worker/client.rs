//! One client: a socket, and the few bytes that say what it waits for.

use std::io::{self, Write as _};

use mio::net::TcpStream;
use sinew_websocket::{Endpoint, Limits, Role};
use socket2::SockRef;

/// No broadcast has come yet.
pub(super) const NO_NUMBER: u32 = u32::MAX;

/// The messages of a measurement are small.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// What a client that had stalled takes of what is sent to it.
const RESUMED_RECEIVE_BYTES: usize = 1 << 20;

pub(super) struct Client {
    pub(super) socket: Option<TcpStream>,
    pub(super) endpoint: Endpoint,
    /// When it began to connect, or sent its message.
    pub(super) at_us: u64,
    /// Of the last broadcast it was sent, or of the message it waits to be answered;
    /// for a bare echo, the bytes that are still to come.
    pub(super) number: u32,
    pub(super) phase: Phase,
    pub(super) reading: Reading,
    pub(super) has_sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not connected, and to be.
    Absent,
    Connecting,
    Upgrading,
    Welcoming,
    Subscribing,
    Subscribed,
    /// Not connected, and not to be.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    All,
    /// Nothing, once it is subscribed.
    Stalled,
    /// It had stalled.
    Resumed,
}

impl Client {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            socket: None,
            endpoint: endpoint(),
            at_us: 0,
            number: NO_NUMBER,
            phase: Phase::Absent,
            reading,
            has_sent: false,
        }
    }

    pub(super) fn connects(&mut self, socket: TcpStream, at_us: u64) {
        self.socket = Some(socket);
        self.endpoint = endpoint();
        self.at_us = at_us;
        self.number = NO_NUMBER;
        self.phase = Phase::Connecting;
        self.has_sent = false;
    }

    pub(super) fn is_opening(&self) -> bool {
        use Phase::{Connecting, Subscribing, Upgrading, Welcoming};
        matches!(self.phase, Connecting | Upgrading | Welcoming | Subscribing)
    }

    /// Whether broadcasts to it are waited for.
    pub(super) fn is_listening(&self) -> bool {
        self.phase == Phase::Subscribed && self.reading == Reading::All
    }

    /// Reads again, and at a pace at which what has piled up is soon through.
    pub(super) fn resume(&mut self) {
        self.reading = Reading::Resumed;
        if let Some(socket) = &self.socket {
            // Without it everything goes on as well, a few kilobytes at a time.
            let _ = SockRef::from(socket).set_recv_buffer_size(RESUMED_RECEIVE_BYTES);
        }
    }

    /// Writes all of it: what a client sends is far less than a socket takes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let socket = self.socket.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        match socket.write(bytes)? {
            count if count == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

fn endpoint() -> Endpoint {
    Endpoint::new(
        Role::Client,
        &Limits::default().with_message_bytes_max(MESSAGE_BYTES_MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million of them fit into less than 64 MiB, whatever they have been sent.
    #[test]
    fn a_client_is_a_few_bytes() {
        assert!(size_of::<Client>() <= 48, "{}", size_of::<Client>());
        let client = Client::new(Reading::All);
        assert_eq!(client.endpoint.heap_bytes(), 0);
    }
}

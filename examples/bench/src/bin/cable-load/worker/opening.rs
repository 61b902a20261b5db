//! From no connection to a subscription, and back.

use std::io;

use anyhow::{Result, bail};
use memchr::memmem;
use mio::{Interest, Token};
use sinew_websocket::handshake::client_request;

use super::client::{Phase, Reading};
use super::{Worker, message};
use crate::clock::now_us;

/// How long a client that was refused waits before it tries again.
const RETRY_US: u64 = 50_000;
/// An answer to an upgrade that is longer is none.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How a connection ended, and whether it makes sense to come again.
pub(super) enum Ending {
    /// Refused for now, or lost.
    Again(String),
    /// Refused for good.
    Never(String),
}

impl Worker {
    pub(super) fn retry(&mut self) {
        let now = now_us();
        while let Some(&(at, number)) = self.retries.front()
            && at <= now
        {
            self.retries.pop_front();
            self.waiting.push_back(number);
        }
    }

    pub(super) fn connect_waiting(&mut self) -> Result<()> {
        while self.in_flight < self.in_flight_max
            && let Some(number) = self.waiting.pop_front()
        {
            self.connect(number as usize)?;
        }
        Ok(())
    }

    fn connect(&mut self, number: usize) -> Result<()> {
        let turn = (self.settings.first as usize + number) % self.settings.addresses.len();
        let is_stalled = self.clients[number].reading == Reading::Stalled;
        self.in_flight += 1;
        let address = self.settings.addresses[turn];
        match self.source.connect(address, is_stalled) {
            Ok(mut socket) => {
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.poll
                    .registry()
                    .register(&mut socket, Token(number), interest)?;
                self.clients[number].connects(socket, now_us());
            }
            Err(error) if is_out_of_files(&error) => bail!(
                "a worker may open no further file: lower --clients-per-worker, or raise `ulimit -n`"
            ),
            Err(error) => {
                self.clients[number].phase = Phase::Connecting;
                self.end(number, Ending::Again(reason(&error)));
            }
        }
        Ok(())
    }

    /// The socket is connected, or is not to be.
    pub(super) fn request(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let failed = client.socket.as_ref().map(|it| it.take_error());
        let request = client_request(
            &self.settings.host,
            &self.settings.target,
            message::CLIENT_KEY,
            &[
                (
                    "Sec-WebSocket-Protocol",
                    "actioncable-v1-json, actioncable-unsupported",
                ),
                ("Origin", &format!("http://{}", self.settings.host)),
            ],
        );
        let written = match failed {
            Some(Ok(Some(error)) | Err(error)) => Err(error),
            _ => client.write(request.as_bytes()),
        };
        match written {
            Ok(()) => client.phase = Phase::Upgrading,
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => self.end(number, Ending::Again(reason(&error))),
        }
    }

    /// Takes the answer to the upgrade off the front of what came: the bytes it had of that, if it is whole.
    pub(super) fn upgrade(&mut self, number: usize, input: &[u8]) -> Option<usize> {
        let earlier = self.heads.remove(&number).unwrap_or_default();
        let before = earlier.len();
        let head = [&earlier[..], input].concat();
        let Some(ends) = memmem::find(&head, b"\r\n\r\n") else {
            if head.len() > HEAD_BYTES_MAX {
                self.end(number, Ending::Never("no answer to the upgrade".to_owned()));
            } else {
                self.heads.insert(number, head);
            }
            return None;
        };
        let status = head.get(9..12).unwrap_or_default();
        if status != b"101" {
            let reason = format!("HTTP {}", String::from_utf8_lossy(status));
            self.end(
                number,
                match status {
                    b"429" | b"502" | b"503" => Ending::Again(reason),
                    _ => Ending::Never(reason),
                },
            );
            return None;
        }
        self.clients[number].phase = Phase::Welcoming;
        Some(ends + 4 - before)
    }

    pub(super) fn subscribe(&mut self, number: usize) {
        let text = message::command("subscribe", &self.identifier(number), None);
        let client = &mut self.clients[number];
        match client.write(&message::frame(text.as_bytes())) {
            Ok(()) => client.phase = Phase::Subscribing,
            Err(error) => self.end(number, Ending::Again(reason(&error))),
        }
    }

    pub(super) fn confirmed(&mut self, number: usize) {
        let client = &mut self.clients[number];
        client.phase = Phase::Subscribed;
        self.counts
            .opening
            .add(now_us().saturating_sub(client.at_us));
        self.in_flight -= 1;
        self.subscriptions += 1;
        if self.churns {
            client.phase = Phase::Absent;
            client.socket = None;
            self.counts.churned += 1;
            if !self.is_finishing {
                self.waiting.push_back(number as u32);
            }
        } else {
            self.subscribed += 1;
            self.is_settled = false;
        }
    }

    /// The connection is no more.
    pub(super) fn end(&mut self, number: usize, ending: Ending) {
        self.heads.remove(&number);
        let client = &mut self.clients[number];
        client.socket = None;
        if client.has_sent {
            client.has_sent = false;
            self.outstanding -= 1;
        }
        let (reason, may_return) = match ending {
            Ending::Again(reason) => (reason, true),
            Ending::Never(reason) => (reason, false),
        };
        *self.counts.reasons.entry(reason).or_default() += 1;
        let was_opening = client.is_opening();
        let mut returns = may_return;
        if was_opening {
            self.in_flight -= 1;
        } else {
            self.subscribed -= 1;
            self.counts.ended += 1;
            returns &= self.returns;
        }
        self.is_settled = false;
        if !returns {
            client.phase = Phase::Gone;
            self.gone += 1;
            return;
        }
        client.phase = Phase::Absent;
        if self.is_finishing {
            return;
        }
        match was_opening {
            true => self.retries.push_back((now_us() + RETRY_US, number as u32)),
            false => self.waiting.push_back(number as u32),
        }
    }
}

fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE]
        .iter()
        .any(|it| error.raw_os_error() == Some(it.raw_os_error()))
}

pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::BrokenPipe => "connection closed".to_owned(),
        io::ErrorKind::AddrInUse => "no port was free".to_owned(),
        _ => error.to_string(),
    }
}

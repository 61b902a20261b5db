//! What comes over the sockets once they are connected.

use std::io::{self, Read as _};
use std::mem;

use mio::event::Event;
use sinew_websocket::{Effect, Endpoint, Limits, Role};

use super::Worker;
use super::client::{NO_NUMBER, Phase, Reading};
use super::message::{Broadcast, Heard};
use super::opening::{Ending, reason};
use crate::clock::now_us;

/// What is to be done about something that was heard.
enum Act {
    Subscribe,
    Confirmed,
    Answered,
    Broadcast(Broadcast),
    Write(Vec<u8>),
    End(Ending),
}

impl Worker {
    pub(super) fn handle(&mut self, event: &Event) {
        let number = event.token().0;
        let client = &self.clients[number];
        match client.phase {
            // What the kernel still had to say of a socket that is closed.
            Phase::Absent | Phase::Gone => return,
            Phase::Connecting if event.is_writable() || event.is_error() => self.request(number),
            _ => {}
        }
        let client = &self.clients[number];
        let is_stalled = client.reading == Reading::Stalled && client.phase == Phase::Subscribed;
        if is_stalled && (event.is_error() || event.is_read_closed()) {
            self.end(number, Ending::Again("cut off while stalled".to_owned()));
        } else if event.is_readable() || event.is_read_closed() {
            self.read(number, event.is_read_closed());
        }
    }

    /// Reads what there is. A read that does not fill the buffer took all there was, unless the end
    /// has come as well, which would not be told again.
    pub(super) fn read(&mut self, number: usize, is_ending: bool) {
        let mut buffer = mem::take(&mut self.buffer);
        loop {
            let client = &mut self.clients[number];
            if client.reading == Reading::Stalled && client.phase == Phase::Subscribed {
                break;
            }
            let Some(socket) = &mut client.socket else {
                break;
            };
            match socket.read(&mut buffer) {
                Ok(0) => {
                    self.end(number, Ending::Again("end of stream".to_owned()));
                    break;
                }
                Ok(count) => {
                    self.counts.bytes_received += count as u64;
                    self.feed(number, &mut buffer[..count]);
                    if count < buffer.len() && !is_ending {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    self.end(number, Ending::Again(reason(&error)));
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn feed(&mut self, number: usize, mut input: &mut [u8]) {
        if self.clients[number].phase == Phase::Upgrading {
            let Some(head_bytes) = self.upgrade(number, input) else {
                return;
            };
            input = &mut input[head_bytes..];
        }
        if self.settings.is_bare_echo && self.clients[number].phase == Phase::Subscribed {
            self.count_echoed(number, input.len());
            return;
        }
        let client = &mut self.clients[number];
        // Out of its place, so that what it tells of may change the client.
        let closed = Endpoint::new(Role::Client, &Limits::default());
        let mut endpoint = mem::replace(&mut client.endpoint, closed);
        endpoint.receive(input, |effect| {
            if let Some(act) = self.hear(number, effect) {
                self.act(number, act);
            }
        });
        self.clients[number].endpoint = endpoint;
    }

    fn hear(&mut self, number: usize, effect: Effect<'_>) -> Option<Act> {
        let client = &self.clients[number];
        // What it ended with may stand in the middle of what was read.
        client.socket.as_ref()?;
        let text = match effect {
            Effect::Text(text) => text,
            Effect::Send(frame) => return Some(Act::Write(frame.into())),
            Effect::Closed { code, .. } => {
                let code = code.map_or(1005, u16::from);
                return Some(Act::End(Ending::Again(format!("close {code}"))));
            }
            Effect::Failed { error, .. } => {
                return Some(Act::End(Ending::Never(error.to_string())));
            }
            _ => return None,
        };
        let heard = Heard::of(text);
        match (heard, client.phase) {
            (Heard::Ping, _) => self.counts.pings += 1,
            (Heard::Welcome, Phase::Welcoming) => return Some(Act::Subscribe),
            (Heard::Confirmed, Phase::Subscribing) => return Some(Act::Confirmed),
            (Heard::Rejected, _) => {
                return Some(Act::End(Ending::Never("subscription rejected".to_owned())));
            }
            (Heard::Disconnect { reason }, _) => {
                let reason = format!("disconnect {reason}");
                return Some(Act::End(match reason.ends_with("unauthorized") {
                    true => Ending::Never(reason),
                    false => Ending::Again(reason),
                }));
            }
            (Heard::Echo { number }, Phase::Subscribed)
                if client.has_sent && client.number == number =>
            {
                return Some(Act::Answered);
            }
            (Heard::Broadcast(broadcast), Phase::Subscribed) => {
                return Some(Act::Broadcast(broadcast));
            }
            // Its stream is attached before it is told so.
            (Heard::Broadcast(_), Phase::Subscribing) => {}
            _ => self.counts.unexpected += 1,
        }
        None
    }

    fn act(&mut self, number: usize, act: Act) {
        match act {
            Act::Subscribe => self.subscribe(number),
            Act::Confirmed => self.confirmed(number),
            Act::Answered => self.answered(number),
            Act::Broadcast(broadcast) => self.deliver(number, broadcast),
            Act::Write(frame) => {
                if let Err(error) = self.clients[number].write(&frame) {
                    self.end_once(number, Ending::Again(reason(&error)));
                }
            }
            Act::End(ending) => self.end_once(number, ending),
        }
    }

    /// One read may bring several reasons to end: a message that says so, and the close after it.
    fn end_once(&mut self, number: usize, ending: Ending) {
        if self.clients[number].socket.is_some() {
            self.end(number, ending);
        }
    }

    fn deliver(&mut self, number: usize, broadcast: Broadcast) {
        let now = now_us();
        let room = self.room(number);
        let client = &mut self.clients[number];
        let last = mem::replace(&mut client.number, broadcast.number);
        if last != NO_NUMBER && broadcast.number <= last {
            self.counts.duplicates += 1;
            client.number = last;
            return;
        }
        if client.reading != Reading::All {
            return;
        }
        if !self.deliveries.add(broadcast.number, room, now) {
            return;
        }
        if last != NO_NUMBER && broadcast.previous != Some(last) {
            self.counts.gaps += 1;
        }
        self.counts.delivered += 1;
        self.counts
            .delivery
            .add(now.saturating_sub(broadcast.at_us));
    }

    pub(super) fn send_echo(&mut self, number: usize) {
        let Some(echo) = &mut self.echo else {
            return;
        };
        let (message, frame) = echo.next();
        let client = &mut self.clients[number];
        client.number = match self.settings.is_bare_echo {
            true => frame.len() as u32,
            false => message,
        };
        client.at_us = now_us();
        match client.write(frame) {
            Ok(()) => {
                client.has_sent = true;
                self.outstanding += 1;
                self.counts.bytes_sent += frame.len() as u64;
            }
            Err(error) => self.end(number, Ending::Again(reason(&error))),
        }
    }

    /// So many of the bytes that a bare loop was sent have come back.
    fn count_echoed(&mut self, number: usize, bytes: usize) {
        let client = &mut self.clients[number];
        let rest = client.number as usize;
        if !client.has_sent || bytes > rest {
            self.counts.unexpected += 1;
            return;
        }
        client.number = (rest - bytes) as u32;
        if client.number == 0 {
            self.answered(number);
        }
    }

    fn answered(&mut self, number: usize) {
        let client = &mut self.clients[number];
        client.has_sent = false;
        self.outstanding -= 1;
        self.counts.echoed += 1;
        self.counts.echo.add(now_us().saturating_sub(client.at_us));
        if !self.is_finishing {
            self.send_echo(number);
        }
    }
}

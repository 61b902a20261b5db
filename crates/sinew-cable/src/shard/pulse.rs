//! Pings as a client asked for them, and how long it has said nothing.

use std::time::Duration;

use bytes::Bytes;
use sinew_protocol::ServerMessage;
use sinew_websocket::{Opcode, frame_into};

use crate::{Config, ConnectRequest};

/// In what a ping tells the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Precision {
    #[default]
    Seconds,
    Milliseconds,
    Nanoseconds,
}

/// What the pings of one connection need, in four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pulse {
    /// Visits since something came from the client.
    silent: u16,
    /// Whether it was asked to show that it is there, since something came.
    is_asked: bool,
    precision: Precision,
}

/// What a visit is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a ping.
    Ping(PingKind),
    /// Nothing came for too long: end the connection.
    Lost,
}

/// One of the frames that a tick shares among its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PingKind {
    precision: Precision,
    asks: bool,
}

/// What the query of the cable's address asks for, as AnyCable reads it: `pi`, the interval in whole seconds, and `ptp`,
/// the precision of the timestamp. What cannot be read counts as not there; of several, the last one counts.
pub(super) fn asked_for(request: &ConnectRequest, config: &Config) -> (Duration, Pulse) {
    let mut interval = config.ping_interval;
    let mut pulse = Pulse::default();
    let query = request.uri.query().unwrap_or_default();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match (name, value) {
            ("pi", seconds) => {
                if let Ok(seconds) = seconds.parse::<i32>() {
                    interval = within_bounds(seconds, config);
                }
            }
            ("ptp", "s") => pulse.precision = Precision::Seconds,
            ("ptp", "ms") => pulse.precision = Precision::Milliseconds,
            ("ptp", "ns") => pulse.precision = Precision::Nanoseconds,
            _ => {}
        }
    }
    (interval, pulse)
}

/// AnyCable sends no pings when asked for none, with zero; here they come as seldom as they may.
fn within_bounds(seconds: i32, config: &Config) -> Duration {
    let asked = match u64::try_from(seconds) {
        Ok(1..) => Duration::from_secs(seconds.unsigned_abs().into()),
        _ => Duration::MAX,
    };
    asked
        .max(config.ping_interval_min)
        .min(config.ping_interval_max)
}

impl Pulse {
    /// Something came from the client.
    pub(super) fn heard(&mut self) {
        self.silent = 0;
        self.is_asked = false;
    }

    /// A visit, `period` ticks after the one before. Nothing may come for `timeout` ticks, zero being for ever: the half
    /// of it, the client is left in peace; then it is asked, and has at least until the next visit.
    pub(super) fn beat(&mut self, period: u16, timeout: u32) -> Beat {
        self.silent = self.silent.saturating_add(1);
        let silence = u32::from(self.silent) * u32::from(period);
        if timeout > 0 && self.is_asked && silence >= timeout {
            return Beat::Lost;
        }
        self.is_asked = timeout > 0 && silence >= timeout.div_ceil(2);
        Beat::Ping(PingKind {
            precision: self.precision,
            asks: self.is_asked,
        })
    }
}

/// The frames of one tick, each made when the first connection needs it and shared by the others.
pub(super) struct PingFrames {
    unix: Duration,
    made: Vec<(PingKind, Bytes)>,
}

impl PingFrames {
    /// Of this time since the epoch.
    pub(super) fn new(unix: Duration) -> Self {
        Self {
            unix,
            made: Vec::new(),
        }
    }

    pub(super) fn get(&mut self, kind: PingKind) -> Bytes {
        if let Some((_, frame)) = self.made.iter().find(|(made, _)| *made == kind) {
            return frame.clone();
        }
        let frame = Bytes::from(frame(kind, self.unix));
        self.made.push((kind, frame.clone()));
        frame
    }
}

fn frame(kind: PingKind, unix: Duration) -> Vec<u8> {
    let whole = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    let timestamp = match kind.precision {
        Precision::Seconds => unix.as_secs(),
        Precision::Milliseconds => whole(unix.as_millis()),
        Precision::Nanoseconds => whole(unix.as_nanos()),
    };
    let mut text = Vec::new();
    ServerMessage::Ping { timestamp }.write(&mut text);
    let mut frames = Vec::new();
    if kind.asks {
        // Every WebSocket client answers this one by itself; scripts of a page do not even see it.
        frame_into(&mut frames, Opcode::Ping, b"");
    }
    frame_into(&mut frames, Opcode::Text, &text);
    frames
}

#[cfg(test)]
mod tests;

//! What the conductor and its workers say to each other: a line of JSON each, over stdin and stdout.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use bench_loads::histogram::Histogram;

/// Who a worker's clients are and where they go: the first line it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Clients take them in turns.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Of the upgrade request.
    pub(crate) host: String,
    pub(crate) target: String,
    /// What to subscribe to, with `{room}` where the number of the room goes.
    pub(crate) identifier: String,
    /// Clients in one room; the rest follow in rooms of their own.
    pub(crate) room_clients: u32,
    /// The number of the first client among those of all workers.
    pub(crate) first: u32,
    /// Which part of the loopback network the clients come from.
    pub(crate) source: u8,
    /// Every so many clients one stops reading once it is subscribed; none when zero.
    pub(crate) stalled_every: u32,
    /// Whether what comes is counted as bytes, for a loop that writes back what it reads.
    pub(crate) is_bare_echo: bool,
}

/// What a worker is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Connect and subscribe so many more clients, at most `in_flight` at a time. Answered by [`Report::Settled`].
    Open { clients: u32, in_flight: u32 },
    /// Whoever loses its connection comes back at once.
    Return,
    /// Count from zero, broadcasts from this number.
    Reset { broadcast: u32 },
    /// Answered by [`Report::Counted`].
    Count,
    /// Every client sends a message of so many bytes, and the next when it was answered.
    Echo { bytes: u32 },
    /// So many clients connect, subscribe and go, over and over.
    Churn { in_flight: u32 },
    /// No further message is sent and nobody comes any more.
    /// Answered by [`Report::Counted`] when the last one has its answer.
    Finish,
    /// Those who had stopped reading go on. Answered by [`Report::Counted`] once each of them has
    /// read up to the end of its connection, or as far as the number of the last broadcast.
    Resume { broadcast: u32 },
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// All clients are subscribed, or have given up.
    Settled(Standing),
    /// How far it is, now and then.
    Progress(Standing),
    /// The broadcast of this number has come to every subscribed client of its room that reads.
    Delivered {
        broadcast: u32,
        last_at_us: u64,
    },
    Counted(Box<Counts>),
    /// It cannot go on.
    Failed {
        why: String,
    },
}

/// How many clients are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) subscribed: u32,
    pub(crate) gone: u32,
    /// Subscriptions since the beginning, those of clients that came back included.
    pub(crate) subscriptions: u64,
}

/// What was seen since the last reset.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) standing: Standing,
    pub(crate) stalled: u32,
    /// Of those that had stopped reading: connections that ended.
    pub(crate) stalled_cut_off: u32,
    pub(crate) pings: u64,
    /// Broadcasts that came to clients that read, and how long each took from the sender's clock.
    pub(crate) delivered: u64,
    pub(crate) delivery: Histogram,
    /// Broadcasts that came twice, that were left out before a later one came, and others that nobody expected.
    pub(crate) duplicates: u64,
    pub(crate) gaps: u64,
    pub(crate) unexpected: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    /// Answers to messages, and how long each took.
    pub(crate) echoed: u64,
    pub(crate) echo: Histogram,
    /// From connect to confirmation.
    pub(crate) opening: Histogram,
    /// Subscriptions of clients that went at once.
    pub(crate) churned: u64,
    /// Connections that ended without our doing.
    pub(crate) ended: u64,
    /// Why connections ended or did not come about.
    pub(crate) reasons: BTreeMap<String, u64>,
    /// Resident memory of this worker.
    pub(crate) resident_bytes: u64,
}

impl Counts {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.standing.subscribed += other.standing.subscribed;
        self.standing.gone += other.standing.gone;
        self.standing.subscriptions += other.standing.subscriptions;
        self.stalled += other.stalled;
        self.stalled_cut_off += other.stalled_cut_off;
        self.pings += other.pings;
        self.delivered += other.delivered;
        self.delivery.merge(&other.delivery);
        self.duplicates += other.duplicates;
        self.gaps += other.gaps;
        self.unexpected += other.unexpected;
        self.bytes_received += other.bytes_received;
        self.bytes_sent += other.bytes_sent;
        self.echoed += other.echoed;
        self.echo.merge(&other.echo);
        self.opening.merge(&other.opening);
        self.churned += other.churned;
        self.ended += other.ended;
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
        self.resident_bytes += other.resident_bytes;
    }
}

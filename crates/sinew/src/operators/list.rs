//! The list of charts: what each shows, and how it is found from two readings of the counters.

use std::time::Duration;

use sinew_cable::Statistics;
use sinew_protocol::DisconnectReason;

use crate::metrics::Snapshot;

/// One reading of the counters, and the one before it.
pub(super) struct Step<'a> {
    pub(super) before: &'a Snapshot,
    pub(super) now: &'a Snapshot,
    pub(super) seconds: f64,
}

pub(super) struct Chart {
    /// Names its elements.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) unit: Unit,
    pub(super) series: &'static [Series],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Count,
    /// Per second, which the title says.
    Rate,
    Bytes,
    Seconds,
}

/// One line of a chart. What has no value, such as the duration of calls that nobody made, is not a number.
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) read: fn(&Step<'_>) -> f64,
}

const fn series(name: &'static str, read: fn(&Step<'_>) -> f64) -> Series {
    Series { name, read }
}

/// A level of the cable now.
macro_rules! now {
    ($name:literal, $($path:ident).+) => {
        series($name, |it| it.now.$($path).+ as f64)
    };
}

/// How fast a sum grows.
macro_rules! rate {
    ($name:literal, $($path:ident).+) => {
        series($name, |it| it.rate(|at| at.$($path).+))
    };
}

// One more: an entry here. Two lines or three in each, or they cannot be told apart.
pub(super) const CHARTS: &[Chart] = &[
    Chart {
        id: "connections",
        title: "Connections",
        unit: Unit::Count,
        series: &[
            now!("connections", cable.connections),
            now!("subscriptions", cable.subscriptions),
            now!("streams", cable.streams),
        ],
    },
    Chart {
        id: "arrivals",
        title: "Coming and going per second",
        unit: Unit::Rate,
        series: &[
            rate!("opened", cable.connections_opened),
            rate!("refused", cable.connections_refused),
            series("ended here", |it| it.rate(|at| ended(&at.cable))),
        ],
    },
    Chart {
        id: "commands",
        title: "Commands per second",
        unit: Unit::Rate,
        series: &[
            rate!("commands", cable.commands),
            rate!("ignored", cable.commands_failed),
        ],
    },
    Chart {
        id: "messages",
        title: "Messages sent per second",
        unit: Unit::Rate,
        series: &[
            rate!("all", cable.messages_sent),
            rate!("of broadcasts", cable.broadcast_deliveries),
            rate!("dropped", cable.messages_dropped),
        ],
    },
    Chart {
        id: "traffic",
        title: "Traffic per second",
        unit: Unit::Bytes,
        series: &[
            rate!("sent", cable.bytes_sent),
            rate!("received", cable.bytes_received),
        ],
    },
    Chart {
        id: "queues",
        title: "Waiting to be sent",
        unit: Unit::Bytes,
        series: &[
            series("all queues", |it| it.now.cable.outgoing_bytes() as f64),
            now!("longest queue", cable.outgoing_bytes_max),
            now!("in inboxes", cable.inbox_bytes),
        ],
    },
    Chart {
        id: "lag",
        title: "Lateness of pings",
        unit: Unit::Seconds,
        series: &[
            series("p99", |it| it.lag(0.99)),
            series("median", |it| it.lag(0.5)),
        ],
    },
    Chart {
        id: "reflexes",
        title: "Reflexes per second",
        unit: Unit::Rate,
        series: &[
            rate!("calls", engine.calls),
            rate!("errors", engine.errors),
            rate!("refused", engine.overloads),
        ],
    },
    Chart {
        id: "durations",
        title: "Duration of reflexes",
        unit: Unit::Seconds,
        series: &[
            series("p95", |it| it.duration(0.95)),
            series("median", |it| it.duration(0.5)),
        ],
    },
    Chart {
        id: "lanes",
        title: "Reflexes under way",
        unit: Unit::Count,
        series: &[
            now!("running", engine.running),
            now!("waiting", engine.waiting),
        ],
    },
    Chart {
        id: "waits",
        title: "Wait for their turn",
        unit: Unit::Seconds,
        series: &[
            series("p95", |it| it.wait(0.95)),
            series("median", |it| it.wait(0.5)),
        ],
    },
    Chart {
        id: "memory",
        title: "Memory of the process",
        unit: Unit::Bytes,
        series: &[series("resident", |it| {
            it.now.resident_bytes.map_or(f64::NAN, |bytes| bytes as f64)
        })],
    },
    Chart {
        id: "cache",
        title: "Cache per second",
        unit: Unit::Rate,
        series: &[
            rate!("found", cache.hits),
            rate!("not found", cache.misses),
            rate!("failed", cache.errors),
        ],
    },
];

fn ended(cable: &Statistics) -> u64 {
    let reasons = DisconnectReason::ALL.into_iter();
    reasons.map(|reason| cable.disconnects(reason)).sum()
}

impl Step<'_> {
    fn rate(&self, read: fn(&Snapshot) -> u64) -> f64 {
        read(self.now).saturating_sub(read(self.before)) as f64 / self.seconds
    }

    fn lag(&self, share: f64) -> f64 {
        let (now, before) = (&self.now.cable.ping_lag, &self.before.cable.ping_lag);
        let counts = grown(&now.counts, &before.counts);
        quantile(&sinew_cable::PingLag::BOUNDS, &counts, share)
    }

    fn wait(&self, share: f64) -> f64 {
        let (now, before) = (&self.now.engine.waits, &self.before.engine.waits);
        let counts = grown(&now.counts, &before.counts);
        quantile(&sinew_reflex::Durations::BOUNDS, &counts, share)
    }

    fn duration(&self, share: f64) -> f64 {
        let counts = |snapshot: &Snapshot| {
            let mut sum = sinew_reflex::Durations::default().counts;
            for reflex in &snapshot.reflexes {
                let counts = sum.iter_mut().zip(reflex.durations.counts);
                counts.for_each(|(sum, count)| *sum += count);
            }
            sum
        };
        let counts = grown(&counts(self.now), &counts(self.before));
        quantile(&sinew_reflex::Durations::BOUNDS, &counts, share)
    }
}

fn grown(now: &[u64], before: &[u64]) -> Vec<u64> {
    let pairs = now.iter().zip(before);
    pairs
        .map(|(now, before)| now.saturating_sub(*before))
        .collect()
}

/// Within how many seconds that share of a histogram lies, as evenly as if each bucket were spread evenly. Not a number
/// when it is empty; what is over all bounds counts as the last of them.
pub(super) fn quantile(bounds: &[Duration], counts: &[u64], share: f64) -> f64 {
    let all: u64 = counts.iter().sum();
    if all == 0 {
        return f64::NAN;
    }
    let wanted = all as f64 * share;
    let (mut passed, mut low) = (0.0, 0.0);
    for (bound, count) in bounds.iter().zip(counts) {
        let (count, high) = (*count as f64, bound.as_secs_f64());
        if passed + count >= wanted && count > 0.0 {
            return low + (high - low) * (wanted - passed) / count;
        }
        passed += count;
        low = high;
    }
    low
}

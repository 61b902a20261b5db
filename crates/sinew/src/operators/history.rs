//! What the charts show: readings of the counters, the newest last.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::list::{CHARTS, Step};
use crate::metrics::Snapshot;

/// So many are kept: five minutes.
pub(super) const POINTS_MAX: usize = 150;

/// A time that charts can show.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) points: usize,
    /// In words: the last …
    pub(super) last: &'static str,
    /// Where it begins.
    pub(super) begin: &'static str,
}

const SPANS: [Span; 3] = [
    Span {
        points: 30,
        last: "minute",
        begin: "1 min ago",
    },
    Span {
        points: 60,
        last: "two minutes",
        begin: "2 min ago",
    },
    Span {
        points: POINTS_MAX,
        last: "five minutes",
        begin: "5 min ago",
    },
];

#[derive(Default)]
pub(super) struct History {
    /// One value for each line of each chart, in the order of the list.
    points: VecDeque<Box<[f64]>>,
    last: Option<(Instant, Snapshot)>,
}

impl History {
    /// Adds a reading.
    pub(super) fn add(&mut self, now: Instant, snapshot: Snapshot) {
        if let Some((then, before)) = &self.last {
            let step = Step {
                before,
                now: &snapshot,
                // Never zero, so that a rate is a number.
                seconds: now.duration_since(*then).as_secs_f64().max(0.001),
            };
            let lines = CHARTS.iter().flat_map(|chart| chart.series);
            let point = lines.map(|series| (series.read)(&step)).collect();
            if self.points.len() == POINTS_MAX {
                self.points.pop_front();
            }
            self.points.push_back(point);
        }
        self.last = Some((now, snapshot));
    }

    /// How long a time the charts show, and how many readings that are: as little as holds all that there are.
    pub(super) fn span(&self) -> Span {
        let fits = |span: &&Span| self.points.len() <= span.points;
        *SPANS.iter().find(fits).unwrap_or(&SPANS[SPANS.len() - 1])
    }

    /// The values of one line, numbered over all charts, the newest last.
    pub(super) fn line(&self, number: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        self.points.iter().map(move |point| point[number])
    }
}

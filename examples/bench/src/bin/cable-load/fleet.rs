//! The clients of one server: workers, told what to do and listened to.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::children::Ends;
use crate::options::Options;
use crate::protocol::{Counts, Order, Report, Settings, Standing};
use crate::target::Target;

/// Nothing at all was heard of workers that were to report something.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Parts of the loopback network that are handed to workers, one after the other.
const SOURCES: std::ops::Range<u8> = 16..250;

static NEXT_SOURCE: AtomicU8 = AtomicU8::new(SOURCES.start);

pub(crate) struct Fleet {
    workers: Vec<Worker>,
    reports: Receiver<(usize, Report)>,
    room_clients: u32,
    in_flight: u32,
}

struct Worker {
    orders: ChildStdin,
    first: u32,
    clients: u32,
    standing: Standing,
    // Ends after its stdin is closed.
    _process: Ends,
}

/// What kind of clients there are to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) clients: u32,
    pub(crate) room_clients: u32,
    pub(crate) stalled_every: u32,
    pub(crate) is_bare_echo: bool,
}

impl Manner {
    /// All in one room, and all reading.
    pub(crate) fn plain(clients: u32) -> Self {
        Self {
            clients,
            room_clients: u32::MAX,
            stalled_every: 0,
            is_bare_echo: false,
        }
    }
}

impl Fleet {
    /// Starts as many workers as so many clients need. No client connects yet.
    pub(crate) fn start(target: &Target, manner: Manner, options: &Options) -> Result<Self> {
        let (sender, reports) = channel();
        let mut workers = Vec::new();
        let count = manner.clients.div_ceil(options.clients_per_worker);
        let mut first = 0;
        for number in 0..count {
            let clients = (manner.clients - first).div_ceil(count - number);
            let settings = Settings {
                addresses: target.addresses.clone(),
                host: target.host.clone(),
                target: target.path.clone(),
                identifier: target.identifier.clone(),
                room_clients: manner.room_clients,
                first,
                source: next_source(),
                stalled_every: manner.stalled_every,
                is_bare_echo: manner.is_bare_echo,
            };
            workers.push(Worker::start(&settings, clients, workers.len(), &sender)?);
            first += clients;
        }
        Ok(Self {
            workers,
            reports,
            room_clients: manner.room_clients,
            in_flight: options.in_flight.div_ceil(count.max(1)),
        })
    }

    pub(crate) fn open(&mut self) -> Result<Standing> {
        let in_flight = self.in_flight;
        for worker in &mut self.workers {
            let clients = worker.clients;
            worker.tell(&Order::Open { clients, in_flight })?;
        }
        self.settle(0)
    }

    /// Waits until every client is subscribed or has given up, and there were so many subscriptions.
    pub(crate) fn settle(&mut self, subscriptions_min: u64) -> Result<Standing> {
        let mut heard = Instant::now();
        let mut said = Instant::now();
        loop {
            let sum = self.standing();
            let all: u32 = self.workers.iter().map(|it| it.clients).sum();
            if sum.subscribed + sum.gone == all && sum.subscriptions >= subscriptions_min {
                return Ok(sum);
            }
            if said.elapsed() > Duration::from_secs(5) {
                said = Instant::now();
                eprintln!("    {} of {all} subscribed", sum.subscribed);
            }
            match self.next(SILENCE_MAX)? {
                Some((worker, Report::Settled(standing) | Report::Progress(standing))) => {
                    if standing != self.workers[worker].standing {
                        heard = Instant::now();
                    }
                    self.workers[worker].standing = standing;
                }
                Some(_) => {}
                None => {}
            }
            if heard.elapsed() > SILENCE_MAX {
                let counts = self.count()?;
                bail!(
                    "{} of {all} clients are subscribed and it goes no further: {:?}",
                    sum.subscribed,
                    counts.reasons
                );
            }
        }
    }

    fn standing(&self) -> Standing {
        let mut sum = Standing::default();
        for Worker { standing, .. } in &self.workers {
            sum.subscribed += standing.subscribed;
            sum.gone += standing.gone;
            sum.subscriptions += standing.subscriptions;
        }
        sum
    }

    pub(crate) fn tell(&mut self, order: &Order) -> Result<()> {
        self.workers.iter_mut().try_for_each(|it| it.tell(order))
    }

    /// Splits what is asked for between the workers.
    pub(crate) fn tell_shares(&mut self, sum: u32, order: impl Fn(u32) -> Order) -> Result<()> {
        let count = self.workers.len() as u32;
        let share = sum.div_ceil(count.max(1));
        self.tell(&order(share))
    }

    /// What all of them have counted since the last reset.
    pub(crate) fn count(&mut self) -> Result<Counts> {
        self.counts_after(&Order::Count)
    }

    /// Tells them something that they answer with counts when it is done.
    pub(crate) fn counts_after(&mut self, order: &Order) -> Result<Counts> {
        self.tell(order)?;
        let mut sum = Counts::default();
        let mut missing = self.workers.len();
        while missing > 0 {
            match self.next(SILENCE_MAX)? {
                Some((_, Report::Counted(counts))) => {
                    sum.merge(&counts);
                    missing -= 1;
                }
                Some((worker, Report::Settled(standing) | Report::Progress(standing))) => {
                    self.workers[worker].standing = standing;
                }
                Some(_) => {}
                None => bail!("a worker does not answer to {order:?}"),
            }
        }
        Ok(sum)
    }

    /// Waits until everybody in the room has the broadcast: when the last one had it, by the clock of
    /// [`now_us`](crate::clock::now_us). Nothing if that did not come to pass in time.
    pub(crate) fn delivered(
        &mut self,
        number: u32,
        room: u32,
        time_max: Duration,
    ) -> Result<Option<u64>> {
        let ends = Instant::now() + time_max;
        let room_clients = u64::from(self.room_clients);
        let (from, to) = (
            u64::from(room) * room_clients,
            (u64::from(room) + 1) * room_clients,
        );
        let mut missing: HashSet<usize> = self
            .workers
            .iter()
            .enumerate()
            .filter(|(_, it)| u64::from(it.first) < to && u64::from(it.first + it.clients) > from)
            .map(|(at, _)| at)
            .collect();
        let mut last = 0;
        while !missing.is_empty() {
            let left = ends.saturating_duration_since(Instant::now());
            match self.next(left)? {
                Some((
                    worker,
                    Report::Delivered {
                        broadcast,
                        last_at_us,
                    },
                )) if broadcast == number => {
                    missing.remove(&worker);
                    last = last.max(last_at_us);
                }
                Some((worker, Report::Settled(standing) | Report::Progress(standing))) => {
                    self.workers[worker].standing = standing;
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(last))
    }

    /// The next report, if one comes in time.
    fn next(&mut self, time_max: Duration) -> Result<Option<(usize, Report)>> {
        match self.reports.recv_timeout(time_max) {
            Ok((_, Report::Failed { why })) => bail!("{why}"),
            Ok(report) => Ok(Some(report)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("every worker has ended"),
        }
    }
}

impl Worker {
    fn start(
        settings: &Settings,
        clients: u32,
        number: usize,
        sender: &Sender<(usize, Report)>,
    ) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a worker")?;
        let orders = child.stdin.take().context("stdin was piped above")?;
        let stdout = child.stdout.take().context("stdout was piped above")?;
        let sender = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let report = serde_json::from_str(&line).unwrap_or_else(|error| Report::Failed {
                    why: format!("a worker said `{line}`: {error}"),
                });
                if sender.send((number, report)).is_err() {
                    return;
                }
            }
        });
        let mut worker = Self {
            orders,
            first: settings.first,
            clients,
            standing: Standing::default(),
            _process: Ends::new(child),
        };
        worker.write(serde_json::to_vec(settings)?)?;
        Ok(worker)
    }

    fn tell(&mut self, order: &Order) -> Result<()> {
        self.write(serde_json::to_vec(order)?)
    }

    fn write(&mut self, mut line: Vec<u8>) -> Result<()> {
        line.push(b'\n');
        self.orders.write_all(&line).context("a worker has ended")
    }
}

fn next_source() -> u8 {
    let take = |at: u8| match at + 1 {
        next if SOURCES.contains(&next) => next,
        _ => SOURCES.start,
    };
    NEXT_SOURCE
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(take(at)))
        .unwrap_or(SOURCES.start)
}

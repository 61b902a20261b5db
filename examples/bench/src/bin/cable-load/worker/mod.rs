//! A worker: one thread, one epoll, as many clients as one process may have files open.
//!
//! It does what it is told on stdin, says what it saw on stdout, and ends with its stdin.
//! Clients share one read buffer; none has one of its own.

mod client;
mod deliveries;
pub(crate) mod message;
mod opening;
mod source;
mod traffic;

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use mio::{Events, Poll, Token, Waker};

use crate::clock::now_us;
use crate::process;
use crate::protocol::{Counts, Order, Report, Settings, Standing};
use client::{Client, Phase, Reading};
use deliveries::Deliveries;
use message::Echo;
use source::Source;

const WAKER: Token = Token(usize::MAX);
const READ_BYTES: usize = 256 * 1024;
const PROGRESS_US: u64 = 500_000;
const EVENTS: usize = 1024;

/// Reads its settings and orders until there are no more.
pub(crate) fn run() -> Result<()> {
    let mut settings = String::new();
    io::stdin().read_line(&mut settings)?;
    let settings = serde_json::from_str(&settings).context("no settings were given")?;
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
    let (sender, orders) = channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            let Ok(order) = serde_json::from_str(&line) else {
                break;
            };
            if sender.send(order).is_err() {
                return;
            }
            // A worker that is gone needs no waking.
            let _ = waker.wake();
        }
        drop(sender);
        let _ = waker.wake();
    });
    let mut worker = Worker::new(settings, poll, orders);
    let ended = worker.run();
    if let Err(error) = &ended {
        worker.report(&Report::Failed {
            why: format!("{error:#}"),
        })?;
    }
    ended
}

struct Worker {
    settings: Settings,
    poll: Poll,
    orders: Receiver<Order>,
    source: Source,
    clients: Vec<Client>,
    /// Clients that are to connect, and those that try again at a time.
    waiting: VecDeque<u32>,
    retries: VecDeque<(u64, u32)>,
    in_flight: u32,
    in_flight_max: u32,
    /// The beginnings of answers to upgrades that came in parts.
    heads: HashMap<usize, Vec<u8>>,
    returns: bool,
    churns: bool,
    echo: Option<Echo>,
    /// Messages that were not answered yet.
    outstanding: u32,
    /// Counts are due when nothing is under way any more.
    is_finishing: bool,
    /// The last broadcast that resumed clients may come to.
    resumed: Option<u32>,
    is_settled: bool,
    progress_at_us: u64,
    subscribed: u32,
    gone: u32,
    subscriptions: u64,
    counts: Counts,
    deliveries: Deliveries,
    buffer: Vec<u8>,
}

impl Worker {
    fn new(settings: Settings, poll: Poll, orders: Receiver<Order>) -> Self {
        Self {
            source: Source::new(settings.source),
            settings,
            poll,
            orders,
            clients: Vec::new(),
            waiting: VecDeque::new(),
            retries: VecDeque::new(),
            in_flight: 0,
            in_flight_max: 1,
            heads: HashMap::new(),
            returns: false,
            churns: false,
            echo: None,
            outstanding: 0,
            is_finishing: false,
            resumed: None,
            is_settled: true,
            progress_at_us: 0,
            subscribed: 0,
            gone: 0,
            subscriptions: 0,
            counts: Counts::default(),
            deliveries: Deliveries::default(),
            buffer: vec![0; READ_BYTES],
        }
    }

    fn run(&mut self) -> Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                if event.token() != WAKER {
                    self.handle(event);
                }
            }
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.obey(order)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            self.retry();
            self.connect_waiting()?;
            self.tell()?;
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let now = now_us();
        let retry = self.retries.front().map(|(at, _)| at.saturating_sub(now));
        let progress = (!self.is_settled).then_some(PROGRESS_US);
        let first = retry.into_iter().chain(progress).min()?;
        Some(Duration::from_micros(first))
    }

    fn obey(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Open { clients, in_flight } => {
                self.in_flight_max = in_flight.max(1);
                self.add(clients);
                self.is_settled = false;
            }
            Order::Return => {
                self.returns = true;
                self.in_flight_max = u32::MAX;
            }
            Order::Reset { broadcast } => {
                self.counts = Counts::default();
                self.deliveries.begin(broadcast);
                for number in 0..self.clients.len() {
                    if self.clients[number].is_listening() {
                        self.deliveries.expect(self.room(number));
                    }
                    if !self.clients[number].has_sent {
                        self.clients[number].number = client::NO_NUMBER;
                    }
                }
            }
            Order::Count => self.report_counts()?,
            Order::Echo { bytes } => {
                let identifier = self.identifier(0);
                self.echo = Some(Echo::new(&identifier, bytes as usize));
                for number in 0..self.clients.len() {
                    if self.clients[number].phase == Phase::Subscribed {
                        self.send_echo(number);
                    }
                }
            }
            Order::Churn { in_flight } => {
                self.churns = true;
                self.in_flight_max = in_flight.max(1);
                self.add(in_flight);
            }
            Order::Finish => {
                self.is_finishing = true;
                self.waiting.clear();
                self.retries.clear();
            }
            Order::Resume { broadcast } => {
                self.resumed = Some(broadcast);
                for number in 0..self.clients.len() {
                    if self.clients[number].reading == Reading::Stalled {
                        self.clients[number].resume();
                        self.read(number, true);
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, clients: u32) {
        for _ in 0..clients {
            let number = self.clients.len() as u32;
            let every = self.settings.stalled_every;
            let is_stalled = every > 0 && (self.settings.first + number) % every == every - 1;
            let reading = match is_stalled {
                true => Reading::Stalled,
                false => Reading::All,
            };
            self.clients.push(Client::new(reading));
            self.waiting.push_back(number);
        }
    }

    fn room(&self, number: usize) -> u32 {
        (self.settings.first + number as u32) / self.settings.room_clients.max(1)
    }

    fn identifier(&self, number: usize) -> String {
        let room = self.room(number).to_string();
        self.settings.identifier.replace("{room}", &room)
    }

    fn standing(&self) -> Standing {
        Standing {
            subscribed: self.subscribed,
            gone: self.gone,
            subscriptions: self.subscriptions,
        }
    }

    /// Says what somebody waits for, if it is so now.
    fn tell(&mut self) -> Result<()> {
        while let Some((broadcast, last_at_us)) = self.deliveries.complete() {
            self.report(&Report::Delivered {
                broadcast,
                last_at_us,
            })?;
        }
        if self.is_finishing && self.outstanding == 0 && self.in_flight == 0 {
            (self.is_finishing, self.churns, self.echo) = (false, false, None);
            self.report_counts()?;
        }
        if let Some(last) = self.resumed {
            let is_behind = |client: &Client| {
                client.reading == Reading::Resumed
                    && client.phase == Phase::Subscribed
                    && (client.number == client::NO_NUMBER || client.number < last)
            };
            if !self.clients.iter().any(is_behind) {
                self.resumed = None;
                self.report_counts()?;
            }
        }
        if self.is_settled || self.churns {
            return Ok(());
        }
        if (self.subscribed + self.gone) as usize == self.clients.len() {
            self.is_settled = true;
            self.report(&Report::Settled(self.standing()))?;
        } else if now_us() > self.progress_at_us + PROGRESS_US {
            self.progress_at_us = now_us();
            self.report(&Report::Progress(self.standing()))?;
        }
        Ok(())
    }

    fn report_counts(&mut self) -> Result<()> {
        let mut counts = Box::new(self.counts.clone());
        counts.standing = self.standing();
        counts.resident_bytes = process::resident_bytes(std::process::id()).unwrap_or(0);
        for client in &self.clients {
            if client.reading != Reading::All {
                counts.stalled += 1;
                counts.stalled_cut_off += u32::from(client.phase == Phase::Gone);
            }
        }
        self.report(&Report::Counted(counts))
    }

    fn report(&self, report: &Report) -> Result<()> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        io::stdout().lock().write_all(&line)?;
        Ok(())
    }
}

//! Who computes a value, and who waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::key::Name;

/// The computations under way in this process, by what they compute.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    by_name: Mutex<ByName>,
    numbers: AtomicU64,
    landed: AtomicU64,
}

type ByName = HashMap<Name, Flight, RandomState>;

#[derive(Debug)]
struct Flight {
    number: u64,
    /// The value as it is stored, once it is known; closed when there will be none.
    landing: watch::Receiver<Option<Bytes>>,
}

/// A place in a flight.
#[derive(Debug)]
pub(crate) enum Seat {
    /// This one computes.
    Lead(Lead),
    /// Another one does.
    Follow(watch::Receiver<Option<Bytes>>),
}

impl Flights {
    /// How many have ended so far.
    pub(crate) fn landed(&self) -> u64 {
        self.landed.load(Ordering::Acquire)
    }

    /// The first one to come leads, and those who come later follow it.
    pub(crate) fn board(self: &Arc<Self>, name: &Name) -> Seat {
        let mut flights = self.by_name.lock();
        match flights.get(name) {
            Some(flight) => Seat::Follow(flight.landing.clone()),
            None => Seat::Lead(self.begin(&mut flights, name)),
        }
    }

    /// Those who come later follow this one, whoever led before.
    pub(crate) fn lead(self: &Arc<Self>, name: &Name) -> Lead {
        self.begin(&mut self.by_name.lock(), name)
    }

    fn begin(self: &Arc<Self>, flights: &mut ByName, name: &Name) -> Lead {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (landing, followers) = watch::channel(None);
        let flight = Flight {
            number,
            landing: followers,
        };
        flights.insert(name.clone(), flight);
        Lead {
            flights: Arc::clone(self),
            name: name.clone(),
            number,
            landing,
        }
    }

    /// What is being computed for these names is out of date: those who come from now on do
    /// not wait for it, and it will not be stored.
    pub(crate) fn recall(&self, is_recalled: impl Fn(&str) -> bool) {
        let mut flights = self.by_name.lock();
        if !flights.is_empty() {
            flights.retain(|name, _| !is_recalled(name.key.as_str()));
        }
    }
}

/// The one who computes. Dropped, by an error, a cancellation or a panic as well, it makes room
/// for the next one.
#[derive(Debug)]
pub(crate) struct Lead {
    flights: Arc<Flights>,
    name: Name,
    number: u64,
    landing: watch::Sender<Option<Bytes>>,
}

impl Lead {
    /// Tells those who wait, and those who come until the lead is dropped.
    pub(crate) fn land(&self, value: Bytes) {
        self.landing.send_replace(Some(value));
    }

    /// Whether nobody has recalled it.
    pub(crate) fn is_current(&self) -> bool {
        let flights = self.flights.by_name.lock();
        let flight = flights.get(&self.name);
        flight.is_some_and(|flight| flight.number == self.number)
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut flights = self.flights.by_name.lock();
        let flight = flights.get(&self.name);
        if flight.is_some_and(|flight| flight.number == self.number) {
            flights.remove(&self.name);
        }
        self.flights.landed.fetch_add(1, Ordering::Release);
    }
}

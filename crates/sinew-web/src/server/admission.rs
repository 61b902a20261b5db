//! Who is let in, and when: the counts that several accepting threads keep together.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use sinew_cable::Cable;

use super::addresses::{Addresses, Place};
use super::pace::Pace;
use super::statistics::{Counters, down, up};
use super::{ServerConfig, ServerStatistics};
use crate::TrustedProxies;

/// How long to wait before looking again whether those who arrive are fewer.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// After so many looks, 100 ms, one is let in all the same: it may be a load balancer that asks whether all is well.
/// Looks and not time, since a process that stood still has given nobody the time to finish.
const LOOKS_MAX: u32 = 50;
/// Connections that are refused with an answer at a time. Beyond, nothing is accepted until they are gone.
const REFUSALS_MAX: u64 = 256;
/// Descriptors for everything that is no connection: files, the store, connections to databases.
const DESCRIPTORS_RESERVED: usize = 128;

/// Lets connections in, within the bounds of a [`ServerConfig`]. Clones count together, from any thread; no lock is held
/// but for a moment of one sixteenth of the addresses.
///
/// [`Server::accept`](super::Server::accept) asks it, and so does the cable's endpoint at each upgrade. Whoever accepts
/// connections by itself asks [`next`](Self::next) before each, and counts it with [`arrives`](Self::arrives).
///
/// ```
/// use sinew_web::ServerConfig;
/// use sinew_web::server::{Admission, Arrival, Refused};
/// use std::time::{Duration, Instant};
///
/// let mut config = ServerConfig::default();
/// config.connections_max = Some(3);
/// config.connections_per_address_max = 2;
/// config.handshakes_max = 4;
/// let admission = Admission::new(config);
/// let now = Instant::now();
/// assert_eq!(admission.next(now), Ok(()));
///
/// let one: Arrival = admission.arrives("192.0.2.7".parse()?);
/// let two = admission.arrives("192.0.2.7".parse()?);
/// assert_eq!(two.refused(), None);
/// let three = admission.arrives("192.0.2.7".parse()?);
/// assert_eq!(three.refused(), Some(Refused::TooManyOfAddress));
/// let four = admission.arrives("192.0.2.8".parse()?);
/// assert_eq!(four.refused(), Some(Refused::TooManyConnections));
/// assert_eq!(four.response().expect("it is refused").headers()["retry-after"], "5");
///
/// // Four are arriving: the fifth waits in the system's queue, but not for ever.
/// let wait: Duration = admission.next(now).expect_err("too many arrive");
/// let looks = (0..).take_while(|_| admission.next(now).is_err()).count();
/// assert!(wait * looks as u32 <= Duration::from_millis(100));
/// one.settles();
/// assert_eq!(admission.next(now), Ok(()));
/// drop((two, three, four));
/// assert_eq!(admission.statistics().connections, 1);
/// assert_eq!(admission.config().handshakes_max, 4);
/// # drop(one);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone)]
pub struct Admission {
    shared: Arc<Shared>,
    cable: Option<Cable>,
    proxies: Arc<TrustedProxies>,
}

/// What an [`Admission`] counts; see [`counts`](Admission::counts). Cloning is cheap.
///
/// ```
/// use sinew_web::ServerConfig;
/// use sinew_web::server::{Admission, AdmissionCounts};
///
/// let counts: AdmissionCounts = Admission::new(ServerConfig::default()).counts();
/// assert_eq!(counts.statistics().connections, 0);
/// ```
#[derive(Clone)]
pub struct AdmissionCounts(Arc<Shared>);

impl AdmissionCounts {
    /// What it has admitted and refused.
    pub fn statistics(&self) -> ServerStatistics {
        self.0.counters.read()
    }
}

struct Shared {
    config: ServerConfig,
    connections_max: usize,
    pace: Pace,
    /// How often nobody was let in since too many were arriving.
    looks: AtomicU32,
    refusals: AtomicU64,
    counters: Counters,
    /// By address of the socket.
    sockets: Addresses,
    /// By address of the visitor.
    visitors: Addresses,
}

impl Admission {
    /// Nobody is in yet.
    pub fn new(config: ServerConfig) -> Self {
        let now = Instant::now();
        let connections_max = config.connections_max.unwrap_or_else(|| {
            let of_table = descriptors().saturating_sub(DESCRIPTORS_RESERVED).max(1);
            of_table.saturating_mul(config.descriptor_tables)
        });
        Self {
            shared: Arc::new(Shared {
                connections_max,
                pace: Pace::new(now, config.accepts_per_second_max),
                looks: AtomicU32::new(0),
                refusals: AtomicU64::new(0),
                counters: Counters::default(),
                sockets: Addresses::default(),
                visitors: Addresses::default(),
                config,
            }),
            cable: None,
            proxies: Arc::default(),
        }
    }

    /// Counts the connections of this cable among the sockets, and those that it has not welcomed among those that
    /// arrive.
    ///
    /// ```
    /// use sinew_web::ServerConfig;
    /// use sinew_web::server::{Admission, Refused};
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let mut config = ServerConfig::default();
    /// config.connections_max = Some(1);
    /// let admission = Admission::new(config).cable(cable.clone());
    /// let incoming = cable.incoming();
    /// let arrival = admission.arrives("192.0.2.7".parse()?);
    /// assert_eq!(arrival.refused(), Some(Refused::TooManyConnections));
    /// # drop(incoming);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cable(mut self, cable: Cable) -> Self {
        self.cable = Some(cable);
        self
    }

    /// Sockets of these are not counted by address: behind them is everybody.
    ///
    /// ```
    /// use sinew_web::ServerConfig;
    /// use sinew_web::server::Admission;
    ///
    /// let mut config = ServerConfig::default();
    /// config.connections_per_address_max = 1;
    /// let admission = Admission::new(config).trusted_proxies("10.0.0.0/8".parse()?);
    /// let arrivals = [admission.arrives("10.0.0.7".parse()?), admission.arrives("10.0.0.7".parse()?)];
    /// assert!(arrivals.iter().all(|arrival| arrival.refused().is_none()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = Arc::new(proxies);
        self
    }

    /// The bounds.
    pub fn config(&self) -> &ServerConfig {
        &self.shared.config
    }

    /// Whether the next connection may be accepted.
    ///
    /// # Errors
    ///
    /// How long to wait before asking again. What comes meanwhile stays in the system's queue.
    pub fn next(&self, now: Instant) -> Result<(), Duration> {
        let shared = &*self.shared;
        let is_full = self.arriving() >= shared.config.handshakes_max as u64;
        if is_full && shared.looks.fetch_add(1, Relaxed) < LOOKS_MAX {
            return Err(LOOK_AGAIN);
        }
        if shared.looks.load(Relaxed) > 0 {
            shared.looks.store(0, Relaxed);
        }
        if shared.refusals.load(Relaxed) >= REFUSALS_MAX {
            return Err(LOOK_AGAIN);
        }
        shared.pace.take(now)
    }

    /// Accepting paused for what [`next`](Self::next) said: counted.
    ///
    /// ```
    /// use sinew_web::{ServerConfig, server::Admission};
    ///
    /// let admission = Admission::new(ServerConfig::default());
    /// admission.paused();
    /// assert_eq!(admission.statistics().accept_pauses, 1);
    /// ```
    pub fn paused(&self) {
        up(&self.shared.counters.accept_pauses);
    }

    /// Nothing could be accepted, since the system had nothing left: counted.
    ///
    /// ```
    /// use sinew_web::{ServerConfig, server::Admission};
    ///
    /// let admission = Admission::new(ServerConfig::default());
    /// admission.failed();
    /// assert_eq!(admission.statistics().accept_failures, 1);
    /// ```
    pub fn failed(&self) {
        up(&self.shared.counters.accept_failures);
    }

    /// Counts a connection that was accepted, as long as the [`Arrival`] is kept.
    pub fn arrives(&self, peer: IpAddr) -> Arrival {
        let counters = &self.shared.counters;
        up(&counters.accepted);
        up(&counters.arriving);
        let before = counters.connections.fetch_add(1, Relaxed);
        let mut arrival = Arrival {
            admission: self.clone(),
            place: None,
            refused: None,
            is_arriving: AtomicBool::new(true),
        };
        let of_cable = self.cable.as_ref().map_or(0, Cable::connections);
        if before + of_cable >= self.shared.connections_max as u64 {
            arrival.refuse(Refused::TooManyConnections, &counters.refused_connections);
        } else if !self.proxies.trusts(peer) {
            match self.take(&self.shared.sockets, peer) {
                Ok(place) => arrival.place = place,
                Err(refused) => arrival.refuse(refused, &counters.refused_addresses),
            }
        }
        arrival
    }

    /// Lets a visitor of this address open the cable.
    pub(crate) fn upgrades(&self, address: Option<IpAddr>) -> Result<Visit, Refused> {
        let counters = &self.shared.counters;
        if let Some(cable) = &self.cable {
            let handshakes = cable.handshakes();
            if cable.is_draining() || handshakes >= self.shared.config.handshakes_max as u64 {
                up(&counters.refused_handshakes);
                return Err(Refused::TooManyHandshakes);
            }
            if cable.connections() >= self.shared.connections_max as u64 {
                up(&counters.refused_connections);
                return Err(Refused::TooManyConnections);
            }
        }
        let place = match address {
            None => None,
            Some(address) => self
                .take(&self.shared.visitors, address)
                .inspect_err(|_| up(&counters.refused_addresses))?,
        };
        Ok(Visit {
            admission: self.clone(),
            place,
        })
    }

    /// The visitor that had this place has left the cable.
    pub(crate) fn leaves(&self, place: Place) {
        self.shared.visitors.give_back(place);
    }

    /// What it has admitted and refused.
    pub fn statistics(&self) -> ServerStatistics {
        self.shared.counters.read()
    }

    /// A way to read that later which keeps no cable alive.
    ///
    /// ```
    /// use sinew_web::ServerConfig;
    /// use sinew_web::server::{Admission, AdmissionCounts};
    ///
    /// let admission = Admission::new(ServerConfig::default());
    /// let counts: AdmissionCounts = admission.counts();
    /// let arrival = admission.arrives("192.0.2.7".parse()?);
    /// assert_eq!(counts.statistics(), admission.statistics());
    /// assert_eq!(counts.statistics().accepted, 1);
    /// # drop(arrival);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn counts(&self) -> AdmissionCounts {
        AdmissionCounts(self.shared.clone())
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    fn arriving(&self) -> u64 {
        let upgraded = self.cable.as_ref().map_or(0, Cable::handshakes);
        self.shared.counters.arriving.load(Relaxed) + upgraded
    }

    fn take(&self, addresses: &Addresses, address: IpAddr) -> Result<Option<Place>, Refused> {
        let max = self.shared.config.connections_per_address_max;
        if max == 0 || address.to_canonical().is_loopback() {
            return Ok(None);
        }
        match addresses.take(address, max) {
            Some(place) => Ok(Some(place)),
            None => {
                tracing::debug!(%address, max, "an address has too many connections");
                Err(Refused::TooManyOfAddress)
            }
        }
    }
}

/// Why somebody is not let in.
///
/// ```
/// use sinew_web::server::Refused;
/// use std::time::Duration;
///
/// assert_eq!(Refused::TooManyConnections.status(), 503);
/// assert_eq!(Refused::TooManyHandshakes.status(), 503);
/// let response = Refused::TooManyOfAddress.response(Duration::from_secs(7));
/// assert_eq!(response.status(), 429);
/// assert_eq!(response.headers()["retry-after"], "7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// More sockets than [`connections_max`](ServerConfig::connections_max).
    TooManyConnections,
    /// More sockets than [`connections_per_address_max`](ServerConfig::connections_per_address_max).
    TooManyOfAddress,
    /// More upgrades than [`handshakes_max`](ServerConfig::handshakes_max), or the process ends.
    TooManyHandshakes,
}

impl Refused {
    /// 503, or 429 for whoever has too many.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooManyConnections | Self::TooManyHandshakes => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyOfAddress => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::TooManyOfAddress => "Too many connections from your address.\n",
            _ => "No more visitors at the moment.\n",
        }
    }

    /// The same answer as bytes for a socket that is closed then.
    pub(crate) fn head(self, retry_after: Duration) -> Vec<u8> {
        let (status, text) = (self.status(), self.text());
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: {}\r\n\
             cache-control: no-store\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
            retry_after.as_secs(),
            text.len(),
        )
        .into_bytes()
    }

    /// The answer, with what `Retry-After` says.
    pub fn response(self, retry_after: Duration) -> Response<Body> {
        let text = self.text();
        let mut response = (self.status(), text).into_response();
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// A connection that was accepted, counted until this is dropped; see [`Admission`].
///
/// ```
/// use sinew_web::ServerConfig;
/// use sinew_web::server::{Admission, Arrival, Refused};
///
/// let mut config = ServerConfig::default();
/// config.connections_max = Some(1);
/// let admission = Admission::new(config);
/// let first: Arrival = admission.arrives("192.0.2.7".parse()?);
/// assert!(first.refused().is_none() && first.response().is_none());
/// first.settles();
/// assert_eq!(admission.statistics().arriving, 0);
///
/// let second = admission.arrives("192.0.2.7".parse()?);
/// assert_eq!(second.refused(), Some(Refused::TooManyConnections));
/// assert_eq!(second.response().expect("it is refused").status(), 503);
/// drop((first, second));
/// assert_eq!(admission.statistics().connections, 0);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use = "the connection is counted as long as this is kept"]
pub struct Arrival {
    admission: Admission,
    place: Option<Place>,
    refused: Option<Refused>,
    is_arriving: AtomicBool,
}

impl Arrival {
    pub(super) fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Why it is to be answered [`response`](Self::response) instead of what it asks for.
    pub fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// What to answer when it is refused.
    pub fn response(&self) -> Option<Response<Body>> {
        let retry_after = self.admission.shared.config.retry_after;
        self.refused.map(|refused| refused.response(retry_after))
    }

    /// Its first request is read, or it says nothing: others may arrive.
    pub fn settles(&self) {
        if self.is_arriving.swap(false, Relaxed) {
            down(&self.admission.shared.counters.arriving);
        }
    }

    fn refuse(&mut self, refused: Refused, counter: &AtomicU64) {
        up(counter);
        up(&self.admission.shared.refusals);
        self.refused = Some(refused);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.settles();
        let shared = &self.admission.shared;
        down(&shared.counters.connections);
        if self.refused.is_some() {
            down(&shared.refusals);
        }
        if let Some(place) = self.place {
            shared.sockets.give_back(place);
        }
    }
}

/// A visitor who was let in to the cable.
pub(crate) struct Visit {
    admission: Admission,
    place: Option<Place>,
}

impl Visit {
    /// The place that the visitor keeps, and where it is to be [given back](Admission::leaves).
    pub(crate) fn keep(mut self) -> Option<(Admission, Place)> {
        let place = self.place.take()?;
        Some((self.admission.clone(), place))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.admission.leaves(place);
        }
    }
}

/// How many files the process may have open.
#[cfg(unix)]
fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| limit as usize)
}

#[cfg(not(unix))]
fn descriptors() -> usize {
    usize::MAX
}

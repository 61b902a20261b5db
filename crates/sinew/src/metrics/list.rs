//! The list of all metrics: what is exposed, documented and shown is made from it.

use std::time::Duration;

use sinew_protocol::DisconnectReason;

use super::{Kind, Metric, Snapshot};

/// How a metric's value is found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Counter(fn(&Snapshot) -> u64),
    Gauge(fn(&Snapshot) -> Option<f64>),
    Histogram(fn(&Snapshot) -> Buckets),
    /// Each with the value of its label.
    Counters(fn(&Snapshot) -> Vec<(String, u64)>),
    Gauges(fn(&Snapshot) -> Vec<(String, f64)>),
    Histograms(fn(&Snapshot) -> Vec<(String, Buckets)>),
}

/// A histogram of durations.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    pub(crate) bounds: &'static [Duration],
    /// One more than bounds.
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: Duration,
}

impl From<sinew_cable::PingLag> for Buckets {
    fn from(lag: sinew_cable::PingLag) -> Self {
        Self {
            bounds: &sinew_cable::PingLag::BOUNDS,
            counts: lag.counts.to_vec(),
            sum: lag.sum,
        }
    }
}

impl From<sinew_reflex::Durations> for Buckets {
    fn from(durations: sinew_reflex::Durations) -> Self {
        Self {
            bounds: &sinew_reflex::Durations::BOUNDS,
            counts: durations.counts.to_vec(),
            sum: durations.sum,
        }
    }
}

const fn counter(name: &'static str, meaning: &'static str, read: fn(&Snapshot) -> u64) -> Metric {
    Metric {
        name,
        kind: Kind::Counter,
        label: None,
        meaning,
        read: Read::Counter(read),
    }
}

const fn gauge(
    name: &'static str,
    meaning: &'static str,
    read: fn(&Snapshot) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        kind: Kind::Gauge,
        label: None,
        meaning,
        read: Read::Gauge(read),
    }
}

const fn histogram(
    name: &'static str,
    meaning: &'static str,
    read: fn(&Snapshot) -> Buckets,
) -> Metric {
    Metric {
        name,
        kind: Kind::Histogram,
        label: None,
        meaning,
        read: Read::Histogram(read),
    }
}

impl Metric {
    const fn by(self, label: &'static str, kind: Kind, read: Read) -> Self {
        Self {
            kind,
            label: Some(label),
            read,
            ..self
        }
    }
}

/// A gauge that always has a value.
macro_rules! level {
    ($name:literal, $meaning:literal, $($path:ident).+) => {
        gauge($name, $meaning, |it| Some(it.$($path).+ as f64))
    };
}

/// A sum.
macro_rules! sum {
    ($name:literal, $meaning:literal, $($path:ident).+) => {
        counter($name, $meaning, |it| it.$($path).+)
    };
}

/// A metric that has a label, with all of its samples.
macro_rules! labelled {
    ($name:literal, $meaning:literal, $label:literal, $kind:ident, $read:ident, $samples:expr) => {
        counter($name, $meaning, |_| 0).by($label, Kind::$kind, Read::$read($samples))
    };
}

/// Every metric, in the order in which they are written.
///
/// ```
/// use sinew::metrics::METRICS;
///
/// let histograms = METRICS.iter().filter(|it| it.kind == sinew::metrics::Kind::Histogram);
/// assert!(histograms.clone().count() >= 3);
/// assert!(histograms.clone().all(|it| it.name.ends_with("_seconds")));
/// ```
// One more: a line here.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    level!("sinew_cable_connections", "Connections now, those that wait for the application's welcome included.", cable.connections),
    level!("sinew_cable_handshakes", "Of these, those that the application has not answered.", cable.handshakes),
    level!("sinew_cable_subscriptions", "Subscriptions now.", cable.subscriptions),
    level!("sinew_cable_streams", "Streams that somebody of this process follows now.", cable.streams),
    sum!("sinew_cable_connections_opened_total", "Connections that were opened.", cable.connections_opened),
    sum!("sinew_cable_connections_refused_total", "Connections that the application refused or did not answer in time.", cable.connections_refused),
    labelled!("sinew_cable_disconnects_total", "Connections that the server ended, by the reason that they were told.", "reason", Counter, Counters, |it| DisconnectReason::ALL.into_iter().map(|reason| (reason.as_str().to_owned(), it.cable.disconnects(reason))).collect()),
    sum!("sinew_cable_slow_connections_total", "Connections cut off because their outgoing queue went over its bound.", cable.slow_connections),
    sum!("sinew_cable_silent_connections_total", "Connections ended because nothing came from the client for too long.", cable.silent_connections),
    sum!("sinew_cable_flooding_connections_total", "Connections closed because their client had sent far more than it may.", cable.flooding_connections),
    sum!("sinew_cable_incoming_pauses_total", "Times a connection was not read for a while because its client sent faster than it may.", cable.incoming_pauses),
    sum!("sinew_cable_commands_total", "Frames that carried a command.", cable.commands),
    sum!("sinew_cable_commands_failed_total", "Frames that were no command, or one for a subscription that is not there.", cable.commands_failed),
    sum!("sinew_cable_subscriptions_rejected_total", "Subscriptions that were rejected.", cable.subscriptions_rejected),
    sum!("sinew_cable_subscriptions_over_bounds_total", "Of these, those of a connection with too many, or with an identifier that is too long.", cable.subscriptions_over_bounds),
    sum!("sinew_cable_compressions_total", "Messages that were compressed, a broadcast once for each shard.", cable.compressions),
    sum!("sinew_cable_calls_failed_total", "Calls of channels that ended in an error or a panic.", cable.calls_failed),
    sum!("sinew_cable_broadcasts_total", "Messages of streams that reached this process.", cable.broadcasts),
    sum!("sinew_cable_deliveries_total", "Frames that broadcasts made, one for each receiver.", cable.broadcast_deliveries),
    sum!("sinew_cable_received_bytes_total", "Bytes of the messages that clients sent, without the heads of their frames.", cable.bytes_received),
    sum!("sinew_cable_messages_sent_total", "Frames that sockets have taken, pings among them.", cable.messages_sent),
    sum!("sinew_cable_sent_bytes_total", "Bytes that sockets have taken.", cable.bytes_sent),
    sum!("sinew_cable_messages_dropped_total", "Frames that waited for a connection that was cut off or gone.", cable.messages_dropped),
    sum!("sinew_cable_dropped_bytes_total", "Their bytes.", cable.bytes_dropped),
    gauge("sinew_cable_outgoing_messages", "Frames that wait in the outgoing queues of all connections.", |it| Some(it.cable.outgoing_messages() as f64)),
    gauge("sinew_cable_outgoing_bytes", "Bytes that wait in the outgoing queues of all connections.", |it| Some(it.cable.outgoing_bytes() as f64)),
    level!("sinew_cable_outgoing_max_bytes", "The most that waited for one connection when one more frame came to it, in the last one to two ping intervals.", cable.outgoing_bytes_max),
    histogram("sinew_cable_ping_lag_seconds", "How late the ticks were that ping: a thread that was busy with something else.", |it| it.cable.ping_lag.into()),
    labelled!("sinew_cable_shard_connections", "Connections of each shard.", "shard", Gauge, Gauges, |it| shards(it, |shard| shard.connections)),
    labelled!("sinew_cable_shard_inbox_bytes", "Bytes of frames and broadcasts on their way to each shard.", "shard", Gauge, Gauges, |it| shards(it, |shard| shard.inbox_bytes)),
    sum!("sinew_reflex_calls_total", "Calls of reflexes, refused and malformed ones included.", engine.calls),
    sum!("sinew_reflex_malformed_total", "Calls that were no JSON object.", engine.malformed),
    labelled!("sinew_reflex_outcomes_total", "How calls ended.", "outcome", Counter, Counters, outcomes),
    sum!("sinew_reflex_panics_total", "Panics in the code of reflexes and pages.", engine.panics),
    sum!("sinew_reflex_timeouts_total", "Time limits of reflexes and pages that ran out.", engine.timeouts),
    sum!("sinew_reflex_overloads_total", "Calls that were refused because too many were waiting.", engine.overloads),
    sum!("sinew_reflex_unanswered_total", "Replies that could not be published.", engine.unanswered),
    level!("sinew_reflex_lanes", "Tabs with a call under way.", engine.lanes),
    level!("sinew_reflex_running", "Calls that run now.", engine.running),
    level!("sinew_reflex_waiting", "Calls that wait for an earlier one of their tab.", engine.waiting),
    histogram("sinew_reflex_wait_seconds", "How long calls waited before they ran.", |it| it.engine.waits.into()),
    labelled!("sinew_reflex_duration_seconds", "How long reflexes ran, until their reply was published. Only those that were called.", "reflex", Histogram, Histograms, |it| it.reflexes.iter().map(|reflex| (reflex.name.clone(), reflex.durations.into())).collect()),
    labelled!("sinew_reflex_errors_total", "Reflexes that ended with an error. Only those that were called.", "reflex", Counter, Counters, |it| it.reflexes.iter().map(|reflex| (reflex.name.clone(), reflex.errors)).collect()),
    sum!("sinew_session_cookies_malformed_total", "Requests whose session cookie was no session id or, where it is the session, none of ours.", sessions.cookies_malformed),
    sum!("sinew_session_commits_failed_total", "Requests that were answered with 500 because their session could not be saved.", sessions.commits_failed),
    sum!("sinew_session_tickets_total", "Tickets that took to the browser what a reflex had written, where sessions live in cookies, or an id that it had renewed.", engine.tickets),
    sum!("sinew_session_tickets_pending_total", "Replies that left although their ticket was not redeemed in time.", engine.tickets_pending),
    sum!("sinew_session_tickets_redeemed_total", "Tickets that became the session's next cookie, or the next id in it.", sessions.tickets_redeemed),
    sum!("sinew_session_tickets_merged_total", "Tickets that were merged with what somebody else had written meanwhile.", sessions.tickets_merged),
    sum!("sinew_session_tickets_replayed_total", "Tickets that the cookie had already.", sessions.tickets_replayed),
    sum!("sinew_session_tickets_refused_total", "Tickets that changed nothing: of another session or of one that is over, too old, too large, or none.", sessions.tickets_refused),
    sum!("sinew_session_conflicts_total", "Fields that two had written, where sessions live in cookies, and of which one change was dropped.", sessions.conflicts),
    level!("sinew_server_connections", "Connections that are being answered now, those that say nothing among them. Those of the cable are its own.", server.connections),
    level!("sinew_server_arriving", "Of these, those that were accepted a moment ago and whose first request has not been read.", server.arriving),
    sum!("sinew_server_accepted_total", "Connections that were accepted.", server.accepted),
    sum!("sinew_server_accept_pauses_total", "Times that accepting paused, since too many were arriving or came too fast.", server.accept_pauses),
    sum!("sinew_server_accept_failures_total", "Times that nothing could be accepted, since the system had no descriptors or memory left.", server.accept_failures),
    sum!("sinew_server_header_timeouts_total", "Connections that did not send the head of their first request in time.", server.header_timeouts),
    labelled!("sinew_server_refused_total", "Connections and upgrades that were refused, by what there was too much of.", "bound", Counter, Counters, |it| vec![("connections".to_owned(), it.server.refused_connections), ("connections_per_address".to_owned(), it.server.refused_addresses), ("handshakes".to_owned(), it.server.refused_handshakes)]),
    sum!("sinew_server_tls_failures_total", "Handshakes of TLS that failed or took too long.", server.tls_failures),
    sum!("sinew_server_tls_reloads_total", "Certificates that were loaded since the first, because their files changed.", server.tls_reloads),
    gauge("sinew_ready", "1 while new visitors are wanted, 0 while the process is stopping or a server that it needs is away.", |it| Some(if it.is_ready { 1.0 } else { 0.0 })),
    labelled!("sinew_service_available", "1 while a server that the application talks to (`redis_sessions` and the like) can be used, else 0.", "service", Gauge, Gauges, |it| it.services.iter().map(|(name, state)| (name.clone(), f64::from(u8::from(state.is_available)))).collect()),
    labelled!("sinew_service_outages_total", "Times that such a server went away, or was not there at the start.", "service", Counter, Counters, |it| services(it, |state| state.outages)),
    labelled!("sinew_service_connections_opened_total", "Connections to such servers that were opened.", "service", Counter, Counters, |it| services(it, |state| state.connections_opened)),
    labelled!("sinew_service_connections_lost_total", "Connections to such servers that were lost, or given up because nothing came.", "service", Counter, Counters, |it| services(it, |state| state.connections_lost)),
    labelled!("sinew_service_commands_failed_total", "Commands that such a server did not carry out, or of which that is unknown: it was away, full, or late.", "service", Counter, Counters, |it| services(it, |state| state.commands_failed)),
    sum!("sinew_streams_interruptions_total", "Times that this process was cut off from the streams of the others.", missed.interruptions),
    sum!("sinew_streams_missed_total", "Messages of streams that were published meanwhile, as far as a later message has shown it.", missed.messages),
    gauge("sinew_start_time_seconds", "When the application was built, in seconds since 1970.", |it| Some(it.started_unix())),
    gauge("process_resident_memory_bytes", "Memory of the process, where the system says so.", |it| it.resident_bytes.map(|bytes| bytes as f64)),
    sum!("sinew_cache_hits_total", "Values that were asked of the cache and found.", cache.hits),
    sum!("sinew_cache_misses_total", "Values that were asked of the cache and not found.", cache.misses),
    sum!("sinew_cache_writes_total", "Values that the cache has stored.", cache.writes),
    sum!("sinew_cache_errors_total", "Calls of the cache's store that failed; each was a miss.", cache.errors),
    sum!("sinew_cache_stale_served_total", "Expired values that were given away while one caller computed a new one.", cache.stale_served),
    sum!("sinew_cache_flights_joined_total", "Values that were not computed because another caller was computing the same.", cache.flights_joined),
    sum!("sinew_cache_values_refused_total", "Values that were not stored because they are over a limit or the store keeps none like them.", cache.values_refused),
    sum!("sinew_cache_values_unreadable_total", "Values that were found and could not be read as what they were asked for.", cache.values_unreadable),
];

fn services(
    snapshot: &Snapshot,
    read: fn(&crate::services::ServiceState) -> u64,
) -> Vec<(String, u64)> {
    let services = snapshot.services.iter();
    services
        .map(|(name, state)| (name.clone(), read(state)))
        .collect()
}

fn shards(
    snapshot: &Snapshot,
    read: fn(&sinew_cable::ShardStatistics) -> u64,
) -> Vec<(String, f64)> {
    let shards = snapshot.shards.iter().enumerate();
    shards
        .map(|(number, shard)| (number.to_string(), read(shard) as f64))
        .collect()
}

fn outcomes(snapshot: &Snapshot) -> Vec<(String, u64)> {
    let engine = &snapshot.engine;
    [
        ("page", engine.pages),
        ("selector", engine.selectors),
        ("nothing", engine.nothings),
        ("halted", engine.halted),
        ("forbidden", engine.forbidden),
        ("error", engine.errors),
    ]
    .map(|(name, count)| (name.to_owned(), count))
    .into()
}

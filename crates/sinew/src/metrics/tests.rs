use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use axum::Router;
use sinew_cable::PingLag;
use sinew_reflex::{Durations, ReflexStatistics};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::{Config, Sinew, StartError};

fn snapshot() -> Snapshot {
    let mut cable = sinew_cable::Statistics::default();
    cable.connections = 3;
    cable.bytes_sent = 70;
    cable.ping_lag = PingLag {
        counts: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4],
        sum: Duration::from_millis(24_500),
    };
    let mut reflex = ReflexStatistics::default();
    reflex.name = "A\"b\\Reflex#c".to_owned();
    reflex.durations = Durations {
        sum: Duration::from_micros(400),
        ..Durations::default()
    };
    reflex.durations.counts[0] = 1;
    Snapshot {
        cable,
        shards: vec![Default::default(); 2],
        engine: Default::default(),
        reflexes: vec![reflex],
        sessions: Default::default(),
        cache: sinew_store::cache::CacheStatistics::default(),
        server: Default::default(),
        is_ready: true,
        missed: sinew_streams::Missed::default(),
        services: vec![(
            "redis_cache".to_owned(),
            crate::services::ServiceState {
                outages: 2,
                ..Default::default()
            },
        )],
        started: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
        resident_bytes: None,
    }
}

#[track_caller]
fn check(line: &str) {
    let text = Metrics(snapshot()).to_string();
    assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
}

#[test]
fn values_are_written_with_units_and_labels() {
    check("# TYPE sinew_cable_connections gauge");
    check("sinew_cable_connections 3.0");
    check("# UNIT sinew_cable_sent_bytes bytes");
    check("# TYPE sinew_cable_sent_bytes counter");
    check("sinew_cable_sent_bytes_total 70");
    check("sinew_cable_disconnects_total{reason=\"too_slow\"} 0");
    check("sinew_cable_shard_inbox_bytes{shard=\"1\"} 0.0");
    check("sinew_ready 1.0");
    check("sinew_service_available{service=\"redis_cache\"} 0.0");
    check("sinew_service_outages_total{service=\"redis_cache\"} 2");
    check("sinew_start_time_seconds 1.5");
}

#[test]
fn histograms_add_up_to_infinity() {
    check("sinew_cable_ping_lag_seconds_sum 24.5");
    check("sinew_cable_ping_lag_seconds_count 7");
    check("sinew_cable_ping_lag_seconds_bucket{le=\"0.001\"} 2");
    check("sinew_cable_ping_lag_seconds_bucket{le=\"5.0\"} 3");
    check("sinew_cable_ping_lag_seconds_bucket{le=\"+Inf\"} 7");
}

#[test]
fn names_of_reflexes_are_escaped() {
    check(r#"sinew_reflex_duration_seconds_count{reflex="A\"b\\Reflex#c"} 1"#);
    check(r#"sinew_reflex_duration_seconds_bucket{le="0.0005",reflex="A\"b\\Reflex#c"} 1"#);
}

#[test]
fn names_follow_the_conventions_and_are_there_once() {
    let names: HashSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len());
    for metric in METRICS {
        let is_sum = metric.name.ends_with("_total");
        assert_eq!(is_sum, metric.kind == Kind::Counter, "{}", metric.name);
        assert!(metric.meaning.ends_with('.'), "{}", metric.name);
        assert!(
            metric.name.starts_with("sinew_") || metric.name.starts_with("process_"),
            "{}",
            metric.name
        );
    }
}

async fn scrape(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).await.expect("listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("reads");
    answer
}

#[tokio::test]
async fn address_of_their_own_serves_metrics_and_nothing_else() {
    let mut config = Config::default();
    config.edge.metrics_listen = Some((Ipv4Addr::LOCALHOST, 0).into());
    let pages = Router::new().route("/", axum::routing::get(async || "a page"));
    let app = Sinew::new(pages).config(config.clone()).in_memory();
    let app = app.build().expect("builds");
    let listening = listener::listen(&app).await.expect("listens");
    let address = listening.as_ref().expect("it was asked for").address;
    let answer = scrape(address, "/metrics").await;
    assert!(answer.contains(Metrics::CONTENT_TYPE), "{answer}");
    assert!(answer.contains("\nsinew_ready 1.0\n"), "{answer}");
    assert!(scrape(address, "/").await.starts_with("HTTP/1.1 404"));

    config.edge.metrics_listen = Some(address);
    let second = Sinew::new(Router::new()).config(config).in_memory();
    let refused = listener::listen(&second.build().expect("builds")).await;
    assert!(matches!(refused, Err(StartError::Metrics { .. })));
}

#[tokio::test]
async fn nothing_is_served_unless_asked_for() {
    let app = Sinew::new(Router::new()).in_memory();
    let app = app.build().expect("builds");
    assert!(listener::listen(&app).await.expect("nothing").is_none());
}

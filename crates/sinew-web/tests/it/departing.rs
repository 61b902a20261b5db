//! How the clients of the cable are told that the process ends.

use std::sync::Arc;
use std::time::Duration;

use sinew_cable::{Application, Cable, Config, ConnectRequest, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::CableEndpoint;
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::time::Instant;

fn cable() -> Cable {
    let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    let mut config = Config::default();
    config.ping_interval = Duration::from_secs(3600);
    Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .config(config)
        .build()
        .expect("fresh streams")
}

async fn welcomed(endpoint: &CableEndpoint) -> DuplexStream {
    let (socket, mut browser) = tokio::io::duplex(1024);
    endpoint.serve(socket, bytes::Bytes::new(), ConnectRequest::default());
    let mut welcome = [0; 20];
    browser.read_exact(&mut welcome).await.expect("the welcome");
    browser
}

#[tokio::test(start_paused = true)]
async fn clients_are_told_evenly_over_the_window() {
    const CLIENTS: u32 = 10;
    let endpoint = CableEndpoint::new(cable());
    let mut told = Vec::new();
    let begun = Instant::now();
    for _ in 0..CLIENTS {
        let mut browser = welcomed(&endpoint).await;
        told.push(tokio::spawn(async move {
            let mut frame = [0; 2];
            browser.read_exact(&mut frame).await.expect("a frame");
            let mut text = vec![0; frame[1].into()];
            browser.read_exact(&mut text).await.expect("its text");
            let text = String::from_utf8(text).expect("text");
            assert!(text.contains("server_restart"), "{text}");
            begun.elapsed()
        }));
    }
    endpoint.cable().drain_over(Duration::from_secs(60)).await;
    let mut times = Vec::new();
    for told in told {
        times.push(told.await.expect("no panic"));
    }
    times.sort();
    let expected: Vec<Duration> = (0..CLIENTS).map(|it| Duration::from_secs(6) * it).collect();
    // The timer of the runtime has a resolution of a millisecond.
    let rounded: Vec<Duration> = times
        .iter()
        .map(|time| {
            Duration::from_millis(u64::try_from(time.as_millis()).expect("short") / 10 * 10)
        })
        .collect();
    assert_eq!(rounded, expected);
}

#[tokio::test(start_paused = true)]
async fn last_call_tells_all_that_are_left() {
    let endpoint = CableEndpoint::new(cable());
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(welcomed(&endpoint).await);
    }
    let cable = endpoint.cable().clone();
    let begun = Instant::now();
    let drained = tokio::spawn({
        let cable = cable.clone();
        async move { cable.drain_over(Duration::from_secs(3600)).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    cable.restart();
    drop(browsers);
    drained.await.expect("no panic");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

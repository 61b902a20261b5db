//! What a connection sees of a server that stops.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use sinew_web::{Server, ServerConfig};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::sync::oneshot;

use crate::http::{REQUEST, ask, expect_closed, peer};

/// Tells when the server looked for something to read and found nothing: from then on it waits.
struct Watched {
    stream: DuplexStream,
    waits: Option<oneshot::Sender<()>>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending()
            && let Some(waits) = self.waits.take()
        {
            waits.send(()).expect("the test waits for it");
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn server() -> Server {
    crate::http::server(ServerConfig::default())
}

/// A connection that the server waits on for its first request.
async fn silent(server: &Server) -> DuplexStream {
    let (stream, browser) = tokio::io::duplex(4096);
    let (waits, waited_for) = oneshot::channel();
    let stream = Watched {
        stream,
        waits: Some(waits),
    };
    tokio::spawn(server.serve_stream(stream, peer()));
    waited_for.await.expect("the server reads");
    browser
}

#[tokio::test(start_paused = true)]
async fn connection_accepted_a_moment_before_is_answered_once() {
    let server = server();
    let mut browser = silent(&server).await;
    server.stop();
    // The server has heard of it: an idle clock moves on only when nobody has anything to do.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(server.connections(), 1);

    assert!(ask(&mut browser).await.contains("connection: close"));
    expect_closed(&mut browser).await;
    server.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn request_on_its_way_is_read_to_its_end() {
    let server = server();
    let mut browser = silent(&server).await;
    browser.write_all(&REQUEST[..10]).await.expect("open");
    server.stop();
    tokio::time::sleep(Duration::from_secs(4)).await;
    browser.write_all(&REQUEST[10..]).await.expect("open");
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.expect("closed");
    assert!(answer.ends_with("Hello"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn connection_that_says_nothing_is_closed_after_a_while() {
    let server = server();
    let mut browser = silent(&server).await;
    server.stop();
    expect_closed(&mut browser).await;
    server.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_at_once() {
    let server = server();
    let mut browser = silent(&server).await;
    assert!(!ask(&mut browser).await.contains("connection: close"));
    let before = tokio::time::Instant::now();
    server.stop();
    expect_closed(&mut browser).await;
    server.stopped().await;
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn request_that_has_come_on_an_idle_connection_is_answered() {
    let server = server();
    let mut browser = silent(&server).await;
    ask(&mut browser).await;
    // No task runs in between.
    browser.write_all(REQUEST).await.expect("open");
    server.stop();
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.expect("closed");
    assert!(answer.ends_with("Hello"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn silence_without_a_stop_is_bounded_too() {
    let server = server();
    let mut browser = silent(&server).await;
    expect_closed(&mut browser).await;
    let mut idle = silent(&server).await;
    ask(&mut idle).await;
    expect_closed(&mut idle).await;
    assert_eq!(server.connections(), 0);
    assert_eq!(server.admission().statistics().header_timeouts, 1);
}

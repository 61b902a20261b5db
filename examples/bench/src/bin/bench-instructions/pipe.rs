//! The endpoint of `sinew-web` with sockets that are memory: its task, its reads and writes, but no system calls.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use anyhow::{Result, ensure};
use sinew::cable::ConnectRequest;
use sinew_cable::Broadcaster;
use sinew_web::CableEndpoint;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::application::{Application, RECEIVERS};
use crate::driver::{command, masked};
use crate::message::Scenario;

/// An action of a channel that sends its data back.
pub(crate) async fn echo(application: &Application, count: usize) -> Result<()> {
    let endpoint = CableEndpoint::new(application.cable());
    let wire = Arc::new(Wire::default());
    let client = Client::open(&endpoint, &wire).await?;
    let scenario = Scenario::Echo;
    let identifier = scenario.identifier().unwrap_or_default();
    client.ask(&command("subscribe", identifier, "")).await?;
    let message = masked(&scenario.message().text);
    for _ in 0..count {
        client.ask(&message).await?;
    }
    Ok(())
}

/// So many receivers in all, a thousand at a time.
pub(crate) async fn broadcast(application: &Application, count: usize) -> Result<()> {
    ensure!(count.is_multiple_of(RECEIVERS), "thousands of receivers");
    let endpoint = CableEndpoint::new(application.cable());
    let wire = Arc::new(Wire::default());
    let subscribe = command("subscribe", r#"{"channel":"BenchChannel"}"#, "");
    let mut clients = Vec::with_capacity(RECEIVERS);
    for _ in 0..RECEIVERS {
        let client = Client::open(&endpoint, &wire).await?;
        client.ask(&subscribe).await?;
        clients.push(client);
    }
    let broadcaster = Broadcaster::new(application.streams());
    for _ in 0..count / RECEIVERS {
        broadcaster.broadcast("bench", "hello, everybody").await?;
        wire.written(RECEIVERS).await?;
    }
    Ok(())
}

/// Counts what the server writes to all its clients.
#[derive(Default)]
struct Wire {
    writes: AtomicUsize,
    awaited: AtomicUsize,
    all_written: Notify,
}

impl Wire {
    /// Waits for so many writes, and takes it that each is one frame.
    async fn written(&self, count: usize) -> Result<()> {
        self.awaited.store(count, Relaxed);
        while self.writes.load(Relaxed) < count {
            self.all_written.notified().await;
        }
        let writes = self.writes.swap(0, Relaxed);
        ensure!(writes == count, "{writes} writes instead of {count}");
        Ok(())
    }

    fn write(&self) {
        let writes = self.writes.fetch_add(1, Relaxed) + 1;
        if writes == self.awaited.load(Relaxed) {
            self.all_written.notify_one();
        }
    }
}

struct Client {
    wire: Arc<Wire>,
    sent: Arc<Mutex<Sent>>,
}

/// What the client has sent and the server has not read.
#[derive(Default)]
struct Sent {
    bytes: Vec<u8>,
    is_gone: bool,
    reader: Option<Waker>,
}

impl Client {
    async fn open(endpoint: &CableEndpoint, wire: &Arc<Wire>) -> Result<Self> {
        let client = Self {
            wire: wire.clone(),
            sent: Arc::default(),
        };
        let socket = Socket {
            wire: wire.clone(),
            sent: client.sent.clone(),
        };
        endpoint.serve(socket, bytes::Bytes::new(), ConnectRequest::default());
        wire.written(1).await?;
        Ok(client)
    }

    /// Sends a frame that is answered by one write.
    async fn ask(&self, frame: &[u8]) -> Result<()> {
        self.send(|sent| sent.bytes.extend_from_slice(frame));
        self.wire.written(1).await
    }

    fn send(&self, change: impl FnOnce(&mut Sent)) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut sent);
        if let Some(reader) = sent.reader.take() {
            reader.wake();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.send(|sent| sent.is_gone = true);
    }
}

/// The server's end.
struct Socket {
    wire: Arc<Wire>,
    sent: Arc<Mutex<Sent>>,
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.bytes.is_empty() && !sent.is_gone {
            sent.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = sent.bytes.len().min(buffer.remaining());
        buffer.put_slice(&sent.bytes[..count]);
        sent.bytes.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.wire.write();
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

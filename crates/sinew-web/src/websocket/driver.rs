use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sinew_cable::{ConnectRequest, Link};
use sinew_websocket::{CloseCode, Effect, Endpoint, Limits, Role};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::WebSocketConfig;

/// How much one read may bring: one buffer per thread, none per connection.
const READ_BYTES: usize = 64 * 1024;
/// About how much mail is gathered into one write.
const GATHER_BYTES: usize = 64 * 1024;
/// A thread's buffers that a large message has grown beyond this are given back.
const SCRATCH_BYTES_MAX: usize = 1024 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        read: vec![0; READ_BYTES].into_boxed_slice(),
        out: Vec::with_capacity(GATHER_BYTES),
    });
}

/// What a connection needs only while something happens to it.
struct Scratch {
    read: Box<[u8]>,
    out: Vec<u8>,
}

/// One connection's only task: moves bytes between its socket and its link.
pub(super) struct Driver<S> {
    socket: S,
    endpoint: Endpoint,
    link: Link,
    config: Arc<WebSocketConfig>,
    /// Until the first poll.
    opening: Option<Box<Opening>>,
    /// While the socket does not take what there is to write.
    stalled: Option<Box<Stalled>>,
    phase: Phase,
}

struct Opening {
    request: Arc<ConnectRequest>,
    already_read: Bytes,
}

struct Stalled {
    rest: Vec<u8>,
    written: usize,
    deadline: Pin<Box<Sleep>>,
}

enum Phase {
    Open,
    /// Our close is written or about to be; the peer's answer is awaited.
    Closing(Pin<Box<Sleep>>),
    /// The peer broke the protocol: our close goes out, then our half of the socket is shut, and what it still sends is
    /// read and dropped. Dropping the socket with bytes unread would reset it, and the close might never be seen.
    Lingering {
        deadline: Pin<Box<Sleep>>,
        shut: bool,
    },
    /// Nothing more is expected: when all is written, it is over.
    Finished,
}

/// Whether to go on.
enum Step {
    Again,
    Over,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    pub(super) fn new(
        socket: S,
        link: Link,
        config: Arc<WebSocketConfig>,
        request: Arc<ConnectRequest>,
        already_read: Bytes,
    ) -> Self {
        let limits = Limits::default().with_message_bytes_max(config.message_bytes_max);
        Self {
            socket,
            endpoint: Endpoint::new(Role::Server, &limits),
            link,
            config,
            opening: Some(Box::new(Opening {
                request,
                already_read,
            })),
            stalled: None,
            phase: Phase::Open,
        }
    }

    fn run(&mut self, context: &mut Context<'_>, scratch: &mut Scratch) -> Poll<()> {
        scratch.out.clear();
        // One look at the clock per wake: the connection asks for it only to give up on an application.
        let now = Instant::now();
        if let Some(opening) = self.opening.take() {
            self.link.start(now, opening.request, &mut scratch.out);
            if !opening.already_read.is_empty() {
                let mut input = opening.already_read.to_vec();
                self.receive(now, &mut input, &mut scratch.out);
            }
        }
        loop {
            if self.stalled.is_some()
                && let Step::Over = ready!(self.poll_stalled(context))
            {
                return Poll::Ready(());
            }
            self.gather(now, &mut scratch.out);
            if !scratch.out.is_empty() {
                match self.poll_write(context, &mut scratch.out) {
                    Ok(()) => continue,
                    Err(error) => {
                        tracing::debug!(%error, "socket failed while writing");
                        return Poll::Ready(());
                    }
                }
            }
            match &mut self.phase {
                Phase::Open => {}
                Phase::Finished => return Poll::Ready(()),
                Phase::Closing(deadline) => {
                    if deadline.as_mut().poll(context).is_ready() {
                        return Poll::Ready(());
                    }
                }
                Phase::Lingering { deadline, shut } => {
                    if deadline.as_mut().poll(context).is_ready() {
                        return Poll::Ready(());
                    }
                    if !*shut {
                        match Pin::new(&mut self.socket).poll_shutdown(context) {
                            Poll::Ready(Ok(())) => *shut = true,
                            Poll::Ready(Err(_)) => return Poll::Ready(()),
                            Poll::Pending => {}
                        }
                    }
                }
            }
            // An application that is behind is not given more: the socket's own buffers hold the client back.
            let may_read = !self.link.is_congested() || !matches!(self.phase, Phase::Open);
            if may_read && let Poll::Ready(step) = self.poll_read(now, context, scratch) {
                match step {
                    Step::Again => continue,
                    Step::Over => return Poll::Ready(()),
                }
            }
            if self.link.park(context.waker()) {
                return Poll::Pending;
            }
        }
    }

    /// Appends what waits in the mailbox, and the close when the connection has ended.
    fn gather(&mut self, now: Instant, out: &mut Vec<u8>) {
        let before = out.len();
        self.link.deliver(now, GATHER_BYTES, out);
        if matches!(self.phase, Phase::Lingering { .. } | Phase::Finished) {
            // Nothing may follow a close frame.
            out.truncate(before);
        }
        if let (Phase::Open, Some(closing)) = (&self.phase, self.link.closing()) {
            let code = CloseCode::new(closing.code).unwrap_or(CloseCode::NORMAL);
            out.extend_from_slice(&self.endpoint.close(code, closing.text));
            self.phase = Phase::Closing(sleep(self.config.close_timeout));
        }
    }

    fn poll_read(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Poll<Step> {
        let Scratch { read, out } = scratch;
        let mut buffer = ReadBuf::new(read);
        match ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => Poll::Ready(Step::Over),
            Ok(()) => {
                self.receive(now, buffer.filled_mut(), out);
                Poll::Ready(Step::Again)
            }
            Err(error) => {
                tracing::debug!(%error, "socket failed while reading");
                Poll::Ready(Step::Over)
            }
        }
    }

    fn receive(&mut self, now: Instant, input: &mut [u8], out: &mut Vec<u8>) {
        let Self {
            endpoint,
            link,
            phase,
            config,
            ..
        } = self;
        endpoint.receive(input, |effect| match effect {
            Effect::Text(text) => link.receive_text(now, text, out),
            Effect::Binary(bytes) => link.receive_binary(now, bytes, out),
            Effect::Send(frame) => out.extend_from_slice(&frame),
            Effect::Closed { .. } => *phase = Phase::Finished,
            Effect::Failed { error, .. } => {
                tracing::debug!(%error, "connection failed");
                *phase = Phase::Lingering {
                    deadline: sleep(config.close_timeout),
                    shut: false,
                };
            }
            _ => {}
        });
    }

    /// Writes as much as the socket takes; keeps only the rest.
    fn poll_write(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let mut written = 0;
        while written < out.len() {
            match Pin::new(&mut self.socket).poll_write(context, &out[written..]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => written += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    self.stalled = Some(Box::new(Stalled {
                        rest: out[written..].to_vec(),
                        written: 0,
                        deadline: sleep(self.config.write_timeout),
                    }));
                    break;
                }
            }
        }
        out.clear();
        if out.capacity() > SCRATCH_BYTES_MAX {
            *out = Vec::with_capacity(GATHER_BYTES);
        }
        Ok(())
    }

    /// Nothing else happens while the socket does not take what there is: the mailbox is bounded, and nothing is read.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let Some(stalled) = &mut self.stalled else {
            return Poll::Ready(Step::Again);
        };
        while stalled.written < stalled.rest.len() {
            match Pin::new(&mut self.socket).poll_write(context, &stalled.rest[stalled.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Step::Over),
                Poll::Ready(Ok(count)) => stalled.written += count,
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "socket failed while writing");
                    return Poll::Ready(Step::Over);
                }
                Poll::Pending => {
                    ready!(stalled.deadline.as_mut().poll(context));
                    tracing::debug!("a write took longer than its time, connection dropped");
                    return Poll::Ready(Step::Over);
                }
            }
        }
        self.stalled = None;
        Poll::Ready(Step::Again)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        SCRATCH.with_borrow_mut(|scratch| self.run(context, scratch))
    }
}

fn sleep(duration: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(duration))
}

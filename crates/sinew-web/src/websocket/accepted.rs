//! A connection that a shard accepted and does not keep: on its way to the server of pages.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

/// A connection that a shard accepted and that is none of the cable's, with what was read from it so far.
///
/// A stream of bytes to serve HTTP on.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/pages.rs"));
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// struct Echo;
///
/// impl Door for Echo {
///     fn admit(&self, _: &mut Request<()>) -> Option<Effective> {
///         None
///     }
///
///     fn serve(&self, stream: AcceptedStream, _: SocketAddr, _: Option<Arrival>) {
///         tokio::spawn(async move {
///             let (mut read, mut write) = tokio::io::split(stream);
///             tokio::io::copy(&mut read, &mut write).await
///         });
///     }
/// }
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listening = endpoint()?.listen("127.0.0.1:0".parse()?, Arc::new(Echo))?;
/// let mut socket = tokio::net::TcpStream::connect(listening.local_addr()).await?;
/// socket.write_all(b"hello").await?;
/// let mut echo = [0; 5];
/// socket.read_exact(&mut echo).await?;
/// assert_eq!(&echo, b"hello");
/// # Ok(()) }
/// ```
pub struct AcceptedStream {
    /// Read already, and to be read again first.
    head: Bytes,
    rest: Rest,
}

/// Where the rest comes from.
enum Rest {
    Tcp(TcpStream),
    /// The socket stays with its shard, which passes the bytes on.
    Passed(DuplexStream),
}

impl AcceptedStream {
    pub(crate) fn tcp(head: Bytes, socket: TcpStream) -> Self {
        Self {
            head,
            rest: Rest::Tcp(socket),
        }
    }

    pub(super) fn passed(stream: DuplexStream) -> Self {
        Self {
            head: Bytes::new(),
            rest: Rest::Passed(stream),
        }
    }
}

impl AsyncRead for AcceptedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let count = self.head.len().min(buffer.remaining());
            buffer.put_slice(&self.head[..count]);
            self.head.advance(count);
            return Poll::Ready(Ok(()));
        }
        match &mut self.rest {
            Rest::Tcp(socket) => Pin::new(socket).poll_read(context, buffer),
            Rest::Passed(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for AcceptedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.rest {
            Rest::Tcp(socket) => Pin::new(socket).poll_write(context, bytes),
            Rest::Passed(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.rest {
            Rest::Tcp(socket) => Pin::new(socket).poll_write_vectored(context, slices),
            Rest::Passed(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.rest {
            Rest::Tcp(socket) => Pin::new(socket).poll_flush(context),
            Rest::Passed(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.rest {
            Rest::Tcp(socket) => Pin::new(socket).poll_shutdown(context),
            Rest::Passed(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

//! What comes first on a connection, looked at before it is a request: clients of the cable need no more of a server.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::accept::set_nodelay;
use super::admission::Arrival;
use super::connection::Silence;
use super::{CableEntrance, Server};
use crate::websocket::{AcceptedStream, Look};

/// How much of a request is looked at: more than a browser sends to open a socket. A longer one is the router's.
const HEAD_BYTES: usize = 8 * 1024;

/// What became of a connection.
enum First {
    /// It belongs to somebody else now, or is closed.
    Gone,
    /// Nothing has come yet.
    Silent(TcpStream, Arrival),
}

/// Takes in a connection. Most clients have sent their request by the time they are accepted, so it is looked for at
/// once.
pub(super) fn take(
    server: &Server,
    entrance: &Arc<CableEntrance>,
    socket: TcpStream,
    peer: SocketAddr,
) {
    let arrival = server.admission().arrives(peer.ip());
    let First::Silent(socket, arrival) = look(entrance, socket, peer, arrival) else {
        return;
    };
    tokio::spawn(wait(server, entrance.clone(), socket, peer, arrival));
}

/// Until something comes, or too long nothing.
fn wait(
    server: &Server,
    entrance: Arc<CableEntrance>,
    mut socket: TcpStream,
    peer: SocketAddr,
    mut arrival: Arrival,
) -> impl Future<Output = ()> + Send + 'static {
    // Counted from now on.
    let mut stopping = server.is_stopping.subscribe();
    async move {
        let mut silence = Silence::new(arrival.admission().config());
        let mut is_stopping = false;
        loop {
            tokio::select! {
                biased;
                readable = socket.readable() => {
                    if readable.is_err() {
                        return;
                    }
                    // What comes after this look is a new event.
                    let nothing = socket.try_io(tokio::io::Interest::READABLE, || peek(&socket));
                    if matches!(&nothing, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                        continue;
                    }
                    match look(&entrance, socket, peer, arrival) {
                        First::Gone => return,
                        First::Silent(again, still) => (socket, arrival) = (again, still),
                    }
                }
                () = std::future::poll_fn(|context| silence.poll(context, &arrival, is_stopping)) => return,
                _ = stopping.wait_for(|it| *it), if !is_stopping => {
                    is_stopping = true;
                    silence.stops(arrival.admission().config());
                }
            }
        }
    }
}

/// Whether there is anything: an error when not.
fn peek(socket: &TcpStream) -> io::Result<()> {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    SockRef::from(socket).peek(&mut byte).map(drop)
}

/// Looks at what has come, past the runtime, which has not heard of the socket yet.
fn look(entrance: &CableEntrance, socket: TcpStream, peer: SocketAddr, arrival: Arrival) -> First {
    let mut buffer = [0; HEAD_BYTES];
    let count = match (&*SockRef::from(&socket)).read(&mut buffer) {
        Ok(0) => return First::Gone,
        Ok(count) => count,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            return First::Silent(socket, arrival);
        }
        Err(_) => return First::Gone,
    };
    let bytes = &buffer[..count];
    match entrance
        .endpoint
        .look(&*entrance.door, bytes, peer, &arrival)
    {
        Look::Cable(visitor) => {
            if let Err(error) = entrance.endpoint.take_in(socket, *visitor) {
                tracing::debug!(%error, "a socket could not be taken from its runtime");
            }
        }
        Look::Refused(answer) => {
            // It is told once; whether it listens is its own affair.
            let _ = (&*SockRef::from(&socket)).write(&answer);
        }
        Look::Other => {
            set_nodelay(&socket);
            let stream = AcceptedStream::tcp(Bytes::copy_from_slice(bytes), socket);
            entrance.door.serve(stream, peer, Some(arrival));
        }
    }
    First::Gone
}

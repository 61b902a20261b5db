//! Sockets that listen.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Binds so many sockets to one address, between which the system spreads those who connect. They do not block.
///
/// Sockets can share an address only if all of them say so beforehand (`SO_REUSEPORT`), and then another process of the
/// same user could as well: its visitors and ours would be dealt out between two programs. So the address is first bound
/// without sharing: one that is taken is refused, also by a process that shares.
///
/// Port 0 is a port that is free.
///
/// ```
/// use sinew_web::server::listen;
/// use std::io::ErrorKind;
///
/// let listeners = listen("127.0.0.1:0".parse()?, 128, 2)?;
/// let address = listeners[0].local_addr()?;
/// assert_eq!(listeners[1].local_addr()?, address);
///
/// // They share the address with each other, and with nobody else.
/// for sockets in [1, 2] {
///     let taken = listen(address, 128, sockets).unwrap_err();
///     assert_eq!(taken.kind(), ErrorKind::AddrInUse);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`AddrInUse`](io::ErrorKind::AddrInUse) when somebody has the address, whatever else the system says of it, and
/// [`Unsupported`](io::ErrorKind::Unsupported) for more than one socket where the system does not spread.
pub fn listen(address: SocketAddr, backlog: u32, sockets: usize) -> io::Result<Vec<TcpListener>> {
    let probe = bind(address, false)?;
    // Sockets that only are bound may share all the same; one that listens does not.
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    probe.listen(backlog)?;
    if sockets <= 1 {
        return Ok(vec![probe.into()]);
    }
    let address = probe.local_addr()?.as_socket().unwrap_or(address);
    drop(probe);
    // All are bound before any listens: whoever connects to one that is not yet there is refused.
    let bound: Vec<Socket> = (0..sockets)
        .map(|_| bind(address, true))
        .collect::<io::Result<_>>()?;
    for socket in &bound {
        socket.listen(backlog)?;
    }
    Ok(bound.into_iter().map(TcpListener::from).collect())
}

fn bind(address: SocketAddr, is_shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // On unix it lets an address be bound whose last connections are still remembered; elsewhere it means sharing.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if is_shared {
        share(&socket)?;
    }
    // Whatever it accepts inherits that: answers are small and each is whole.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn share(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(target_os = "linux"))]
fn share(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

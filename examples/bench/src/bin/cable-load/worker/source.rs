//! Where clients come from: addresses of the loopback network, so that ports do not run out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// Ports taken of one address before the next one is used.
///
/// The kernel looks for a free port by trying them, and slows from thousands of connections a
/// second to tens past half of its range: ports are named here instead, and few of each address.
const PORTS: u32 = 8_000;
const PORT_FIRST: u16 = 20_000;
/// Addresses tried when somebody else has the port.
const ATTEMPTS_MAX: u32 = 64;
/// What a client that stops reading takes of what is sent to it: the kernel's least, nearly.
const STALLED_RECEIVE_BYTES: usize = 4096;
/// Its segments are those of an ordinary network. With those of loopback, 64 KiB each, the kernel
/// would keep megabytes for it at the server's end before the server hears of it.
const STALLED_SEGMENT_BYTES: u32 = 1400;

/// Hands out addresses and ports, each once before it begins again after 65,536 addresses.
pub(super) struct Source {
    /// The second number of `127.x.0.0`.
    network: u8,
    next: u32,
}

impl Source {
    pub(super) fn new(network: u8) -> Self {
        // A run does not begin where one before it has left connections that the kernel still remembers.
        let begins = std::process::id() % 0x1_0000;
        Self {
            network,
            next: begins * PORTS,
        }
    }

    fn take(&mut self) -> SocketAddr {
        let number = self.next;
        self.next = number.wrapping_add(1);
        let [_, _, third, fourth] = (number / PORTS).to_be_bytes();
        let address = Ipv4Addr::new(127, self.network, third, fourth);
        let port = PORT_FIRST + (number % PORTS) as u16;
        SocketAddr::new(address.into(), port)
    }

    /// Begins to connect.
    ///
    /// # Errors
    ///
    /// What the kernel says, among it that this process may open no further file.
    pub(super) fn connect(
        &mut self,
        address: SocketAddr,
        is_stalled: bool,
    ) -> io::Result<TcpStream> {
        for _ in 0..ATTEMPTS_MAX {
            let socket = Socket::new(
                Domain::for_address(address),
                Type::STREAM.nonblocking(),
                Some(Protocol::TCP),
            )?;
            if is_stalled {
                socket.set_recv_buffer_size(STALLED_RECEIVE_BYTES)?;
                socket.set_tcp_mss(STALLED_SEGMENT_BYTES)?;
            }
            if matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback()) {
                socket.set_reuse_address(true)?;
                if socket.bind(&self.take().into()).is_err() {
                    continue;
                }
            }
            socket.set_tcp_nodelay(true)?;
            match socket.connect(&address.into()) {
                Ok(()) => {}
                Err(error) if is_under_way(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => continue,
                Err(error) => return Err(error),
            }
            return Ok(TcpStream::from_std(socket.into()));
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_address_is_given_twice_and_none_has_more_than_its_share_of_ports() {
        let mut source = Source::new(77);
        let taken: Vec<_> = (0..3 * PORTS).map(|_| source.take()).collect();
        assert_eq!(
            taken.iter().collect::<HashSet<_>>().len(),
            3 * PORTS as usize
        );
        let addresses: HashSet<_> = taken.iter().map(SocketAddr::ip).collect();
        assert!(addresses.len() <= 4, "{addresses:?}");
        assert!(addresses.iter().all(IpAddr::is_loopback));
    }
}

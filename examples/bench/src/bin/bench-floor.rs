//! The floor: the least that a message and its answer cost on this machine.
//!
//! One thread waits on epoll, reads bytes and writes the same bytes. No frames, no protocol, no
//! application; prints the port it listens on.

#![allow(
    clippy::print_stdout,
    reason = "the port is what whoever starts it waits for"
)]

use std::io::{self, Read as _, Write as _};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// The listener's token; connections have their place in the list.
const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 64 * 1024;

struct Connection {
    socket: TcpStream,
    /// What the socket has not taken yet.
    rest: Vec<u8>,
}

fn main() -> anyhow::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    println!("{}", listener.local_addr()?.port());
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;

    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&poll, &listener, &mut connections)?;
                continue;
            }
            let place = &mut connections[event.token().0];
            if let Some(connection) = place
                && echo(connection, &mut buffer).is_err()
            {
                *place = None;
            }
        }
    }
}

fn accept(
    poll: &Poll,
    listener: &TcpListener,
    connections: &mut Vec<Option<Connection>>,
) -> anyhow::Result<()> {
    loop {
        let mut socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        socket.set_nodelay(true)?;
        let free = connections.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        poll.registry().register(
            &mut socket,
            Token(place),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        connections[place] = Some(Connection {
            socket,
            rest: Vec::new(),
        });
    }
}

/// Reads what there is and writes it back. An error ends the connection.
fn echo(connection: &mut Connection, buffer: &mut [u8]) -> io::Result<()> {
    let Connection { socket, rest } = connection;
    while !rest.is_empty() {
        match socket.write(rest) {
            Ok(count) => drop(rest.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    loop {
        let count = match socket.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut written = 0;
        while written < count {
            match socket.write(&buffer[written..count]) {
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    rest.extend_from_slice(&buffer[written..count]);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        // A read that did not fill the buffer took all there was: what comes later is a new event.
        if count < buffer.len() {
            return Ok(());
        }
    }
}

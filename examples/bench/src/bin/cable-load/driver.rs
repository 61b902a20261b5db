//! Who asks the server for broadcasts: a connection of its own, in no room.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sinew_websocket::handshake::{client_request, read_response};
use sinew_websocket::{Effect, Endpoint, Limits, Role};

use crate::clock::now_us;
use crate::target::{Target, Trigger};
use crate::worker::message::{self, Broadcast, CLIENT_KEY, Heard};

/// How long each step of the opening may take.
const OPEN_TIME_MAX: Duration = Duration::from_secs(10);
/// The room nobody else is in.
const ROOM: &str = "driver";

pub(crate) struct Driver {
    way: Way,
    next: u32,
    /// The last broadcast of each room.
    previous: Vec<Option<u32>>,
}

enum Way {
    Cable {
        socket: TcpStream,
        identifier: String,
        reader: Option<JoinHandle<()>>,
    },
    Http {
        socket: TcpStream,
        head: String,
    },
}

/// A broadcast that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) number: u32,
    pub(crate) at_us: u64,
}

impl Driver {
    pub(crate) fn connect(target: &Target) -> Result<Self> {
        let mut socket = TcpStream::connect(target.addresses[0]).context("cannot connect")?;
        socket.set_nodelay(true)?;
        let way = match &target.trigger {
            Trigger::Http(path) => Way::Http {
                head: format!("POST {path} HTTP/1.1\r\nHost: {}\r\n", target.host),
                socket,
            },
            Trigger::Action => {
                let identifier = target.identifier.replace("{room}", ROOM);
                socket.set_read_timeout(Some(OPEN_TIME_MAX))?;
                let mut endpoint = Endpoint::new(Role::Client, &Limits::default());
                subscribe(&mut socket, target, &identifier, &mut endpoint)?;
                socket.set_read_timeout(None)?;
                let mut copy = socket.try_clone()?;
                let reader = thread::spawn(move || answer(&mut copy, endpoint));
                Way::Cable {
                    socket,
                    identifier,
                    reader: Some(reader),
                }
            }
        };
        Ok(Self {
            way,
            next: 0,
            previous: Vec::new(),
        })
    }

    /// The number of the next broadcast.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Asks for a broadcast to the room, with data of about so many bytes.
    pub(crate) fn broadcast(&mut self, room: u32, bytes: usize) -> Result<Asked> {
        if self.previous.len() <= room as usize {
            self.previous.resize(room as usize + 1, None);
        }
        let broadcast = Broadcast {
            number: self.next,
            previous: self.previous[room as usize],
            at_us: now_us(),
        };
        self.previous[room as usize] = Some(self.next);
        self.next += 1;
        let data = broadcast.data(room, bytes);
        match &mut self.way {
            Way::Cable {
                socket, identifier, ..
            } => {
                let text = message::command("message", identifier, Some(&data));
                socket
                    .write_all(&message::frame(text.as_bytes()))
                    .context("the connection that asks for broadcasts has ended")?;
            }
            Way::Http { socket, head } => post(socket, head, room, &data)?,
        }
        Ok(Asked {
            number: broadcast.number,
            at_us: broadcast.at_us,
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Way::Cable { socket, reader, .. } = &mut self.way {
            // A server that was killed has closed it already.
            let _ = socket.shutdown(Shutdown::Both);
            if let Some(reader) = reader.take() {
                let _ = reader.join();
            }
        }
    }
}

fn subscribe(
    socket: &mut TcpStream,
    target: &Target,
    identifier: &str,
    endpoint: &mut Endpoint,
) -> Result<()> {
    let origin = format!("http://{}", target.host);
    let headers = [
        ("Sec-WebSocket-Protocol", "actioncable-v1-json"),
        ("Origin", &*origin),
    ];
    let request = client_request(&target.host, &target.path, CLIENT_KEY, &headers);
    socket.write_all(request.as_bytes())?;
    let mut input = Vec::new();
    loop {
        read_more(socket, &mut input)?;
        if let Some(response) = read_response(&input, CLIENT_KEY)? {
            input.drain(..response.header_bytes);
            break;
        }
    }
    let command = message::frame(message::command("subscribe", identifier, None).as_bytes());
    loop {
        let (mut welcome, mut confirmed, mut refused) = (false, false, None);
        endpoint.receive(&mut input, |effect| match effect {
            Effect::Text(text) => match Heard::of(text) {
                Heard::Welcome => welcome = true,
                Heard::Confirmed => confirmed = true,
                Heard::Ping => {}
                _ => refused = Some(text.to_owned()),
            },
            Effect::Send(_) | Effect::Pong(_) => {}
            effect => refused = Some(format!("{effect:?}")),
        });
        input.clear();
        if let Some(refused) = refused {
            bail!("not subscribed to {identifier}: {refused}");
        }
        if welcome {
            socket.write_all(&command)?;
        }
        if confirmed {
            return Ok(());
        }
        read_more(socket, &mut input)?;
    }
}

fn read_more(socket: &mut TcpStream, input: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 4096];
    let count = socket
        .read(&mut buffer)
        .context("no answer to the opening")?;
    ensure!(count > 0, "the server closed the connection at once");
    input.extend_from_slice(&buffer[..count]);
    Ok(())
}

/// Reads what comes, so that the connection stays alive, until it ends.
fn answer(socket: &mut TcpStream, mut endpoint: Endpoint) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = socket.read(&mut buffer) {
        if count == 0 {
            return;
        }
        let mut answers = Vec::new();
        endpoint.receive(&mut buffer[..count], |effect| {
            if let Effect::Send(frame) = effect {
                answers.extend_from_slice(&frame);
            }
        });
        if !answers.is_empty() && socket.write_all(&answers).is_err() {
            return;
        }
    }
}

fn post(socket: &mut TcpStream, head: &str, room: u32, data: &str) -> Result<()> {
    let stream = format!("bench_{room}");
    let body = serde_json::json!({ "stream": stream, "data": data }).to_string();
    let bytes = body.len();
    let request =
        format!("{head}Content-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n{body}");
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|it| it == b"\r\n\r\n") {
        read_more(socket, &mut answer)?;
    }
    let status = answer.get(9..10).unwrap_or_default();
    ensure!(
        status == b"2",
        "the broadcast was refused: {}",
        String::from_utf8_lossy(&answer)
    );
    Ok(())
}

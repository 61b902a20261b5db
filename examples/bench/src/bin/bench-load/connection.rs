//! One connection of the load: opened as a browser opens it, then kept busy with one message at a time.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as Blocking};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mio::net::TcpStream;
use sinew_websocket::handshake::{client_key, client_request, read_response};
use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, masked_frame_into, random_mask_key};

use crate::message::{ID_BYTES, Message, Scenario};

/// How long opening a connection may take at each step.
const OPEN_TIME_MAX: Duration = Duration::from_secs(10);
const SUBPROTOCOL: (&str, &str) = (
    "Sec-WebSocket-Protocol",
    "actioncable-v1-json, actioncable-unsupported",
);

/// Bytes that went over the wire, as the load sees them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    scenario: Scenario,
    endpoint: Endpoint,
    number: usize,
    messages: u64,
    id: [u8; ID_BYTES],
    sent_at: Instant,
    /// The frame under way, kept for the floor to be compared with, and what of it is written.
    frame: Vec<u8>,
    written: usize,
    /// How much of the floor's answer has come.
    echoed: usize,
}

impl Connection {
    /// Connects and subscribes; `number` tells the connections of one load apart.
    pub(crate) fn open(address: SocketAddr, scenario: Scenario, number: usize) -> Result<Self> {
        let mut endpoint = Endpoint::new(Role::Client, &Limits::default());
        let cookie = match scenario {
            Scenario::Reflex(crate::message::Reflex::Session) => Some(session_cookie(address)?),
            _ => None,
        };
        let mut socket = connect(address)?;
        if let Some(identifier) = scenario.identifier() {
            subscribe(
                &mut socket,
                address,
                &mut endpoint,
                identifier,
                cookie.as_deref(),
            )?;
        }
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: TcpStream::from_std(socket),
            scenario,
            endpoint,
            number,
            messages: 0,
            id: [0; ID_BYTES],
            sent_at: Instant::now(),
            frame: Vec::new(),
            written: 0,
            echoed: 0,
        })
    }

    /// Sends the next message.
    pub(crate) fn send(&mut self, message: &mut Message, traffic: &mut Traffic) -> Result<()> {
        self.messages += 1;
        self.id = message.set_id(self.number, self.messages);
        self.frame.clear();
        masked_frame_into(
            &mut self.frame,
            Opcode::Text,
            &message.text,
            random_mask_key(),
        );
        self.written = 0;
        self.echoed = 0;
        self.sent_at = Instant::now();
        traffic.sent += self.frame.len() as u64;
        self.write_rest()
    }

    /// Goes on writing what the socket did not take.
    pub(crate) fn write_rest(&mut self) -> Result<()> {
        while self.written < self.frame.len() {
            match self.socket.write(&self.frame[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads what there is: how long the answer took, if that has come.
    ///
    /// Anything but the right answer, or a ping, is an error.
    pub(crate) fn receive(
        &mut self,
        message: &Message,
        buffer: &mut [u8],
        traffic: &mut Traffic,
    ) -> Result<Option<Duration>> {
        let mut answered = None;
        loop {
            let count = match self.socket.read(buffer) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(answered),
                Err(error) => return Err(error.into()),
            };
            traffic.received += count as u64;
            let is_answer = match self.scenario {
                Scenario::Floor => self.compare(&buffer[..count])?,
                _ => self.decode(&mut buffer[..count], message)?,
            };
            if is_answer {
                ensure!(answered.is_none(), "one message was answered twice");
                answered = Some(self.sent_at.elapsed());
            }
            if count < buffer.len() {
                return Ok(answered);
            }
        }
    }

    fn compare(&mut self, input: &[u8]) -> Result<bool> {
        let expected = self.frame.get(self.echoed..self.echoed + input.len());
        ensure!(expected == Some(input), "the floor gave other bytes back");
        self.echoed += input.len();
        Ok(self.echoed == self.frame.len())
    }

    fn decode(&mut self, input: &mut [u8], message: &Message) -> Result<bool> {
        let Self {
            endpoint,
            scenario,
            socket,
            id,
            ..
        } = self;
        let mut answers = 0;
        let mut outcome = Ok(());
        endpoint.receive(input, |effect| match effect {
            Effect::Text(text) if text.starts_with(r#"{"type":"ping""#) => {}
            Effect::Text(text) if scenario.accepts(text, message, id) => answers += 1,
            Effect::Text(text) => {
                let beginning: String = text.chars().take(1_000).collect();
                outcome = Err(anyhow::anyhow!(
                    "not the answer to {scenario:?}: {beginning}"
                ));
            }
            Effect::Send(frame) => {
                if let Err(error) = socket.write_all(&frame) {
                    outcome = Err(error.into());
                }
            }
            other => outcome = Err(anyhow::anyhow!("the connection ends: {other:?}")),
        });
        outcome?;
        ensure!(answers <= 1, "one message was answered twice");
        Ok(answers == 1)
    }
}

fn connect(address: SocketAddr) -> Result<Blocking> {
    let socket = Blocking::connect(address).context("cannot connect")?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(OPEN_TIME_MAX))?;
    Ok(socket)
}

/// The upgrade, the welcome, and a subscription that is confirmed.
fn subscribe(
    socket: &mut Blocking,
    address: SocketAddr,
    endpoint: &mut Endpoint,
    identifier: &str,
    cookie: Option<&str>,
) -> Result<()> {
    let key = client_key();
    let mut headers = vec![SUBPROTOCOL];
    headers.extend(cookie.map(|cookie| ("Cookie", cookie)));
    let request = client_request(&address.to_string(), "/cable", &key, &headers);
    socket.write_all(request.as_bytes())?;

    let mut input = Vec::new();
    loop {
        read_more(socket, &mut input)?;
        if let Some(response) = read_response(&input, &key)? {
            input.drain(..response.header_bytes);
            break;
        }
    }

    let command = serde_json::json!({ "command": "subscribe", "identifier": identifier });
    loop {
        let (mut welcome, mut confirmed, mut other) = (false, false, None);
        endpoint.receive(&mut input, |effect| match effect {
            Effect::Text(text) if text.contains(r#""type":"welcome""#) => welcome = true,
            Effect::Text(text) if text.contains(r#""type":"confirm_subscription""#) => {
                confirmed = true
            }
            Effect::Text(text) if text.contains(r#""type":"ping""#) => {}
            effect => other = Some(format!("{effect:?}")),
        });
        input.clear();
        if let Some(other) = other {
            bail!("not subscribed: {other}");
        }
        if welcome {
            let mut frame = Vec::new();
            let text = command.to_string();
            masked_frame_into(&mut frame, Opcode::Text, text.as_bytes(), random_mask_key());
            socket.write_all(&frame)?;
        }
        if confirmed {
            return Ok(());
        }
        read_more(socket, &mut input)?;
    }
}

fn read_more(socket: &mut Blocking, input: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 4096];
    let count = socket
        .read(&mut buffer)
        .context("no answer to the opening")?;
    ensure!(
        count > 0,
        "the server closed the connection while it was opened"
    );
    input.extend_from_slice(&buffer[..count]);
    Ok(())
}

/// Looks at the page as a visitor does, who gets a session with it.
fn session_cookie(address: SocketAddr) -> Result<String> {
    let mut socket = connect(address)?;
    let request = format!("GET /bench HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut response = String::new();
    socket.read_to_string(&mut response)?;
    let head = response.split("\r\n\r\n").next().unwrap_or_default();
    ensure!(head.starts_with("HTTP/1.1 200 "), "/bench answered: {head}");
    let cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie")
            .then(|| value.split(';').next())?
    });
    let cookie = cookie.context("/bench set no cookie")?;
    Ok(cookie.trim().to_owned())
}

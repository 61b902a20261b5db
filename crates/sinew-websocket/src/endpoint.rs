//! One side of one connection.

use bytes::Bytes;

use crate::deflate::Inflater;
use crate::header::{Expected, Header};
use crate::partial::{Arriving, Message, Partial};
use crate::{CloseCode, Effect, Limits, Opcode, ProtocolError, close, header, mask};

/// Which side of the connection an endpoint is.
///
/// ```
/// use sinew_websocket::{CloseCode, Endpoint, Limits, Role};
///
/// let mut server = Endpoint::new(Role::Server, &Limits::default());
/// let mut client = Endpoint::new(Role::Client, &Limits::default());
/// let (plain, masked) = (server.close(CloseCode::NORMAL, ""), client.close(CloseCode::NORMAL, ""));
/// assert_eq!(plain, &b"\x88\x02\x03\xe8"[..]);
/// assert_eq!(masked.len(), plain.len() + 4, "the mask's key");
/// assert_eq!(masked[1], 0x82, "masked, two bytes");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads masked frames and writes plain ones.
    Server,
    /// Reads plain frames and writes masked ones.
    Client,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No close frame in either direction.
    Open,
    /// This side has sent its close frame and waits for the peer's.
    Closing,
    /// Both have closed, or the peer has failed: nothing is read any more.
    Closed,
}

/// The reading half of one connection, with the answers that the protocol itself demands.
///
/// Small, and while nothing is half received it holds no memory of its own.
///
/// ```
/// use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, masked_frame_into};
///
/// let mut input = Vec::new();
/// masked_frame_into(&mut input, Opcode::Text, b"hello", [1, 2, 3, 4]);
///
/// let mut endpoint = Endpoint::new(Role::Server, &Limits::default());
/// let mut heard = Vec::new();
/// let (first, second) = input.split_at_mut(7);
/// for part in [first, second] {
///     endpoint.receive(part, |effect| {
///         if let Effect::Text(text) = effect {
///             heard.push(text.to_owned());
///         }
///     });
/// }
/// assert_eq!(heard, ["hello"]);
/// assert!(endpoint.is_idle(), "nothing is kept once the message is delivered");
/// assert!(endpoint.is_open() && !endpoint.is_closed());
/// ```
#[derive(Debug)]
pub struct Endpoint {
    partial: Option<Box<Partial>>,
    message_bytes_max: u32,
    role: Role,
    state: State,
    /// Whether messages may come compressed.
    deflate: bool,
}

impl Endpoint {
    /// An endpoint for a connection whose opening handshake is done.
    #[must_use]
    pub fn new(role: Role, limits: &Limits) -> Self {
        Self {
            partial: None,
            message_bytes_max: u32::try_from(limits.message_bytes_max).unwrap_or(u32::MAX),
            role,
            state: State::Open,
            deflate: false,
        }
    }

    /// The same endpoint, of a connection for which [permessage-deflate](crate::deflate) was agreed on: messages may come
    /// compressed.
    ///
    /// ```
    /// use sinew_websocket::{Effect, Endpoint, Limits, Role};
    ///
    /// let mut client = Endpoint::new(Role::Client, &Limits::default()).with_deflate();
    /// // The example of RFC 7692, 7.2.3.1.
    /// let mut input = *b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    /// client.receive(&mut input, |effect| assert_eq!(effect, Effect::Text("Hello")));
    /// assert!(client.is_open());
    /// ```
    #[must_use]
    pub fn with_deflate(mut self) -> Self {
        self.deflate = true;
        self
    }

    /// Reads what came from the peer, cut anywhere, and calls `on` for what comes of it, in order.
    ///
    /// All of `input` is used up, and left in an unspecified state: whole frames are unmasked where
    /// they stand and delivered from there, without a copy.
    /// The effects do not depend on how the bytes were cut into calls.
    ///
    /// After a close sent by [`close`](Self::close), input is still checked but no longer delivered
    /// nor are its pings answered; after [`Effect::Closed`] or [`Effect::Failed`] it is ignored.
    pub fn receive(&mut self, input: &mut [u8], mut on: impl FnMut(Effect<'_>)) {
        self.decode(input, &mut Inflater::default(), &mut on);
    }

    /// As [`receive`](Self::receive), with an inflater that may be shared with other connections: otherwise each
    /// compressed message, or each read that brings some, needs a new one.
    ///
    /// ```
    /// use sinew_websocket::deflate::Inflater;
    /// use sinew_websocket::{Effect, Endpoint, Limits, Role};
    ///
    /// let mut inflater = Inflater::default();
    /// let mut heard = 0;
    /// for mut client in [(); 2].map(|()| Endpoint::new(Role::Client, &Limits::default()).with_deflate()) {
    ///     let mut input = *b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    ///     client.receive_with(&mut inflater, &mut input, |effect| {
    ///         assert_eq!(effect, Effect::Text("Hello"));
    ///         heard += 1;
    ///     });
    /// }
    /// assert_eq!(heard, 2);
    /// ```
    pub fn receive_with(
        &mut self,
        inflater: &mut Inflater,
        input: &mut [u8],
        mut on: impl FnMut(Effect<'_>),
    ) {
        self.decode(input, inflater, &mut on);
    }

    /// Starts to close: the frame to send, or nothing if this side has already sent a close.
    ///
    /// A reason of more than 123 bytes is cut at a character.
    /// The closing is complete when the peer's close arrives as [`Effect::Closed`]; how long to wait
    /// for it is the caller's decision.
    ///
    /// ```
    /// use sinew_websocket::{CloseCode, Effect, Endpoint, Limits, Role};
    ///
    /// let mut server = Endpoint::new(Role::Server, &Limits::default());
    /// let mut client = Endpoint::new(Role::Client, &Limits::default());
    /// let mut going = server.close(CloseCode::GOING_AWAY, "restart").to_vec();
    /// assert!(!server.is_open() && !server.is_closed());
    /// assert!(server.close(CloseCode::NORMAL, "again").is_empty());
    ///
    /// let mut answer = Vec::new();
    /// client.receive(&mut going, |effect| {
    ///     if let Effect::Send(frame) = effect {
    ///         answer.extend(frame);
    ///     }
    /// });
    /// server.receive(&mut answer, |effect| {
    ///     assert!(matches!(effect, Effect::Closed { code: Some(CloseCode::GOING_AWAY), .. }));
    /// });
    /// assert!(server.is_closed() && client.is_closed());
    /// ```
    #[must_use = "the frame must be written to the peer"]
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Bytes {
        if self.state != State::Open {
            return Bytes::new();
        }
        self.state = State::Closing;
        self.frame(Opcode::Close, &close::payload(code, reason))
    }

    /// Whether no part of a frame or message is being kept.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// Whether this side may still send: neither side has closed and the peer has not failed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether the closing is complete or the peer has failed: further input is ignored.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Heap bytes held for what is half received: none while [idle](Self::is_idle).
    ///
    /// ```
    /// use sinew_websocket::{Endpoint, Limits, Role};
    ///
    /// let mut client = Endpoint::new(Role::Client, &Limits::default());
    /// assert_eq!(client.heap_bytes(), 0);
    /// let (mut begun, mut rest) = (b"\x81\x05he".to_vec(), b"llo".to_vec());
    /// client.receive(&mut begun, |_| panic!("not whole yet"));
    /// assert!(client.heap_bytes() > 0);
    /// client.receive(&mut rest, |_| {});
    /// assert_eq!(client.heap_bytes(), 0);
    /// ```
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.partial
            .as_ref()
            .map_or(0, |partial| partial.heap_bytes())
    }

    fn decode(
        &mut self,
        mut input: &mut [u8],
        inflater: &mut Inflater,
        on: &mut dyn FnMut(Effect<'_>),
    ) {
        while !input.is_empty() && self.state != State::Closed {
            let step = if self.partial.as_ref().is_some_and(|it| it.frame.is_some()) {
                self.continue_frame(input, inflater, on)
            } else {
                self.begin_frame(input, inflater, on)
            };
            match step {
                Ok(used) => input = &mut input[used..],
                Err(error) => self.fail(error, on),
            }
        }
        if self.state == State::Closed || self.partial.as_ref().is_some_and(|it| it.is_empty()) {
            self.partial = None;
        }
    }

    /// Reads a header, and the payload too if all of it is there: how many bytes that took.
    fn begin_frame(
        &mut self,
        input: &mut [u8],
        inflater: &mut Inflater,
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<usize, ProtocolError> {
        let Some((header, header_bytes)) = self.read_header(input)? else {
            return Ok(input.len());
        };
        let frame_bytes = header_bytes + header.payload_bytes;
        if let Some(payload) = input.get_mut(header_bytes..frame_bytes) {
            unmask(payload, &header, 0);
            self.whole_frame(&header, payload, inflater, on)?;
            return Ok(frame_bytes);
        }
        let partial = self.partial.get_or_insert_default();
        if matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            partial.message = Some(Message::begun_by(&header));
        }
        partial.frame = Some(Arriving {
            header,
            received: 0,
        });
        Ok(header_bytes)
    }

    /// The next header and how much of `input` belongs to it; `None` when it is not all there.
    fn read_header(&mut self, input: &[u8]) -> Result<Option<(Header, usize)>, ProtocolError> {
        let message = self.partial.as_ref().and_then(|it| it.message.as_ref());
        let expected = Expected {
            role: self.role,
            message_bytes: message.map(|message| message.bytes.len()),
            message_bytes_max: self.message_bytes_max,
            deflate: self.deflate,
        };
        let before = self.partial.as_ref().map_or(0, |it| it.header_bytes);
        if before == 0 {
            let read = Header::parse(input, &expected)?;
            if read.is_none() {
                let partial = self.partial.get_or_insert_default();
                partial.header[..input.len()].copy_from_slice(input);
                partial.header_bytes = input.len();
            }
            return Ok(read);
        }
        let partial = self.partial.get_or_insert_default();
        let added = input.len().min(partial.header.len() - before);
        partial.header[before..before + added].copy_from_slice(&input[..added]);
        let read = Header::parse(&partial.header[..before + added], &expected)?;
        partial.header_bytes = match read {
            Some(_) => 0,
            None => before + added,
        };
        Ok(read.map(|(header, bytes)| (header, bytes - before)))
    }

    /// Takes in more of a payload that did not come at once: how many bytes there were.
    fn continue_frame(
        &mut self,
        input: &mut [u8],
        inflater: &mut Inflater,
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<usize, ProtocolError> {
        let partial = self.partial.get_or_insert_default();
        let Some(Arriving { header, received }) = partial.frame else {
            return Ok(0);
        };
        let missing = header.payload_bytes - received;
        let used = missing.min(input.len());
        let chunk = &mut input[..used];
        unmask(chunk, &header, received);
        let done = used == missing;
        partial.frame = (!done).then_some(Arriving {
            header,
            received: received + used,
        });
        if header.opcode.is_control() {
            partial.control.extend_from_slice(chunk);
            if done {
                let payload = std::mem::take(&mut partial.control);
                self.control(header.opcode, &payload, on)?;
            }
        } else {
            self.append(&header, chunk, missing - used, inflater, on)?;
        }
        Ok(used)
    }

    fn whole_frame(
        &mut self,
        header: &Header,
        payload: &[u8],
        inflater: &mut Inflater,
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<(), ProtocolError> {
        match header.opcode {
            Opcode::Text | Opcode::Binary if header.fin => {
                let text = header.opcode == Opcode::Text;
                if header.compressed {
                    self.deliver_compressed(text, payload, inflater, on)
                } else {
                    self.deliver(text, payload, on)
                }
            }
            Opcode::Text | Opcode::Binary => {
                let message = Message::begun_by(header);
                self.partial.get_or_insert_default().message = Some(message);
                self.append(header, payload, 0, inflater, on)
            }
            Opcode::Continuation => self.append(header, payload, 0, inflater, on),
            Opcode::Close | Opcode::Ping | Opcode::Pong => self.control(header.opcode, payload, on),
        }
    }

    /// Adds payload to the message that is being kept, and delivers it when that was its end.
    ///
    /// `missing` bytes of the frame are still to come.
    fn append(
        &mut self,
        header: &Header,
        chunk: &[u8],
        missing: usize,
        inflater: &mut Inflater,
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<(), ProtocolError> {
        let partial = self.partial.get_or_insert_default();
        let message = partial
            .message
            .as_mut()
            .expect("a message begins before its bytes are added, and continuations are checked");
        let known_end = header
            .fin
            .then(|| message.bytes.len() + chunk.len() + missing);
        message.append(chunk, known_end)?;
        if missing == 0
            && header.fin
            && let Some(message) = partial.message.take()
        {
            if message.compressed {
                self.deliver_compressed(message.text, &message.bytes, inflater, on)?;
            } else {
                self.deliver(message.text, &message.bytes, on)?;
            }
        }
        Ok(())
    }

    /// Of a side that has closed, nothing is inflated: it would be work for a message that nobody hears.
    fn deliver_compressed(
        &mut self,
        text: bool,
        payload: &[u8],
        inflater: &mut Inflater,
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<(), ProtocolError> {
        if self.state != State::Open {
            return Ok(());
        }
        let inflated = inflater.inflate(payload, self.message_bytes_max);
        let delivered = inflated.and_then(|message| self.deliver(text, message, on));
        inflater.trim();
        delivered
    }

    fn deliver(
        &mut self,
        text: bool,
        payload: &[u8],
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<(), ProtocolError> {
        let effect = if text {
            Effect::Text(str::from_utf8(payload).map_err(|_| ProtocolError::InvalidUtf8)?)
        } else {
            Effect::Binary(payload)
        };
        if self.state == State::Open {
            on(effect);
        }
        Ok(())
    }

    fn control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        on: &mut dyn FnMut(Effect<'_>),
    ) -> Result<(), ProtocolError> {
        let open = self.state == State::Open;
        match opcode {
            Opcode::Close => {
                let (code, reason) = close::parse(payload)?;
                self.state = State::Closed;
                if open {
                    // Its own code back, as RFC 6455, 5.5.1 suggests, and its own reason, as the
                    // original's server does.
                    on(Effect::Send(self.frame(Opcode::Close, payload)));
                }
                on(Effect::Closed { code, reason });
            }
            Opcode::Ping if open => on(Effect::Send(self.frame(Opcode::Pong, payload))),
            Opcode::Pong if open => on(Effect::Pong(payload)),
            _ => {}
        }
        Ok(())
    }

    fn fail(&mut self, error: ProtocolError, on: &mut dyn FnMut(Effect<'_>)) {
        let code = error.close_code();
        let farewell = self.close(code, &error.to_string());
        self.state = State::Closed;
        if !farewell.is_empty() {
            on(Effect::Send(farewell));
        }
        on(Effect::Failed { code, error });
    }

    /// A frame of this side.
    fn frame(&self, opcode: Opcode, payload: &[u8]) -> Bytes {
        let key = match self.role {
            Role::Server => None,
            Role::Client => Some(mask::random_mask_key()),
        };
        let mut out =
            Vec::with_capacity(header::written_bytes(payload.len(), key.is_some()) + payload.len());
        match key {
            None => crate::frame_into(&mut out, opcode, payload),
            Some(key) => crate::masked_frame_into(&mut out, opcode, payload, key),
        }
        Bytes::from(out)
    }
}

fn unmask(payload: &mut [u8], header: &Header, offset: usize) {
    if let Some(key) = header.mask {
        mask::apply(payload, key, offset);
    }
}

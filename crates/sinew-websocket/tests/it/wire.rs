//! Frames written by hand, right and wrong ones, and what an endpoint made of them.

use sinew_websocket::{Effect, Endpoint, ProtocolError};

/// A frame with every field free, so that it can break any rule.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            payload: payload.as_ref().to_vec(),
        }
    }

    pub(crate) fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x0, payload)
    }

    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x1, payload)
    }

    pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x2, payload)
    }

    pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x9, payload)
    }

    pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0xa, payload)
    }

    pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(0x8, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// The same frame without its final bit.
    pub(crate) fn more(mut self) -> Self {
        self.fin = false;
        self
    }

    pub(crate) fn rsv(mut self, rsv: u8) -> Self {
        self.rsv = rsv;
        self
    }

    /// Appends the frame, with the shortest form of its length.
    pub(crate) fn write(&self, out: &mut Vec<u8>, mask: Option<[u8; 4]>) {
        out.push(u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode);
        let masked = u8::from(mask.is_some()) << 7;
        match self.payload.len() {
            short @ 0..126 => out.push(masked | short as u8),
            long @ 126..0x1_0000 => {
                out.push(masked | 126);
                out.extend((long as u16).to_be_bytes());
            }
            longer => {
                out.push(masked | 127);
                out.extend((longer as u64).to_be_bytes());
            }
        }
        let key = mask.unwrap_or_default();
        if mask.is_some() {
            out.extend(key);
        }
        let masking = self.payload.iter().zip(key.iter().cycle());
        out.extend(masking.map(|(byte, key)| byte ^ key));
    }

    /// The frame as a client sends it.
    pub(crate) fn masked(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, Some([0x37, 0xfa, 0x21, 0x3d]));
        out
    }

    /// The frame as a server sends it.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, None);
        out
    }
}

/// An effect that outlives its callback, with what was sent taken apart again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    SentPong(Vec<u8>),
    SentClose(Option<u16>),
    Closed(Option<u16>, String),
    Failed(u16, ProtocolError),
}

impl Seen {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn of(effect: Effect<'_>) -> Self {
        match effect {
            Effect::Text(text) => Self::Text(text.to_owned()),
            Effect::Binary(bytes) => Self::Binary(bytes.to_owned()),
            Effect::Pong(payload) => Self::Pong(payload.to_owned()),
            Effect::Send(frame) => Self::sent(&frame),
            Effect::Closed { code, reason } => Self::Closed(code.map(u16::from), reason.to_owned()),
            Effect::Failed { code, error } => {
                assert_eq!(code, error.close_code());
                Self::Failed(code.get(), error)
            }
            _ => panic!("an effect that the tests do not know"),
        }
    }

    /// Takes a control frame of either side apart.
    pub(crate) fn sent(frame: &[u8]) -> Self {
        let (header, rest) = frame.split_at(2);
        let mut payload = rest.to_vec();
        if header[1] & 0x80 != 0 {
            let key: Vec<u8> = payload.drain(..4).collect();
            for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
                *byte ^= key;
            }
        }
        assert_eq!(usize::from(header[1] & 0x7f), payload.len());
        match header[0] {
            0x88 => Self::SentClose(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            0x8a => Self::SentPong(payload),
            first => panic!("sent a frame that begins with {first:#x}"),
        }
    }
}

/// What comes of `input`, received in pieces that end at `cuts` (ascending) and at its end.
pub(crate) fn receive(endpoint: &mut Endpoint, input: &[u8], cuts: &[usize]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut input = input.to_vec();
    let mut start = 0;
    for end in cuts.iter().copied().chain([input.len()]) {
        endpoint.receive(&mut input[start..end], |effect| seen.push(Seen::of(effect)));
        start = end;
    }
    seen
}

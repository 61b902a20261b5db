//! A million generated inputs: against a model, against tungstenite, and against themselves cut in
//! another way.
//!
//! A failure names the number of its input; the number alone makes the input again.

use std::io::{self, Read, Write};

use sinew_websocket::{
    Endpoint, Limits, Opcode, ProtocolError, Role, SharedFrame, frame_into, masked_frame_into,
};
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use crate::random::Random;
use crate::wire::{Frame, Seen};

const VALID_INPUTS: u64 = 500_000;
const MUTATED_INPUTS: u64 = 300_000;
const HOSTILE_INPUTS: u64 = 200_000;
const _: () = assert!(VALID_INPUTS + MUTATED_INPUTS + HOSTILE_INPUTS == 1_000_000);

/// Small, yet room for a message with a length in 64 bits.
const MESSAGE_BYTES_MAX: usize = 66_000;

/// Allows both roles their turn.
fn role(number: u64) -> Role {
    if number.is_multiple_of(4) {
        Role::Client
    } else {
        Role::Server
    }
}

/// What the reading side gets to hear, in words that both implementations have.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    Refused,
}

/// Bytes that a reading side should like, and what it should hear of them.
#[derive(Default)]
struct Script {
    bytes: Vec<u8>,
    heard: Vec<Heard>,
}

impl Script {
    fn new(random: &mut Random, reader: Role) -> Self {
        let mut script = Self::default();
        for _ in 0..random.below(6) {
            if random.one_in(4) {
                script.control(random, reader);
            } else {
                script.message(random, reader);
            }
        }
        if random.one_in(3) {
            script.close(random, reader);
        }
        script
    }

    fn write(&mut self, random: &mut Random, reader: Role, frame: &Frame) {
        let mask = (reader == Role::Server).then(|| random.key());
        frame.write(&mut self.bytes, mask);
    }

    fn control(&mut self, random: &mut Random, reader: Role) {
        let bytes = *random.pick(&[0, 1, 4, 8, 31, 124, 125]);
        let payload = random.bytes(bytes);
        if random.one_in(2) {
            self.write(random, reader, &Frame::ping(&payload));
            self.heard.push(Heard::Ping(payload));
        } else {
            self.write(random, reader, &Frame::pong(&payload));
            self.heard.push(Heard::Pong(payload));
        }
    }

    fn message(&mut self, random: &mut Random, reader: Role) {
        let bytes = match random.below(1000) {
            0 => 65_530 + random.below(12),
            1..100 => 120 + random.below(12),
            100..150 => random.below(1000),
            _ => random.below(40),
        };
        let (opcode, payload, heard) = if random.one_in(3) {
            let payload = random.bytes(bytes);
            (0x2, payload.clone(), Heard::Binary(payload))
        } else {
            let text = text(random, bytes);
            (0x1, text.clone().into_bytes(), Heard::Text(text))
        };
        let fragments = if random.one_in(3) {
            2 + random.below(4)
        } else {
            1
        };
        let mut rest = &payload[..];
        for fragment in 0..fragments {
            let last = fragment + 1 == fragments;
            // Anywhere, also inside of a character.
            let end = if last {
                rest.len()
            } else {
                random.below(rest.len() + 1)
            };
            let (chunk, after) = rest.split_at(end);
            rest = after;
            let frame = Frame {
                fin: last,
                ..Frame::new(if fragment == 0 { opcode } else { 0x0 }, chunk)
            };
            self.write(random, reader, &frame);
            if !last && random.one_in(4) {
                self.control(random, reader);
            }
        }
        self.heard.push(heard);
    }

    fn close(&mut self, random: &mut Random, reader: Role) {
        let codes = [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000,
            4999,
        ];
        let code = (!random.one_in(4)).then(|| *random.pick(&codes));
        let bytes = *random.pick(&[0, 1, 10, 100]);
        let frame = match code {
            None => Frame::new(0x8, ""),
            Some(code) => Frame::close(code, text(random, bytes)),
        };
        self.write(random, reader, &frame);
        self.heard.push(Heard::Close(code));
        // Whatever follows is nobody's business.
        if random.one_in(2) {
            let bytes = random.below(30);
            let junk = random.bytes(bytes);
            self.bytes.extend(junk);
        }
    }
}

/// Text of about so many bytes, rich in the borders of UTF-8's ranges.
fn text(random: &mut Random, bytes: usize) -> String {
    let borders = [
        '\0',
        '\u{7f}',
        '\u{80}',
        '\u{7ff}',
        '\u{800}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{ffff}',
        '\u{10000}',
        '\u{10ffff}',
        'é',
        '€',
        '😀',
    ];
    let mut text = String::with_capacity(bytes + 4);
    let plain = random.one_in(2);
    while text.len() < bytes {
        if plain || random.one_in(2) {
            text.push((b'a' + random.below(26) as u8) as char);
        } else {
            text.push(*random.pick(&borders));
        }
    }
    text
}

/// Bytes that were a script until a few of them were changed.
fn mutated(random: &mut Random, reader: Role) -> Vec<u8> {
    let mut bytes = Script::new(random, reader).bytes;
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            break;
        }
        // Early bytes are headers more often.
        let length = bytes.len();
        let at = if random.one_in(2) {
            random.below(length.min(24))
        } else {
            random.below(length)
        };
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            _ => {
                let end = (at + 1 + random.below(16)).min(bytes.len());
                bytes.extend_from_within(at..end);
            }
        }
    }
    bytes
}

/// Frames whose every field may be wrong, or no frames at all.
fn hostile(random: &mut Random, reader: Role) -> Vec<u8> {
    if random.one_in(4) {
        let bytes = random.below(64);
        return random.bytes(bytes);
    }
    let mut out = Vec::new();
    for _ in 0..1 + random.below(5) {
        let opcode = *random.pick(&[0, 0, 1, 1, 1, 2, 8, 9, 10]);
        let fin = if random.one_in(3) { 0 } else { 0x80 };
        out.push(match random.below(16) {
            0 => random.next() as u8,
            _ => fin | opcode,
        });
        let masked = (reader == Role::Server) != random.one_in(20);
        let mask_bit = u8::from(masked) << 7;
        let bytes = match random.below(20) {
            0 => 126 + random.below(20),
            _ => random.below(12),
        };
        match random.below(20) {
            0 => {
                out.push(mask_bit | 127);
                out.extend((bytes as u64).to_be_bytes());
            }
            1 => {
                out.push(mask_bit | 127);
                let length = random.next() >> random.below(64);
                out.extend(length.to_be_bytes());
            }
            2 => {
                out.push(mask_bit | 126);
                out.extend((random.next() as u16).to_be_bytes());
            }
            _ if bytes > 125 => {
                out.push(mask_bit | 126);
                out.extend((bytes as u16).to_be_bytes());
            }
            _ => out.push(mask_bit | bytes as u8),
        }
        if masked {
            // Often a key of zeros, so that chosen bytes reach the text check as they are.
            out.extend(if random.one_in(2) {
                [0; 4]
            } else {
                random.key()
            });
        }
        let payload = if random.one_in(3) {
            random.bytes(bytes)
        } else {
            let mut text = text(random, bytes).into_bytes();
            text.truncate(bytes);
            text
        };
        out.extend(payload);
    }
    out
}

/// Where to cut, in one of several manners.
fn cuts(random: &mut Random, length: usize) -> Vec<usize> {
    match random.below(8) {
        0 => vec![],
        1 if length < 300 => (1..length).collect(),
        2 => {
            let step = 1 + random.below(100.max(length / 8));
            (step..length).step_by(step).collect()
        }
        _ => {
            let mut cuts: Vec<_> = (0..1 + random.below(6))
                .map(|_| random.below(length + 1))
                .collect();
            cuts.sort_unstable();
            cuts
        }
    }
}

/// What our endpoint makes of the pieces; its memory is watched all the way.
fn ours(reader: Role, input: &[u8], cuts: &[usize]) -> Vec<Seen> {
    let limits = Limits::default().with_message_bytes_max(MESSAGE_BYTES_MAX);
    let mut endpoint = Endpoint::new(reader, &limits);
    let mut seen = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([input.len()]) {
        seen.extend(crate::wire::receive(&mut endpoint, &input[start..end], &[]));
        start = end;
        let held = endpoint.heap_bytes();
        assert!(held <= 512 + 2 * end, "{held} bytes held after {end}");
        assert_eq!(held == 0, endpoint.is_idle());
        assert!(!endpoint.is_closed() || endpoint.is_idle());
    }
    seen
}

fn heard(seen: &[Seen]) -> Vec<Heard> {
    seen.iter()
        .filter_map(|seen| {
            Some(match seen {
                Seen::Text(text) => Heard::Text(text.clone()),
                Seen::Binary(bytes) => Heard::Binary(bytes.clone()),
                Seen::SentPong(payload) => Heard::Ping(payload.clone()),
                Seen::Pong(payload) => Heard::Pong(payload.clone()),
                Seen::Closed(code, _) => Heard::Close(*code),
                Seen::Failed(..) => Heard::Refused,
                Seen::SentClose(_) => return None,
            })
        })
        .collect()
}

/// A socket whose peer has sent `input`, then `zeros`, and nothing more.
struct Wire<'a> {
    input: &'a [u8],
    zeros: usize,
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            let count = self.zeros.min(buffer.len());
            self.zeros -= count;
            buffer[..count].fill(0);
            return Ok(count);
        }
        self.input.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite makes of the same bytes.
///
/// It decides at the end of a frame, we at the first wrong byte: `zeros` let it finish a frame that
/// the input has only begun.
fn theirs(reader: Role, input: &[u8], zeros: usize) -> Vec<Heard> {
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let role = match reader {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    let mut socket = WebSocketContext::new(role, Some(config));
    let mut wire = Wire { input, zeros };
    let mut heard = Vec::new();
    loop {
        heard.push(match socket.read(&mut wire) {
            Ok(Message::Text(text)) => Heard::Text(text.to_string()),
            Ok(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
            Ok(Message::Ping(payload)) => Heard::Ping(payload.to_vec()),
            Ok(Message::Pong(payload)) => Heard::Pong(payload.to_vec()),
            Ok(Message::Frame(_)) => unreachable!("never read"),
            Ok(Message::Close(close)) => {
                // A code that must not be sent is no error there; it is answered with this.
                let refused = close.as_ref().is_some_and(|close| {
                    close.reason.as_str() == "Protocol violation" && u16::from(close.code) == 1002
                });
                heard.push(match close {
                    _ if refused => Heard::Refused,
                    close => Heard::Close(close.map(|close| close.code.into())),
                });
                return heard;
            }
            Err(Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => {
                return heard;
            }
            Err(_) => {
                heard.push(Heard::Refused);
                return heard;
            }
        });
    }
}

/// Where we part from tungstenite on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disagreement {
    /// RFC 6455, 5.2: "the minimal number of bytes MUST be used to encode the length". We refuse
    /// other lengths, tungstenite reads them.
    LengthForm,
    /// 1014 is registered with IANA since the RFC: we accept it, tungstenite does not know it.
    BadGateway,
}

/// Compares two verdicts on `input`; `Err` with theirs when they differ without a reason.
fn compare(reader: Role, input: &[u8], seen: &[Seen]) -> Result<Option<Disagreement>, Vec<Heard>> {
    let ours = heard(seen);
    // As much as the largest frame they read.
    let zeros = match ours.last() {
        Some(Heard::Refused) => MESSAGE_BYTES_MAX + 14,
        _ => 0,
    };
    let theirs = theirs(reader, input, zeros);
    if ours == theirs {
        return Ok(None);
    }
    let agreed = &ours[..ours.len().saturating_sub(1)];
    match seen.last() {
        // A control frame with a long form of length breaks two rules at once: its second byte
        // alone says that it is too long.
        Some(Seen::Failed(
            _,
            ProtocolError::LengthNotMinimal | ProtocolError::OversizedControl,
        )) if theirs.starts_with(agreed) => Ok(Some(Disagreement::LengthForm)),
        Some(Seen::Closed(Some(1014), _)) if theirs == [agreed, &[Heard::Refused]].concat() => {
            Ok(Some(Disagreement::BadGateway))
        }
        _ => Err(theirs),
    }
}

#[test]
fn valid_sequences_are_heard_as_the_model_and_tungstenite_hear_them() {
    let mut inputs = 0;
    for number in 0..VALID_INPUTS {
        let random = &mut Random::new(number);
        let reader = role(number);
        let script = Script::new(random, reader);
        let cuts = cuts(random, script.bytes.len());
        let seen = ours(reader, &script.bytes, &cuts);
        assert_eq!(
            heard(&seen),
            script.heard,
            "input {number}, cut at {cuts:?}"
        );
        let verdict = compare(reader, &script.bytes, &seen);
        assert_eq!(verdict, Ok(None), "input {number}");
        inputs += 1;
    }
    assert_eq!(inputs, VALID_INPUTS);
}

#[test]
fn mutated_sequences_are_judged_the_same_however_cut_and_as_tungstenite_judges() {
    let mut refused = 0;
    let mut inputs = 0;
    for number in 0..MUTATED_INPUTS {
        // Other seeds than the valid ones.
        let random = &mut Random::new(number | 1 << 62);
        let reader = role(number);
        let input = mutated(random, reader);
        refused += judge(number, reader, &input, random);
        inputs += 1;
    }
    assert_eq!(inputs, MUTATED_INPUTS);
    assert!(refused > MUTATED_INPUTS / 4, "only {refused} were refused");
    assert!(refused < MUTATED_INPUTS * 3 / 4, "{refused} were refused");
}

#[test]
fn hostile_input_is_judged_the_same_however_cut_and_as_tungstenite_judges() {
    let mut refused = 0;
    let mut inputs = 0;
    for number in 0..HOSTILE_INPUTS {
        let random = &mut Random::new(number | 1 << 63);
        let reader = role(number);
        let input = hostile(random, reader);
        refused += judge(number, reader, &input, random);
        inputs += 1;
    }
    assert_eq!(inputs, HOSTILE_INPUTS);
    assert!(refused > HOSTILE_INPUTS / 4, "only {refused} were refused");
}

/// Whether `input` was refused, 1 or 0, once all agree on that.
fn judge(number: u64, reader: Role, input: &[u8], random: &mut Random) -> u64 {
    let whole = ours(reader, input, &[]);
    let cuts = cuts(random, input.len());
    let cut = ours(reader, input, &cuts);
    assert_eq!(cut, whole, "input {number}, cut at {cuts:?}: {input:02x?}");
    if let Err(theirs) = compare(reader, input, &whole) {
        panic!("input {number}: we {whole:?}, tungstenite {theirs:?}: {input:02x?}");
    }
    u64::from(matches!(whole.last(), Some(Seen::Failed(..))))
}

#[test]
fn tungstenite_reads_what_we_write() {
    for number in 0..2000 {
        let random = &mut Random::new(number | 1 << 61);
        let bytes = *random.pick(&[0, 1, 7, 8, 125, 126, 127, 1000, 65_535, 65_536]);
        let text = text(random, bytes);
        let ping = random.bytes(bytes.min(125));
        let close = Frame::close(1001, "bye").payload;

        let mut from_server = SharedFrame::text(text.as_bytes()).into_bytes().to_vec();
        from_server.extend(SharedFrame::ping(&ping).as_bytes());
        frame_into(&mut from_server, Opcode::Close, &close);
        let mut from_client = Vec::new();
        for (opcode, payload) in [
            (Opcode::Text, text.as_bytes()),
            (Opcode::Ping, &ping),
            (Opcode::Close, &close),
        ] {
            masked_frame_into(&mut from_client, opcode, payload, random.key());
        }
        let expected = [
            Heard::Text(text),
            Heard::Ping(ping),
            Heard::Close(Some(1001)),
        ];
        assert_eq!(theirs(Role::Client, &from_server, 0), expected, "{number}");
        assert_eq!(theirs(Role::Server, &from_client, 0), expected, "{number}");
    }
}

#[test]
fn both_disagreements_are_real() {
    let unneeded = [0x81, 0xfe, 0x00, 0x01, 0, 0, 0, 0, b'a'];
    let seen = ours(Role::Server, &unneeded, &[]);
    let verdict = compare(Role::Server, &unneeded, &seen);
    assert_eq!(verdict, Ok(Some(Disagreement::LengthForm)));

    let bad_gateway = Frame::close(1014, "").masked();
    let seen = ours(Role::Server, &bad_gateway, &[]);
    let verdict = compare(Role::Server, &bad_gateway, &seen);
    assert_eq!(verdict, Ok(Some(Disagreement::BadGateway)));
}

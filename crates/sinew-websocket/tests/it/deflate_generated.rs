//! Generated messages and payloads: what we compress against another implementation of DEFLATE, what it compresses and
//! what is broken against both.
//!
//! A failure names the number of its input; the number alone makes the input again.

use sinew_websocket::deflate::{Deflater, Inflater};
use sinew_websocket::{Effect, Endpoint, Limits, Opcode, ProtocolError, Role};

use crate::random::Random;
use crate::second_opinion::{Verdict, compressed, compressed_to_the_end, judge};
use crate::wire::{Frame, Seen, receive};

const ROUND_TRIPS: u64 = 4000;
const BROKEN_PAYLOADS: u64 = 60_000;
const MESSAGE_BYTES_MAX: usize = 5000;

fn limits() -> Limits {
    Limits::default().with_message_bytes_max(MESSAGE_BYTES_MAX)
}

/// Markup, words or noise, of any length up to `bytes`.
fn text(random: &mut Random, bytes: usize) -> String {
    let words = [
        "<li class=\"row\">",
        "</li>",
        "größe",
        "a",
        "\u{1f600}",
        "\n",
        "data-reflex=\"click->Row#save\"",
    ];
    let bytes = random.below(bytes + 1);
    let noise = random.below(4);
    let mut text = String::new();
    while text.len() < bytes {
        if random.below(4) < noise {
            text.push((b' ' + random.below(95) as u8) as char);
        } else {
            text.push_str(random.pick::<&str>(&words));
        }
    }
    text
}

/// Cuts a payload into frames of one message, each masked with a key of its own.
fn fragments(random: &mut Random, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let step = 1 + random.below(payload.len().max(1));
    let mut chunks: Vec<&[u8]> = payload.chunks(step).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let last = chunks.len() - 1;
    let mut out = Vec::new();
    for (at, chunk) in chunks.into_iter().enumerate() {
        let frame = match at {
            0 => Frame::new(opcode as u8, chunk).rsv(4),
            _ => Frame::continuation(chunk),
        };
        let frame = if at == last { frame } else { frame.more() };
        frame.write(&mut out, Some(random.key()));
    }
    out
}

#[test]
fn what_we_compress_is_what_another_implementation_inflates() {
    let mut inflater = Inflater::default();
    let mut deflaters = [1, 2, 4, 6, 9].map(Deflater::new);
    let mut shorter = 0;
    for number in 0..ROUND_TRIPS {
        let random = &mut Random::new(number);
        let bytes = if random.one_in(50) { 150_000 } else { 3000 };
        let (beginning, message) = (text(random, 200), text(random, bytes));
        let middle = message.floor_char_boundary(random.below(message.len() + 1));
        let (first, second) = message.split_at(middle);
        let deflater = &mut deflaters[random.below(5)];
        let Some(compressed) = deflater.compress(&[first.as_bytes(), second.as_bytes()]) else {
            continue;
        };
        let Some(frame) = compressed.text_frame(&[b"", beginning.as_bytes()]) else {
            continue;
        };
        shorter += 1;
        let whole = format!("{beginning}{message}");
        assert!(frame.payload().len() < whole.len(), "{number}");
        let verdict = judge(frame.payload(), 1 << 20);
        assert_eq!(
            verdict,
            Verdict::Message(whole.clone().into_bytes()),
            "{number}"
        );

        let mut client = Endpoint::new(Role::Client, &Limits::default()).with_deflate();
        let mut input = frame.as_bytes().to_vec();
        let mut heard = 0;
        client.receive_with(&mut inflater, &mut input, |effect| {
            assert_eq!(effect, Effect::Text(&whole), "{number}");
            heard += 1;
        });
        assert_eq!(heard, 1, "{number}");
    }
    assert!(shorter > ROUND_TRIPS / 2, "only {shorter} became shorter");
}

#[test]
fn a_beginning_longer_than_a_block_is_sent_in_several() {
    let random = &mut Random::new(1);
    let beginning = random
        .bytes(200_000)
        .iter()
        .map(|byte| (b'a' + byte % 26) as char)
        .collect::<String>();
    let message = "again ".repeat(100);
    let compressed = Deflater::default()
        .compress(&[message.as_bytes()])
        .expect("shorter");
    let frame = compressed
        .text_frame(&[beginning.as_bytes()])
        .expect("shorter");
    let whole = beginning + &message;
    assert_eq!(
        judge(frame.payload(), 1 << 20),
        Verdict::Message(whole.into_bytes())
    );
}

#[test]
fn what_another_implementation_compresses_is_what_we_hear() {
    for number in 0..ROUND_TRIPS {
        let random = &mut Random::new(number | 1 << 60);
        let message = text(random, 3000);
        let level = random.below(10) as i32;
        let payload = match random.below(3) {
            0 => compressed_to_the_end(message.as_bytes(), level),
            _ => compressed(message.as_bytes(), level),
        };
        let input = fragments(random, Opcode::Text, &payload);
        let cut = random.below(input.len() + 1);
        let mut server = Endpoint::new(Role::Server, &Limits::default()).with_deflate();
        let seen = receive(&mut server, &input, &[cut]);
        assert_eq!(seen, [Seen::Text(message)], "{number}");
        assert!(server.is_idle());
    }
}

/// A payload that was right until something was done to it, or never was.
fn broken(random: &mut Random) -> Vec<u8> {
    let message = text(random, 400);
    let mut payload = match random.below(8) {
        0 => {
            let bytes = random.below(40);
            random.bytes(bytes)
        }
        1 => compressed_to_the_end(message.as_bytes(), 6),
        2 => compressed(&vec![0; random.below(10_000)], 6),
        _ => compressed(message.as_bytes(), random.below(10) as i32),
    };
    for _ in 0..random.below(3) {
        if payload.is_empty() {
            break;
        }
        let at = random.below(payload.len());
        match random.below(5) {
            0 => payload[at] ^= 1 << random.below(8),
            1 => payload[at] = random.next() as u8,
            2 => drop(payload.remove(at)),
            3 => payload.truncate(at),
            _ => payload.insert(at, random.next() as u8),
        }
    }
    payload
}

#[test]
fn broken_payloads_are_judged_as_another_implementation_judges_them() {
    let (mut read, mut too_big, mut invalid) = (0, 0, 0);
    let mut inflater = Inflater::default();
    for number in 0..BROKEN_PAYLOADS {
        let random = &mut Random::new(number | 1 << 59);
        let payload = broken(random);
        let mut input = fragments(random, Opcode::Binary, &payload);
        let mut server = Endpoint::new(Role::Server, &limits()).with_deflate();
        let mut ours = None;
        server.receive_with(&mut inflater, &mut input, |effect| match effect {
            Effect::Binary(bytes) => ours = Some(Verdict::Message(bytes.to_vec())),
            Effect::Send(_) => {}
            Effect::Failed {
                error: ProtocolError::MessageTooBig { .. },
                ..
            } => ours = Some(Verdict::TooBig),
            Effect::Failed {
                error: ProtocolError::InvalidDeflate,
                ..
            } => ours = Some(Verdict::Invalid),
            other => panic!("{number}: {other:?}"),
        });
        assert!(inflater.buffer_bytes() <= MESSAGE_BYTES_MAX + 1);
        let ours = ours.expect("a verdict");
        match ours {
            Verdict::Message(_) => read += 1,
            Verdict::TooBig => too_big += 1,
            Verdict::Invalid => invalid += 1,
        }
        assert_eq!(
            ours,
            judge(&payload, MESSAGE_BYTES_MAX),
            "{number}: {payload:02x?}"
        );
    }
    let least = BROKEN_PAYLOADS / 100;
    assert!(
        read > least && too_big > least && invalid > least,
        "{read} {too_big} {invalid}"
    );
}

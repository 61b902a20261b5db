//! A row for each case of sections 12 and 13: messages of many sizes, compressed, with every kind of offer.
//!
//! The suite sends a thousand messages of a case to an echo server; here it is fewer of them, out of data of its five
//! kinds, compressed by an implementation of DEFLATE that is not ours. What we send back, that implementation inflates.

use sinew_websocket::deflate::{ANSWER, Deflater, answer};
use sinew_websocket::{Endpoint, Limits, Role};

use crate::random::Random;
use crate::second_opinion::{Verdict, compressed, judge};
use crate::wire::{Frame, Seen, receive};

const MESSAGES: usize = 4;

/// Octets of a message, and of its fragments; 0 is one frame.
const SIZES: [(usize, usize); 18] = [
    (16, 0),
    (64, 0),
    (256, 0),
    (1024, 0),
    (4096, 0),
    (8192, 0),
    (16384, 0),
    (32768, 0),
    (65536, 0),
    (131_072, 0),
    (8192, 256),
    (16384, 256),
    (32768, 256),
    (65536, 256),
    (131_072, 256),
    (131_072, 1024),
    (131_072, 4096),
    (131_072, 32768),
];

/// JSON, a bitmap, prose, HTML, and a file that is compressed already.
const KINDS: [&str; 5] = ["12.1", "12.2", "12.3", "12.4", "12.5"];

/// Offers of a client, and the answer to them.
const OFFERS: [(&str, &[&str], Option<&str>); 7] = [
    (
        "13.1",
        &["permessage-deflate; client_max_window_bits"],
        Some(ANSWER),
    ),
    (
        "13.2",
        &["permessage-deflate; client_max_window_bits; server_no_context_takeover"],
        Some(ANSWER),
    ),
    (
        "13.3",
        &["permessage-deflate; client_max_window_bits; server_max_window_bits=9"],
        None,
    ),
    (
        "13.4",
        &["permessage-deflate; client_max_window_bits; server_max_window_bits=15"],
        Some(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15",
        ),
    ),
    (
        "13.5",
        &[
            "permessage-deflate; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9",
        ],
        None,
    ),
    (
        "13.6",
        &[
            "permessage-deflate; client_max_window_bits; server_no_context_takeover; server_max_window_bits=15",
        ],
        Some(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15",
        ),
    ),
    (
        "13.7",
        &[
            "permessage-deflate; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9, \
             permessage-deflate; client_max_window_bits; server_no_context_takeover, \
             permessage-deflate; client_max_window_bits",
        ],
        Some(ANSWER),
    ),
];

/// Data of a kind, all of it text unless it is a bitmap or a compressed file.
fn data(kind: &str, octets: usize, random: &mut Random) -> Vec<u8> {
    let mut data = Vec::with_capacity(octets + 100);
    while data.len() < octets {
        let number = random.below(1000);
        match kind {
            "12.1" => {
                data.extend(format!(r#"{{"id":{number},"tags":["a","b"],"open":true}},"#).bytes())
            }
            "12.2" => data.extend([number as u8 & 0xf0; 7]),
            "12.3" => {
                data.extend(*random.pick(&[b"word ", b"verse", b", of ", b"Faust", b"\nThe "]))
            }
            "12.4" => data.extend(
                format!("<li id=\"item-{number}\"><a href=\"#\">{number}</a></li>").bytes(),
            ),
            _ => data.push(number as u8),
        }
    }
    data.truncate(octets);
    data
}

/// A message that was compressed, in frames of at most so many octets.
fn frames(opcode: u8, payload: &[u8], fragment: usize) -> Vec<Frame> {
    let step = if fragment == 0 {
        payload.len()
    } else {
        fragment
    };
    let last = payload.len().div_ceil(step) - 1;
    let chunks = payload.chunks(step).enumerate();
    chunks
        .map(|(at, chunk)| Frame {
            fin: at == last,
            rsv: if at == 0 { 4 } else { 0 },
            ..Frame::new(if at == 0 { opcode } else { 0x0 }, chunk)
        })
        .collect()
}

/// One case: what was sent is heard, and sent back as the client's own implementation reads it.
fn check(case: &str, kind: &str, octets: usize, fragment: usize, deflate: bool) {
    let random = &mut Random::new(octets as u64 + fragment as u64);
    let mut deflater = Deflater::default();
    let mut server = Endpoint::new(Role::Server, &Limits::default());
    if deflate {
        server = server.with_deflate();
    }
    for _ in 0..MESSAGES {
        let message = data(kind, octets, random);
        let opcode = if matches!(kind, "12.2" | "12.5") {
            0x2
        } else {
            0x1
        };
        let sent = if deflate {
            frames(opcode, &compressed(&message, 6), fragment)
        } else {
            vec![Frame::new(opcode, &message)]
        };
        let input: Vec<u8> = sent.iter().flat_map(Frame::masked).collect();
        let expected = match opcode {
            0x1 => Seen::Text(String::from_utf8(message.clone()).expect("text")),
            _ => Seen::Binary(message.clone()),
        };
        let cut = random.below(input.len());
        let seen = receive(&mut server, &input, &[cut]);
        assert!(seen == [expected], "case {case}: {octets} octets of {kind}");
        if let Some(echo) = deflater.compress(&[&message]).filter(|_| opcode == 0x1) {
            let echo = echo.text_frame(&[]).expect("shorter");
            assert_eq!(
                judge(echo.payload(), octets),
                Verdict::Message(message),
                "case {case}"
            );
        }
    }
    assert!(server.is_open() && server.is_idle(), "case {case}");
}

#[test]
fn messages_of_every_kind_and_size_are_read_compressed() {
    let mut cases = 0;
    for kind in KINDS {
        for (number, (octets, fragment)) in (1..).zip(SIZES) {
            check(&format!("{kind}.{number}"), kind, octets, fragment, true);
            cases += 1;
        }
    }
    assert_eq!(cases, 90);
}

#[test]
fn every_kind_of_offer_is_answered_and_kept_to() {
    let mut cases = 0;
    for (section, offers, expected) in OFFERS {
        assert_eq!(answer(offers.iter().copied()), expected, "{section}");
        for (number, (octets, fragment)) in (1..).zip(SIZES) {
            let case = format!("{section}.{number}");
            check(&case, "12.1", octets, fragment, expected.is_some());
            cases += 1;
        }
    }
    assert_eq!(cases, 126);
}

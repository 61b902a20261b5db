//! Compressed messages: where they may stand, what they may hold, and what they may cost.

use sinew_websocket::deflate::{Deflater, Inflater, answer, is_answer};
use sinew_websocket::handshake::check_request;
use sinew_websocket::{CloseCode, Endpoint, Limits, ProtocolError, Role};

use crate::random::Random;
use crate::second_opinion::{Verdict, compressed, compressed_to_the_end, judge};
use crate::wire::{Frame, Seen, receive};

/// The bit that says so, as a number of the three.
const COMPRESSED: u8 = 4;

fn server() -> Endpoint {
    Endpoint::new(Role::Server, &Limits::default()).with_deflate()
}

fn failed(error: ProtocolError) -> Vec<Seen> {
    let code = error.close_code().get();
    vec![Seen::SentClose(Some(code)), Seen::Failed(code, error)]
}

/// What comes of these frames from a client, however they are cut.
fn check(frames: &[Frame], expected: &[Seen]) {
    let input: Vec<u8> = frames.iter().flat_map(Frame::masked).collect();
    let octets: Vec<usize> = (1..input.len()).collect();
    for cuts in [&[][..], &octets] {
        let mut endpoint = server();
        let seen = receive(&mut endpoint, &input, cuts);
        assert_eq!(seen, expected, "{} pieces of {frames:02x?}", cuts.len() + 1);
        assert!(endpoint.is_idle());
    }
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    let hello = [Seen::text("Hello")];
    let one_block = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    check(&[Frame::text(one_block).rsv(COMPRESSED)], &hello);
    let (first, second) = one_block.split_at(3);
    let fragments = [
        Frame::text(first).rsv(COMPRESSED).more(),
        Frame::continuation(second),
    ];
    check(&fragments, &hello);
    // Without compression, with a last block, and in two blocks.
    for payload in [
        &b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"[..],
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
    ] {
        check(&[Frame::text(payload).rsv(COMPRESSED)], &hello);
    }
    check(&[Frame::text("\0").rsv(COMPRESSED)], &[Seen::text("")]);
    check(&[Frame::text("Hello")], &hello);
}

#[test]
fn the_bit_stands_on_the_first_frame_of_a_message_and_nowhere_else() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let refused = failed(ProtocolError::ReservedBits);
    check(&[Frame::ping("").rsv(COMPRESSED)], &refused);
    check(&[Frame::pong("").rsv(COMPRESSED)], &refused);
    check(&[Frame::close(1000, "").rsv(COMPRESSED)], &refused);
    for rsv in [1, 2, 3, 5, 6, 7] {
        check(&[Frame::text(hello).rsv(rsv)], &refused);
    }
    let again = [
        Frame::text(&hello[..3]).rsv(COMPRESSED).more(),
        Frame::continuation(&hello[3..]).rsv(COMPRESSED),
    ];
    check(&again, &refused);
    // Not negotiated.
    let input = Frame::text(hello).rsv(COMPRESSED).masked();
    let mut plain = Endpoint::new(Role::Server, &Limits::default());
    assert_eq!(receive(&mut plain, &input, &[]), refused);
}

#[test]
fn plain_and_compressed_messages_alternate_with_control_frames_between_fragments() {
    let payload = compressed("größer ".repeat(50).as_bytes(), 6);
    let third = payload.len() / 3;
    let frames = [
        Frame::text("plain"),
        Frame::text(&payload[..third]).rsv(COMPRESSED).more(),
        Frame::ping("between"),
        Frame::continuation(&payload[third..2 * third]).more(),
        Frame::continuation(&payload[2 * third..]),
        Frame::binary("plain").more(),
        Frame::continuation(" too"),
        Frame::binary(compressed(&[7; 500], 9)).rsv(COMPRESSED),
    ];
    let seen = [
        Seen::text("plain"),
        Seen::SentPong(b"between".to_vec()),
        Seen::Text("größer ".repeat(50)),
        Seen::Binary(b"plain too".to_vec()),
        Seen::Binary(vec![7; 500]),
    ];
    check(&frames, &seen);
}

#[test]
fn text_that_is_not_utf_8_is_refused_once_it_is_inflated() {
    let payload = compressed(b"fine \xff not fine", 6);
    let refused = failed(ProtocolError::InvalidUtf8);
    check(&[Frame::text(&payload).rsv(COMPRESSED)], &refused);
    let bytes = [Seen::Binary(b"fine \xff not fine".to_vec())];
    check(&[Frame::binary(&payload).rsv(COMPRESSED)], &bytes);
    // Compressed bytes are no text: a payload that is not UTF-8 is not refused for it.
    assert!(str::from_utf8(&compressed(b"Hello", 6)).is_err());
}

#[test]
fn what_is_no_whole_deflate_data_is_refused() {
    let message = b"a message of several words, of which some words are repeated words";
    let payload = compressed(message, 6);
    let last = compressed_to_the_end(message, 6);
    let refused = failed(ProtocolError::InvalidDeflate);
    assert_eq!(refused[0], Seen::SentClose(Some(1007)));
    let cases = [
        b"".to_vec(),
        // A reserved kind of block; a distance beyond the beginning.
        b"\x07".to_vec(),
        b"\x02\x00\x02".to_vec(),
        payload[..payload.len() - 1].to_vec(),
        payload[..payload.len() / 2].to_vec(),
        // A block without compression that promises more than there is.
        b"\x00\x09\x00\xf6\xffabcd".to_vec(),
        [&last[..], b"more"].concat(),
        [&last[..], b"\0"].concat(),
    ];
    for case in cases {
        assert_eq!(judge(&case, 1000), Verdict::Invalid, "{case:02x?}");
        check(&[Frame::binary(&case).rsv(COMPRESSED)], &refused);
    }
    let whole = [Seen::Binary(message.to_vec())];
    check(&[Frame::binary(&last).rsv(COMPRESSED)], &whole);
}

#[test]
fn a_bomb_ends_at_the_limit_and_holds_no_more_than_it() {
    let limit = 100_000;
    let limits = Limits::default().with_message_bytes_max(limit);
    for level in [1, 6, 9] {
        let bomb = compressed(&vec![0; 10 << 20], level);
        let fragments = bomb.chunks(1000);
        assert!(bomb.len() < limit, "{}", bomb.len());
        let mut input = Vec::new();
        for (at, chunk) in fragments.clone().enumerate() {
            let opcode = if at == 0 { 0x1 } else { 0x0 };
            let frame = Frame::new(opcode, chunk).rsv(if at == 0 { COMPRESSED } else { 0 });
            let is_last = at + 1 == fragments.len();
            input.extend(if is_last { frame } else { frame.more() }.masked());
        }
        let mut inflater = Inflater::default();
        let mut endpoint = Endpoint::new(Role::Server, &limits).with_deflate();
        let mut failure = None;
        for piece in input.chunks_mut(700) {
            endpoint.receive_with(&mut inflater, piece, |effect| {
                if let sinew_websocket::Effect::Failed { code, error } = effect {
                    failure = Some((code, error));
                }
            });
            assert!(inflater.buffer_bytes() <= limit + 1);
            assert!(endpoint.heap_bytes() <= 512 + 2 * bomb.len());
        }
        let error = ProtocolError::MessageTooBig { limit: 100_000 };
        assert_eq!(failure, Some((CloseCode::TOO_BIG, error)));
        // What it needed is given back where it was more than a little.
        assert!(inflater.buffer_bytes() <= 64 * 1024);
    }
}

#[test]
fn a_message_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    for limit in [0, 1, 255, 256, 257, 1000, 65_536] {
        let limits = Limits::default().with_message_bytes_max(limit);
        for (bytes, fits) in [(limit, true), (limit + 1, false)] {
            let message = vec![b'a'; bytes];
            let payload = compressed(&message, 6);
            if payload.len() > limit {
                continue;
            }
            let mut endpoint = Endpoint::new(Role::Server, &limits).with_deflate();
            let input = Frame::binary(&payload).rsv(COMPRESSED).masked();
            let seen = receive(&mut endpoint, &input, &[]);
            let expected = if fits {
                vec![Seen::Binary(message)]
            } else {
                failed(ProtocolError::MessageTooBig {
                    limit: limit as u32,
                })
            };
            assert_eq!(seen, expected, "{bytes} bytes, limit {limit}");
        }
    }
}

#[test]
fn a_payload_over_the_limit_is_refused_at_its_header_compressed_or_not() {
    let limits = Limits::default().with_message_bytes_max(100);
    let mut endpoint = Endpoint::new(Role::Server, &limits).with_deflate();
    let input = Frame::binary([0; 101]).rsv(COMPRESSED).masked();
    let refused = failed(ProtocolError::MessageTooBig { limit: 100 });
    assert_eq!(receive(&mut endpoint, &input[..2], &[]), refused);
}

#[test]
fn after_a_close_of_ours_nothing_is_inflated() {
    let mut inflater = Inflater::default();
    let mut endpoint = server();
    assert!(!endpoint.close(CloseCode::NORMAL, "").is_empty());
    let payload = compressed(&[0; 1000], 6);
    let mut input = Frame::binary(&payload).rsv(COMPRESSED).masked();
    endpoint.receive_with(&mut inflater, &mut input, |effect| panic!("{effect:?}"));
    assert_eq!(inflater.buffer_bytes(), 0);
    assert!(!endpoint.is_closed());
}

#[test]
fn an_endpoint_stays_small() {
    assert!(size_of::<Option<Endpoint>>() <= 16);
    assert_eq!(server().heap_bytes(), 0);
}

#[test]
fn nothing_is_sent_compressed_that_would_not_be_shorter() {
    let mut deflater = Deflater::default();
    let random = &mut Random::new(7);
    for bytes in [0, 1, 2, 10, 100, 1000, 70_000, 200_000] {
        let text = hex(&random.bytes(bytes));
        if let Some(frame) = deflater
            .compress(&[text.as_bytes()])
            .and_then(|compressed| compressed.text_frame(&[]))
        {
            assert!(frame.payload().len() < text.len());
        }
        let noise = random.bytes(bytes);
        assert!(deflater.compress(&[&noise]).is_none(), "{bytes} bytes");
    }
    // A beginning costs five bytes: what the rest saves may not be worth that.
    let compressed = (1..)
        .find_map(|bytes| deflater.compress(&[&vec![b'a'; bytes]]))
        .expect("some length is worth it, by a byte");
    assert!(compressed.text_frame(&[]).is_some());
    assert_eq!(compressed.text_frame(&[b"before "]), None);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn offers_are_answered() {
    let forgetful = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let plain = Some(forgetful.to_owned());
    let named = Some(format!("{forgetful}; server_max_window_bits=15"));
    let table = [
        ("permessage-deflate", &plain),
        ("permessage-deflate; client_max_window_bits", &plain),
        ("permessage-deflate;client_max_window_bits=8", &plain),
        ("permessage-deflate; client_max_window_bits=\"12\"", &plain),
        ("permessage-deflate ; client_no_context_takeover ", &plain),
        (" permessage-deflate; server_no_context_takeover", &plain),
        ("permessage-deflate; server_max_window_bits=15", &named),
        (
            "permessage-deflate; server_max_window_bits = \"15\"",
            &named,
        ),
        ("x-webkit-deflate-frame, permessage-deflate", &plain),
        (
            "permessage-deflate; server_max_window_bits=9, permessage-deflate",
            &plain,
        ),
        (",, permessage-deflate", &plain),
        ("", &None),
        ("permessage-deflat", &None),
        ("permessage-deflate; server_max_window_bits=14", &None),
        ("permessage-deflate; server_max_window_bits", &None),
        ("permessage-deflate; server_max_window_bits=015", &None),
        ("permessage-deflate; server_max_window_bits=16", &None),
        ("permessage-deflate; server_max_window_bits=\"15", &None),
        ("permessage-deflate; client_max_window_bits=7", &None),
        ("permessage-deflate; client_max_window_bits=", &None),
        (
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            &None,
        ),
        ("permessage-deflate; client_no_context_takeover=true", &None),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            &None,
        ),
        ("permessage-deflate; unknown", &None),
        ("permessage-deflate;", &None),
    ];
    for (offer, expected) in table {
        assert_eq!(answer([offer]), expected.as_deref(), "{offer}");
        assert_eq!(answer(["other", offer]), expected.as_deref(), "{offer}");
    }
    let many = ["permessage-deflate; unknown"; 16].join(",") + ", permessage-deflate";
    assert_eq!(answer([&*many]), None, "the seventeenth is not looked at");
    assert!(!is_answer(""));
    assert!(!is_answer(
        "permessage-deflate; server_no_context_takeover, permessage-deflate"
    ));
}

#[test]
fn a_request_shows_its_extensions() {
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Extensions", "first"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    let acceptance = check_request("GET", headers).expect("in order");
    assert_eq!(acceptance.extensions, ["first", "permessage-deflate"]);
    assert!(answer(acceptance.extensions).is_some());
}

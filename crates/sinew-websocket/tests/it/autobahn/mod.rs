//! A row for each case of the Autobahn test suite's sections 1 to 7, 10, 12 and 13.
//!
//! The suite talks to an echo server; here a message that it expects to be echoed is a message that
//! the endpoint delivers. Where the suite accepts several outcomes, the row holds ours.

use sinew_websocket::{Endpoint, Limits, ProtocolError, Role};

use crate::wire::{Frame, Seen, receive};

mod deflate;
mod utf8;

/// How the octets of a row are cut.
#[derive(Debug, Clone, Copy)]
enum Chop {
    Whole,
    Frames,
    Octets,
    Every(usize),
    /// After so many octets of the first frame's payload, in parts.
    Payload(&'static [usize]),
}

struct Row {
    case: String,
    chop: Chop,
    sent: Vec<Frame>,
    seen: Vec<Seen>,
    /// The part, counted from 1, with which the endpoint must have failed, where the suite asks for
    /// an early end.
    fails_in_part: Option<usize>,
}

/// A row in which all is legal: the suite closes in the end, and the endpoint answers.
fn clean(case: &str, chop: Chop, mut sent: Vec<Frame>, mut seen: Vec<Seen>) -> Row {
    sent.push(Frame::close(1000, ""));
    seen.extend([
        Seen::SentClose(Some(1000)),
        Seen::Closed(Some(1000), String::new()),
    ]);
    exact(case, chop, sent, seen)
}

/// A row in which the endpoint fails the connection after it has `seen` something.
fn fails(
    case: &str,
    chop: Chop,
    sent: Vec<Frame>,
    mut seen: Vec<Seen>,
    error: ProtocolError,
) -> Row {
    let code = error.close_code().get();
    seen.extend([Seen::SentClose(Some(code)), Seen::Failed(code, error)]);
    exact(case, chop, sent, seen)
}

fn exact(case: &str, chop: Chop, sent: Vec<Frame>, seen: Vec<Seen>) -> Row {
    Row {
        case: case.to_owned(),
        chop,
        sent,
        seen,
        fails_in_part: None,
    }
}

fn framing() -> Vec<Row> {
    let mut rows = Vec::new();
    let sizes = [0, 125, 126, 127, 128, 65535, 65536, 65536];
    for (number, size) in (1..).zip(sizes) {
        let chop = if number == 8 {
            Chop::Every(997)
        } else {
            Chop::Whole
        };
        let text = "*".repeat(size);
        rows.push(clean(
            &format!("1.1.{number}"),
            chop,
            vec![Frame::text(&text)],
            vec![Seen::Text(text)],
        ));
        let bytes = vec![0xfe; size];
        rows.push(clean(
            &format!("1.2.{number}"),
            chop,
            vec![Frame::binary(&bytes)],
            vec![Seen::Binary(bytes)],
        ));
    }
    rows
}

fn pings_and_pongs() -> Vec<Row> {
    use Chop::{Octets, Whole};
    let ping = |case: &str, chop, payload: &[u8]| {
        let seen = vec![Seen::SentPong(payload.to_vec())];
        clean(case, chop, vec![Frame::ping(payload)], seen)
    };
    let ten: Vec<String> = (0..10).map(|number| format!("payload-{number}")).collect();
    let ten_pings = |case: &str, chop| {
        let pongs = ten
            .iter()
            .map(|payload| Seen::SentPong(payload.clone().into_bytes()));
        clean(
            case,
            chop,
            ten.iter().map(Frame::ping).collect(),
            pongs.collect(),
        )
    };
    vec![
        ping("2.1", Whole, b""),
        ping("2.2", Whole, b"Hello, world!"),
        ping("2.3", Whole, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
        ping("2.4", Whole, &[0xfe; 125]),
        fails(
            "2.5",
            Whole,
            vec![Frame::ping([0xfe; 126])],
            vec![],
            ProtocolError::OversizedControl,
        ),
        ping("2.6", Octets, &[0xfe; 125]),
        clean(
            "2.7",
            Whole,
            vec![Frame::pong("")],
            vec![Seen::Pong(vec![])],
        ),
        clean(
            "2.8",
            Whole,
            vec![Frame::pong("unsolicited")],
            vec![Seen::Pong(b"unsolicited".to_vec())],
        ),
        clean(
            "2.9",
            Whole,
            vec![Frame::pong("unsolicited"), Frame::ping("asked")],
            vec![
                Seen::Pong(b"unsolicited".to_vec()),
                Seen::SentPong(b"asked".to_vec()),
            ],
        ),
        ten_pings("2.10", Whole),
        ten_pings("2.11", Octets),
    ]
}

const SMALL: &str = "Hello, world!";

fn reserved_bits() -> Vec<Row> {
    use Chop::{Frames, Octets, Whole};
    let alone = |case: &str, frame: Frame| {
        fails(
            case,
            Whole,
            vec![frame],
            vec![],
            ProtocolError::ReservedBits,
        )
    };
    let second = |case: &str, chop, rsv| {
        let sent = vec![
            Frame::text(SMALL),
            Frame::text(SMALL).rsv(rsv),
            Frame::ping(""),
        ];
        fails(
            case,
            chop,
            sent,
            vec![Seen::text(SMALL)],
            ProtocolError::ReservedBits,
        )
    };
    vec![
        alone("3.1", Frame::text(SMALL).rsv(1)),
        second("3.2", Whole, 2),
        second("3.3", Frames, 3),
        second("3.4", Octets, 4),
        alone("3.5", Frame::binary([0, 0xff, 0xfe]).rsv(5)),
        alone("3.6", Frame::ping(SMALL).rsv(6)),
        alone("3.7", Frame::new(0x8, "").rsv(7)),
    ]
}

fn reserved_opcodes() -> Vec<Row> {
    let mut rows = Vec::new();
    for (section, first) in [("4.1", 0x3), ("4.2", 0xb)] {
        for (number, opcode) in (1..=5).zip(first..) {
            let payload = if number % 2 == 0 || number == 5 {
                SMALL
            } else {
                ""
            };
            let frame = Frame::new(opcode, payload);
            let (chop, sent, seen) = match number {
                1 | 2 => (Chop::Whole, vec![frame], vec![]),
                _ => (
                    if number == 5 {
                        Chop::Octets
                    } else {
                        Chop::Whole
                    },
                    vec![Frame::text(SMALL), frame, Frame::ping("")],
                    vec![Seen::text(SMALL)],
                ),
            };
            let error = ProtocolError::ReservedOpcode(opcode);
            rows.push(fails(
                &format!("{section}.{number}"),
                chop,
                sent,
                seen,
                error,
            ));
        }
    }
    rows
}

fn fragmentation() -> Vec<Row> {
    use Chop::{Frames, Octets, Whole};
    let control = |case: &str, opcode| {
        let sent = vec![
            Frame::new(opcode, "fragment1").more(),
            Frame::continuation("fragment2"),
        ];
        fails(case, Whole, sent, vec![], ProtocolError::FragmentedControl)
    };
    let two = |case: &str, chop| {
        let sent = vec![
            Frame::text("fragment1").more(),
            Frame::continuation("fragment2"),
        ];
        clean(case, chop, sent, vec![Seen::text("fragment1fragment2")])
    };
    let ping_between = |case: &str, chop| {
        let sent = vec![
            Frame::text("fragment1").more(),
            Frame::ping("ping payload"),
            Frame::continuation("fragment2"),
        ];
        let seen = vec![
            Seen::SentPong(b"ping payload".to_vec()),
            Seen::text("fragment1fragment2"),
        ];
        clean(case, chop, sent, seen)
    };
    let nothing_to_continue = |case: &str, chop, fin: bool| {
        let lost = Frame::continuation("non-continuation payload");
        let sent = vec![if fin { lost } else { lost.more() }, Frame::text(SMALL)];
        fails(
            case,
            chop,
            sent,
            vec![],
            ProtocolError::UnexpectedContinuation,
        )
    };
    let twice = |case: &str, fin: bool| {
        let lost = Frame::continuation("fragment1");
        let round = [
            if fin { lost } else { lost.more() },
            Frame::text("fragment2").more(),
            Frame::continuation("fragment3"),
        ];
        let sent = [round.clone(), round].concat();
        fails(
            case,
            Whole,
            sent,
            vec![],
            ProtocolError::UnexpectedContinuation,
        )
    };
    let pings_inside = |case: &str, chop| {
        let sent = vec![
            Frame::text("fragment1").more(),
            Frame::continuation("fragment2").more(),
            Frame::ping("first"),
            Frame::continuation("fragment3").more(),
            Frame::continuation("fragment4").more(),
            Frame::ping("second"),
            Frame::continuation("fragment5"),
        ];
        let seen = vec![
            Seen::SentPong(b"first".to_vec()),
            Seen::SentPong(b"second".to_vec()),
            Seen::text("fragment1fragment2fragment3fragment4fragment5"),
        ];
        clean(case, chop, sent, seen)
    };
    vec![
        control("5.1", 0x9),
        control("5.2", 0xa),
        two("5.3", Whole),
        two("5.4", Frames),
        two("5.5", Octets),
        ping_between("5.6", Whole),
        ping_between("5.7", Frames),
        ping_between("5.8", Octets),
        nothing_to_continue("5.9", Whole, true),
        nothing_to_continue("5.10", Frames, true),
        nothing_to_continue("5.11", Octets, true),
        nothing_to_continue("5.12", Whole, false),
        nothing_to_continue("5.13", Frames, false),
        nothing_to_continue("5.14", Octets, false),
        fails(
            "5.15",
            Whole,
            vec![
                Frame::text("fragment1").more(),
                Frame::continuation("fragment2"),
                Frame::continuation("fragment3").more(),
                Frame::text("fragment4"),
            ],
            vec![Seen::text("fragment1fragment2")],
            ProtocolError::UnexpectedContinuation,
        ),
        twice("5.16", false),
        twice("5.17", true),
        fails(
            "5.18",
            Whole,
            vec![Frame::text("fragment1").more(), Frame::text("fragment2")],
            vec![],
            ProtocolError::MessageInterrupted,
        ),
        pings_inside("5.19", Whole),
        pings_inside("5.20", Frames),
    ]
}

fn fragments(text: &[u8], bytes: usize) -> Vec<Frame> {
    let last = text.len().div_ceil(bytes) - 1;
    text.chunks(bytes)
        .enumerate()
        .map(|(at, chunk)| Frame {
            fin: at == last,
            ..Frame::new(if at == 0 { 0x1 } else { 0x0 }, chunk)
        })
        .collect()
}

fn closing() -> Vec<Row> {
    use Chop::Whole;
    let answered = |code: u16, reason: &str| {
        vec![
            Seen::SentClose(Some(code)),
            Seen::Closed(Some(code), reason.to_owned()),
        ]
    };
    let normal = || Frame::close(1000, "");
    let long = "BAsd7&jh23".repeat(26215)[..256 * 1024].to_owned();
    let fits = "*".repeat(123);
    let mut rows = vec![
        clean(
            "7.1.1",
            Whole,
            vec![Frame::text("Hello World!")],
            vec![Seen::text("Hello World!")],
        ),
        exact(
            "7.1.2",
            Whole,
            vec![normal(), Frame::new(0x8, "")],
            answered(1000, ""),
        ),
        exact(
            "7.1.3",
            Whole,
            vec![normal(), Frame::ping("")],
            answered(1000, ""),
        ),
        exact(
            "7.1.4",
            Whole,
            vec![normal(), Frame::text("Hello World!")],
            answered(1000, ""),
        ),
        exact(
            "7.1.5",
            Whole,
            vec![
                Frame::text("fragment1").more(),
                normal(),
                Frame::continuation("fragment2"),
            ],
            answered(1000, ""),
        ),
        exact(
            "7.1.6",
            Whole,
            vec![
                Frame::text(&long),
                Frame::text("Hello World!"),
                normal(),
                Frame::ping(""),
            ],
            [
                vec![Seen::Text(long), Seen::text("Hello World!")],
                answered(1000, ""),
            ]
            .concat(),
        ),
        exact(
            "7.3.1",
            Whole,
            vec![Frame::new(0x8, "")],
            vec![Seen::SentClose(None), Seen::Closed(None, String::new())],
        ),
        fails(
            "7.3.2",
            Whole,
            vec![Frame::new(0x8, "a")],
            vec![],
            ProtocolError::ClosePayload,
        ),
        exact("7.3.3", Whole, vec![normal()], answered(1000, "")),
        exact(
            "7.3.4",
            Whole,
            vec![Frame::close(1000, "Hello World!")],
            answered(1000, "Hello World!"),
        ),
        exact(
            "7.3.5",
            Whole,
            vec![Frame::close(1000, &fits)],
            answered(1000, &fits),
        ),
        fails(
            "7.3.6",
            Whole,
            vec![Frame::close(1000, "*".repeat(124))],
            vec![],
            ProtocolError::OversizedControl,
        ),
        fails(
            "7.5.1",
            Whole,
            vec![Frame::close(1000, utf8::SURROGATE_INSIDE)],
            vec![],
            ProtocolError::InvalidUtf8,
        ),
    ];
    let valid = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ];
    for (number, code) in (1..).zip(valid) {
        let case = format!("7.7.{number}");
        rows.push(exact(
            &case,
            Whole,
            vec![Frame::close(code, "")],
            answered(code, ""),
        ));
    }
    // 1012 to 1014 stood among these until IANA registered them.
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    let undefined =
        [("7.13.1", 5000), ("7.13.2", 65535)].map(|(case, code)| (case.to_owned(), code));
    let invalid = (1..)
        .zip(invalid)
        .map(|(number, code)| (format!("7.9.{number}"), code));
    for (case, code) in invalid.chain(undefined) {
        let error = ProtocolError::InvalidCloseCode(code);
        rows.push(fails(
            &case,
            Whole,
            vec![Frame::close(code, "")],
            vec![],
            error,
        ));
    }
    rows
}

fn auto_fragmentation() -> Vec<Row> {
    let text = "*".repeat(65536);
    vec![clean(
        "10.1.1",
        Chop::Whole,
        fragments(text.as_bytes(), 1300),
        vec![Seen::Text(text)],
    )]
}

fn table() -> Vec<Row> {
    [
        framing(),
        pings_and_pongs(),
        reserved_bits(),
        reserved_opcodes(),
        fragmentation(),
        utf8::rows(),
        closing(),
        auto_fragmentation(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where the octets of `frames` are cut.
fn cuts(chop: Chop, frames: &[Vec<u8>]) -> Vec<usize> {
    let total: usize = frames.iter().map(Vec::len).sum();
    match chop {
        Chop::Whole => vec![],
        Chop::Octets => (1..total).collect(),
        Chop::Every(octets) => (octets..total).step_by(octets).collect(),
        Chop::Frames => frames
            .iter()
            .scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            })
            .collect(),
        Chop::Payload(parts) => parts.iter().map(|part| 2 + 4 + part).collect(),
    }
}

#[test]
fn every_case_ends_as_the_suite_expects_however_it_is_cut() {
    for row in table() {
        let frames: Vec<Vec<u8>> = row.sent.iter().map(Frame::masked).collect();
        let input = frames.concat();
        for chop in [row.chop, Chop::Whole, Chop::Frames, Chop::Octets] {
            let mut endpoint = Endpoint::new(Role::Server, &Limits::default());
            let seen = receive(&mut endpoint, &input, &cuts(chop, &frames));
            assert!(seen == row.seen, "case {} cut {chop:?}: {seen:?}", row.case);
            assert!(
                endpoint.is_closed() && endpoint.is_idle(),
                "case {}",
                row.case
            );
        }
    }
}

#[test]
fn where_the_suite_asks_for_it_the_endpoint_fails_before_the_last_part() {
    let early: Vec<Row> = table()
        .into_iter()
        .filter(|row| row.fails_in_part.is_some())
        .collect();
    assert_eq!(early.len(), 4, "6.4.1 to 6.4.4");
    for row in early {
        let frames: Vec<Vec<u8>> = row.sent.iter().map(Frame::masked).collect();
        let cuts = cuts(row.chop, &frames);
        let part = row.fails_in_part.expect("filtered");
        let input = frames.concat();
        let mut endpoint = Endpoint::new(Role::Server, &Limits::default());
        let before = receive(&mut endpoint, &input[..cuts[part - 2]], &cuts[..part - 2]);
        assert_eq!(before, [], "case {}: legal so far", row.case);
        let then = receive(&mut endpoint, &input[cuts[part - 2]..cuts[part - 1]], &[]);
        assert_eq!(then, row.seen, "case {}", row.case);
    }
}

#[test]
fn no_case_is_missing() {
    let mut counts = std::collections::BTreeMap::<(u32, u32), usize>::new();
    let mut cases = std::collections::HashSet::new();
    for row in table() {
        let mut numbers = row
            .case
            .split('.')
            .map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next();
        // Two-part numbers have no subsection.
        let (section, second, third): (u32, u32, Option<u32>) =
            (next().expect("section"), next().expect("case"), next());
        *counts
            .entry((section, third.map_or(0, |_| second)))
            .or_default() += 1;
        assert!(cases.insert(row.case.clone()), "{} stands twice", row.case);
    }
    let expected = [
        ((1, 1), 8),
        ((1, 2), 8),
        ((2, 0), 11),
        ((3, 0), 7),
        ((4, 1), 5),
        ((4, 2), 5),
        ((5, 0), 20),
        ((6, 1), 3),
        ((6, 2), 4),
        ((6, 3), 2),
        ((6, 4), 4),
        ((6, 5), 5),
        ((6, 6), 11),
        ((6, 7), 4),
        ((6, 8), 2),
        ((6, 9), 4),
        ((6, 10), 3),
        ((6, 11), 5),
        ((6, 12), 8),
        ((6, 13), 5),
        ((6, 14), 10),
        ((6, 15), 1),
        ((6, 16), 3),
        ((6, 17), 5),
        ((6, 18), 5),
        ((6, 19), 5),
        ((6, 20), 7),
        ((6, 21), 8),
        ((6, 22), 34),
        ((6, 23), 7),
        ((7, 1), 6),
        ((7, 3), 6),
        ((7, 5), 1),
        ((7, 7), 13),
        ((7, 9), 9),
        ((7, 13), 2),
        ((10, 1), 1),
    ];
    assert_eq!(counts, expected.into());
    assert_eq!(cases.len(), 247);
}

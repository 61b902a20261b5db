//! Section 6: text in fragments, and tables of octets that are UTF-8 or look like it.

use sinew_websocket::ProtocolError;

use super::{Chop, Row, clean, fails, fragments};
use crate::wire::{Frame, Seen};

/// Greek letters, a surrogate, and Latin ones: what the suite likes to hide where text stands.
pub(super) const SURROGATE_INSIDE: &[u8] =
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";

/// Greek, 11 bytes in 5 characters; the second is U+1F79, which editors like to replace.
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
/// The first code point beyond Unicode: impossible from its second byte on.
const BEYOND: &[u8] = b"\xf4\x90\x80\x80";
const SURROGATE: &[u8] = b"\xed\xa0\x80";

/// Frames of one text message, cut at every octet.
fn by_octet(text: &[u8]) -> Vec<Frame> {
    fragments(text, 1)
}

fn utf8_in_fragments() -> Vec<Row> {
    use Chop::{Frames, Payload, Whole};
    let greeting = "Hello-µ@ßöäüàá-UTF-8!!";
    let kosme = str::from_utf8(KOSME).expect("valid");
    let invalid = SURROGATE_INSIDE;
    let beyond = [KOSME, BEYOND, b"edited"].concat();
    let middle = "middle frame payload";
    let refused =
        |case: &str, chop, sent| fails(case, chop, sent, vec![], ProtocolError::InvalidUtf8);
    let three_frames = |case: &str, first: usize, second: usize| Row {
        fails_in_part: Some(2),
        ..refused(
            case,
            Frames,
            vec![
                Frame::text(&beyond[..first]).more(),
                Frame::continuation(&beyond[first..second]).more(),
                Frame::continuation(&beyond[second..]),
            ],
        )
    };
    let three_chops = |case: &str, cuts| Row {
        fails_in_part: Some(2),
        ..refused(case, Payload(cuts), vec![Frame::text(&beyond)])
    };
    vec![
        clean("6.1.1", Whole, vec![Frame::text("")], vec![Seen::text("")]),
        clean(
            "6.1.2",
            Whole,
            vec![
                Frame::text("").more(),
                Frame::continuation("").more(),
                Frame::continuation(""),
            ],
            vec![Seen::text("")],
        ),
        clean(
            "6.1.3",
            Whole,
            vec![
                Frame::text("").more(),
                Frame::continuation(middle).more(),
                Frame::continuation(""),
            ],
            vec![Seen::text(middle)],
        ),
        clean(
            "6.2.1",
            Whole,
            vec![Frame::text(greeting)],
            vec![Seen::text(greeting)],
        ),
        clean(
            "6.2.2",
            Whole,
            vec![
                Frame::text("Hello-µ@ßöä").more(),
                Frame::continuation("üàá-UTF-8!!"),
            ],
            vec![Seen::text(greeting)],
        ),
        clean(
            "6.2.3",
            Whole,
            by_octet(greeting.as_bytes()),
            vec![Seen::text(greeting)],
        ),
        clean("6.2.4", Whole, by_octet(KOSME), vec![Seen::text(kosme)]),
        refused("6.3.1", Whole, vec![Frame::text(invalid)]),
        refused("6.3.2", Whole, by_octet(invalid)),
        three_frames("6.4.1", 11, 15),
        three_frames("6.4.2", 12, 13),
        three_chops("6.4.3", &[11, 15]),
        three_chops("6.4.4", &[12, 13]),
    ]
}

/// The octets of one case, and whether they are UTF-8: asked of no decoder, but written down.
type Octets = (bool, Vec<u8>);

/// The cases of each subsection from 6.5 on.
fn tables() -> Vec<(u32, Vec<Octets>)> {
    fn all(valid: bool, sequences: &[&[u8]]) -> Vec<Octets> {
        sequences
            .iter()
            .map(|bytes| (valid, bytes.to_vec()))
            .collect()
    }
    // Each start byte of a range, its last one left out, followed by a space.
    let lonely =
        |from: u8, to: u8| -> Vec<u8> { (from..to).flat_map(|byte| [byte, b' ']).collect() };
    let unfinished: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let non_characters = (0..=0x10_u32)
        .flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff])
        .map(|code| {
            let character = char::from_u32(code).expect("not a surrogate");
            (true, character.to_string().into_bytes())
        });
    vec![
        (
            5,
            all(
                true,
                &[
                    b"hello\x24world",
                    b"hello\xc2\xa2world",
                    b"hello\xe2\x82\xacworld",
                    b"hello\xf0\xa4\xad\xa2world",
                    KOSME,
                ],
            ),
        ),
        (
            6,
            (1..=KOSME.len())
                .map(|end| ([2, 5, 7, 9, 11].contains(&end), KOSME[..end].to_vec()))
                .collect(),
        ),
        (
            7,
            all(
                true,
                &[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
            ),
        ),
        (
            8,
            all(
                false,
                &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
            ),
        ),
        (
            9,
            all(
                true,
                &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
            ),
        ),
        (
            10,
            all(
                false,
                &[
                    b"\xf7\xbf\xbf\xbf",
                    b"\xfb\xbf\xbf\xbf\xbf",
                    b"\xfd\xbf\xbf\xbf\xbf\xbf",
                ],
            ),
        ),
        (
            11,
            [
                all(
                    true,
                    &[
                        b"\xed\x9f\xbf",
                        b"\xee\x80\x80",
                        b"\xef\xbf\xbd",
                        b"\xf4\x8f\xbf\xbf",
                    ],
                ),
                all(false, &[BEYOND]),
            ]
            .concat(),
        ),
        (
            12,
            all(
                false,
                &[
                    b"\x80",
                    b"\xbf",
                    b"\x80\xbf",
                    b"\x80\xbf\x80",
                    b"\x80\xbf\x80\xbf",
                    b"\x80\xbf\x80\xbf\x80",
                    b"\x80\xbf\x80\xbf\x80\xbf",
                    &(0x80..0xbf).collect::<Vec<u8>>(),
                ],
            ),
        ),
        (
            13,
            [
                (0xc0, 0xdf),
                (0xe0, 0xef),
                (0xf0, 0xf7),
                (0xf8, 0xfb),
                (0xfc, 0xfd),
            ]
            .map(|(from, to)| (false, lonely(from, to)))
            .to_vec(),
        ),
        (14, all(false, &unfinished)),
        (15, vec![(false, unfinished.concat())]),
        (16, all(false, &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"])),
        (
            17,
            all(
                false,
                &[
                    b"\xc0\xaf",
                    b"\xe0\x80\xaf",
                    b"\xf0\x80\x80\xaf",
                    b"\xf8\x80\x80\x80\xaf",
                    b"\xfc\x80\x80\x80\x80\xaf",
                ],
            ),
        ),
        (
            18,
            all(
                false,
                &[
                    b"\xc1\xbf",
                    b"\xe0\x9f\xbf",
                    b"\xf0\x8f\xbf\xbf",
                    b"\xf8\x87\xbf\xbf\xbf",
                    b"\xfc\x83\xbf\xbf\xbf\xbf",
                ],
            ),
        ),
        (
            19,
            all(
                false,
                &[
                    b"\xc0\x80",
                    b"\xe0\x80\x80",
                    b"\xf0\x80\x80\x80",
                    b"\xf8\x80\x80\x80\x80",
                    b"\xfc\x80\x80\x80\x80\x80",
                ],
            ),
        ),
        (
            20,
            all(
                false,
                &[
                    SURROGATE,
                    b"\xed\xad\xbf",
                    b"\xed\xae\x80",
                    b"\xed\xaf\xbf",
                    b"\xed\xb0\x80",
                    b"\xed\xbe\x80",
                    b"\xed\xbf\xbf",
                ],
            ),
        ),
        (
            21,
            all(
                false,
                &[
                    b"\xed\xa0\x80\xed\xb0\x80",
                    b"\xed\xa0\x80\xed\xbf\xbf",
                    b"\xed\xad\xbf\xed\xb0\x80",
                    b"\xed\xad\xbf\xed\xbf\xbf",
                    b"\xed\xae\x80\xed\xb0\x80",
                    b"\xed\xae\x80\xed\xbf\xbf",
                    b"\xed\xaf\xbf\xed\xb0\x80",
                    b"\xed\xaf\xbf\xed\xbf\xbf",
                ],
            ),
        ),
        (22, non_characters.collect()),
        (
            23,
            (0xfff9..=0xffff_u32)
                .map(|code| {
                    let character = char::from_u32(code).expect("not a surrogate");
                    (true, character.to_string().into_bytes())
                })
                .collect(),
        ),
    ]
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = utf8_in_fragments();
    for (section, cases) in tables() {
        for (number, (valid, bytes)) in (1..).zip(cases) {
            let case = format!("6.{section}.{number}");
            let sent = vec![Frame::text(&bytes)];
            rows.push(if valid {
                let text = String::from_utf8(bytes).expect("said to be valid");
                clean(&case, Chop::Whole, sent, vec![Seen::Text(text)])
            } else {
                fails(&case, Chop::Whole, sent, vec![], ProtocolError::InvalidUtf8)
            });
        }
    }
    rows
}

//! Rules beyond the Autobahn table: roles, lengths, limits, memory, closing.

use sinew_websocket::{
    CloseCode, Effect, Endpoint, Limits, Opcode, ProtocolError, Role, SharedFrame, frame_into,
    masked_frame_into,
};

use crate::wire::{Frame, Seen, receive};

fn server() -> Endpoint {
    Endpoint::new(Role::Server, &Limits::default())
}

fn client() -> Endpoint {
    Endpoint::new(Role::Client, &Limits::default())
}

fn failed(error: ProtocolError) -> Vec<Seen> {
    let code = error.close_code().get();
    vec![Seen::SentClose(Some(code)), Seen::Failed(code, error)]
}

#[test]
fn an_endpoint_is_small() {
    assert!(size_of::<Endpoint>() <= 16, "{}", size_of::<Endpoint>());
    assert!(size_of::<Option<Endpoint>>() <= 16);
}

#[test]
fn whole_frames_are_delivered_where_they_stand() {
    let mut input = [
        Frame::text("first").masked(),
        Frame::binary([7; 300]).masked(),
        Frame::pong("sign of life").masked(),
    ]
    .concat();
    let place = input.as_ptr_range();
    let mut endpoint = server();
    let mut delivered = 0;
    endpoint.receive(&mut input, |effect| {
        let payload = match effect {
            Effect::Text(text) => text.as_bytes(),
            Effect::Binary(bytes) | Effect::Pong(bytes) => bytes,
            other => panic!("{other:?}"),
        };
        assert!(place.contains(&payload.as_ptr()), "a copy");
        delivered += 1;
    });
    assert_eq!(delivered, 3);
    assert_eq!(endpoint.heap_bytes(), 0);
}

#[test]
fn a_whole_frame_is_not_copied_even_when_its_header_came_in_two() {
    let mut input = Frame::binary([7; 300]).masked();
    let mut endpoint = server();
    let (first, second) = input.split_at_mut(5);
    endpoint.receive(first, |effect| panic!("{effect:?}"));
    let place = second.as_ptr_range();
    let mut delivered = 0;
    endpoint.receive(second, |effect| {
        let Effect::Binary(bytes) = effect else {
            panic!("{effect:?}")
        };
        assert!(place.contains(&bytes.as_ptr()), "a copy");
        delivered += 1;
    });
    assert_eq!(delivered, 1);
    assert!(endpoint.is_idle());
}

#[test]
fn nothing_is_kept_once_a_message_is_whole() {
    let frames = [
        Frame::text("a".repeat(5000)).more(),
        Frame::ping("between"),
        Frame::continuation("end"),
        Frame::binary([0; 70_000]),
        Frame::ping("last"),
    ];
    for frame in 1..=frames.len() {
        let input = frames[..frame]
            .iter()
            .flat_map(Frame::masked)
            .collect::<Vec<_>>();
        for cut in [1, 3, 7, 1000, 4096] {
            let mut endpoint = server();
            let cuts: Vec<_> = (cut..input.len()).step_by(cut).collect();
            receive(&mut endpoint, &input, &cuts);
            assert_eq!(
                endpoint.is_idle(),
                frame > 2,
                "after {frame} frames cut by {cut}"
            );
            assert_eq!(endpoint.heap_bytes() == 0, endpoint.is_idle());
        }
    }
}

#[test]
fn memory_follows_what_has_come_and_not_what_is_promised() {
    let input = Frame::binary(vec![1; 1024 * 1024]).masked();
    let mut endpoint = server();
    receive(&mut endpoint, &input[..14], &[]);
    assert!(endpoint.heap_bytes() < 256, "{}", endpoint.heap_bytes());
    receive(&mut endpoint, &input[14..1014], &[]);
    assert!(endpoint.heap_bytes() < 2000, "{}", endpoint.heap_bytes());
    let mut at = 1014;
    while at + 16 * 1024 < input.len() {
        receive(&mut endpoint, &input[at..at + 16 * 1024], &[]);
        at += 16 * 1024;
        let held = endpoint.heap_bytes();
        assert!(held < 2 * at + 34 * 1024, "{held} for {at}");
        assert!(
            held < 1024 * 1024 + 256,
            "{held}: never more than the frame"
        );
    }
    let seen = receive(&mut endpoint, &input[at..], &[]);
    assert_eq!(seen, [Seen::Binary(vec![1; 1024 * 1024])]);
    assert_eq!(endpoint.heap_bytes(), 0);
}

#[test]
fn many_small_fragments_grow_the_message_by_doubling() {
    let mut endpoint = server();
    receive(&mut endpoint, &Frame::binary("").more().masked(), &[]);
    let fragment = Frame::continuation([9]).more().masked();
    let mut growths = 0;
    let mut held = endpoint.heap_bytes();
    for _ in 0..100_000 {
        receive(&mut endpoint, &fragment, &[]);
        growths += usize::from(endpoint.heap_bytes() != held);
        held = endpoint.heap_bytes();
    }
    assert!(growths < 20, "{growths}");
    assert!(held < 300_000, "{held}");
}

#[test]
fn the_limit_counts_all_fragments_and_refuses_at_the_header() {
    let limits = Limits::default().with_message_bytes_max(1000);
    let too_big = failed(ProtocolError::MessageTooBig { limit: 1000 });
    let fits = [
        Frame::text("a".repeat(600)).more(),
        Frame::ping("not counted"),
        Frame::continuation("a".repeat(400)),
        Frame::text("a".repeat(1000)),
    ];
    let input: Vec<u8> = fits.iter().flat_map(Frame::masked).collect();
    let seen = receive(&mut Endpoint::new(Role::Server, &limits), &input, &[]);
    assert_eq!(seen.len(), 3, "{seen:?}");

    let over = Frame::text("a".repeat(1001)).masked();
    for header in [4, 8, over.len()] {
        let mut endpoint = Endpoint::new(Role::Server, &limits);
        assert_eq!(receive(&mut endpoint, &over[..header], &[]), too_big);
        assert!(endpoint.is_idle() && endpoint.is_closed());
    }
    let mut endpoint = Endpoint::new(Role::Server, &limits);
    let first = Frame::text("a".repeat(600)).more().masked();
    assert_eq!(receive(&mut endpoint, &first, &[]), []);
    let second = Frame::continuation("a".repeat(401)).masked();
    assert_eq!(receive(&mut endpoint, &second[..4], &[]), too_big);

    let gigantic = b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff";
    let limit = 1024 * 1024;
    let too_big = failed(ProtocolError::MessageTooBig { limit });
    assert_eq!(receive(&mut server(), gigantic, &[]), too_big);
    let unlimited = Limits::default().with_message_bytes_max(usize::MAX);
    let seen = receive(&mut Endpoint::new(Role::Server, &unlimited), gigantic, &[]);
    assert_eq!(
        seen,
        failed(ProtocolError::MessageTooBig { limit: u32::MAX })
    );
}

#[test]
fn a_limit_of_nothing_allows_empty_messages_and_pings() {
    let limits = Limits::default().with_message_bytes_max(0);
    let mut endpoint = Endpoint::new(Role::Server, &limits);
    let input = [Frame::text("").masked(), Frame::ping("here").masked()].concat();
    let seen = receive(&mut endpoint, &input, &[]);
    assert_eq!(seen, [Seen::text(""), Seen::SentPong(b"here".to_vec())]);
}

#[test]
fn each_side_insists_on_the_others_masking() {
    let plain = Frame::text("a").plain();
    let masked = Frame::text("a").masked();
    assert_eq!(receive(&mut server(), &masked, &[]), [Seen::text("a")]);
    assert_eq!(receive(&mut client(), &plain, &[]), [Seen::text("a")]);
    assert_eq!(
        receive(&mut server(), &plain, &[]),
        failed(ProtocolError::MaskMissing)
    );
    assert_eq!(
        receive(&mut client(), &masked, &[]),
        failed(ProtocolError::MaskForbidden)
    );
}

#[test]
fn lengths_must_be_in_their_shortest_form() {
    let not_minimal = failed(ProtocolError::LengthNotMinimal);
    for length in [
        &b"\x82\xfe\x00\x7d"[..],
        b"\x82\xfe\x00\x00",
        b"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff",
        b"\x82\xff\x00\x00\x00\x00\x00\x00\x00\x01",
    ] {
        assert_eq!(
            receive(&mut server(), length, &[]),
            not_minimal,
            "{length:x?}"
        );
    }
    let overflow = b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00";
    assert_eq!(
        receive(&mut server(), overflow, &[]),
        failed(ProtocolError::LengthOverflow)
    );
    for length in [
        &b"\x82\xfe\x00\x7e"[..],
        b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00",
    ] {
        assert_eq!(receive(&mut server(), length, &[]), [], "{length:x?}");
    }
}

#[test]
fn text_fails_at_the_first_impossible_byte() {
    for (valid, impossible) in [
        (&b""[..], 0x80),
        (b"", 0xc0),
        (b"", 0xf5),
        (b"abc\xc3", 0x28),
        (b"\xe0", 0x9f),
        (b"\xed", 0xa0),
        (b"\xf0", 0x8f),
        (b"\xf4", 0x90),
        (b"\xf0\x90\x80", 0x41),
    ] {
        let whole = [valid, &[impossible], b"the rest never comes"].concat();
        let frame = Frame::text(&whole).masked();
        let end = 2 + 4 + valid.len();
        let mut endpoint = server();
        assert_eq!(receive(&mut endpoint, &frame[..end], &[]), [], "{valid:x?}");
        assert_eq!(
            receive(&mut endpoint, &frame[end..=end], &[]),
            failed(ProtocolError::InvalidUtf8),
            "{valid:x?} then {impossible:x}"
        );
        assert!(endpoint.is_idle(), "what came of the message is let go");
    }
    let binary = Frame::binary(b"\xff\xfe").masked();
    let seen = receive(&mut server(), &binary, &[]);
    assert_eq!(seen, [Seen::Binary(vec![0xff, 0xfe])]);
}

#[test]
fn nothing_is_read_after_the_end() {
    let message = Frame::text("more").masked();
    for end in [Frame::close(1000, "").masked(), b"\xff".to_vec()] {
        let mut endpoint = server();
        let seen = receive(&mut endpoint, &[&end[..], &message].concat(), &[]);
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(endpoint.is_closed() && !endpoint.is_open());
        assert_eq!(receive(&mut endpoint, &message, &[]), []);
        assert!(endpoint.close(CloseCode::NORMAL, "").is_empty());
    }
}

#[test]
fn a_closing_begun_here_ends_with_the_peers() {
    for mut endpoint in [server(), client()] {
        let farewell = endpoint.close(CloseCode::GOING_AWAY, "restart");
        assert_eq!(Seen::sent(&farewell), Seen::SentClose(Some(1001)));
        assert!(endpoint.close(CloseCode::NORMAL, "again").is_empty());
        assert!(!endpoint.is_open() && !endpoint.is_closed());
    }

    let mut endpoint = server();
    let _ = endpoint.close(CloseCode::GOING_AWAY, "restart");
    let in_flight = [
        Frame::text("too late").masked(),
        Frame::ping("no answer").masked(),
        Frame::pong("").masked(),
    ];
    assert_eq!(receive(&mut endpoint, &in_flight.concat(), &[]), []);
    assert!(!endpoint.is_closed());
    let seen = receive(&mut endpoint, &Frame::close(1001, "yes").masked(), &[]);
    assert_eq!(
        seen,
        [Seen::Closed(Some(1001), "yes".to_owned())],
        "and nothing is sent twice"
    );
    assert!(endpoint.is_closed());
}

#[test]
fn a_failure_after_our_own_close_sends_no_second_one() {
    let mut endpoint = server();
    let _ = endpoint.close(CloseCode::NORMAL, "");
    let seen = receive(&mut endpoint, b"\xff", &[]);
    assert_eq!(seen, [Seen::Failed(1002, ProtocolError::ReservedBits)]);
}

#[test]
fn a_close_frame_carries_the_reason_as_far_as_it_fits() {
    let mut endpoint = server();
    let frame = endpoint.close(CloseCode::NORMAL, "bye");
    assert_eq!(&frame[..], b"\x88\x05\x03\xe8bye");
    let long = format!("{}é", "a".repeat(122));
    let frame = server().close(CloseCode::NORMAL, &long);
    assert_eq!(
        frame.len(),
        2 + 2 + 122,
        "cut before the character that does not fit"
    );
    let seen = receive(&mut client(), &frame, &[]);
    assert_eq!(seen[1], Seen::Closed(Some(1000), "a".repeat(122)));
}

#[test]
fn a_close_is_answered_with_itself() {
    for (close, answer) in [
        (
            Frame::close(4000, "a reason"),
            &b"\x88\x0a\x0f\xa0a reason"[..],
        ),
        (Frame::new(0x8, ""), b"\x88\x00"),
    ] {
        let mut sent = Vec::new();
        server().receive(&mut close.masked(), |effect| {
            if let Effect::Send(frame) = effect {
                sent.extend(frame);
            }
        });
        assert_eq!(sent, answer);
    }
}

#[test]
fn a_failure_tells_the_peer_what_was_wrong() {
    let mut endpoint = server();
    let mut farewell = Vec::new();
    endpoint.receive(&mut [0xf1], |effect| {
        if let Effect::Send(frame) = effect {
            farewell = frame.to_vec();
        }
    });
    let seen = receive(&mut client(), &farewell, &[]);
    let reason = ProtocolError::ReservedBits.to_string();
    assert_eq!(seen[1], Seen::Closed(Some(1002), reason));
}

#[test]
fn codes_registered_since_the_rfc_are_accepted() {
    for code in [1012, 1013, 1014] {
        let seen = receive(&mut server(), &Frame::close(code, "").masked(), &[]);
        assert_eq!(seen[0], Seen::SentClose(Some(code)));
    }
    let seen = receive(&mut server(), &Frame::close(1015, "").masked(), &[]);
    assert_eq!(seen, failed(ProtocolError::InvalidCloseCode(1015)));
}

#[test]
fn only_codes_that_may_be_sent_exist() {
    let allowed = (0..=u16::MAX).filter(|code| CloseCode::new(*code).is_some());
    assert_eq!(allowed.count(), 4 + 8 + 2000);
}

#[test]
fn a_client_masks_what_it_answers_with_fresh_keys() {
    let mut endpoint = client();
    let mut frames = Vec::new();
    let mut input = [Frame::ping("same").plain(), Frame::ping("same").plain()].concat();
    endpoint.receive(&mut input, |effect| {
        if let Effect::Send(frame) = effect {
            frames.push(frame);
        }
    });
    assert_ne!(frames[0], frames[1]);
    let seen = receive(&mut server(), &frames.concat(), &[]);
    assert_eq!(seen, vec![Seen::Pong(b"same".to_vec()); 2]);
}

#[test]
fn frames_of_every_length_form_are_read_back() {
    for bytes in [0, 1, 125, 126, 127, 65535, 65536, 70_000] {
        let payload = vec![b'x'; bytes];
        let shared = SharedFrame::binary(&payload);
        assert_eq!(shared.payload(), payload);
        let mut appended = b"before".to_vec();
        frame_into(&mut appended, Opcode::Binary, &payload);
        assert_eq!(appended[6..], *shared.as_bytes());
        let expected = [Seen::Binary(payload.clone())];
        assert_eq!(receive(&mut client(), shared.as_bytes(), &[]), expected);

        let mut masked = Vec::new();
        masked_frame_into(&mut masked, Opcode::Binary, &payload, [1, 2, 3, 4]);
        assert_eq!(receive(&mut server(), &masked, &[]), expected);
        let key = Some([1, 2, 3, 4]);
        let mut by_hand = Vec::new();
        Frame::binary(&payload).write(&mut by_hand, key);
        assert_eq!(masked, by_hand);
    }
}

#[test]
#[should_panic(expected = "at most 125 bytes")]
fn an_oversized_ping_cannot_be_made() {
    let _ = SharedFrame::ping(&[0; 126]);
}

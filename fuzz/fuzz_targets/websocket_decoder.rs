//! Whatever a peer sends: no panic, bounded memory, and the same effects however it is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sinew_websocket::deflate::Inflater;
use sinew_websocket::{Effect, Endpoint, Limits, Role};

fuzz_target!(|data: &[u8]| {
    let [settings, step, input @ ..] = data else {
        return;
    };
    let role = if settings & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let limits = match settings >> 1 & 3 {
        0 => Limits::default(),
        1 => Limits::default().with_message_bytes_max(64),
        2 => Limits::default().with_message_bytes_max(usize::MAX),
        _ => Limits::default().with_message_bytes_max(1000),
    };
    let new = || match settings >> 3 & 1 {
        0 => Endpoint::new(role, &limits),
        _ => Endpoint::new(role, &limits).with_deflate(),
    };
    let (mut endpoint, mut closing) = (new(), new());
    let _ = closing.close(sinew_websocket::CloseCode::NORMAL, "");
    let whole = effects(&mut endpoint, role, &limits, input, input.len());
    let mut cut = new();
    let again = effects(&mut cut, role, &limits, input, usize::from(*step));
    assert_eq!(whole, again);
    assert_eq!(endpoint.is_idle(), cut.is_idle());
    assert_eq!(endpoint.is_closed(), cut.is_closed());
    let last = effects(&mut closing, role, &limits, input, usize::from(*step));
    assert!(last.len() <= 1, "only the end is told to a side that has closed");
});

/// What the endpoint makes of `input` in pieces of `step` bytes.
fn effects(
    endpoint: &mut Endpoint,
    role: Role,
    limits: &Limits,
    input: &[u8],
    step: usize,
) -> Vec<String> {
    let mut inflater = Inflater::default();
    let mut effects = Vec::new();
    let mut fed = 0;
    for piece in input.chunks(step.max(1)) {
        fed += piece.len();
        endpoint.receive_with(&mut inflater, &mut piece.to_vec(), |effect| {
            effects.push(match effect {
                // The masking key is another one each time.
                Effect::Send(frame) if role == Role::Client => format!("sent {}", frame.len()),
                effect => format!("{effect:?}"),
            });
        });
        assert!(endpoint.heap_bytes() <= 512 + 2 * fed);
        assert!(inflater.buffer_bytes() <= limits.message_bytes_max.saturating_add(1));
        assert_eq!(endpoint.is_idle(), endpoint.heap_bytes() == 0);
    }
    effects
}

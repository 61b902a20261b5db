//! Frames and commands by themselves.

use std::hint::black_box;

use anyhow::{Result, ensure};
use sinew_protocol::ClientCommand;
use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, SharedFrame, masked_frame_into};

use crate::message::{Reflex, Scenario};

const PAYLOAD: &[u8; 64] = b"{\"payload\":\"sixty-four bytes, as short messages of a chat have\"}";

/// A short text frame of a client.
pub(crate) fn decode(count: usize) -> Result<()> {
    let mut sent = Vec::new();
    masked_frame_into(&mut sent, Opcode::Text, PAYLOAD, [1, 2, 3, 4]);
    let mut endpoint = Endpoint::new(Role::Server, &Limits::default());
    let (mut input, mut bytes) = (sent.clone(), 0);
    for _ in 0..count {
        input.copy_from_slice(&sent);
        endpoint.receive(black_box(&mut input), |effect| {
            if let Effect::Text(text) = effect {
                bytes += text.len();
            }
        });
    }
    ensure!(bytes == count * PAYLOAD.len(), "{bytes} bytes were decoded");
    Ok(())
}

/// A short text frame of the server.
pub(crate) fn encode(count: usize) -> Result<()> {
    for _ in 0..count {
        let frame = SharedFrame::text(black_box(PAYLOAD));
        ensure!(frame.payload().len() == PAYLOAD.len(), "{frame:?}");
    }
    Ok(())
}

/// A message with all that the stock client puts into a reflex call.
pub(crate) fn parse(count: usize) -> Result<()> {
    let message = Scenario::Reflex(Reflex::Nothing).message();
    let text = str::from_utf8(&message.text)?;
    for _ in 0..count {
        let command = ClientCommand::parse(black_box(text))?;
        ensure!(
            matches!(&command, ClientCommand::Message { .. }),
            "{command:?}"
        );
        black_box(command);
    }
    Ok(())
}

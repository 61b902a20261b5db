//! The span of a command, for whoever follows one from its frame to its reply.

use std::borrow::Cow;

use serde::Deserialize;
use sinew_protocol::ClientCommand;
use tracing::{Span, debug_span};

use crate::context::ConnectionId;

/// So much of a channel's name is shown.
const CHANNEL_CHARACTERS_MAX: usize = 64;

/// `command`, at the level `debug` with the target `sinew::cable`: as long as the command is handled here, which is
/// longer than the application takes only when it answers at once. What it does later lies in the span all the same.
///
/// Of the identifier it shows the channel alone: the rest may hold the signed name of a stream, which is a key to it.
pub(super) fn of(connection: ConnectionId, command: &ClientCommand<'_>) -> Span {
    let (name, identifier): (_, &str) = match command {
        ClientCommand::Subscribe { identifier } => ("subscribe", identifier),
        ClientCommand::Unsubscribe { identifier } => ("unsubscribe", identifier),
        ClientCommand::Message { identifier, .. } => ("message", identifier),
        _ => return Span::none(),
    };
    debug_span!(
        target: "sinew::cable",
        "command",
        connection = connection.get(),
        command = name,
        channel = %channel(identifier),
    )
}

fn channel(identifier: &str) -> String {
    #[derive(Deserialize)]
    struct Name<'a> {
        #[serde(borrow)]
        channel: Cow<'a, str>,
    }
    let name = serde_json::from_str::<Name<'_>>(identifier);
    let name = name.as_ref().map_or("-", |name| &*name.channel);
    let shown: String = name.chars().take(CHANNEL_CHARACTERS_MAX).collect();
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_channel_is_shown_and_no_more_than_a_line_of_it() {
        let signed = r#"{"channel":"CableReady::Stream","identifier":"secret"}"#;
        assert_eq!(channel(signed), "CableReady::Stream");
        assert_eq!(channel(r#"{"channel":"a\nb"}"#), r"a\nb");
        assert_eq!(channel("no JSON"), "-");
        let long = format!(r#"{{"channel":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(channel(&long).len(), CHANNEL_CHARACTERS_MAX);
    }
}

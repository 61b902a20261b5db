use thiserror::Error;

/// Why a frame is not a command.
///
/// Bad input is data: the server logs it at debug, counts it, ignores it and goes on with the next frame.
///
/// ```
/// use sinew_protocol::{ClientCommand, CommandError};
///
/// let error = ClientCommand::parse(r#"{"command":"fly"}"#).unwrap_err();
/// assert!(matches!(&error, CommandError::UnknownCommand(word) if word == "fly"));
/// assert_eq!(error.to_string(), r#"unknown command "fly""#);
/// assert!(matches!(ClientCommand::parse("[]"), Err(CommandError::NotObject)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The frame is not JSON text.
    #[error("frame is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The frame is JSON, but not an object: `null`, a number, a string or an array.
    #[error("frame is JSON but not an object")]
    NotObject,
    /// There is no `command`, or it is not a string.
    #[error("frame has no command")]
    NoCommand,
    /// The command is a word that the protocol does not have.
    #[error("unknown command {0:?}")]
    UnknownCommand(String),
    /// The command needs an `identifier`, and it is missing or not a string.
    #[error("identifier is missing or not a string")]
    IdentifierNotString,
    /// A `message` needs `data`, and it is missing or not a JSON string.
    #[error("data is missing or not a string")]
    DataNotString,
}

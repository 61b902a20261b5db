//! What can go wrong in a reflex, and what the visitor and the log hear about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use crate::config::Environment;

/// The result of a reflex action, a callback and most calls on [`Reflex`](crate::Reflex).
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// Why a reflex ended without a morph.
///
/// Every error has an inside and an outside.
/// The inside ([`Display`](fmt::Display) and the sources behind it) is for the log and, in development, for the browser's console.
/// The outside ([`Error::sentence`]) is what a browser hears in production: never the text of a cause, always a sentence fit for a visitor.
///
/// `?` turns any error into one, a sentence too; such an error has no outside of its own:
///
/// ```
/// use sinew_reflex::{Error, ErrorKind, Result};
///
/// fn parse(text: &str) -> Result<i64> {
///     Ok(text.parse::<i64>()?)
/// }
///
/// let error = parse("ten").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Application);
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// assert_eq!(error.sentence(), "Something went wrong on the server.");
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
///
/// let error = Error::visible("This seat is taken.");
/// assert_eq!(error.sentence(), "This seat is taken.");
/// ```
///
/// A cause for the log, and a sentence for the visitor:
///
/// ```
/// use sinew_reflex::Error;
///
/// let error = Error::visible("The file is not there.")
///     .with_source(std::io::Error::from(std::io::ErrorKind::NotFound));
/// assert_eq!(error.chain(), "The file is not there.: entity not found");
/// assert!(error.source().is_some());
///
/// let error = Error::from("row 7 has no owner").with_sentence("This entry cannot be opened.");
/// assert_eq!(error.to_string(), "row 7 has no owner");
/// assert_eq!(error.sentence(), "This entry cannot be opened.");
/// ```
///
/// It does not implement [`std::error::Error`] itself, because then `?` could not accept every other error.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    text: Cow<'static, str>,
    sentence: Option<Cow<'static, str>>,
    source: Option<Source>,
}

/// Which part of the reflex an [`Error`] comes from.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Error, ErrorKind, Reflex, Result};
///
/// struct Form;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Form {
///     #[rescue]
///     async fn explain(&self, cx: &mut Reflex, error: &Error) {
///         cx.payload_mut()["hint"] = match error.kind() {
///             ErrorKind::Argument | ErrorKind::Params => "Please check what you typed.",
///             _ => "Please try again.",
///         }
///         .into();
///     }
///
///     async fn save(&self, _cx: &mut Reflex, _amount: u32) -> Result {
///         Err("the disk is full".into())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Form)).await;
/// let payload = server.payload("Form#save", json!({"args": ["ten"]})).await;
/// assert_eq!(payload["hint"], "Please check what you typed.");
/// let payload = server.payload("Form#save", json!({"args": [10]})).await;
/// assert_eq!(payload["hint"], "Please try again.");
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The application's own code returned it.
    Application,
    /// A `before` callback halted the reflex.
    Halted,
    /// A `before` callback forbade the reflex, or the page answered 401 or 403.
    Forbidden,
    /// The target names no registered reflex or action, or is malformed.
    Target,
    /// The client's version is not the one this server answers.
    Version,
    /// Too few or too many arguments.
    Arity,
    /// An argument could not become the action's type.
    Argument,
    /// The form data or parameters are too large, too deep or malformed.
    Params,
    /// The url is not one, or cannot be routed.
    Url,
    /// A morph was asked for that the reflex can no longer make.
    Morph,
    /// The page could not be rendered, or the page handler answered with an error.
    Page,
    /// The session could not be read or written.
    Session,
    /// Application code panicked.
    Panic,
    /// The time limit ran out.
    Timeout,
    /// Too many actions of the connection were waiting already.
    Overload,
    /// Operations could not be published on a stream.
    Broadcast,
}

impl ErrorKind {
    /// The sentence a visitor hears when the error brings none of its own.
    fn sentence(self) -> &'static str {
        match self {
            Self::Target => "This action does not exist.",
            Self::Version => {
                "This page was made for another version of the application. Please reload it."
            }
            Self::Arity | Self::Argument | Self::Params => {
                "The server did not understand what this action was given."
            }
            Self::Url => "The server did not understand the address of this page.",
            Self::Page => "The page could not be rendered.",
            Self::Timeout => "This action took too long and was stopped.",
            Self::Overload => "Too many actions are waiting. Please try again when they are done.",
            Self::Forbidden => "This action is not allowed.",
            Self::Halted
            | Self::Application
            | Self::Morph
            | Self::Session
            | Self::Panic
            | Self::Broadcast => "Something went wrong on the server.",
        }
    }
}

impl Error {
    /// An error of the given kind; `text` is its inside.
    pub(crate) fn of(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                text: text.into(),
                sentence: None,
                source: None,
            }),
        }
    }

    /// An error whose sentence may be shown to the visitor, in production too.
    pub fn visible(sentence: impl Into<Cow<'static, str>>) -> Self {
        let sentence = sentence.into();
        Self::of(ErrorKind::Application, sentence.clone()).with_sentence(sentence)
    }

    /// Gives the error an outside: the sentence the visitor hears, in production too.
    #[must_use]
    pub fn with_sentence(mut self, sentence: impl Into<Cow<'static, str>>) -> Self {
        self.inner.sentence = Some(sentence.into());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Which part of the reflex the error comes from.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The outside: a sentence fit for the visitor.
    pub fn sentence(&self) -> &str {
        self.inner
            .sentence
            .as_deref()
            .unwrap_or_else(|| self.inner.kind.sentence())
    }

    /// The cause, when it is of type `E`; how a `rescue` tells errors apart.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.inner.source.as_deref()?.downcast_ref()
    }

    /// The cause, if there is one.
    pub fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }

    /// The text that goes to the browser.
    pub(crate) fn for_browser(&self, environment: Environment) -> Cow<'_, str> {
        match environment {
            Environment::Development => Cow::Owned(self.chain()),
            Environment::Production => Cow::Borrowed(self.sentence()),
        }
    }

    /// The inside with all its causes, joined by `: `; what the log says.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            let sentence = cause.to_string();
            // Errors that repeat their cause in their own text would say it twice.
            if !text.ends_with(&sentence) {
                text.push_str(": ");
                text.push_str(&sentence);
            }
            source = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.inner.text, &self.inner.source) {
            ("", Some(source)) => fmt::Display::fmt(source, f),
            (text, _) => f.write_str(text),
        }
    }
}

/// The text with its causes: what a `main` that ends with this error prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Error {
    fn from(source: E) -> Self {
        Self::of(ErrorKind::Application, "").with_source(source)
    }
}

/// Why an [`Engine`](crate::Engine) could not be built; all of these are mistakes of the program, found when it starts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two registered reflexes answer to one name.
    #[error(
        "two reflexes are registered under the name `{0}`: give one another name with `#[reflex(name = \"…\")]`, or register it once"
    )]
    DuplicateReflex(String),
    /// A reflex has two actions of one name.
    #[error("reflex `{reflex}` has two actions named `{action}`")]
    DuplicateAction {
        /// The reflex's name.
        reflex: String,
        /// The action named twice.
        action: String,
    },
    /// `skip` names a callback that the application-wide reflex does not have.
    #[error(
        "reflex `{reflex}` skips `{callback}`, but the application-wide reflex has no such callback"
    )]
    UnknownSkip {
        /// The reflex's name.
        reflex: String,
        /// The callback it wants to skip.
        callback: String,
    },
    /// `only` or `except` names an action that does not exist.
    #[error(
        "callback `{callback}` of reflex `{reflex}` names the action `{action}`, which does not exist"
    )]
    UnknownAction {
        /// The reflex's name.
        reflex: String,
        /// The callback with the condition.
        callback: String,
        /// The action it names.
        action: String,
    },
    /// `application` was called twice.
    #[error("there can be only one application-wide reflex")]
    SecondApplication,
    /// The engine was built outside of a tokio runtime and was given none.
    #[error("the engine needs a tokio runtime: build it inside of one or pass a handle")]
    NoRuntime,
}

use std::fmt;

/// Why the server ends a connection, with a spelling that clients read.
///
/// One table for all that follows from a reason:
///
/// | reason | reconnect | close code | close text | when |
/// |---|---|---|---|---|
/// | `unauthorized` | no | 1000 | | the connect hook refused |
/// | `token_expired` | no | 1000 | | the identity's token is past its time, at connect |
/// | `server_restart` | yes | 1001 | `Server restart` | this server goes away or was told to restart |
/// | `remote` | as told, usually yes | 1000 | `Closed remotely` | the application ended it |
/// | `idle_timeout` | no | 1000 | `Idle Timeout` | no answer to connect within the handshake's time |
/// | `no_pong` | yes | 1000 | `No Pong` | nothing came from the client for too long, although it was asked |
/// | `too_slow` | yes | 1000 | | the outgoing queue went over its bound |
/// | `invalid_request` | no | 1000 | | reserved; no server sends it today |
///
/// ```
/// use sinew_protocol::DisconnectReason;
///
/// assert_eq!(DisconnectReason::ServerRestart.as_str(), "server_restart");
/// assert!(DisconnectReason::ServerRestart.reconnect());
/// assert_eq!(DisconnectReason::ServerRestart.close_code(), 1001);
/// assert_eq!(DisconnectReason::ServerRestart.close_text(), "Server restart");
///
/// let lasting = DisconnectReason::ALL.into_iter().filter(|reason| !reason.reconnect());
/// assert!(lasting.map(DisconnectReason::as_str).eq([
///     "unauthorized",
///     "token_expired",
///     "idle_timeout",
///     "invalid_request",
/// ]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The connect hook refused.
    Unauthorized,
    /// The identity's token was past its time at connect.
    TokenExpired,
    /// This server goes away, or was told to restart its connections.
    ServerRestart,
    /// The application ended the connection.
    Remote,
    /// The application did not answer the connect in time.
    IdleTimeout,
    /// Nothing came from the client for too long, although it was asked for a sign of life.
    NoPong,
    /// The outgoing queue went over its bound.
    TooSlow,
    /// Reserved: known to clients, sent by no server.
    InvalidRequest,
}

/// One row of the table above.
struct Row {
    text: &'static str,
    reconnect: bool,
    close_code: u16,
    close_text: &'static str,
}

impl DisconnectReason {
    /// Every reason there is.
    pub const ALL: [Self; 8] = [
        Self::Unauthorized,
        Self::TokenExpired,
        Self::ServerRestart,
        Self::Remote,
        Self::IdleTimeout,
        Self::NoPong,
        Self::TooSlow,
        Self::InvalidRequest,
    ];

    const fn row(self) -> Row {
        const fn row(
            text: &'static str,
            reconnect: bool,
            close_code: u16,
            close_text: &'static str,
        ) -> Row {
            Row {
                text,
                reconnect,
                close_code,
                close_text,
            }
        }
        match self {
            Self::Unauthorized => row("unauthorized", false, 1000, ""),
            Self::TokenExpired => row("token_expired", false, 1000, ""),
            Self::ServerRestart => row("server_restart", true, 1001, "Server restart"),
            Self::Remote => row("remote", true, 1000, "Closed remotely"),
            Self::IdleTimeout => row("idle_timeout", false, 1000, "Idle Timeout"),
            Self::NoPong => row("no_pong", true, 1000, "No Pong"),
            Self::TooSlow => row("too_slow", true, 1000, ""),
            Self::InvalidRequest => row("invalid_request", false, 1000, ""),
        }
    }

    /// The spelling on the wire, which never changes.
    pub const fn as_str(self) -> &'static str {
        self.row().text
    }

    /// Whether a client should come back, unless the one who disconnects says otherwise.
    pub const fn reconnect(self) -> bool {
        self.row().reconnect
    }

    /// The WebSocket close code that follows the message.
    pub const fn close_code(self) -> u16 {
        self.row().close_code
    }

    /// The text in the close frame, maybe empty.
    pub const fn close_text(self) -> &'static str {
        self.row().close_text
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

//! What the nodes tell each other of a session.

use sinew_store::SessionId;
use sinew_store::cookie::CookieState;
use sinew_web::session_layer::SessionChange;

const WRITTEN: u8 = 1;
const RENEWED: u8 = 2;
const ENDED: u8 = 3;
const MOVED: u8 = 4;

/// Digits of a session's id.
const ID_DIGITS: usize = 32;

/// One message of the nodes. Its bytes are sealed before they leave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The session lives in its cookie, and the browser holds this version.
    Written(CookieState),
    /// The session lives in its cookie and has another id; the connection of this name goes with it.
    Renewed {
        from: SessionId,
        state: CookieState,
        socket: Option<String>,
    },
    Ended(SessionId),
    /// The session is in a store and has another id; the connection of this name goes with it.
    Moved {
        from: SessionId,
        to: SessionId,
        socket: String,
    },
}

impl Notice {
    /// What others shall hear of a change; nothing of one that is not known here.
    pub(crate) fn of(change: SessionChange) -> Option<Self> {
        Some(match change {
            SessionChange::Written(state) => Self::Written(state),
            SessionChange::Renewed {
                from,
                state,
                socket,
            } => Self::Renewed {
                from,
                state,
                socket,
            },
            SessionChange::Ended(id) => Self::Ended(id),
            SessionChange::Moved { from, to, socket } => Self::Moved {
                from,
                to,
                socket: socket.unwrap_or_default(),
            },
            _ => return None,
        })
    }

    /// The labels of the sessions whose connections it concerns.
    pub(crate) fn labels(&self) -> Vec<String> {
        match self {
            Self::Written(state) => vec![state.id().label()],
            Self::Renewed { from, state, .. } => vec![from.label(), state.id().label()],
            Self::Ended(id) => vec![id.label()],
            Self::Moved { from, to, .. } => vec![from.label(), to.label()],
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Written(state) => {
                out.push(WRITTEN);
                out.extend(state.pack(usize::MAX));
            }
            Self::Renewed {
                from,
                state,
                socket,
            } => {
                out.push(RENEWED);
                out.extend(from.to_string().into_bytes());
                let socket = socket.as_deref().unwrap_or_default();
                // The layer lets only short ones pass.
                let socket = &socket.as_bytes()[..socket.len().min(255)];
                out.push(socket.len() as u8);
                out.extend(socket);
                out.extend(state.pack(usize::MAX));
            }
            Self::Ended(id) => {
                out.push(ENDED);
                out.extend(id.to_string().into_bytes());
            }
            Self::Moved { from, to, socket } => {
                out.push(MOVED);
                out.extend(from.to_string().into_bytes());
                out.extend(to.to_string().into_bytes());
                out.extend(socket.as_bytes());
            }
        }
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let id = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse().ok();
        match *kind {
            WRITTEN => Some(Self::Written(CookieState::unpack(rest)?)),
            RENEWED => {
                let (from, rest) = rest.split_at_checked(ID_DIGITS)?;
                let (length, rest) = rest.split_first()?;
                let (socket, rest) = rest.split_at_checked(usize::from(*length))?;
                let socket = std::str::from_utf8(socket).ok()?;
                Some(Self::Renewed {
                    from: id(from)?,
                    state: CookieState::unpack(rest)?,
                    socket: (!socket.is_empty()).then(|| socket.to_owned()),
                })
            }
            ENDED => Some(Self::Ended(id(rest)?)),
            MOVED => {
                let (from, rest) = rest.split_at_checked(ID_DIGITS)?;
                let (to, socket) = rest.split_at_checked(ID_DIGITS)?;
                Some(Self::Moved {
                    from: id(from)?,
                    to: id(to)?,
                    socket: std::str::from_utf8(socket).ok()?.to_owned(),
                })
            }
            // A later version's.
            _ => None,
        }
    }
}

//! Whose a connection is, by the first bytes that came on it: the cable's, or the server of pages'.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use sinew_cable::ConnectRequest;

use super::handshake::Handshake;
use super::head::upgrade_request;
use super::{Door, WebSocketConfig};
use crate::server::{Admission, Arrival, Visit};

/// What decides about a connection.
pub(super) struct Gate<'a> {
    pub(super) door: &'a dyn Door,
    pub(super) admission: Option<&'a Admission>,
    pub(super) config: &'a WebSocketConfig,
}

/// Whose a connection is.
pub(crate) enum Look {
    Cable(Box<Visitor>),
    /// The server of pages answers.
    Other,
    /// Not now: the answer to write.
    Refused(Vec<u8>),
}

/// Somebody whom the cable takes.
pub(crate) struct Visitor {
    pub(super) request: ConnectRequest,
    /// The answer to the handshake.
    pub(super) head: Bytes,
    pub(super) already_read: Bytes,
    pub(super) visit: Option<Visit>,
}

impl Gate<'_> {
    /// Looks at what came first. Whoever was refused as he arrived is told so by the server of pages.
    pub(super) fn look(&self, bytes: &[u8], peer: SocketAddr, arrival: Option<&Arrival>) -> Look {
        if arrival.is_some_and(|arrival| arrival.refused().is_some()) {
            return Look::Other;
        }
        let Some((mut request, length)) = upgrade_request(bytes) else {
            return Look::Other;
        };
        let Ok(handshake) = Handshake::of(request.method(), request.headers(), self.config) else {
            return Look::Other;
        };
        request.extensions_mut().insert(ConnectInfo(peer));
        let Some(effective) = self.door.admit(&mut request) else {
            return Look::Other;
        };
        let visit = match self.admission {
            None => None,
            Some(admission) => match admission.upgrades(effective.client_address) {
                Ok(visit) => Some(visit),
                Err(refused) => return Look::Refused(refused.head(admission.config().retry_after)),
            },
        };
        let (parts, ()) = request.into_parts();
        Look::Cable(Box::new(Visitor {
            request: handshake.connect_request(parts, &effective),
            head: handshake.head().into(),
            already_read: Bytes::copy_from_slice(&bytes[length..]),
            visit,
        }))
    }
}

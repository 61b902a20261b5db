//! [`Session`], [`Flash`] and [`Cache`] as arguments of axum handlers.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::cache::Cache;
use crate::flash::Flash;
use crate::session::Session;

/// A handler asks for a [`Session`], [`Flash`] or [`Cache`] and no layer has put one into the request.
///
/// The answer is 500: it is a mistake in how the application is put together.
///
/// ```
/// use axum_core::extract::FromRequestParts;
/// use axum_core::response::IntoResponse;
/// use sinew_store::Session;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (mut parts, ()) = http::Request::new(()).into_parts();
/// let missing = Session::from_request_parts(&mut parts, &()).await.unwrap_err();
/// assert!(missing.to_string().contains("Sinew::new(router)"));
/// assert_eq!(missing.into_response().status(), 500);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this request has no {wanted}: wrap the router in Sinew's session layer \
     (`Sinew::new(router)` does), and add no route outside of it that asks for a {wanted}"
)]
pub struct SessionLayerMissing {
    wanted: &'static str,
}

impl IntoResponse for SessionLayerMissing {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "a handler cannot be called");
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

/// Taken from the request's extensions, where the session layer has put it.
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionLayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Session, SessionLayerMissing> {
        let session = parts.extensions.get::<Session>().cloned();
        session.ok_or(SessionLayerMissing { wanted: "Session" })
    }
}

/// Taken from the request's extensions, where the session layer has put it.
impl<S: Sync> FromRequestParts<S> for Flash {
    type Rejection = SessionLayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Flash, SessionLayerMissing> {
        let flash = parts.extensions.get::<Flash>().cloned();
        flash.ok_or(SessionLayerMissing { wanted: "Flash" })
    }
}

/// Taken from the request's extensions, where the facade has put it.
impl<S: Sync> FromRequestParts<S> for Cache {
    type Rejection = SessionLayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Cache, SessionLayerMissing> {
        let cache = parts.extensions.get::<Cache>().cloned();
        cache.ok_or(SessionLayerMissing { wanted: "Cache" })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{MemoryStore, Sessions};

    fn parts() -> Parts {
        http::Request::new(()).into_parts().0
    }

    #[tokio::test]
    async fn what_the_layer_put_there_is_taken() {
        let session = Sessions::new(Arc::new(MemoryStore::new())).create();
        let mut parts = parts();
        parts.extensions.insert(session.clone());
        let taken = Session::from_request_parts(&mut parts, &()).await.unwrap();
        assert_eq!(taken.id(), session.id());
    }

    #[tokio::test]
    async fn a_missing_layer_is_named() {
        let missing = Flash::from_request_parts(&mut parts(), &())
            .await
            .unwrap_err();
        assert!(missing.to_string().contains("session layer"), "{missing}");
        assert_eq!(
            missing.into_response().status(),
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
}

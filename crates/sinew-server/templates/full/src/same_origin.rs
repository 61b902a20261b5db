//! Refuses forms that other sites send.
//!
//! The session cookie is `SameSite=Lax`, so that a form of another site comes without it. What is
//! left is a form that signs a visitor in under somebody else's account, and whatever lives below
//! the same domain. Browsers say with every such request whose page it was; it must be ours.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sinew::config::{Effective, OriginPolicy};

pub(crate) async fn require(effective: Effective, request: Request, next: Next) -> Response {
    // What only reads is safe from anywhere. No `Origin` at all: that is no browser.
    if !request.method().is_safe()
        && let Err(refused) = OriginPolicy::same_host().check(request.headers(), &effective)
    {
        return refused.into_response();
    }
    next.run(request).await
}

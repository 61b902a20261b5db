//! [`Error`] as the answer of an axum handler.

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

use crate::error::{Error, ErrorKind};

/// A page that fails: 500 (403 when forbidden) with the error's outside sentence; the cause goes to the log.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self.kind() {
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        tracing::error!(target: "sinew::page", error = self.chain(), "a page could not be rendered");
        (status, self.sentence().to_owned()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_is_403_and_everything_else_500() {
        let forbidden = Error::of(ErrorKind::Forbidden, "no").into_response();
        assert_eq!(forbidden.status(), StatusCode::FORBIDDEN);
        let failed = Error::from("the database is away").into_response();
        assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

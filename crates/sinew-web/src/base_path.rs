//! The path below which a proxy shows the application.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use http::Uri;
use http::request::Parts;
use http::uri::PathAndQuery;

use crate::error::BasePathError;

/// The path below which browsers find the application, such as `/app`; none by default.
///
/// The application's own routes do not have it: a request that arrives with it is served without
/// it, and one from which the proxy has taken it is served as it is. What is written into pages
/// has it, by [`join`](Self::join). Axum's `Uri` is without, its `OriginalUri` is with it, whatever
/// the proxy does.
///
/// It is not put into what handlers answer: a `Location` is a link like any other, and leads where
/// its handler says. A proxy that strips the path must not be asked for routes of the application
/// that begin with the same path, since it cannot be told whether it has stripped it.
///
/// A segment is made of letters, digits, `-`, `.`, `_` and `~`, so that it means the same in a URL,
/// a header, a cookie and HTML.
///
/// ```
/// use sinew_web::BasePath;
///
/// let base: BasePath = "/app".parse()?;
/// assert_eq!(base.as_str(), "/app");
/// assert_eq!(base.join("/todos?show=all"), "/app/todos?show=all");
/// assert_eq!(base.strip("/app/todos"), Some("/todos"));
/// assert_eq!(base.strip("/apple"), None);
///
/// let none = BasePath::default();
/// assert!(none.is_empty());
/// assert_eq!(none.join("/todos"), "/todos");
/// assert_eq!("/".parse(), Ok(none));
/// for refused in ["app", "/app/", "//app", "/a/../b", "/app?x", "/a b", "/a;b"] {
///     assert!(refused.parse::<BasePath>().is_err(), "{refused}");
/// }
/// # Ok::<(), sinew_web::error::BasePathError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BasePath(Arc<str>);

impl BasePath {
    /// The path, which begins with `/` and does not end with one; empty when there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where browsers find `path`, which is one of the application and begins with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The path that the application knows, which begins with `/`; nothing when `path` is not
    /// below this one. A query stays.
    ///
    /// ```
    /// let base: sinew_web::BasePath = "/app".parse()?;
    /// assert_eq!(base.strip("/app"), Some("/"));
    /// assert_eq!(base.strip("/app?page=2"), None, "a path, not a path and a query");
    /// # Ok::<(), sinew_web::error::BasePathError>(())
    /// ```
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path.strip_prefix(&*self.0)? {
            "" => Some("/"),
            rest => rest.starts_with('/').then_some(rest),
        }
    }

    /// Makes a request one of the application's own: its URI without this path, and its
    /// `OriginalUri` with it, whether it arrived with it or not.
    ///
    /// ```
    /// use axum::extract::OriginalUri;
    ///
    /// let base: sinew_web::BasePath = "/app".parse()?;
    /// for arrived in ["/app/todos", "/todos"] {
    ///     let mut request = http::Request::get(arrived).body(())?;
    ///     base.enter(&mut request);
    ///     assert_eq!(request.uri(), "/todos");
    ///     let original = request.extensions().get::<OriginalUri>();
    ///     assert!(original.is_some_and(|original| original.0 == "/app/todos"));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn enter<B>(&self, request: &mut http::Request<B>) {
        if self.is_empty() {
            return;
        }
        let (own, original) = self.addresses(request.uri());
        *request.uri_mut() = own;
        request.extensions_mut().insert(OriginalUri(original));
    }

    /// An address without this path, and with it.
    fn addresses(&self, uri: &Uri) -> (Uri, Uri) {
        let with_path = |path: &str| {
            let query = uri
                .query()
                .map_or(String::new(), |query| format!("?{query}"));
            let path = PathAndQuery::try_from(format!("{path}{query}")).ok()?;
            let mut parts = uri.clone().into_parts();
            parts.path_and_query = Some(path);
            Uri::from_parts(parts).ok()
        };
        let changed = match self.strip(uri.path()) {
            Some(path) => with_path(path).map(|own| (own, uri.clone())),
            // `*`, of OPTIONS, is no path.
            None if !uri.path().starts_with('/') => None,
            None => with_path(&self.join(uri.path())).map(|original| (uri.clone(), original)),
        };
        // What stays the address that it is can only be one too long to be one.
        changed.unwrap_or_else(|| (uri.clone(), uri.clone()))
    }
}

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        if matches!(text, "" | "/") {
            return Ok(Self::default());
        }
        let segment = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        };
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(segment) => Ok(Self(text.into())),
            _ => Err(BasePathError(text.to_owned())),
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That of the application which answers; none when nobody has put one into the extensions.
impl<S: Sync> FromRequestParts<S> for BasePath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arrived: &str, own: &str, original: &str) {
        let base: BasePath = "/app".parse().expect("a path");
        let mut request = http::Request::new(());
        *request.uri_mut() = arrived.parse().expect("an address");
        base.enter(&mut request);
        assert_eq!(request.uri().to_string(), own);
        let seen = request.extensions().get::<OriginalUri>();
        assert_eq!(seen.map(|seen| seen.to_string()).as_deref(), Some(original));
    }

    #[test]
    fn a_request_is_the_applications_own_whether_the_proxy_strips_or_not() {
        check("/app/todos?q=1", "/todos?q=1", "/app/todos?q=1");
        check("/todos?q=1", "/todos?q=1", "/app/todos?q=1");
        check("/app", "/", "/app");
        check("/app?q=1", "/?q=1", "/app?q=1");
        check("/app/", "/", "/app/");
        check("/", "/", "/app/");
        check("/apple", "/apple", "/app/apple");
        check("/app//evil.example", "//evil.example", "/app//evil.example");
        check("/App/todos", "/App/todos", "/app/App/todos");
        check("/app/%2e%2e/x", "/%2e%2e/x", "/app/%2e%2e/x");
        check(
            "http://example.com/app/todos",
            "http://example.com/todos",
            "http://example.com/app/todos",
        );
        check("*", "*", "*");
    }
}

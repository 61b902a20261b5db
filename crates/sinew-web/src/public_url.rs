//! Where visitors find the application, for links that leave it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::PublicUrlError;
use crate::forwarded::split_port;

/// The scheme and the host at which visitors find the application, such as `https://shop.example.com`.
///
/// A page needs none of it, since a browser knows where it is. A mail, a feed or a payment provider
/// does: what they are sent is read elsewhere. A path is not part of it; that is the
/// [base path](crate::BasePath).
///
/// ```
/// use sinew_web::PublicUrl;
///
/// let url: PublicUrl = "https://Shop.example.com:8443/".parse()?;
/// assert_eq!(url.as_str(), "https://shop.example.com:8443");
/// assert_eq!((url.authority(), url.host()), ("shop.example.com:8443", "shop.example.com"));
/// assert!(url.is_secure());
/// assert_eq!(url.join("/todos?show=all"), "https://shop.example.com:8443/todos?show=all");
/// for refused in ["shop.example.com", "//a.example", "wss://a.example", "https://a@b.example",
///     "https://a.example/app", "https://a.example/?x", "https://a.example:x", "https://"] {
///     assert!(refused.parse::<PublicUrl>().is_err(), "{refused}");
/// }
/// # Ok::<(), sinew_web::error::PublicUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl(Arc<str>);

impl PublicUrl {
    /// The address in lower case, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, where a port is written.
    pub fn authority(&self) -> &str {
        let (_, authority) = self.0.split_once("://").unwrap_or(("", &self.0));
        authority
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        split_port(self.authority()).0
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Where visitors find `path`, which begins with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let authority = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let is_good = authority.is_some_and(|authority| {
            !authority.is_empty()
                && authority
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b))
                && authority.parse::<http::uri::Authority>().is_ok_and(|it| {
                    // What is behind the host is a port that there is.
                    let is_whole = it.host().len() == authority.len();
                    !it.host().is_empty() && (is_whole || it.port_u16().is_some())
                })
        });
        if is_good {
            Ok(Self(url.into()))
        } else {
            Err(PublicUrlError(text.to_owned()))
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

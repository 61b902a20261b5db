//! Where browsers find the files of the client, when another host has them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::AssetsUrlError;

/// The address below which another host has the files of the browser client, such as
/// `https://cdn.example.com/sinew`.
///
/// It begins with `https://` or `http://`, and has a host, perhaps a port and a path, no user, no
/// query and no fragment. Its characters are those that mean the same in a header and in HTML.
///
/// ```
/// use sinew_web::AssetsUrl;
///
/// let url: AssetsUrl = "https://cdn.example.com/sinew/".parse()?;
/// assert_eq!(url.as_str(), "https://cdn.example.com/sinew");
/// assert_eq!(url.join("/_sinew/client.js"), "https://cdn.example.com/sinew/_sinew/client.js");
/// for refused in ["cdn.example.com", "//cdn.example.com", "ftp://a.example", "https://a@b.example",
///     "https://a.example/?x", "https://a.example/b;c", "https://a.example/\"", "https://"] {
///     assert!(refused.parse::<AssetsUrl>().is_err(), "{refused}");
/// }
/// # Ok::<(), sinew_web::error::AssetsUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssetsUrl(Arc<str>);

impl AssetsUrl {
    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where browsers find the file at `path`, which begins with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for AssetsUrl {
    type Err = AssetsUrlError;

    fn from_str(text: &str) -> Result<Self, AssetsUrlError> {
        let refused = || AssetsUrlError(text.to_owned());
        let url = text.trim_end_matches('/');
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .ok_or_else(refused)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_authority = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b))
            && host.parse::<http::uri::Authority>().is_ok();
        let is_path = path.is_empty()
            || path.split('/').all(|segment| {
                !matches!(segment, "" | "." | "..")
                    && segment
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"-._~@%".contains(&b))
            });
        if is_authority && is_path {
            Ok(Self(url.into()))
        } else {
            Err(refused())
        }
    }
}

impl fmt::Display for AssetsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

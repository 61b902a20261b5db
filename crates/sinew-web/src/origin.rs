//! Which pages may open a socket.
//!
//! A browser lets any page open a WebSocket to any host and sends that host's cookies along;
//! only the `Origin` header says whose page it was. So it is checked before the upgrade.

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::error::{OriginListError, OriginRefused};
use crate::forwarded::{Effective, split_port};

/// Which `Origin` a request may have.
///
/// | policy | accepted |
/// |---|---|
/// | [`same_host`](Self::same_host), the default | pages of the host the request went to (behind a trusted proxy, the forwarded one), and requests without an `Origin`, which no browser sends |
/// | [`list`](Self::list) | what the list names and nothing else; a missing `Origin` is refused unless [`allow_missing_origin`](Self::allow_missing_origin) says otherwise |
/// | [`any`](Self::any) | everything; the server warns when it starts |
///
/// `Origin: null` (sandboxed frames, local files) is accepted by `any` alone.
///
/// ```
/// use http::HeaderMap;
/// use sinew_web::{Effective, OriginPolicy};
///
/// let effective = Effective { client_address: None, secure: true, host: "app.example.com".into() };
/// let mut headers = HeaderMap::new();
/// assert!(OriginPolicy::same_host().check(&headers, &effective).is_ok());
/// headers.insert("origin", "https://evil.example".parse()?);
/// assert!(OriginPolicy::same_host().check(&headers, &effective).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPolicy {
    rule: Rule,
    missing_allowed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    SameHost,
    List(Vec<Entry>),
    Any,
}

/// One entry of a list: `scheme` and `port` are those written, `host` is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    scheme: Option<String>,
    /// Without the `*` of a suffix: `.example.com`.
    host: String,
    subdomains: bool,
    port: Option<u16>,
}

impl OriginPolicy {
    /// Pages of the request's own host, and whatever is no browser.
    pub const fn same_host() -> Self {
        Self {
            rule: Rule::SameHost,
            missing_allowed: true,
        }
    }

    /// Only what the list names: origins (`https://app.example.com`), hosts
    /// (`app.example.com`, `localhost:3000`: either scheme) and suffixes (`*.example.com`,
    /// `https://*.example.com`: every host below the domain, not the domain itself). Case does
    /// not matter, a port that is the scheme's own may be left out, empty elements are ignored.
    /// The page's own host is not added. A list without any element is
    /// [`same_host`](Self::same_host).
    ///
    /// ```
    /// use http::HeaderMap;
    /// use sinew_web::{Effective, OriginPolicy};
    ///
    /// let policy = OriginPolicy::list(["https://example.com", "*.example.com", "localhost:3000"])?;
    /// let effective = Effective { client_address: None, secure: true, host: "example.com".into() };
    /// let allowed = |origin: &str| {
    ///     let mut headers = HeaderMap::new();
    ///     headers.insert("origin", origin.parse().unwrap());
    ///     policy.check(&headers, &effective).is_ok()
    /// };
    /// assert!(allowed("https://example.com") && !allowed("http://example.com"));
    /// assert!(allowed("https://app.example.com") && !allowed("https://evilexample.com"));
    /// assert!(allowed("http://localhost:3000") && !allowed("http://localhost"));
    /// # Ok::<(), sinew_web::error::OriginListError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An element that has none of these forms, or a star that is not followed by a dot
    /// (`*example.com` would let `evilexample.com` in).
    pub fn list<'a>(elements: impl IntoIterator<Item = &'a str>) -> Result<Self, OriginListError> {
        let entries: Vec<Entry> = elements
            .into_iter()
            .map(str::trim)
            .filter(|element| !element.is_empty())
            .map(Entry::parse)
            .collect::<Result<_, _>>()?;
        if entries.is_empty() {
            return Ok(Self::same_host());
        }
        Ok(Self {
            rule: Rule::List(entries),
            missing_allowed: false,
        })
    }

    /// Reads the text of a setting: elements of [`list`](Self::list) separated by commas; `*`
    /// alone is [`any`](Self::any), nothing is [`same_host`](Self::same_host).
    ///
    /// ```
    /// use sinew_web::OriginPolicy;
    ///
    /// let parsed = OriginPolicy::parse("https://example.com, *.example.com")?;
    /// assert_eq!(parsed, OriginPolicy::list(["https://example.com", "*.example.com"])?);
    /// assert_eq!(OriginPolicy::parse("")?, OriginPolicy::same_host());
    /// assert_eq!(OriginPolicy::parse("*")?, OriginPolicy::any());
    /// # Ok::<(), sinew_web::error::OriginListError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn parse(text: &str) -> Result<Self, OriginListError> {
        if text.trim() == "*" {
            return Ok(Self::any());
        }
        Self::list(text.split(','))
    }

    /// Every page of the world: the off switch. Whoever visits a stranger's page then lends it
    /// their session, so [`warn_if_open`](Self::warn_if_open) says so when the server starts.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use sinew_web::{Effective, OriginPolicy};
    ///
    /// let effective = Effective { client_address: None, secure: true, host: "example.com".into() };
    /// let mut headers = HeaderMap::new();
    /// headers.insert("origin", "null".parse()?);
    /// assert!(OriginPolicy::any().check(&headers, &effective).is_ok());
    /// assert!(OriginPolicy::any().is_open() && !OriginPolicy::same_host().is_open());
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    pub const fn any() -> Self {
        Self {
            rule: Rule::Any,
            missing_allowed: true,
        }
    }

    /// Whether a request without an `Origin` is accepted. That is no browser: a native app, a
    /// load test, a script.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use sinew_web::{Effective, OriginPolicy};
    ///
    /// let policy = OriginPolicy::list(["https://example.com"])?;
    /// let effective = Effective { client_address: None, secure: true, host: "example.com".into() };
    /// assert!(policy.check(&HeaderMap::new(), &effective).is_err());
    /// assert!(policy.allow_missing_origin(true).check(&HeaderMap::new(), &effective).is_ok());
    /// # Ok::<(), sinew_web::error::OriginListError>(())
    /// ```
    #[must_use]
    pub fn allow_missing_origin(mut self, allow: bool) -> Self {
        self.missing_allowed = allow;
        self
    }

    /// Whether the check is off.
    ///
    /// ```
    /// use sinew_web::OriginPolicy;
    ///
    /// assert!(OriginPolicy::parse("*")?.is_open());
    /// assert!(!OriginPolicy::parse("*.example.com")?.is_open());
    /// # Ok::<(), sinew_web::error::OriginListError>(())
    /// ```
    pub const fn is_open(&self) -> bool {
        matches!(self.rule, Rule::Any)
    }

    /// Warns in the log when the check is off; a server calls it once when it starts.
    ///
    /// ```
    /// use sinew_web::OriginPolicy;
    ///
    /// let policy = OriginPolicy::same_host();
    /// policy.warn_if_open();
    /// assert!(!policy.is_open(), "and so there was nothing to say");
    /// ```
    pub fn warn_if_open(&self) {
        if self.is_open() {
            tracing::warn!(
                "the origin check is off: any web page can open a socket with its visitor's session"
            );
        }
    }

    /// Checks the `Origin` of a request.
    ///
    /// # Errors
    ///
    /// The refusal, which is also a response: 403 with one sentence.
    pub fn check(&self, headers: &HeaderMap, effective: &Effective) -> Result<(), OriginRefused> {
        if self.is_open() {
            return Ok(());
        }
        let mut values = headers.get_all(header::ORIGIN).iter();
        let Some(value) = values.next() else {
            return if self.missing_allowed {
                Ok(())
            } else {
                Err(OriginRefused::Missing)
            };
        };
        let refused = || {
            let shown: String = String::from_utf8_lossy(value.as_bytes())
                .chars()
                .take(200)
                .collect();
            OriginRefused::NotAllowed(shown)
        };
        if values.next().is_some() {
            return Err(refused());
        }
        let origin = value
            .to_str()
            .ok()
            .and_then(Origin::parse)
            .ok_or_else(refused)?;
        let allowed = match &self.rule {
            Rule::SameHost => origin.is_page_of(&effective.host),
            Rule::List(entries) => entries.iter().any(|entry| entry.matches(&origin)),
            Rule::Any => true,
        };
        if allowed { Ok(()) } else { Err(refused()) }
    }
}

impl Default for OriginPolicy {
    fn default() -> Self {
        Self::same_host()
    }
}

impl fmt::Display for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::SameHost => f.write_str("same host"),
            Rule::List(entries) => write!(f, "a list of {}", entries.len()),
            Rule::Any => f.write_str("any"),
        }
    }
}

/// The 403 says no more than that: whoever is refused learns nothing about who would not be.
impl IntoResponse for OriginRefused {
    fn into_response(self) -> Response {
        let sentence = match self {
            Self::Missing => "This server does not accept requests without an origin.\n",
            Self::NotAllowed(_) => "This server does not accept requests from that origin.\n",
        };
        (StatusCode::FORBIDDEN, sentence).into_response()
    }
}

/// `scheme://host[:port]`, in lower case.
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let readable = !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !readable {
            return None;
        }
        let (host, port) = host_and_port(authority)?;
        Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
        })
    }

    /// Compares with `host[:port]`; a port left out on either side is the one of this origin's
    /// scheme. The schemes of web pages only: `app://example.com` is not a page of example.com.
    fn is_page_of(&self, host: &str) -> bool {
        let Some(default) = default_port(&self.scheme) else {
            return false;
        };
        let (name, port) = split_port(host);
        !name.is_empty()
            && self.host == name.to_ascii_lowercase()
            && self.port.unwrap_or(default) == port.unwrap_or(default)
    }
}

impl Entry {
    fn parse(element: &str) -> Result<Self, OriginListError> {
        let malformed = || OriginListError::Malformed(element.to_owned());
        let text = element.to_ascii_lowercase();
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme, authority)) if !scheme.is_empty() => (Some(scheme), authority),
            Some(_) => return Err(malformed()),
            None => (None, text.as_str()),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (authority, subdomains) = match authority.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => (suffix, true),
            Some(_) => return Err(OriginListError::LooseStar(element.to_owned())),
            None => (authority, false),
        };
        let (host, port) = host_and_port(authority).ok_or_else(malformed)?;
        if host == "." {
            return Err(malformed());
        }
        Ok(Self {
            scheme: scheme.map(str::to_owned),
            host: host.to_owned(),
            subdomains,
            port,
        })
    }

    fn matches(&self, origin: &Origin) -> bool {
        let host = if self.subdomains {
            origin.host.len() > self.host.len() && origin.host.ends_with(&self.host)
        } else {
            origin.host == self.host
        };
        let default = default_port(&origin.scheme);
        host && self
            .scheme
            .as_ref()
            .is_none_or(|scheme| *scheme == origin.scheme)
            && self.port.or(default) == origin.port.or(default)
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let readable = |host: &str| {
        !host.is_empty()
            && !host
                .contains(|c: char| c.is_whitespace() || c.is_control() || "/?#@\\*,".contains(c))
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    (readable(host) && (bracketed || !host.contains(':'))).then_some((host, port))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &OriginPolicy, host: &str, origin: Option<&str>, expected: bool) {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("a header value"));
        }
        let effective = Effective {
            client_address: None,
            secure: false,
            host: host.to_owned(),
        };
        let accepted = policy.check(&headers, &effective).is_ok();
        assert_eq!(accepted, expected, "{policy}: {origin:?} at {host}");
    }

    #[test]
    fn nothing_configured() {
        let policy = OriginPolicy::default();
        for (host, origin, expected) in [
            ("app.example.com", None, true),
            ("app.example.com", Some("https://app.example.com"), true),
            ("app.example.com", Some("http://app.example.com"), true),
            ("app.example.com", Some("HTTPS://App.Example.com"), true),
            ("App.Example.com", Some("https://app.example.com"), true),
            ("app.example.com", Some("https://app.example.com:443"), true),
            ("app.example.com:443", Some("https://app.example.com"), true),
            ("app.example.com", Some("http://app.example.com:80"), true),
            ("app.example.com", Some("http://app.example.com:443"), false),
            (
                "app.example.com",
                Some("https://app.example.com:8443"),
                false,
            ),
            (
                "app.example.com:8443",
                Some("https://app.example.com"),
                false,
            ),
            ("localhost:3000", Some("http://localhost:3000"), true),
            ("localhost:3000", Some("http://localhost:3001"), false),
            ("localhost:3000", Some("http://127.0.0.1:3000"), false),
            ("[::1]:3000", Some("http://[::1]:3000"), true),
            ("[::1]", Some("http://[::1]"), true),
            ("[::1]", Some("http://[::2]"), false),
            ("app.example.com", Some("https://evil.example"), false),
            (
                "app.example.com",
                Some("https://app.example.com.evil.example"),
                false,
            ),
            (
                "app.example.com",
                Some("https://sub.app.example.com"),
                false,
            ),
            (
                "app.example.com",
                Some("https://user@app.example.com"),
                false,
            ),
            (
                "app.example.com",
                Some("https://app.example.com/path"),
                false,
            ),
            (
                "app.example.com",
                Some("capacitor://app.example.com"),
                false,
            ),
            ("app.example.com", Some("null"), false),
            ("app.example.com", Some(""), false),
            ("app.example.com", Some("app.example.com"), false),
            ("app.example.com", Some("https://"), false),
            ("", Some("https://"), false),
            ("", Some("https://app.example.com"), false),
        ] {
            check(&policy, host, origin, expected);
        }
        check(
            &policy.allow_missing_origin(false),
            "app.example.com",
            None,
            false,
        );
    }

    #[test]
    fn a_list_is_all_there_is() {
        let policy = OriginPolicy::parse(
            " https://App.example.com/, localhost:3000,, plain.example ,*.team.example,https://*.safe.example,*.port.example:81, capacitor://localhost, http://[::1]:3000,",
        )
        .expect("a list");
        for (origin, expected) in [
            (Some("https://app.example.com"), true),
            (Some("https://app.example.com:443"), true),
            (Some("HTTPS://APP.EXAMPLE.COM"), true),
            (Some("http://app.example.com"), false),
            (Some("https://app.example.com:444"), false),
            (Some("http://localhost:3000"), true),
            (Some("https://localhost:3000"), true),
            (Some("http://localhost"), false),
            (Some("https://plain.example"), true),
            (Some("http://plain.example"), true),
            (Some("http://plain.example:3000"), false),
            (Some("https://a.team.example"), true),
            (Some("https://a.b.team.example"), true),
            (Some("https://team.example"), false),
            (Some("https://.team.example"), false),
            (Some("https://evilteam.example"), false),
            (Some("https://a.team.example.evil"), false),
            (Some("https://a.team.example:81"), false),
            (Some("https://a.safe.example"), true),
            (Some("http://a.safe.example"), false),
            (Some("http://a.port.example:81"), true),
            (Some("http://a.port.example"), false),
            (Some("capacitor://localhost"), true),
            (Some("ionic://localhost"), false),
            (Some("http://[::1]:3000"), true),
            // Its own host is not on the list.
            (Some("https://own.example"), false),
            (Some("null"), false),
            (None, false),
        ] {
            check(&policy, "own.example", origin, expected);
        }
        check(
            &policy.allow_missing_origin(true),
            "own.example",
            None,
            true,
        );
    }

    #[test]
    fn an_empty_list_is_no_list() {
        for text in ["", " ", ",", " , ,"] {
            assert_eq!(
                OriginPolicy::parse(text),
                Ok(OriginPolicy::same_host()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn entries_that_are_none() {
        for text in [
            "https://",
            "://x",
            "a b",
            "https://x/path",
            "host:port",
            "a@b",
            "*.",
            "*.*.x",
        ] {
            let refused = OriginPolicy::parse(text);
            assert_eq!(
                refused,
                Err(OriginListError::Malformed(text.to_owned())),
                "{text:?}"
            );
        }
        for text in ["*example.com", "https://*example.com", "a,*"] {
            let refused = OriginPolicy::parse(text);
            assert!(
                matches!(refused, Err(OriginListError::LooseStar(_))),
                "{text:?}: {refused:?}"
            );
        }
    }

    #[test]
    fn the_off_switch() {
        let policy = OriginPolicy::parse(" * ").expect("the switch");
        assert!(policy.is_open());
        for origin in [None, Some("null"), Some("https://evil.example")] {
            check(&policy, "app.example.com", origin, true);
        }
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::ORIGIN,
            "https://a.example".parse().expect("a header value"),
        );
        headers.append(
            header::ORIGIN,
            "https://evil.example".parse().expect("a header value"),
        );
        let effective = Effective {
            client_address: None,
            secure: true,
            host: "a.example".into(),
        };
        assert!(
            OriginPolicy::same_host()
                .check(&headers, &effective)
                .is_err()
        );
    }

    #[tokio::test]
    async fn the_refusal_is_a_403_of_one_sentence() {
        let response = OriginRefused::NotAllowed("https://evil.example".into()).into_response();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body = axum::body::to_bytes(response.into_body(), 1024)
            .await
            .expect("a body");
        assert_eq!(
            body,
            "This server does not accept requests from that origin.\n"
        );
    }
}

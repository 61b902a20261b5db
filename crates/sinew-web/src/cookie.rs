//! The cookie that carries a session's id.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::error::{ConfigError, CookieError};

/// From which pages of other sites a browser sends the cookie along.
///
/// ```
/// use std::time::Duration;
/// use sinew_web::CookieConfig;
/// use sinew_web::cookie::SameSite;
///
/// let cookie = CookieConfig { same_site: SameSite::Strict, ..CookieConfig::default() };
/// let header = cookie.set("0123", true, Duration::from_secs(60));
/// assert!(header.to_str()?.ends_with("; SameSite=Strict"));
/// # Ok::<(), http::header::ToStrError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// From none, not even by a link.
    Strict,
    /// By a link that was followed, not by a form, a frame or a script.
    #[default]
    Lax,
    /// From all. Browsers want the cookie to be secure then.
    None,
}

/// Whether the cookie is only sent over `https` and `wss`.
///
/// ```
/// use sinew_web::CookieConfig;
/// use sinew_web::cookie::{SameSite, SecureFlag};
/// use sinew_web::error::CookieError;
///
/// // In frames of other sites browsers want it secure.
/// let mut cookie = CookieConfig { same_site: SameSite::None, ..CookieConfig::default() };
/// assert_eq!(cookie.secure, SecureFlag::FromRequest);
/// assert_eq!(cookie.validate(), Err(CookieError::NeedsSecure));
/// cookie.secure = SecureFlag::Always;
/// assert_eq!(cookie.validate(), Ok(()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecureFlag {
    /// When the request that sets it came over `https`, as the trusted proxies tell.
    #[default]
    FromRequest,
    /// Always, whatever the request says. Over plain `http` browsers then drop it.
    Always,
}

/// How the session's cookie looks. It is always `HttpOnly`: no script ever needs the id.
///
/// ```
/// use std::time::Duration;
/// use sinew_web::CookieConfig;
///
/// let cookie = CookieConfig { domain: Some("example.com".into()), ..CookieConfig::default() };
/// cookie.validate()?;
/// assert_eq!(
///     cookie.set("0123", true, Duration::from_secs(60)),
///     "_sinew_session=0123; Path=/; Domain=example.com; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
/// );
/// # Ok::<(), sinew_web::error::CookieError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieConfig {
    /// Its name, `_sinew_session` by default.
    pub name: String,
    /// The domain below which every host gets it; without one (the default) only the host that
    /// set it. Needed when the cable has another host than the pages.
    pub domain: Option<String>,
    /// The path below which it is sent, `/` by default.
    pub path: String,
    /// From which other sites it is sent along, [`SameSite::Lax`] by default.
    pub same_site: SameSite,
    /// Whether it is secure, [`SecureFlag::FromRequest`] by default.
    pub secure: SecureFlag,
    /// Whether the browser keeps it when it is closed, for as long as the session lives without
    /// use. `true` by default. It is then set again by every response to a request that used
    /// the session, so that it never expires under a visitor's hands.
    pub persistent: bool,
}

impl Default for CookieConfig {
    fn default() -> Self {
        Self {
            name: "_sinew_session".to_owned(),
            domain: None,
            path: "/".to_owned(),
            same_site: SameSite::default(),
            secure: SecureFlag::default(),
            persistent: true,
        }
    }
}

impl CookieConfig {
    /// Takes over what the variables of `path`, `same_site` and `secure` say.
    pub(crate) fn read_variables(
        &mut self,
        get: impl Fn(&'static str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        if let Some(path) = get("SINEW_COOKIE_PATH") {
            self.path = path;
            if matches!(self.validate(), Err(CookieError::Path(_))) {
                let expected = "a path that begins with `/`";
                return Err(ConfigError::new("SINEW_COOKIE_PATH", &self.path, expected));
            }
        }
        if let Some(sites) = get("SINEW_COOKIE_SAME_SITE") {
            self.same_site = match sites.to_ascii_lowercase().as_str() {
                "strict" => SameSite::Strict,
                "lax" => SameSite::Lax,
                "none" => SameSite::None,
                _ => {
                    let expected = "`strict`, `lax` or `none`";
                    return Err(ConfigError::new("SINEW_COOKIE_SAME_SITE", &sites, expected));
                }
            };
        }
        if let Some(secure) = get("SINEW_COOKIE_SECURE") {
            self.secure = match secure.to_ascii_lowercase().as_str() {
                "auto" => SecureFlag::FromRequest,
                "always" => SecureFlag::Always,
                _ => {
                    let expected = "`auto` or `always`";
                    return Err(ConfigError::new("SINEW_COOKIE_SECURE", &secure, expected));
                }
            };
        }
        Ok(())
    }

    /// Checks that a browser will accept the cookie.
    ///
    /// # Errors
    ///
    /// What a browser would drop it for.
    pub fn validate(&self) -> Result<(), CookieError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if self.name.is_empty() || !self.name.bytes().all(token) {
            return Err(CookieError::Name(self.name.clone()));
        }
        if let Some(domain) = &self.domain {
            let readable = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            if domain.is_empty() || !domain.bytes().all(readable) {
                return Err(CookieError::Domain(domain.clone()));
            }
        }
        let path_readable = self.path.starts_with('/')
            && self.path.bytes().all(|b| b.is_ascii_graphic() && b != b';');
        if !path_readable {
            return Err(CookieError::Path(self.path.clone()));
        }
        let host_prefix = self.name.starts_with("__Host-");
        if host_prefix && (self.domain.is_some() || self.path != "/") {
            return Err(CookieError::HostPrefix);
        }
        let needs_secure =
            host_prefix || self.name.starts_with("__Secure-") || self.same_site == SameSite::None;
        if needs_secure && self.secure != SecureFlag::Always {
            return Err(CookieError::NeedsSecure);
        }
        Ok(())
    }

    /// The values this cookie has in `headers`, in the order the browser sent them. There are
    /// several when cookies of the same name were set for different domains or paths.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use sinew_web::CookieConfig;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("cookie", "theme=dark; _sinew_session=0123; _sinew_session=4567".parse()?);
    /// let cookie = CookieConfig::default();
    /// assert!(cookie.values(&headers).eq(["0123", "4567"]));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    pub fn values<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, _)| name.trim() == self.name)
            .map(|(_, value)| {
                let value = value.trim();
                value
                    .strip_prefix('"')
                    .and_then(|v| v.strip_suffix('"'))
                    .unwrap_or(value)
            })
    }

    /// The `Set-Cookie` that gives the cookie `value`: on a request that came over `https` if
    /// `secure`, to be kept for `lifetime` (whole seconds) if the cookie is persistent.
    ///
    /// # Panics
    ///
    /// When the configuration does not pass [`validate`](Self::validate), or `value` is not visible
    /// ASCII, and so cannot be a header.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sinew_web::CookieConfig;
    ///
    /// let cookie = CookieConfig { persistent: false, ..CookieConfig::default() };
    /// let header = cookie.set("0123", false, Duration::from_secs(60));
    /// assert_eq!(header, "_sinew_session=0123; Path=/; HttpOnly; SameSite=Lax");
    /// ```
    pub fn set(&self, value: &str, secure: bool, lifetime: Duration) -> HeaderValue {
        let max_age = self.persistent.then_some(lifetime.as_secs());
        self.header(value, secure, max_age)
    }

    /// The `Set-Cookie` that takes the cookie away.
    ///
    /// ```
    /// let cookie = sinew_web::CookieConfig::default();
    /// assert_eq!(
    ///     cookie.delete(true),
    ///     "_sinew_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
    /// );
    /// ```
    pub fn delete(&self, secure: bool) -> HeaderValue {
        self.header("", secure, Some(0))
    }

    fn header(&self, value: &str, secure: bool, max_age: Option<u64>) -> HeaderValue {
        let mut line = format!("{}={value}; Path={}", self.name, self.path);
        // Writing into a String cannot fail.
        if let Some(domain) = &self.domain {
            let _ = write!(line, "; Domain={domain}");
        }
        if let Some(seconds) = max_age {
            let _ = write!(line, "; Max-Age={seconds}");
        }
        line.push_str("; HttpOnly");
        if secure || self.secure == SecureFlag::Always {
            line.push_str("; Secure");
        }
        line.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        HeaderValue::try_from(line).expect("`validate` admits visible ASCII only, ids are hex")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let default = CookieConfig::default();
        let week = Duration::from_secs(604_800);
        for (cookie, secure, expected) in [
            (
                default.clone(),
                false,
                "Path=/; Max-Age=604800; HttpOnly; SameSite=Lax",
            ),
            (
                default.clone(),
                true,
                "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax",
            ),
            (
                CookieConfig {
                    persistent: false,
                    ..default.clone()
                },
                false,
                "Path=/; HttpOnly; SameSite=Lax",
            ),
            (
                CookieConfig {
                    domain: Some("example.com".into()),
                    path: "/app".into(),
                    same_site: SameSite::Strict,
                    secure: SecureFlag::Always,
                    persistent: false,
                    ..default.clone()
                },
                false,
                "Path=/app; Domain=example.com; HttpOnly; Secure; SameSite=Strict",
            ),
            (
                CookieConfig {
                    same_site: SameSite::None,
                    secure: SecureFlag::Always,
                    persistent: false,
                    ..default.clone()
                },
                false,
                "Path=/; HttpOnly; Secure; SameSite=None",
            ),
        ] {
            assert_eq!(cookie.validate(), Ok(()));
            let line = cookie.set("id", secure, week);
            assert_eq!(line, format!("_sinew_session=id; {expected}"));
        }
        assert_eq!(
            default.delete(true),
            "_sinew_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
        );
    }

    #[test]
    fn what_browsers_refuse() {
        let default = CookieConfig::default();
        let named = |name: &str| CookieConfig {
            name: name.into(),
            ..default.clone()
        };
        for (cookie, expected) in [
            (named(""), CookieError::Name(String::new())),
            (named("a b"), CookieError::Name("a b".into())),
            (named("a;b"), CookieError::Name("a;b".into())),
            (named("__Host-id"), CookieError::NeedsSecure),
            (named("__Secure-id"), CookieError::NeedsSecure),
            (
                CookieConfig {
                    domain: Some("a.example".into()),
                    ..named("__Host-id")
                },
                CookieError::HostPrefix,
            ),
            (
                CookieConfig {
                    domain: Some("a; Secure".into()),
                    ..default.clone()
                },
                CookieError::Domain("a; Secure".into()),
            ),
            (
                CookieConfig {
                    path: "app".into(),
                    ..default.clone()
                },
                CookieError::Path("app".into()),
            ),
            (
                CookieConfig {
                    path: "/; Secure".into(),
                    ..default.clone()
                },
                CookieError::Path("/; Secure".into()),
            ),
            (
                CookieConfig {
                    same_site: SameSite::None,
                    ..default.clone()
                },
                CookieError::NeedsSecure,
            ),
        ] {
            assert_eq!(cookie.validate(), Err(expected), "{cookie:?}");
        }
    }

    #[test]
    fn values() {
        let cookie = CookieConfig::default();
        for (lines, expected) in [
            (vec![], vec![]),
            (vec!["_sinew_session=a"], vec!["a"]),
            (vec!["x=1; _sinew_session=a;y=2"], vec!["a"]),
            (vec!["_sinew_session=a; _sinew_session=b"], vec!["a", "b"]),
            (vec!["x=1", "_sinew_session=\"a\""], vec!["a"]),
            (
                vec!["x_sinew_session=a; _sinew_session2=b; _sinew_session"],
                vec![],
            ),
            (vec!["_sinew_session="], vec![""]),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(header::COOKIE, line.parse().expect("a header value"));
            }
            assert_eq!(
                cookie.values(&headers).collect::<Vec<_>>(),
                expected,
                "{lines:?}"
            );
        }
    }
}

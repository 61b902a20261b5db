//! What a browser may load and run in the application's pages.

use std::fmt;

use http::{HeaderName, HeaderValue, header};

/// A content security policy: what a browser may load and run in a page.
///
/// [`Config::content_security_policy`](crate::config::Config::content_security_policy) holds that of the
/// application, and it is on by default. Every HTML response whose handler took
/// [`ClientTags`](crate::ClientTags) carries it, with a nonce of its own, unless the response has a
/// `Content-Security-Policy` already.
///
/// The default keeps pages to their own host. Scripts and styles come from its files, or stand in
/// the page with the response's nonce; everything else that is inline, and text evaluated as code,
/// is refused. Frames of other hosts may not show the page, forms may not be sent elsewhere.
///
/// ```
/// use sinew::config::{Config, ContentSecurityPolicy};
///
/// let policy = ContentSecurityPolicy::default();
/// assert_eq!(
///     policy.to_string(),
///     "default-src 'self'; script-src 'self' 'nonce-…'; style-src 'self' 'nonce-…'; \
///      connect-src 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'self'; form-action 'self'",
/// );
///
/// assert!(!policy.is_report_only());
///
/// let mut config = Config::default();
/// config.content_security_policy = Some(
///     policy
///         .allow("img-src", "https://images.example.com")?
///         .allow("form-action", "https://accounts.example.com")?,
/// );
/// # Ok::<(), sinew::config::PolicyError>(())
/// ```
///
/// # Reflexes and operations
///
/// The policy is that of the page, so what a morph or an operation brings is under it as well:
/// `style="…"`, `onclick="…"`, `<style>` and `<script>` in their HTML are refused by the browser.
/// Give elements classes, or use operations that set properties, such as `set_style`.
/// (A script that comes as HTML never runs, policy or not.)
///
/// # Turbo
///
/// A document keeps the policy of the page that was loaded until the next one is loaded whole.
/// On pages that Turbo fetches meanwhile, what has the nonce of its own response works, and nothing
/// else that is inline does.
///
/// # Other hosts
///
/// `'self'` covers the cable on the page's own host; Safari does so since version 15.4, and an
/// older one needs `wss://` and the host in `connect-src`. When
/// [`EdgeConfig::cable_url`](crate::config::EdgeConfig::cable_url) or
/// [`EdgeConfig::assets_url`](crate::config::EdgeConfig::assets_url) names another host, what the page needs
/// of it is added by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSecurityPolicy {
    /// Names and sources, in the order of the header.
    directives: Vec<(String, Vec<String>)>,
    is_report_only: bool,
}

/// What in a policy cannot be said in its header.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The name of a directive has other characters than small letters and `-`.
    #[error("`{0}` is no directive of a content security policy; write one such as `img-src`")]
    Directive(String),
    /// A source has a character that ends it: a space, `;` or `,`, or one that is not ASCII.
    #[error(
        "`{0}` is no source of a content security policy; write one such as `https://example.com` or `data:`, and each by itself"
    )]
    Source(String),
}

impl Default for ContentSecurityPolicy {
    fn default() -> Self {
        let directives = [
            ("default-src", "'self'"),
            ("script-src", "'self'"),
            ("style-src", "'self'"),
            ("connect-src", "'self'"),
            ("base-uri", "'self'"),
            ("object-src", "'none'"),
            ("frame-ancestors", "'self'"),
            ("form-action", "'self'"),
        ];
        let directives =
            directives.map(|(name, source)| (name.to_owned(), vec![source.to_owned()]));
        Self {
            directives: directives.into(),
            is_report_only: false,
        }
    }
}

impl ContentSecurityPolicy {
    /// Adds a source to a directive.
    ///
    /// A directive that is not there yet begins with what browsers use in its place, so that
    /// nothing is taken away: `img-src` begins with the sources of `default-src`.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], when either cannot stand in the header.
    ///
    /// ```
    /// use sinew::config::ContentSecurityPolicy;
    ///
    /// let policy = ContentSecurityPolicy::default().allow("img-src", "data:")?;
    /// assert!(policy.to_string().ends_with("; img-src 'self' data:"));
    /// assert!(policy.allow("img-src", "data:; script-src *").is_err());
    /// # Ok::<(), sinew::config::PolicyError>(())
    /// ```
    pub fn allow(mut self, directive: &str, source: &str) -> Result<Self, PolicyError> {
        let (directive, source) = (valid_directive(directive)?, valid_source(source)?);
        let index = match self.position(directive) {
            Some(index) => index,
            None => {
                let sources = self.inherited(directive);
                self.directives.push((directive.to_owned(), sources));
                self.directives.len() - 1
            }
        };
        let (_, sources) = &mut self.directives[index];
        sources.retain(|present| present != "'none'" && present != source);
        sources.push(source.to_owned());
        Ok(self)
    }

    /// Gives a directive these sources, separated by spaces, and no others; none at all for a
    /// directive that takes none.
    ///
    /// `script-src` and `style-src` get the response's nonce besides, unless they allow
    /// `'unsafe-inline'`, which a nonce would undo.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], when any of it cannot stand in the header.
    ///
    /// ```
    /// use sinew::config::ContentSecurityPolicy;
    ///
    /// let policy = ContentSecurityPolicy::default()
    ///     .replace("script-src", "")?
    ///     .replace("style-src", "'self' 'unsafe-inline'")?
    ///     .replace("upgrade-insecure-requests", "")?
    ///     .to_string();
    /// assert!(policy.contains("; script-src 'nonce-…'; style-src 'self' 'unsafe-inline'; "));
    /// assert!(policy.ends_with("; upgrade-insecure-requests"));
    /// # Ok::<(), sinew::config::PolicyError>(())
    /// ```
    pub fn replace(mut self, directive: &str, sources: &str) -> Result<Self, PolicyError> {
        let directive = valid_directive(directive)?;
        let sources: Result<Vec<String>, PolicyError> = sources
            .split_ascii_whitespace()
            .map(|source| valid_source(source).map(str::to_owned))
            .collect();
        let sources = sources?;
        match self.position(directive) {
            Some(index) => self.directives[index].1 = sources,
            None => self.directives.push((directive.to_owned(), sources)),
        }
        Ok(self)
    }

    /// Leaves a directive out.
    ///
    /// ```
    /// use sinew::config::ContentSecurityPolicy;
    ///
    /// let policy = ContentSecurityPolicy::default().without("frame-ancestors");
    /// assert!(!policy.to_string().contains("frame-ancestors"));
    /// ```
    #[must_use]
    pub fn without(mut self, directive: &str) -> Self {
        self.directives.retain(|(name, _)| name != directive);
        self
    }

    /// Lets browsers report what they would refuse, and refuse nothing: the header is
    /// `Content-Security-Policy-Report-Only`. Where they report is said by `report-uri` and `report-to`.
    ///
    /// ```
    /// use sinew::config::ContentSecurityPolicy;
    ///
    /// let policy = ContentSecurityPolicy::default().replace("report-uri", "/violations")?.report_only();
    /// assert!(policy.is_report_only());
    /// # Ok::<(), sinew::config::PolicyError>(())
    /// ```
    #[must_use]
    pub fn report_only(mut self) -> Self {
        self.is_report_only = true;
        self
    }

    /// Whether it only makes browsers report.
    #[must_use]
    pub fn is_report_only(&self) -> bool {
        self.is_report_only
    }

    fn position(&self, directive: &str) -> Option<usize> {
        self.directives
            .iter()
            .position(|(name, _)| name == directive)
    }

    /// The sources that browsers use for a directive which is not there.
    fn inherited(&self, directive: &str) -> Vec<String> {
        let places: &[&str] = match directive {
            "script-src-elem" | "script-src-attr" => &["script-src", "default-src"],
            "style-src-elem" | "style-src-attr" => &["style-src", "default-src"],
            "worker-src" => &["child-src", "script-src", "default-src"],
            "frame-src" => &["child-src", "default-src"],
            _ if directive.ends_with("-src") => &["default-src"],
            // The others stand for themselves: left out, they allow everything.
            _ => &[],
        };
        let found = places.iter().find_map(|place| self.position(place));
        found.map_or_else(Vec::new, |index| self.directives[index].1.clone())
    }

    /// The header's name, and its value around the places where the nonce stands.
    pub(crate) fn header(&self) -> PolicyHeader {
        let name = if self.is_report_only {
            header::CONTENT_SECURITY_POLICY_REPORT_ONLY
        } else {
            header::CONTENT_SECURITY_POLICY
        };
        let value = self.with_nonce("\n");
        PolicyHeader {
            name,
            around_nonces: value.split('\n').map(str::to_owned).collect(),
        }
    }

    fn with_nonce(&self, nonce: &str) -> String {
        let directives = self.directives.iter().map(|(name, sources)| {
            let mut words = vec![name.clone()];
            words.extend(sources.iter().cloned());
            if takes_nonce(name, sources) {
                words.retain(|word| word != "'none'");
                words.push(format!("'nonce-{nonce}'"));
            }
            words.join(" ")
        });
        directives.collect::<Vec<_>>().join("; ")
    }
}

/// As in the header, with `…` where the nonce of the response stands.
impl fmt::Display for ContentSecurityPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_nonce("…"))
    }
}

/// A policy ready to be sent.
#[derive(Debug)]
pub(crate) struct PolicyHeader {
    pub(crate) name: HeaderName,
    around_nonces: Vec<String>,
}

impl PolicyHeader {
    /// The value with this nonce, which is made of characters that a header may have.
    pub(crate) fn value(&self, nonce: &str) -> HeaderValue {
        HeaderValue::try_from(self.around_nonces.join(nonce))
            .expect("`allow` and `replace` admit visible ASCII only, and so is a nonce")
    }
}

fn takes_nonce(directive: &str, sources: &[String]) -> bool {
    matches!(
        directive,
        "script-src" | "script-src-elem" | "style-src" | "style-src-elem"
    ) && !sources.iter().any(|source| source == "'unsafe-inline'")
}

fn valid_directive(name: &str) -> Result<&str, PolicyError> {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    is_name
        .then_some(name)
        .ok_or_else(|| PolicyError::Directive(name.to_owned()))
}

fn valid_source(source: &str) -> Result<&str, PolicyError> {
    let is_source = !source.is_empty()
        && source
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b';' && b != b',');
    is_source
        .then_some(source)
        .ok_or_else(|| PolicyError::Source(source.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(directive: &str, source: &str, expected: &str) {
        let policy = ContentSecurityPolicy::default().allow(directive, source);
        let policy = policy.expect("a good source").to_string();
        let last = policy.split("; ").find(|part| {
            let name = part.split(' ').next();
            name == Some(directive)
        });
        assert_eq!(last, Some(expected));
    }

    #[test]
    fn what_is_added_takes_nothing_away() {
        check(
            "connect-src",
            "wss://a.example",
            "connect-src 'self' wss://a.example",
        );
        check(
            "font-src",
            "https://a.example",
            "font-src 'self' https://a.example",
        );
        check(
            "object-src",
            "https://a.example",
            "object-src https://a.example",
        );
        check(
            "frame-src",
            "https://a.example",
            "frame-src 'self' https://a.example",
        );
        check("worker-src", "blob:", "worker-src 'self' blob:");
        check(
            "style-src",
            "'unsafe-inline'",
            "style-src 'self' 'unsafe-inline'",
        );
        check(
            "style-src-attr",
            "'unsafe-inline'",
            "style-src-attr 'self' 'unsafe-inline'",
        );
        check("script-src", "'self'", "script-src 'self' 'nonce-…'");
        check("sandbox", "allow-forms", "sandbox allow-forms");
    }

    #[test]
    fn nothing_of_a_policy_becomes_another_directive_or_header() {
        let policy = ContentSecurityPolicy::default;
        for source in ["", "a b", "a;b", "a,b", "a\r\nset-cookie: x", "ä"] {
            assert!(policy().allow("img-src", source).is_err(), "{source:?}");
        }
        for directive in ["", "img src", "img-src;", "IMG-SRC", "img-src\n"] {
            assert!(policy().allow(directive, "x").is_err(), "{directive:?}");
            assert!(policy().replace(directive, "x").is_err(), "{directive:?}");
        }
        assert!(policy().replace("img-src", "a b;c").is_err());
    }

    #[test]
    fn the_nonce_stands_in_each_of_its_places() {
        let header = ContentSecurityPolicy::default().report_only().header();
        assert_eq!(header.name, "content-security-policy-report-only");
        let value = header.value("AbC");
        let value = value.to_str().expect("ASCII");
        assert_eq!(value.matches("'nonce-AbC'").count(), 2, "{value}");
        assert!(!value.contains('\n'));
    }
}

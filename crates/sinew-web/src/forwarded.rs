//! Who a request is really from, when proxies stand between.
//!
//! A header is a claim. The claims of a proxy are believed when its address is one of the
//! [`TrustedProxies`], and nobody is trusted until named: not loopback, not private addresses.
//! With nginx on the same machine, set `SINEW_TRUSTED_PROXIES=loopback`; behind a load balancer
//! in a private network, its address or network (`10.0.0.0/8`).

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, Request, Uri};

use crate::error::NetworkError;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// The other end of the socket, as the server that accepted it knows. A server puts it into
/// the extensions of each request; axum's `ConnectInfo<SocketAddr>` is understood as well.
///
/// ```
/// use axum::extract::ConnectInfo;
/// use http::Extensions;
/// use sinew_web::Peer;
/// use std::net::SocketAddr;
///
/// let mut extensions = Extensions::new();
/// assert_eq!(Peer::of(&extensions), Peer::default(), "made in process");
///
/// extensions.insert(ConnectInfo::<SocketAddr>("192.0.2.7:5000".parse()?));
/// assert_eq!(Peer::of(&extensions).address, Some("192.0.2.7".parse()?));
///
/// // What the server itself has said goes first.
/// extensions.insert(Peer { address: None, secure: true });
/// assert!(Peer::of(&extensions).secure);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its address; `None` for a Unix socket or a request made in process.
    pub address: Option<IpAddr>,
    /// Whether this server itself speaks TLS on the socket.
    pub secure: bool,
}

impl Peer {
    /// What the extensions of a request say about the other end of its socket.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().copied().unwrap_or_else(|| Self {
            address: extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|info| info.0.ip()),
            secure: false,
        })
    }
}

/// A request as it arrived on the socket, before any proxy is believed.
///
/// ```
/// use http::Request;
/// use sinew_web::forwarded::Direct;
/// use sinew_web::{Peer, TrustedProxies};
///
/// let peer = Peer { address: "192.0.2.7".parse().ok(), secure: true };
/// let request = Request::get("/").header("host", "app.example.com").extension(peer).body(())?;
/// let (parts, ()) = request.into_parts();
/// let direct = Direct::of(&parts);
/// assert_eq!((direct.peer, direct.authority), (peer.address, None));
/// assert_eq!(TrustedProxies::none().effective(&direct).origin(), "https://app.example.com");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Direct<'a> {
    /// The address of the other end of the socket.
    pub peer: Option<IpAddr>,
    /// Whether this server itself speaks TLS on the socket.
    pub secure: bool,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// Host and port of the request's URI, when it has them (HTTP/2, absolute form). They go
    /// before the `Host` header.
    pub authority: Option<&'a str>,
}

impl<'a> Direct<'a> {
    /// The request with these parts.
    pub fn of(parts: &'a Parts) -> Self {
        Self::with(&parts.uri, &parts.headers, &parts.extensions)
    }

    /// The same, of a request that is in one piece.
    ///
    /// ```
    /// use http::Request;
    /// use sinew_web::forwarded::Direct;
    ///
    /// let request = Request::get("/").header("host", "app.example.com").body(())?;
    /// assert_eq!(Direct::of_request(&request).headers["host"], "app.example.com");
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn of_request<B>(request: &'a Request<B>) -> Self {
        Self::with(request.uri(), request.headers(), request.extensions())
    }

    fn with(uri: &'a Uri, headers: &'a HeaderMap, extensions: &Extensions) -> Self {
        let peer = Peer::of(extensions);
        Self {
            peer: peer.address,
            secure: peer.secure,
            headers,
            authority: uri.authority().map(http::uri::Authority::as_str),
        }
    }
}

/// Who a request is from, over what, and to which host, after the trusted proxies were heard.
/// It is in the extensions of every request that passed the session layer, and handlers take it
/// as an argument.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use http::Request;
/// use sinew_web::{Effective, Peer};
/// use tower::ServiceExt as _;
///
/// async fn whereabouts(effective: Effective) -> String {
///     let address = effective.client_address.map(|address| address.to_string());
///     format!("{} for {}", effective.origin(), address.as_deref().unwrap_or("somebody"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Router::new().route("/", get(whereabouts));
/// let request = Request::get("/")
///     .header("host", "Example.com:80")
///     .extension(Peer { address: "192.0.2.7".parse().ok(), secure: false })
///     .body(Body::empty())?;
/// let response = app.oneshot(request).await?;
/// let text = axum::body::to_bytes(response.into_body(), 1024).await?;
/// assert_eq!(text, "http://example.com for 192.0.2.7");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The visitor's address, `None` when the socket has none.
    pub client_address: Option<IpAddr>,
    /// Whether the visitor speaks `https` or `wss`.
    pub secure: bool,
    /// The host the visitor asked for, in lower case, with its port unless that is the
    /// scheme's own; empty when the request named none.
    pub host: String,
}

impl Effective {
    /// The origin of the pages on this host: `https://app.example.com`.
    pub fn origin(&self) -> String {
        format!(
            "{}://{}",
            if self.secure { "https" } else { "http" },
            self.host
        )
    }
}

/// As an argument of a handler: what the session layer found, or, outside of it, what the
/// socket says, with no proxy believed.
impl<S: Sync> FromRequestParts<S> for Effective {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| TrustedProxies::none().effective(&Direct::of(parts))))
    }
}

/// An address or a network, such as `10.0.0.0/8`. An IPv4 address written inside IPv6
/// (`::ffff:10.0.0.7`) is the IPv4 address.
///
/// ```
/// use sinew_web::error::NetworkError;
/// use sinew_web::forwarded::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert_eq!(network.to_string(), "10.0.0.0/8");
/// assert_eq!("192.0.2.7".parse::<Network>()?.to_string(), "192.0.2.7/32");
/// assert!("10.0.0.0/33".parse::<Network>().is_err());
/// # Ok::<(), NetworkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether `address` lies in this network.
    ///
    /// ```
    /// use sinew_web::forwarded::Network;
    ///
    /// let network: Network = "10.1.0.0/16".parse()?;
    /// assert!(network.contains("10.1.2.3".parse()?));
    /// assert!(network.contains("::ffff:10.1.2.3".parse()?));
    /// assert!(!network.contains("10.2.0.1".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix_bits))
                    .unwrap_or(0);
                (network.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix_bits))
                    .unwrap_or(0);
                (network.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = || NetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| refused())?;
        let prefix_bits = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| refused())?,
            None => address_bits(written),
        };
        if prefix_bits > address_bits(written) {
            return Err(refused());
        }
        // A network written in the mapped form counts its 96 leading bits too.
        match written.to_canonical() {
            canonical @ IpAddr::V4(_) if written.is_ipv6() => match prefix_bits.checked_sub(96) {
                Some(prefix_bits) => Ok(Self {
                    address: canonical,
                    prefix_bits,
                }),
                None => Ok(Self {
                    address: written,
                    prefix_bits,
                }),
            },
            canonical => Ok(Self {
                address: canonical,
                prefix_bits,
            }),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

const fn address_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Which headers a trusted proxy speaks with.
///
/// ```
/// use http::HeaderMap;
/// use sinew_web::TrustedProxies;
/// use sinew_web::forwarded::{Direct, ForwardedHeaders};
///
/// // The proxy wrote the first; the second came from the visitor, and the proxy let it through.
/// let mut headers = HeaderMap::new();
/// headers.insert("forwarded", "for=192.0.2.7;proto=https;host=example.com".parse()?);
/// headers.insert("x-forwarded-for", "127.0.0.1".parse()?);
///
/// let peer = "10.0.0.7".parse().ok();
/// let request = Direct { peer, secure: false, headers: &headers, authority: None };
/// let proxies = "10.0.0.0/8".parse::<TrustedProxies>()?.headers(ForwardedHeaders::Rfc7239);
/// let effective = proxies.effective(&request);
/// assert_eq!(effective.client_address, Some("192.0.2.7".parse()?));
/// assert_eq!(effective.origin(), "https://example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeaders {
    /// `X-Forwarded-…` when the request has any of them, `Forwarded` otherwise. Right for
    /// proxies that write the former, and for those that write only `Forwarded` and drop what
    /// the visitor sends of the other.
    #[default]
    Either,
    /// Only `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`.
    XForwarded,
    /// Only `Forwarded` (RFC 7239). Say so when your proxy writes it but lets a visitor's
    /// `X-Forwarded-…` through.
    Rfc7239,
}

/// The addresses whose claims about a request are believed. Empty by default.
///
/// Written as a list of addresses, networks and the words `loopback` (`127.0.0.0/8`, `::1`) and
/// `private` (loopback, RFC 1918, link-local and `fc00::/7`), separated by commas.
///
/// ```
/// use sinew_web::TrustedProxies;
///
/// let proxies: TrustedProxies = "loopback, 10.0.0.0/8, fd00::7,".parse()?;
/// assert!(proxies.trusts("127.0.0.1".parse()?));
/// assert!(!TrustedProxies::none().trusts("127.0.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    headers: ForwardedHeaders,
}

impl TrustedProxies {
    /// Nobody is believed.
    pub const fn none() -> Self {
        Self {
            networks: Vec::new(),
            headers: ForwardedHeaders::Either,
        }
    }

    /// Those in `networks` are believed.
    ///
    /// ```
    /// use sinew_web::TrustedProxies;
    ///
    /// let balancer = "10.0.0.7".parse()?;
    /// let proxies = TrustedProxies::new([balancer]);
    /// assert!(proxies.trusts("10.0.0.7".parse()?));
    /// assert!(!proxies.trusts("10.0.0.8".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self {
            networks: networks.into_iter().collect(),
            headers: ForwardedHeaders::Either,
        }
    }

    /// Says which headers the proxies speak with.
    ///
    /// ```
    /// use sinew_web::TrustedProxies;
    /// use sinew_web::forwarded::ForwardedHeaders;
    ///
    /// let proxies: TrustedProxies = "loopback".parse()?;
    /// assert_ne!(proxies.clone().headers(ForwardedHeaders::Rfc7239), proxies);
    /// assert_eq!(proxies.clone().headers(ForwardedHeaders::Either), proxies, "the default");
    /// # Ok::<(), sinew_web::error::NetworkError>(())
    /// ```
    #[must_use]
    pub fn headers(mut self, headers: ForwardedHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// Whether claims from `address` are believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    /// Who `request` is from. Without a trusted peer this is what the socket says.
    ///
    /// With one, the chain of addresses is read from the right, where the nearest proxy wrote:
    /// trusted proxies are passed over, and the first address that is none of them is the
    /// visitor, whatever stands to its left. Scheme and host are those said at the same place
    /// of their lists (the last ones when a list is shorter). What cannot be read is not
    /// believed.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use sinew_web::TrustedProxies;
    /// use sinew_web::forwarded::Direct;
    ///
    /// // A visitor who claims to be 1.1.1.1, the balancer, and the proxy on this machine.
    /// let mut headers = HeaderMap::new();
    /// headers.insert("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.0.0.7".parse()?);
    /// headers.insert("x-forwarded-host", "app.example.com".parse()?);
    /// headers.insert("x-forwarded-proto", "https".parse()?);
    /// let peer = "127.0.0.1".parse().ok();
    /// let request = Direct { peer, secure: false, headers: &headers, authority: None };
    ///
    /// let proxies: TrustedProxies = "loopback, 10.0.0.0/8".parse()?;
    /// let effective = proxies.effective(&request);
    /// assert_eq!(effective.client_address, Some("192.0.2.7".parse()?));
    /// assert_eq!(effective.origin(), "https://app.example.com");
    ///
    /// let unbelieved = TrustedProxies::none().effective(&request);
    /// assert_eq!(unbelieved.client_address, peer);
    /// assert_eq!(unbelieved.host, "");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn effective(&self, request: &Direct<'_>) -> Effective {
        let mut claims = Claims {
            client_address: request.peer.map(|address| address.to_canonical()),
            secure: request.secure,
            host: direct_host(request),
            port: None,
        };
        if request.peer.is_some_and(|peer| self.trusts(peer)) {
            let x_forwarded = [
                X_FORWARDED_FOR,
                X_FORWARDED_PROTO,
                X_FORWARDED_HOST,
                X_FORWARDED_PORT,
            ]
            .iter()
            .any(|name| request.headers.contains_key(name));
            match self.headers {
                ForwardedHeaders::XForwarded => self.x_forwarded(request.headers, &mut claims),
                ForwardedHeaders::Rfc7239 => self.forwarded(request.headers, &mut claims),
                ForwardedHeaders::Either if x_forwarded => {
                    self.x_forwarded(request.headers, &mut claims);
                }
                ForwardedHeaders::Either => self.forwarded(request.headers, &mut claims),
            }
        }
        claims.into_effective()
    }

    fn x_forwarded(&self, headers: &HeaderMap, claims: &mut Claims) {
        let addresses = elements(headers, &X_FORWARDED_FOR);
        let mut hops_passed = 0;
        for (hops, element) in addresses.iter().rev().enumerate() {
            let Some(address) = forwarded_address(element) else {
                break;
            };
            hops_passed = hops;
            claims.client_address = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        let said = |name: &HeaderName| -> Option<String> {
            let elements = elements(headers, name);
            let last = elements.len().checked_sub(1)?;
            Some(elements[last - hops_passed.min(last)].to_owned())
        };
        if let Some(secure) = said(&X_FORWARDED_PROTO).and_then(|scheme| is_secure(&scheme)) {
            claims.secure = secure;
        }
        if let Some(host) = said(&X_FORWARDED_HOST).and_then(|host| readable_host(&host)) {
            claims.host = host;
        }
        claims.port = said(&X_FORWARDED_PORT).and_then(|port| port.parse().ok());
    }

    fn forwarded(&self, headers: &HeaderMap, claims: &mut Claims) {
        let Some(hops) = forwarded_hops(headers) else {
            return;
        };
        for hop in hops.iter().rev() {
            if let Some(secure) = hop.proto.as_deref().and_then(is_secure) {
                claims.secure = secure;
            }
            if let Some(host) = hop.host.as_deref().and_then(readable_host) {
                claims.host = host;
            }
            // `unknown` and hidden names (`_proxy`) end the chain: left of them is hearsay.
            let Some(address) = hop.r#for.as_deref().and_then(forwarded_address) else {
                break;
            };
            claims.client_address = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
    }
}

impl FromStr for TrustedProxies {
    type Err = NetworkError;

    fn from_str(list: &str) -> Result<Self, NetworkError> {
        const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1"];
        const PRIVATE: &[&str] = &[
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ];
        let mut networks = Vec::new();
        for element in list
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
        {
            let words: &[&[&str]] = match element.to_ascii_lowercase().as_str() {
                "loopback" => &[LOOPBACK],
                "private" => &[LOOPBACK, PRIVATE],
                _ => &[],
            };
            if words.is_empty() {
                networks.push(element.parse()?);
            }
            for network in words.iter().copied().flatten() {
                networks.push(network.parse()?);
            }
        }
        Ok(Self::new(networks))
    }
}

struct Claims {
    client_address: Option<IpAddr>,
    secure: bool,
    host: String,
    port: Option<u16>,
}

impl Claims {
    fn into_effective(self) -> Effective {
        let (name, port) = split_port(&self.host);
        let port = port
            .or(self.port)
            .filter(|port| *port != default_port(self.secure));
        let host = match port {
            Some(port) if !name.is_empty() => format!("{name}:{port}"),
            _ => name.to_owned(),
        };
        Effective {
            client_address: self.client_address,
            secure: self.secure,
            host,
        }
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Host and port of `host[:port]`; the brackets of an IPv6 address stay on the host.
pub(crate) fn split_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (name, None),
        },
        _ => (host, None),
    }
}

fn direct_host(request: &Direct<'_>) -> String {
    let header = || request.headers.get(http::header::HOST)?.to_str().ok();
    request
        .authority
        .or_else(header)
        .and_then(readable_host)
        .unwrap_or_default()
}

/// `text` in lower case when it can be the authority of a URL.
fn readable_host(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.contains('@') {
        return None;
    }
    let authority: http::uri::Authority = text.parse().ok()?;
    Some(authority.as_str().to_ascii_lowercase())
}

fn is_secure(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// `203.0.113.9`, `203.0.113.9:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    Some(IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?).to_canonical())
}

/// The elements of a list header, over all its lines; empty when a line is not text.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines: Result<Vec<&str>, _> = headers
        .get_all(name)
        .iter()
        .map(http::HeaderValue::to_str)
        .collect();
    lines
        .unwrap_or_default()
        .into_iter()
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Hop {
    r#for: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

/// All hops of the `Forwarded` headers, oldest first; `None` when any of it is malformed, since
/// then nobody knows who wrote what.
fn forwarded_hops(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    for line in headers.get_all(http::header::FORWARDED) {
        parse_forwarded(line.to_str().ok()?, &mut hops)?;
    }
    Some(hops)
}

/// RFC 7239 section 4: elements separated by commas, pairs by semicolons, values are tokens or
/// quoted strings.
fn parse_forwarded(line: &str, hops: &mut Vec<Hop>) -> Option<()> {
    let mut hop = Hop::default();
    let mut rest = line.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            hops.push(std::mem::take(&mut hop));
            rest = after.trim_start();
            continue;
        }
        if let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start();
            continue;
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let end = after.find([',', ';']).unwrap_or(after.len());
                (after[..end].trim_end().to_owned(), &after[end..])
            }
        };
        let field = match name.trim().to_ascii_lowercase().as_str() {
            "for" => Some(&mut hop.r#for),
            "proto" => Some(&mut hop.proto),
            "host" => Some(&mut hop.host),
            // `by` and extensions.
            name if !name.is_empty() && !name.contains([' ', ',', ';', '"']) => None,
            _ => return None,
        };
        if let Some(field) = field {
            // Each parameter once per element.
            if field.replace(value).is_some() {
                return None;
            }
        }
        rest = after.trim_start();
        if !(rest.is_empty() || rest.starts_with([',', ';'])) {
            return None;
        }
    }
    hops.push(hop);
    Some(())
}

/// The text up to the closing quote, and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests;

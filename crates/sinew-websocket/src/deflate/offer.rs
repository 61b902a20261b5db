//! What clients offer and servers answer, as values of `Sec-WebSocket-Extensions`.

/// A client's offer that a server of ours accepts: every message is to be compressed by itself.
///
/// ```
/// use sinew_websocket::deflate;
///
/// assert_eq!(deflate::answer([deflate::OFFER]), Some(deflate::ANSWER));
/// ```
pub const OFFER: &str = ANSWER;

/// The answer to most offers. The one to an offer that names the server's window names it too.
///
/// ```
/// use sinew_websocket::deflate;
///
/// let named = deflate::answer(["permessage-deflate; server_max_window_bits=15"]).unwrap();
/// assert_eq!(named, format!("{}; server_max_window_bits=15", deflate::ANSWER));
/// ```
pub const ANSWER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

const ANSWER_WITH_WINDOW: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15";

/// Offers that are looked at; a client that makes more is answered as if it had stopped there.
const OFFERS_MAX: usize = 16;

/// The largest window, of 2¹⁵ bytes.
const WINDOW_BITS_MAX: u8 = 15;

/// The answer to the first offer of permessage-deflate that can be served, if there is one.
///
/// `values` are those of the request's `Sec-WebSocket-Extensions` headers. An offer with a parameter that is unknown,
/// repeated, or of a wrong value is declined, and the next one looked at, as RFC 7692 (7) wants it. At most 16 offers are
/// looked at.
///
/// ```
/// use sinew_websocket::deflate::{ANSWER, answer};
///
/// // What browsers offer.
/// assert_eq!(answer(["permessage-deflate; client_max_window_bits"]), Some(ANSWER));
/// // The second choice of a client that would like to save memory.
/// assert_eq!(answer(["permessage-deflate; server_max_window_bits=10, permessage-deflate"]), Some(ANSWER));
/// assert_eq!(answer(["permessage-deflate; server_max_window_bits=10"]), None);
/// assert_eq!(answer(["permessage-bzip2"]), None);
/// ```
#[must_use]
pub fn answer<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    values
        .into_iter()
        .flat_map(|value| value.split(','))
        .take(OFFERS_MAX)
        .find_map(|offer| {
            let parameters = Parameters::parse(offer)?;
            match parameters.server_window_bits {
                None => Some(ANSWER),
                Some(WINDOW_BITS_MAX) => Some(ANSWER_WITH_WINDOW),
                Some(_) => None,
            }
        })
}

/// Whether a server's answer accepts [`OFFER`], so that the connection is compressed.
///
/// ```
/// use sinew_websocket::deflate::{ANSWER, is_answer};
///
/// assert!(is_answer(ANSWER));
/// assert!(is_answer("permessage-deflate; server_no_context_takeover; server_max_window_bits=12"));
/// assert!(!is_answer("permessage-deflate"), "it was asked to forget each message, and does not say so");
/// assert!(!is_answer("permessage-deflate; server_no_context_takeover; client_max_window_bits=10"), "not offered");
/// ```
#[must_use]
pub fn is_answer(value: &str) -> bool {
    Parameters::parse(value).is_some_and(|parameters| {
        parameters.server_forgets && parameters.client_window_bits.is_none()
    })
}

/// One offer, or an answer, with the parameters of RFC 7692, each of them at most once.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parameters {
    server_forgets: bool,
    client_forgets: bool,
    server_window_bits: Option<u8>,
    /// Named, maybe with a value.
    client_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// `None` for another extension, and for whatever breaks the rules.
    fn parse(extension: &str) -> Option<Self> {
        let mut parts = extension.split(';').map(str::trim);
        if parts.next() != Some("permessage-deflate") {
            return None;
        }
        let mut parameters = Self::default();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
                None => (part, None),
            };
            let is_first = match (name, value) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut parameters.server_forgets, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut parameters.client_forgets, true)
                }
                ("server_max_window_bits", Some(value)) => parameters
                    .server_window_bits
                    .replace(window_bits(value)?)
                    .is_none(),
                ("client_max_window_bits", None) => {
                    parameters.client_window_bits.replace(None).is_none()
                }
                ("client_max_window_bits", Some(value)) => parameters
                    .client_window_bits
                    .replace(Some(window_bits(value)?))
                    .is_none(),
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        Some(parameters)
    }
}

/// 8 to 15 without a leading zero, plain or in quotes.
fn window_bits(value: &str) -> Option<u8> {
    let quoted = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match quoted.unwrap_or(value) {
        "8" => Some(8),
        "9" => Some(9),
        "10" => Some(10),
        "11" => Some(11),
        "12" => Some(12),
        "13" => Some(13),
        "14" => Some(14),
        "15" => Some(15),
        _ => None,
    }
}

/// A WebSocket sub-protocol this server can speak.
///
/// ```
/// use sinew_protocol::Subprotocol;
///
/// let chosen = Subprotocol::negotiate(["actioncable-v1-json", "actioncable-unsupported"]);
/// assert_eq!(chosen.map(Subprotocol::as_str), Some("actioncable-v1-json"));
/// assert_eq!(Subprotocol::negotiate(["actioncable-unsupported"]), Some(Subprotocol::Unsupported));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subprotocol {
    /// `actioncable-v1-json`, the usual one.
    V1Json,
    /// `actioncable-unsupported`: the word by which a client asks whether its server is too new or too old.
    /// Rails selects it when nothing else was offered, and so do we; the session is an ordinary one.
    Unsupported,
}

impl Subprotocol {
    /// The spelling in the `Sec-WebSocket-Protocol` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1Json => "actioncable-v1-json",
            Self::Unsupported => "actioncable-unsupported",
        }
    }

    /// Chooses among the offers, given as the values of the request's `Sec-WebSocket-Protocol` headers.
    ///
    /// The server's order of preference decides, not the client's.
    /// Nothing in common is no error: the answer then has no such header, and the connection is an ordinary `v1-json` one.
    ///
    /// ```
    /// use sinew_protocol::Subprotocol;
    ///
    /// let both = ["actioncable-unsupported, actioncable-v1-json"];
    /// assert_eq!(Subprotocol::negotiate(both), Some(Subprotocol::V1Json));
    /// assert_eq!(Subprotocol::negotiate(["actioncable-v1-msgpack"]), None);
    /// ```
    pub fn negotiate<'a>(offers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut chosen = None;
        for offer in offers.into_iter().flat_map(|value| value.split(',')) {
            match offer.trim() {
                "actioncable-v1-json" => return Some(Self::V1Json),
                "actioncable-unsupported" => chosen = Some(Self::Unsupported),
                _ => {}
            }
        }
        chosen
    }
}

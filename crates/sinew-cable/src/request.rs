use std::net::IpAddr;

use http::{Extensions, HeaderMap, Uri};
use sinew_protocol::Subprotocol;

/// The handshake's request, as the connect hook sees it.
///
/// It lives until the hook has answered: what a connection needs later, the hook keeps, and pays for per connection.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::Arc;
/// use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers, Refusal};
/// use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let application = Application::new(async |request: Arc<ConnectRequest>| {
///     match (request.secure, request.uri.query()) {
///         (true, Some("token=7")) => Ok(ConnectionIdentifiers::new().with("user", "ann")),
///         _ => Err(Refusal::unauthorized()),
///     }
/// });
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
///
/// let mut request = ConnectRequest::default();
/// request.uri = "/cable?token=7".parse()?;
/// request.secure = true;
/// # let mut client = Client::open_with(&cable, request.clone());
/// assert_eq!(client.receive().await["type"], "welcome");
///
/// request.secure = false;
/// # let mut client = Client::open_with(&cable, request);
/// assert_eq!(client.receive().await["reason"], "unauthorized");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ConnectRequest {
    /// The request's headers, `cookie` among them.
    pub headers: HeaderMap,
    /// The request's target, with its query.
    pub uri: Uri,
    /// The peer's address: of the client itself when the edge trusts the proxy before it.
    pub remote_address: Option<IpAddr>,
    /// Whether the client spoke `https` or `wss`.
    pub secure: bool,
    /// The host the client asked for, with its port if it gave one; behind a trusted proxy, the forwarded one.
    pub host: String,
    /// What was negotiated; none when nothing was offered or nothing matched.
    pub subprotocol: Option<Subprotocol>,
    /// Whether messages may be compressed: permessage-deflate was negotiated, as
    /// [`sinew_websocket::deflate`] does it.
    pub deflate: bool,
    /// Values the layers before put into the request.
    pub extensions: Extensions,
}

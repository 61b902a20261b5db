use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, routing::get};
use http::request::Parts;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
# use sinew_cable::{Application, Cable, ConnectionIdentifiers};
# use sinew_streams::InProcessStreams;
use sinew_web::forwarded::Direct;
use sinew_web::websocket::{AcceptedStream, Door, Listening};
use sinew_web::{CableEndpoint, Effective, TrustedProxies, WebSocketConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Pages(Router);

impl Door for Pages {
    fn admit(&self, request: &mut Parts) -> Option<Effective> {
        let is_cable = request.uri.path() == "/cable";
        is_cable.then(|| TrustedProxies::none().effective(&Direct::of(request)))
    }

    fn serve(&self, stream: AcceptedStream, _peer: SocketAddr) {
        let pages = TowerToHyperService::new(self.0.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), pages).with_upgrades());
    }
}

# #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
# let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
# let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
let mut config = WebSocketConfig::default();
config.shard_threads = 2;
let endpoint = CableEndpoint::new(cable).config(config);
let pages = Router::new().route("/", get(async || "a page"));
let listening: Listening = endpoint.listen("127.0.0.1:0".parse()?, Arc::new(Pages(pages)))?;

let mut browser = tokio::net::TcpStream::connect(listening.local_addr()).await?;
browser.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
let mut answer = String::new();
browser.read_to_string(&mut answer).await?;
assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("a page"));

let mut client = tokio::net::TcpStream::connect(listening.local_addr()).await?;
let handshake = "GET /cable HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
client.write_all(handshake.as_bytes()).await?;
let mut answer = [0; 149];
client.read_exact(&mut answer).await?;
assert!(answer.ends_with(b"\r\n\r\n\x81\x12{\"type\":\"welcome\"}"));

// Its port is taken now, also from others who would share it.
assert!(endpoint.listen(listening.local_addr(), Arc::new(Pages(Router::new()))).is_err());
listening.stop();
# Ok(()) }

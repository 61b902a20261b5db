//! The edge of an application: what stands between the network and the two engines.
//!
//! For the facade, and for anyone who assembles a server of their own: origin check, trusted
//! proxies, the session cookie, the application secret, health and the settings of all these.
//! It does not know what a reflex is, holds no session data itself (that is `sinew-store`) and
//! decides nothing about a channel (that is `sinew-cable`).
//!
//! ```
//! use http::HeaderMap;
//! use sinew_web::forwarded::{Direct, TrustedProxies};
//! use sinew_web::origin::OriginPolicy;
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("host", "app.example.com".parse()?);
//! headers.insert("origin", "https://app.example.com".parse()?);
//! headers.insert("x-forwarded-proto", "https".parse()?);
//!
//! let request = Direct { peer: "10.0.0.7".parse().ok(), secure: false, headers: &headers, authority: None };
//! // Nobody is believed unless named.
//! assert!(!TrustedProxies::none().effective(&request).secure);
//!
//! let proxies: TrustedProxies = "10.0.0.0/8".parse()?;
//! let effective = proxies.effective(&request);
//! assert!(effective.secure);
//! assert!(OriginPolicy::same_host().check(&headers, &effective).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod assets_url;
pub mod base_path;
mod cable_variables;
pub mod config;
pub mod cookie;
pub mod data_directory;
mod doctor_variables;
pub mod environment;
pub mod error;
pub mod forwarded;
pub mod health;
pub mod origin;
pub mod public_url;
pub mod sealed;
pub mod secret;
pub mod server;
pub mod session_layer;
mod store_variables;
pub mod websocket;

pub use assets_url::AssetsUrl;
pub use base_path::BasePath;
pub use config::EdgeConfig;
pub use cookie::CookieConfig;
pub use environment::Environment;
pub use forwarded::{Effective, Peer, TrustedProxies};
pub use health::Health;
pub use origin::OriginPolicy;
pub use public_url::PublicUrl;
pub use sealed::SessionSealer;
pub use secret::Secret;
pub use server::{Server, ServerConfig};
pub use session_layer::{InProcess, SessionLayer, SessionStatistics};
pub use websocket::{CableEndpoint, DrainTimeout, WebSocketConfig};

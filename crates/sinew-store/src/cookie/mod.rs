//! Sessions that live in the visitor's cookie.
//!
//! The cookie is the session; a [`CookieStore`] is what one process knows of those whose requests and connections it
//! has at the moment. It is a [`Store`](crate::Store), so that [`Sessions`](crate::Sessions) works on it as on any
//! other, and beside that it knows which version of each session the browser holds:
//!
//! - what a cookie says is [learned](CookieStore::learn), and merged by field with what is known already;
//! - what a response's cookie shall say is [handed out](CookieStore::handed_out);
//! - what was written where no cookie can be set is [offered](CookieStore::offer) as a [`Ticket`], which is
//!   [redeemed](CookieStore::redeem) by a request.
//!
//! Versions are told apart by a number and a random tag, and each remembers the tags of those it was made from: that is
//! how a ticket is good once without anybody writing down that it was used. Nothing here knows of HTTP or of keys:
//! sealing the bytes is the edge's.
//!
//! Of two who changed the same field from the same version, the one that reached the browser's cookie first wins, and
//! the other is counted ([`CookieStoreStatistics::conflicts`]).

mod config;
mod hold;
mod offer;
mod shared;
mod state;
mod store;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod ticket;
mod version;

pub use self::config::CookieStoreConfig;
pub use self::hold::Hold;
pub use self::offer::Offer;
pub use self::state::CookieState;
pub use self::store::{CookieStore, CookieStoreStatistics, Learned, Redeemed};
pub use self::ticket::Ticket;
pub use self::version::Version;

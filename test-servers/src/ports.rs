//! Ports that nobody listens on.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give to outgoing connections, so that a server which is
/// started again finds its port free. 10,000 above each lies the bus of a cluster's node.
const FIRST: u16 = 11_000;
const COUNT: u16 = 10_000;
const BUS_OFFSET: u16 = 10_000;

/// A port of 127.0.0.1 that was free a moment ago, as was the one 10,000 above it.
///
/// Another process may still be faster; who starts a server tries again then.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);

    // Test binaries that run at the same time begin at different places.
    let start = (process::id() % 97) as u16 * 101;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + BUS_OFFSET) {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}

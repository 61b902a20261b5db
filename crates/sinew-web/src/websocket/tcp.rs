//! What a TCP socket is told when it is taken over: to send at once, and to notice when its peer is gone.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::WebSocketConfig;

/// After so many unanswered questions the system gives a connection up, where no user timeout says when.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
const KEEPALIVE_PROBES: u32 = 3;
/// Systems count in whole seconds.
const KEEPALIVE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Sets the options. One that this system refuses is said in the log: the connection is served without it.
///
/// What a socket was accepted with, its listener was told before: one question instead of five answers.
pub(super) fn prepare(socket: SockRef<'_>, config: &WebSocketConfig) {
    if is_prepared(&socket, config) {
        return;
    }
    let refused = |option: &str| {
        let option = option.to_owned();
        move |error: io::Error| tracing::debug!(%error, option, "socket option not set")
    };
    // Frames are small and each is whole: waiting for more to send with it only delays it.
    socket
        .set_tcp_nodelay(true)
        .unwrap_or_else(refused("TCP_NODELAY"));
    if !config.tcp_keepalive.is_zero() {
        socket
            .set_tcp_keepalive(&keepalive(config.tcp_keepalive))
            .unwrap_or_else(refused("SO_KEEPALIVE"));
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !config.tcp_user_timeout.is_zero() {
        socket
            .set_tcp_user_timeout(Some(config.tcp_user_timeout))
            .unwrap_or_else(refused("TCP_USER_TIMEOUT"));
    }
}

/// The user timeout is set last, so that it stands for the others.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_prepared(socket: &SockRef<'_>, config: &WebSocketConfig) -> bool {
    !config.tcp_user_timeout.is_zero()
        && matches!(socket.tcp_user_timeout(), Ok(Some(time)) if time == config.tcp_user_timeout)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_prepared(_: &SockRef<'_>, _: &WebSocketConfig) -> bool {
    false
}

fn keepalive(time: Duration) -> TcpKeepalive {
    let time = time.max(KEEPALIVE_INTERVAL_MIN);
    let keepalive = TcpKeepalive::new()
        .with_time(time)
        .with_interval((time / 4).max(KEEPALIVE_INTERVAL_MIN));
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    keepalive
}

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::time::Duration;

/// Bounds of one socket, with unit, default and what happens beyond.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebSocketConfig {
    /// Payload of one message from a client, in bytes. Default 1 MiB (1,048,576 bytes).
    /// A longer one is refused at its header, before any of it is kept: close 1009.
    pub message_bytes_max: usize,
    /// How long a socket may take nothing of what is to be written. Default 2 s. Then it is dropped: its peer does not
    /// read.
    pub write_timeout: Duration,
    /// How long a peer may take to answer a close, and to take what goes before it. Default 2 s. Then the socket is
    /// dropped.
    pub close_timeout: Duration,
    /// Threads that drive plain TCP connections, each its share of them. Default one per processor.
    /// Application code does not run on them.
    pub shards: usize,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            message_bytes_max: 1024 * 1024,
            write_timeout: Duration::from_secs(2),
            close_timeout: Duration::from_secs(2),
            shards: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

//! Private servers for tests: each in a directory of its own, on free ports of 127.0.0.1.
//!
//! A server is stopped by its process id when its value is dropped, and ends by itself when the
//! process of the tests does. What is missing panics with the name of Debian's package: a test
//! cannot go on without it. Starting waits in the thread of the test until the server answers.
//!
//! ```
//! use test_servers::RedisServer;
//!
//! let redis = RedisServer::start();
//! assert_eq!(redis.command(&["SET", "greeting", "hello"]), "OK");
//! assert_eq!(redis.command(&["GET", "greeting"]), "hello");
//! assert!(redis.url().starts_with("redis://127.0.0.1:"));
//! ```

mod certificates;
mod clock;
mod cluster;
mod old_redis;
mod ports;
mod postgres;
mod process;
mod rails;
mod redis;
mod sentinel;

pub use certificates::Authority;
pub use cluster::RedisCluster;
pub use old_redis::old_redis_server;
pub use postgres::{PostgresOptions, PostgresServer};
pub use process::Process;
pub use rails::{Rails, RailsAnswer};
pub use redis::{RedisOptions, RedisServer};
pub use sentinel::RedisSentinel;

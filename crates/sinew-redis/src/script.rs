//! Lua that runs within the server.

use sha1::{Digest as _, Sha1};
use std::fmt::Write as _;

/// A Lua script, known to the server by its digest.
///
/// ```
/// use sinew_redis::{Redis, RedisSettings, Script, redis};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let add = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
/// assert_eq!(redis.script(&add, &["visits"], &["2"]).await?, redis::Value::Int(2));
/// // From the second time on it is one round trip, and the digest is sent instead of the text.
/// assert_eq!(redis.script(&add, &["visits"], &["3"]).await?, redis::Value::Int(5));
/// assert_eq!(add.digest().len(), 40);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Script {
    source: &'static str,
    digest: String,
}

impl Script {
    /// A script of this text.
    pub fn new(source: &'static str) -> Self {
        let mut digest = String::with_capacity(40);
        for byte in Sha1::digest(source) {
            let _ = write!(digest, "{byte:02x}");
        }
        Self { source, digest }
    }

    /// Its text.
    ///
    /// ```
    /// assert_eq!(sinew_redis::Script::new("return 1").source(), "return 1");
    /// ```
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The SHA-1 of its text in hexadecimal, which is its name at the server.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The command that runs it: by its digest, or by its text.
    pub(crate) fn command<K: AsRef<[u8]>, A: AsRef<[u8]>>(
        &self,
        by_text: bool,
        keys: &[K],
        arguments: &[A],
    ) -> redis::Cmd {
        let mut command = if by_text {
            let mut command = redis::cmd("EVAL");
            command.arg(self.source);
            command
        } else {
            let mut command = redis::cmd("EVALSHA");
            command.arg(&self.digest);
            command
        };
        command.arg(keys.len());
        for key in keys {
            command.arg(key.as_ref());
        }
        for argument in arguments {
            command.arg(argument.as_ref());
        }
        command
    }
}

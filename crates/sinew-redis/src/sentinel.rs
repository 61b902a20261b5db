//! Asks sentinels who the primary is.

use std::sync::Arc;

use parking_lot::Mutex;
use redis::Value;
use tokio::time::timeout;

use crate::dial::{Dial, Endpoint};
use crate::error::RedisError;
use crate::url::Address;

/// Sentinels, the one that answered last first.
#[derive(Debug)]
pub(crate) struct Sentinels {
    addresses: Mutex<Vec<Address>>,
    service: String,
}

impl Sentinels {
    pub(crate) fn new(addresses: Vec<Address>, service: String) -> Arc<Self> {
        Arc::new(Self {
            addresses: Mutex::new(addresses),
            service,
        })
    }

    /// The primary, as the first sentinel that answers knows it.
    pub(crate) async fn primary(&self, dial: &Dial) -> Result<Address, RedisError> {
        let addresses = self.addresses.lock().clone();
        // One that hangs leaves time for the others.
        let each = dial.timeout / (addresses.len() as u32 + 1);
        let mut errors = Vec::new();
        for address in addresses {
            match timeout(each, self.ask(dial, &address)).await {
                Ok(Ok(primary)) => {
                    self.prefer(&address);
                    return Ok(primary);
                }
                Ok(Err(error)) => errors.push(error),
                Err(_) => {
                    let Address { host, port } = address;
                    let silent = format!("the sentinel {host}:{port} does not answer");
                    errors.push(RedisError::unavailable(silent));
                }
            }
        }
        // One that is down must not hide why another refuses.
        Err(RedisError::all_of(&errors))
    }

    async fn ask(&self, dial: &Dial, sentinel: &Address) -> Result<Address, RedisError> {
        let endpoint = Endpoint::Tcp(sentinel.clone());
        let (mut connection, driver) = dial.connect_to_sentinel(&endpoint).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.service);
        let answer = tokio::select! {
            answer = connection.send_packed_command(&question) => answer,
            () = driver => return Err(RedisError::unavailable("a sentinel closed the connection")),
        };
        let answer = answer.and_then(Value::extract_error);
        let answer = answer.map_err(|error| RedisError::from_library(&error))?;
        match redis::from_redis_value::<Option<(String, u16)>>(answer) {
            Ok(Some((host, port))) => Ok(Address { host, port }),
            Ok(None) => Err(RedisError::unavailable(
                "the sentinels know no primary of this name",
            )),
            Err(_) => Err(RedisError::unavailable("a sentinel's answer is no address")),
        }
    }

    fn prefer(&self, address: &Address) {
        let mut addresses = self.addresses.lock();
        if let Some(at) = addresses.iter().position(|it| it == address) {
            addresses[..=at].rotate_right(1);
        }
    }

    /// Whoever answered last was wrong: another is asked first the next time.
    pub(crate) fn distrust_first(&self) {
        self.addresses.lock().rotate_left(1);
    }
}

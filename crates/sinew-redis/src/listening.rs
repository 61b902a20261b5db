//! A connection for subscriptions.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use redis::aio::{PubSubSink, PubSubStream};
use tokio::time::timeout;

use crate::dial::{Dial, Endpoint};
use crate::error::RedisError;
use crate::target::{self, Target};

/// Whether the server is still the right one.
pub(crate) type Looking = Pin<Box<dyn Future<Output = Result<(), RedisError>> + Send>>;

/// A connection for subscriptions to a server that answers. It does not come back.
pub(crate) struct Listening {
    pub(crate) commands: PubSubSink,
    pub(crate) messages: PubSubStream,
    pub(crate) endpoint: Endpoint,
}

impl Listening {
    /// To whoever is meant now.
    pub(crate) async fn open(target: &Target, dial: &Dial) -> Result<Self, RedisError> {
        let opening = async {
            let endpoint = target.endpoint(dial).await?;
            let (mut commands, messages) = dial.listen(&endpoint).await?.split();
            // A server may accept and be frozen, or still be loading.
            ping(&mut commands).await?;
            Ok(Self {
                commands,
                messages,
                endpoint,
            })
        };
        let opened = timeout(dial.timeout, opening).await;
        opened.unwrap_or_else(|_| Err(RedisError::unavailable("connecting took too long")))
    }

    /// Asks whether the server is still there, which may take `patience`, and still the one that
    /// others publish to. An error is the end of the connection.
    pub(crate) fn look(&self, target: &Target, dial: &Dial, patience: Duration) -> Looking {
        let (mut commands, endpoint) = (self.commands.clone(), self.endpoint.clone());
        let (target, dial) = (target.clone(), dial.clone());
        Box::pin(async move {
            let answer = timeout(patience, ping(&mut commands)).await;
            answer
                .unwrap_or_else(|_| Err(RedisError::unavailable("the server does not answer")))?;
            match target.has_moved(&dial, &endpoint).await {
                true => Err(target::moved()),
                false => Ok(()),
            }
        })
    }
}

/// Whether the server answers. One that forbids the question does.
async fn ping(commands: &mut PubSubSink) -> Result<(), RedisError> {
    let answer = commands.ping::<redis::Value>().await;
    target::judge_ping(answer.map_err(|error| RedisError::from_library(&error)))
}

/// Waits for what is there, or for ever.
pub(crate) async fn until<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

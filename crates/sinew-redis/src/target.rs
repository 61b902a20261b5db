//! Where a connection goes, which may change between two of them.

use std::sync::Arc;

use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::dial::{Dial, Driver, Endpoint};
use crate::error::{RedisError, RedisErrorKind};
use crate::sentinel::Sentinels;

/// Where a connection goes.
#[derive(Clone)]
pub(crate) enum Target {
    /// Always to the same server.
    Fixed(Endpoint),
    /// To whoever the sentinels call the primary.
    Sentinels(Arc<Sentinels>),
    /// To any node.
    AnyNode(Arc<Cluster>),
}

impl Target {
    pub(crate) async fn endpoint(&self, dial: &Dial) -> Result<Endpoint, RedisError> {
        match self {
            Self::Fixed(endpoint) => Ok(endpoint.clone()),
            Self::Sentinels(sentinels) => sentinels.primary(dial).await.map(Endpoint::Tcp),
            Self::AnyNode(cluster) => Ok(Endpoint::Tcp(cluster.any_address())),
        }
    }

    /// Whether somebody else is meant by now. As long as a server answers it is used, also when
    /// nobody watches over it any more.
    pub(crate) async fn has_moved(&self, dial: &Dial, endpoint: &Endpoint) -> bool {
        let Self::Sentinels(_) = self else {
            return false;
        };
        let asked = timeout(dial.timeout, self.endpoint(dial));
        matches!(asked.await, Ok(Ok(now)) if now != *endpoint)
    }

    /// A connection to a server that answers and is the one that is meant.
    pub(crate) async fn connect(&self, dial: &Dial) -> Result<Connected, RedisError> {
        let endpoint = self.endpoint(dial).await?;
        let (mut connection, mut driver) = dial.connect(&endpoint).await?;
        let lost = || RedisError::unavailable("the server closed the connection");
        tokio::select! {
            answer = self.greet(&mut connection) => answer?,
            () = &mut driver => return Err(lost()),
        }
        Ok(Connected {
            connection,
            driver,
            endpoint,
        })
    }

    /// A server may accept and be frozen, still be loading, or follow another by now.
    async fn greet(&self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        ping(connection).await?;
        let Self::Sentinels(sentinels) = self else {
            return Ok(());
        };
        match ask(connection, &redis::cmd("ROLE")).await {
            Ok(Value::Array(role)) if role.first().is_some_and(is_primary) => Ok(()),
            Ok(_) => {
                sentinels.distrust_first();
                Err(RedisError::unavailable(
                    "whom the sentinels call the primary is none yet",
                ))
            }
            // Not everybody may ask that.
            Err(error) if error.kind() == RedisErrorKind::Denied => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A connection that is open.
pub(crate) struct Connected {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) driver: Driver,
    pub(crate) endpoint: Endpoint,
}

fn is_primary(role: &Value) -> bool {
    matches!(role, Value::BulkString(role) if role == b"master")
}

/// Whether the server answers. One that forbids the question does.
pub(crate) async fn ping(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    judge_ping(ask(connection, &redis::cmd("PING")).await)
}

/// Whether this answer shows a server that can be used. One that forbids the question can.
pub(crate) fn judge_ping(answer: Result<Value, RedisError>) -> Result<(), RedisError> {
    match answer {
        Err(error) if error.kind() == RedisErrorKind::Unavailable => Err(error),
        // The password is missing: nothing else will work either.
        Err(error) if error.code() == Some("NOAUTH") => Err(error),
        _ => Ok(()),
    }
}

/// Why a connection is given up when another server is meant.
pub(crate) fn moved() -> RedisError {
    RedisError::unavailable("the sentinels name another primary")
}

async fn ask(
    connection: &mut MultiplexedConnection,
    command: &redis::Cmd,
) -> Result<Value, RedisError> {
    match connection.send_packed_command(command).await {
        Ok(Value::ServerError(error)) => Err(RedisError::from_server(&error)),
        Ok(value) => Ok(value),
        Err(error) => Err(RedisError::from_library(&error)),
    }
}

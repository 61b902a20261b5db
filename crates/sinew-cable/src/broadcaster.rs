use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use sinew_protocol::write_json_or_string;
use sinew_streams::{Position, StreamName, Streams};

use crate::BroadcastError;

/// Sends to everyone on a stream, from anywhere. Cloning is cheap.
#[derive(Clone)]
pub struct Broadcaster {
    streams: Arc<dyn Streams>,
}

impl Broadcaster {
    /// Broadcasts through these streams.
    pub fn new(streams: Arc<dyn Streams>) -> Self {
        Self { streams }
    }

    /// Broadcasts a value.
    ///
    /// # Errors
    ///
    /// [`BroadcastError`] when it cannot be written as JSON or is not taken.
    pub async fn broadcast(
        &self,
        stream: impl Into<StreamName>,
        message: &(impl Serialize + ?Sized),
    ) -> Result<Position, BroadcastError> {
        let payload = serde_json::to_vec(message).map_err(BroadcastError::Encode)?;
        self.publish(&stream.into(), payload.into()).await
    }

    /// Broadcasts text: unchanged when it is JSON, as a JSON string otherwise.
    ///
    /// # Errors
    ///
    /// [`BroadcastError`] when it is not taken.
    pub async fn broadcast_text(
        &self,
        stream: impl Into<StreamName>,
        text: &str,
    ) -> Result<Position, BroadcastError> {
        let mut payload = Vec::with_capacity(text.len());
        write_json_or_string(&mut payload, text);
        self.publish(&stream.into(), payload.into()).await
    }

    async fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> Result<Position, BroadcastError> {
        self.streams
            .publish(stream, payload)
            .await
            .map_err(BroadcastError::Publish)
    }
}

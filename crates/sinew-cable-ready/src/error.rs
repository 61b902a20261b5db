//! What can go wrong while building operations.

/// Raw operations given to [`Operations::apply`](crate::Operations::apply) could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The text is not JSON.
    #[error("the operations are not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The JSON is neither one operation (an object) nor an array of them.
    #[error("an operation must be a JSON object")]
    NotAnOperation,
    /// An operation has no name: the key `operation` is missing or not a string.
    #[error("an operation without the key \"operation\"")]
    Unnamed,
}

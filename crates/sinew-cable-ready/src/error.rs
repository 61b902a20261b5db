//! What can go wrong while building operations.

/// Raw operations given to [`Operations::apply`](crate::Operations::apply) could not be taken.
///
/// ```
/// use sinew_cable_ready::{ApplyError, Operations};
/// let mut operations = Operations::new();
/// assert!(matches!(operations.apply("remove"), Err(ApplyError::NotJson(_))));
/// assert!(matches!(operations.apply("[1]"), Err(ApplyError::NotAnOperation)));
/// assert!(matches!(operations.apply(r#"{"selector":"a"}"#), Err(ApplyError::Unnamed)));
/// ```
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

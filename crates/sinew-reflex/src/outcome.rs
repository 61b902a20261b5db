//! What an action may give back.

use crate::error::{Error, Result};

/// Turns what an action, a callback or a rescue gives back into a result; nothing is success.
pub trait Outcome {
    /// The result.
    ///
    /// # Errors
    /// What the method returned.
    fn into_result(self) -> Result;
}

impl Outcome for () {
    fn into_result(self) -> Result {
        Ok(())
    }
}

impl<E: Into<Error>> Outcome for std::result::Result<(), E> {
    fn into_result(self) -> Result {
        self.map_err(Into::into)
    }
}

//! What an action may give back.

use crate::error::{Error, Result};

/// Turns what an action, a callback or a rescue gives back into a result; nothing is success.
#[diagnostic::on_unimplemented(
    message = "a reflex's method cannot return `{Self}`",
    label = "write `Result`, or leave the return type away",
    note = "`sinew::Result` fits any error that has a `From` for `sinew::Error`, so that `?` works",
    note = "what the page is to show is rendered, or handed to `cx`; it is not returned"
)]
#[doc(hidden)]
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

// The trait is what the compiler names, since its message says what to write.
#[diagnostic::do_not_recommend]
impl<E: Into<Error>> Outcome for std::result::Result<(), E> {
    fn into_result(self) -> Result {
        self.map_err(Into::into)
    }
}

//! What the macros' output refers to, and the macro that names reflexes in HTML.

/// Names an action in HTML, so that a typo does not compile.
///
/// ```
/// use sinew::prelude::*;
///
/// struct Counter;
///
/// #[reflex]
/// impl Counter {
///     async fn increment(&self, _cx: &mut Reflex) -> Result {
///         Ok(())
///     }
/// }
///
/// assert_eq!(sinew::reflex!(Counter::increment), "Counter#increment");
/// assert_eq!(sinew::reflex!("click" => Counter::increment), "click->Counter#increment");
/// ```
///
/// ```compile_fail
/// # use sinew::prelude::*;
/// # struct Counter;
/// # #[reflex] impl Counter { async fn increment(&self, _cx: &mut Reflex) -> Result { Ok(()) } }
/// let typo = sinew::reflex!("click" => Counter::incremnt);
/// ```
#[macro_export]
macro_rules! reflex {
    ($($target:tt)*) => {
        $crate::__macro::target!($($target)*)
    };
}

/// For the macros' output only; nothing in it is stable.
#[doc(hidden)]
pub mod __macro {
    pub use sinew_macros::target;
    pub use sinew_reflex::__macro::*;

    /// What `#[channel]` refers to.
    pub mod cable {
        pub use serde_json::value::RawValue;
        pub use sinew_cable::{Channel, ChannelError, Subscription};

        /// Reads a message as what the action takes.
        ///
        /// # Errors
        ///
        /// When it is something else.
        pub fn read<'a, T: serde::Deserialize<'a>>(data: &'a RawValue) -> Result<T, ChannelError> {
            Ok(serde_json::from_str(data.get())?)
        }
    }
}

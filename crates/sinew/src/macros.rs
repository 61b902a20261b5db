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
/// // Several events of one element:
/// assert_eq!(
///     sinew::reflex!("click" => Counter::increment, "settled" => Counter::increment),
///     "click->Counter#increment settled->Counter#increment"
/// );
/// ```
///
/// # Which events
///
/// Any event of the browser, and any that a script dispatches. The client keeps an event that calls
/// a reflex from its default action, which is right for `click` on a link and for `submit`, and
/// **wrong for keys**: with `keydown`, `keypress` or `beforeinput` on a field or around one,
/// nothing can be typed there any more. Use `input` or `change` for what is typed, `submit` for
/// Enter, and for another key a few lines of script that dispatch an event of a name of their own:
///
/// ```js
/// document.addEventListener("keydown", event => {
///   if (event.key === "Escape" && event.target.matches("[data-reflex*='cancelled->']")) {
///     event.target.dispatchEvent(new CustomEvent("cancelled", { bubbles: true }))
///   }
/// })
/// ```
///
/// The embedded client dispatches one such event itself: `reconnected`, at every element whose
/// reflexes name it, when the connection is back after it was lost. What was broadcast meanwhile
/// has not arrived; a reflex that says nothing brings the page up to date, since it is then
/// rendered again:
///
/// ```
/// use sinew::prelude::*;
///
/// struct Chat;
///
/// #[reflex]
/// impl Chat {
///     async fn catch_up(&self, _cx: &mut Reflex) -> Result {
///         Ok(())
///     }
/// }
///
/// let list = format!(r#"<ol id="messages" data-reflex="{}">"#, sinew::reflex!("reconnected" => Chat::catch_up));
/// assert_eq!(list, r#"<ol id="messages" data-reflex="reconnected->Chat#catch_up">"#);
/// ```
///
/// # A typo does not compile
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
        pub fn read<T: sinew_reflex::__macro::Argument>(
            data: &RawValue,
        ) -> Result<T, ChannelError> {
            Ok(serde_json::from_str(data.get())?)
        }

        /// What a channel's method may return.
        #[diagnostic::on_unimplemented(
            message = "a channel's method cannot return `{Self}`",
            label = "write `ChannelResult`, or leave the return type away",
            note = "what subscribers are to receive is handed to `cx`; it is not returned"
        )]
        pub trait Outcome {
            /// The result.
            ///
            /// # Errors
            ///
            /// What the method returned.
            fn into_result(self) -> Result<(), ChannelError>;
        }

        // The trait is what the compiler names, since its message says what to write.
        #[diagnostic::do_not_recommend]
        impl<E: Into<ChannelError>> Outcome for Result<(), E> {
            fn into_result(self) -> Result<(), ChannelError> {
                self.map_err(Into::into)
            }
        }
    }
}

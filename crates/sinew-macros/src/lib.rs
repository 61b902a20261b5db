//! The macros of Sinew: `#[reflex]`, `#[channel]` and `reflex!`.
//!
//! For the `sinew` facade, which re-exports them; applications do not depend on this crate.
//! It knows the names of the types it writes, not the types: everything generated goes through `sinew::__macro`, or through the crate named by `crate = …`.
//!
//! The functions behind the macros work on token streams only, so that what they write and what they refuse is tested like any function.

mod attributes;
mod channel;
mod names;
mod reflex;
mod signature;
mod target;

use proc_macro::TokenStream;

/// Makes the methods of an `impl` callable from the browser.
///
/// Every `async fn` of the form `(&self, cx: &mut Reflex, …)` is an action; its further parameters are the call's arguments, any type serde can read. Parameters at the end that are an `Option` may be left out by the caller.
/// What an action returns is `Result`, or nothing.
/// Other methods stay what they are; one that looks like an action and is none is marked `#[helper]`.
///
/// On methods:
///
/// | attribute | meaning |
/// |---|---|
/// | `#[action(concurrent, timeout = "5s", name = "…")]` | settings of one action |
/// | `#[before]` | runs before the actions; may `return cx.halt()` or `cx.forbid()` |
/// | `#[around]` | `(&self, cx: &mut Reflex, next: Next<'_>)`, calls `next.run(cx).await` |
/// | `#[after]` | runs after the actions, unless they were halted or failed; in reverse order |
/// | `#[rescue]` | `(&self, cx: &mut Reflex, error: &Error)`, hears of every error |
/// | `#[helper]` | not an action |
///
/// `#[before]`, `#[around]` and `#[after]` take `only(a, b)`, `except(a, b)`, `if = condition`, `unless = condition` and `prepend`.
/// A condition is a method `fn condition(&self, cx: &Reflex) -> bool`, or the path of such a function. An action of the application-wide reflex is named as a text: `only("sign_out")`.
///
/// On the `impl`: `name = "Admin::Users"`, `skip(callback, only(a))` for callbacks of the application-wide reflex, `concurrent` and `timeout = "5s"` for all actions, `crate = path` where `sinew` has another name.
#[proc_macro_attribute]
pub fn reflex(attribute: TokenStream, item: TokenStream) -> TokenStream {
    reflex::expand(attribute.into(), item.into()).into()
}

/// Makes an Action Cable channel of an `impl`.
///
/// Every `async fn` of the form `(&self, cx: &mut Subscription, …)` is an action; a further parameter is the message, any type serde can read.
/// `subscribed`, `unsubscribed` and `receive` are what they are called in Action Cable, and no actions.
/// The channel's name is that of the type, or `#[channel(name = "Chat::RoomChannel")]`.
#[proc_macro_attribute]
pub fn channel(attribute: TokenStream, item: TokenStream) -> TokenStream {
    channel::expand(attribute.into(), item.into()).into()
}

/// Names an action in HTML, so that a typo does not compile.
///
/// `reflex!(Counter::increment)` is `"Counter#increment"`, `reflex!("click" => Counter::increment)` is `"click->Counter#increment"`; several are joined by commas. All of them are `&'static str`.
#[proc_macro]
pub fn target(input: TokenStream) -> TokenStream {
    target::expand(input.into()).into()
}

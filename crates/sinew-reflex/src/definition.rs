//! What a reflex consists of: its actions and callbacks, written down once when it is registered.
//!
//! `#[reflex]` writes a [`Definition`]; it may as well be written by hand:
//!
//! ```
//! use sinew_reflex::{Action, Definition, Reflexes};
//!
//! struct Counter;
//!
//! impl Reflexes for Counter {
//!     fn definition() -> Definition<Self> {
//!         Definition::new("Counter").action(Action::new("reset", |_counter, cx, _arguments| {
//!             Box::pin(async move {
//!                 cx.morph("#count", "0");
//!                 Ok(())
//!             })
//!         }))
//!     }
//! }
//!
//! assert_eq!(Counter::definition().name(), "Counter");
//! ```

use std::borrow::Cow;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::argument::Arguments;
use crate::callback::Next;
use crate::error::{Error, Result};
use crate::reflex::Reflex;

/// A type whose actions clients may call.
///
/// Only what its definition lists can be called: other methods of the type are out of reach.
///
/// ```
/// use sinew_reflex::{Action, Definition, Reflexes};
///
/// struct Counter;
///
/// impl Reflexes for Counter {
///     fn definition() -> Definition<Self> {
///         Definition::new("Counter").action(Action::new("increment", Counter::increment))
///     }
/// }
///
/// impl Counter {
///     fn increment<'a>(
///         &'a self,
///         cx: &'a mut sinew_reflex::Reflex,
///         _arguments: sinew_reflex::Arguments<'a>,
///     ) -> futures_util::future::BoxFuture<'a, sinew_reflex::Result> {
///         Box::pin(async move {
///             cx.morph("#count", "1");
///             Ok(())
///         })
///     }
/// }
///
/// assert_eq!(Counter::definition().action_names().collect::<Vec<_>>(), ["increment"]);
/// ```
pub trait Reflexes: Send + Sync + Sized + 'static {
    /// The name, actions and callbacks.
    fn definition() -> Definition<Self>;
}

/// Runs an action.
pub type ActionFn<T> = for<'a> fn(&'a T, &'a mut Reflex, Arguments<'a>) -> BoxFuture<'a, Result>;
/// Runs a `before` or `after` callback.
pub type CallbackFn<T> = for<'a> fn(&'a T, &'a mut Reflex) -> BoxFuture<'a, Result>;
/// Runs an `around` callback.
pub type AroundFn<T> = for<'a> fn(&'a T, &'a mut Reflex, Next<'a>) -> BoxFuture<'a, Result>;
/// Decides whether a callback runs.
pub type ConditionFn<T> = fn(&T, &Reflex) -> bool;
/// Hears of an error.
pub type RescueFn<T> = for<'a> fn(&'a T, &'a mut Reflex, &'a Error) -> BoxFuture<'a, Result>;

/// The name, actions and callbacks of a reflex.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::{Value, json};
/// use sinew_reflex::{
///     Action, ActionFn, AroundFn, Callback, CallbackFn, ConditionFn, Definition, Reflexes, RescueFn, Skip,
/// };
///
/// fn note(payload: &mut Value, line: &str) {
///     let lines = payload["lines"].as_str().unwrap_or_default();
///     payload["lines"] = format!("{lines} {line}").trim().into();
/// }
///
/// struct Application;
///
/// impl Reflexes for Application {
///     fn definition() -> Definition<Self> {
///         let sign_in: CallbackFn<Self> = |_, cx| Box::pin(async { cx.forbid() });
///         Definition::new("Application").callback(Callback::before("sign_in", sign_in))
///     }
/// }
///
/// struct Orders;
///
/// impl Reflexes for Orders {
///     fn definition() -> Definition<Self> {
///         let load: CallbackFn<Self> = |_, cx| Box::pin(async { Ok(note(cx.payload_mut(), "load")) });
///         let timed: AroundFn<Self> = |_, cx, next| {
///             Box::pin(async {
///                 note(cx.payload_mut(), "begin");
///                 next.run(cx).await?;
///                 Ok(note(cx.payload_mut(), "end"))
///             })
///         };
///         let is_paying: ConditionFn<Self> = |_, cx| cx.action_name() == "pay";
///         let pay: ActionFn<Self> = |_, cx, _| {
///             Box::pin(async {
///                 cx.morph_nothing();
///                 Ok(note(cx.payload_mut(), "pay"))
///             })
///         };
///         let fail: ActionFn<Self> = |_, _, _| Box::pin(async { Err("out of stock".into()) });
///         let sorry: RescueFn<Self> =
///             |_, cx, error| Box::pin(async move { Ok(note(cx.payload_mut(), &error.to_string())) });
///
///         Definition::new("Orders")
///             .callback(Callback::before("load", load).except(&["fail"]))
///             .callback(Callback::around("timed", timed).when(is_paying))
///             .action(Action::new("pay", pay))
///             .action(Action::new("fail", fail))
///             .rescue(sorry)
///             .skip(Skip::new("sign_in"))
///     }
/// }
///
/// assert_eq!(Orders::definition().name(), "Orders");
/// assert_eq!(Orders::definition().action_names().count(), 2);
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let mut server = Server::new(|engine| engine.application(Application).reflex(Orders)).await;
/// let payload = server.payload("Orders#pay", json!({})).await;
/// assert_eq!(payload["lines"], "load begin pay end");
/// let payload = server.payload("Orders#fail", json!({})).await;
/// assert_eq!(payload["lines"], "out of stock");
/// # });
/// ```
pub struct Definition<T> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) actions: Vec<Action<T>>,
    pub(crate) callbacks: Vec<Callback<T>>,
    pub(crate) rescues: Vec<RescueFn<T>>,
    pub(crate) skips: Vec<Skip>,
}

impl<T> Definition<T> {
    /// A reflex without actions. `name` is its class in `data-reflex`, with or without the ending `Reflex`; modules are joined by `::`.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            actions: Vec::new(),
            callbacks: Vec::new(),
            rescues: Vec::new(),
            skips: Vec::new(),
        }
    }

    /// The name as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the actions, in order.
    pub fn action_names(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(|action| &*action.name)
    }

    /// Adds an action.
    #[must_use]
    pub fn action(mut self, action: Action<T>) -> Self {
        self.actions.push(action);
        self
    }

    /// Adds a callback; those of one kind run in the order in which they were added, `after` in reverse.
    #[must_use]
    pub fn callback(mut self, callback: Callback<T>) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// Adds a function that hears of every error: of callbacks, of the action, of rendering.
    /// The error reply is sent anyway, with the payload as it is then.
    #[must_use]
    pub fn rescue(mut self, rescue: RescueFn<T>) -> Self {
        self.rescues.push(rescue);
        self
    }

    /// Leaves out a callback of the application-wide reflex.
    #[must_use]
    pub fn skip(mut self, skip: Skip) -> Self {
        self.skips.push(skip);
        self
    }
}

/// One action of a reflex.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use std::time::Duration;
///
/// use serde_json::json;
/// use sinew_reflex::{Action, Definition, Reflexes};
///
/// struct Counter;
///
/// impl Reflexes for Counter {
///     fn definition() -> Definition<Self> {
///         let add = Action::new("add", |_counter, cx, arguments| {
///             Box::pin(async move {
///                 let number: i64 = arguments.required(0, "number")?;
///                 let times: Option<i64> = arguments.optional(1, "times")?;
///                 cx.morph("#sum", (number * times.unwrap_or(1)).to_string());
///                 Ok(())
///             })
///         });
///         Definition::new("Counter").action(
///             add.arguments(&["number"], &["times"]).concurrent().time_limit(Duration::from_secs(1)),
///         )
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Counter)).await;
/// let reply = server.call_with("Counter#add", json!({"args": [20, 3]})).await;
/// assert_eq!(reply["operations"][0]["html"], "60");
///
/// let error = server.error("Counter#add", json!({"args": []})).await;
/// assert_eq!(error, "The server did not understand what this action was given.");
/// # }
/// ```
pub struct Action<T> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) run: ActionFn<T>,
    pub(crate) required: Vec<Cow<'static, str>>,
    pub(crate) optional: Vec<Cow<'static, str>>,
    pub(crate) concurrent: bool,
    pub(crate) time_limit: Option<Duration>,
}

impl<T> Action<T> {
    /// An action that takes no arguments.
    pub fn new(name: impl Into<Cow<'static, str>>, run: ActionFn<T>) -> Self {
        Self {
            name: name.into(),
            run,
            required: Vec::new(),
            optional: Vec::new(),
            concurrent: false,
            time_limit: None,
        }
    }

    /// Names the arguments that must be there, and those behind them that may be. A call with fewer or more is refused.
    #[must_use]
    pub fn arguments(mut self, required: &[&'static str], optional: &[&'static str]) -> Self {
        self.required = required.iter().map(|&name| name.into()).collect();
        self.optional = optional.iter().map(|&name| name.into()).collect();
        self
    }

    /// Lets the action run beside the others of its tab, at once and in any order, instead of after them.
    #[must_use]
    pub fn concurrent(mut self) -> Self {
        self.concurrent = true;
        self
    }

    /// Replaces the engine's time limit for this action.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }
}

/// A function that runs before, around or after the actions of a reflex.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::{Server, status};
/// use serde_json::json;
/// use sinew_reflex::{Action, Callback, Definition, Reflexes};
///
/// struct Notes;
///
/// impl Reflexes for Notes {
///     fn definition() -> Definition<Self> {
///         Definition::new("Notes")
///             .action(Action::new("read", |_, cx, _| Box::pin(async { cx.morph_nothing(); Ok(()) })))
///             .action(Action::new("delete", |_, cx, _| Box::pin(async { cx.morph_nothing(); Ok(()) })))
///             .callback(
///                 Callback::before("guard", |_, cx| Box::pin(async { cx.forbid() }))
///                     .only(&["delete"])
///                     .unless(|_, cx| cx.identifier("role") == Some("admin"))
///                     .prepend(),
///             )
///             .callback(
///                 Callback::after("count", |_, cx| {
///                     Box::pin(async {
///                         cx.payload_mut()["count"] = 1.into();
///                         Ok(())
///                     })
///                 })
///                 .except(&["delete"])
///                 .when(|_, cx| cx.tab_id().is_none()),
///             )
///             .callback(Callback::around("through", |_, cx, next| Box::pin(next.run(cx))))
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let mut server = Server::new(|engine| engine.reflex(Notes)).await;
/// assert_eq!(server.payload("Notes#read", json!({})).await, json!({"count": 1}));
/// assert_eq!(status(&server.call("Notes#delete").await), "forbidden");
/// # });
/// ```
pub struct Callback<T> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) run: CallbackKind<T>,
    pub(crate) filter: Filter,
    pub(crate) conditions: Vec<(ConditionFn<T>, bool)>,
    pub(crate) prepend: bool,
}

pub(crate) enum CallbackKind<T> {
    Before(CallbackFn<T>),
    Around(AroundFn<T>),
    After(CallbackFn<T>),
}

impl<T> Callback<T> {
    fn of(name: impl Into<Cow<'static, str>>, run: CallbackKind<T>) -> Self {
        Self {
            name: name.into(),
            run,
            filter: Filter::default(),
            conditions: Vec::new(),
            prepend: false,
        }
    }

    /// Runs before the action and may halt or forbid it.
    pub fn before(name: impl Into<Cow<'static, str>>, run: CallbackFn<T>) -> Self {
        Self::of(name, CallbackKind::Before(run))
    }

    /// Runs around the action and everything that was added after it.
    pub fn around(name: impl Into<Cow<'static, str>>, run: AroundFn<T>) -> Self {
        Self::of(name, CallbackKind::Around(run))
    }

    /// Runs after the action, unless it was halted, forbidden or failed.
    pub fn after(name: impl Into<Cow<'static, str>>, run: CallbackFn<T>) -> Self {
        Self::of(name, CallbackKind::After(run))
    }

    /// Runs for these actions only.
    #[must_use]
    pub fn only(mut self, actions: &[&'static str]) -> Self {
        self.filter
            .only
            .extend(actions.iter().map(|&action| Cow::Borrowed(action)));
        self
    }

    /// Runs for all actions but these.
    #[must_use]
    pub fn except(mut self, actions: &[&'static str]) -> Self {
        self.filter
            .except
            .extend(actions.iter().map(|&action| Cow::Borrowed(action)));
        self
    }

    /// Runs only when the condition holds at the moment the callback's turn comes. Several conditions must all hold.
    #[must_use]
    pub fn when(mut self, condition: ConditionFn<T>) -> Self {
        self.conditions.push((condition, true));
        self
    }

    /// Runs unless the condition holds.
    #[must_use]
    pub fn unless(mut self, condition: ConditionFn<T>) -> Self {
        self.conditions.push((condition, false));
        self
    }

    /// Puts the callback in front of all that were added so far, those of the application-wide reflex included.
    /// An `after` in front runs last.
    #[must_use]
    pub fn prepend(mut self) -> Self {
        self.prepend = true;
        self
    }
}

/// Leaves out a callback of the application-wide reflex, for all actions or for some.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::{Server, status};
/// use sinew_reflex::{Action, Callback, Definition, Reflexes, Skip};
///
/// struct Application;
///
/// impl Reflexes for Application {
///     fn definition() -> Definition<Self> {
///         Definition::new("Application")
///             .callback(Callback::before("sign_in", |_, cx| Box::pin(async { cx.forbid() })))
///     }
/// }
///
/// struct Visits;
///
/// impl Reflexes for Visits {
///     fn definition() -> Definition<Self> {
///         let action = |name| Action::new(name, |_, cx, _| Box::pin(async { cx.morph_nothing(); Ok(()) }));
///         Definition::new("Visits")
///             .action(action("begin"))
///             .action(action("pause"))
///             .action(action("end"))
///             .skip(Skip::new("sign_in").only(&["begin", "pause"]).except(&["pause"]))
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let mut server = Server::new(|engine| engine.application(Application).reflex(Visits)).await;
/// assert_eq!(status(&server.call("Visits#begin").await), "nothing");
/// assert_eq!(status(&server.call("Visits#pause").await), "forbidden");
/// assert_eq!(status(&server.call("Visits#end").await), "forbidden");
/// # });
/// ```
pub struct Skip {
    pub(crate) callback: Cow<'static, str>,
    pub(crate) filter: Filter,
}

impl Skip {
    /// Skips the callback of this name for all actions.
    pub fn new(callback: impl Into<Cow<'static, str>>) -> Self {
        Self {
            callback: callback.into(),
            filter: Filter::default(),
        }
    }

    /// Skips it for these actions only.
    #[must_use]
    pub fn only(mut self, actions: &[&'static str]) -> Self {
        self.filter
            .only
            .extend(actions.iter().map(|&action| Cow::Borrowed(action)));
        self
    }

    /// Skips it for all actions but these.
    #[must_use]
    pub fn except(mut self, actions: &[&'static str]) -> Self {
        self.filter
            .except
            .extend(actions.iter().map(|&action| Cow::Borrowed(action)));
        self
    }
}

/// Which actions a callback or a skip is for.
#[derive(Default)]
pub(crate) struct Filter {
    pub(crate) only: Vec<Cow<'static, str>>,
    pub(crate) except: Vec<Cow<'static, str>>,
}

impl Filter {
    pub(crate) fn admits(&self, action: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|name| name == action))
            && !self.except.iter().any(|name| name == action)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.only.iter().chain(&self.except).map(|name| &**name)
    }
}

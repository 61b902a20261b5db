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

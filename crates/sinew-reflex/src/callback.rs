//! The chain around an action: callbacks in their order, the action at the end.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::argument::Arguments;
use crate::error::{Error, ErrorKind, Result};
use crate::reflex::Reflex;
use crate::registry::Class;

/// One callback of a chain, found in its class.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) class: Arc<dyn Class>,
    pub(crate) callback: usize,
    pub(crate) kind: StepKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    Before,
    Around,
    After,
}

/// An action with the callbacks that are for it; made once when the engine is built.
pub(crate) struct Chain {
    pub(crate) steps: Vec<Step>,
    pub(crate) class: Arc<dyn Class>,
    pub(crate) action: usize,
}

/// What an `around` callback wraps: the rest of the chain and the action.
///
/// Running it twice is impossible, not running it at all leaves the action out.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Next, Reflex, Result};
///
/// struct Orders;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Orders {
///     #[around]
///     async fn noted(&self, cx: &mut Reflex, next: Next<'_>) -> Result {
///         let result = next.run(cx).await;
///         cx.payload_mut()["ok"] = result.is_ok().into();
///         result
///     }
///
///     async fn pay(&self, cx: &mut Reflex) {
///         cx.payload_mut()["paid"] = true.into();
///         cx.morph_nothing();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Orders)).await;
/// let payload = server.payload("Orders#pay", json!({})).await;
/// assert_eq!(payload, json!({"paid": true, "ok": true}));
/// # }
/// ```
#[must_use = "without `run` the action is left out"]
pub struct Next<'a> {
    chain: &'a Chain,
    steps: &'a [Step],
    arguments: Arguments<'a>,
}

impl<'a> Next<'a> {
    pub(crate) fn new(chain: &'a Chain, arguments: Arguments<'a>) -> Self {
        Self {
            chain,
            steps: &chain.steps,
            arguments,
        }
    }

    /// Runs what is inside.
    ///
    /// It comes back without an error when something inside halted or forbade the reflex, so that the tail of an `around` runs then, too.
    ///
    /// # Errors
    /// What the action or a callback inside of this one returned; pass it on with `?`, or handle it.
    pub async fn run(self, cx: &mut Reflex) -> Result {
        let Next {
            chain,
            mut steps,
            arguments,
        } = self;
        // Befores run straight on; only what has something behind the action waits on the stack.
        while let [step, rest @ ..] = steps {
            if !step.class.admits(step.callback, cx) {
                steps = rest;
                continue;
            }
            match step.kind {
                StepKind::Before => {
                    match step.class.callback(step.callback, cx).await {
                        Ok(()) => {}
                        Err(error) => match error.kind() {
                            ErrorKind::Halted => {
                                cx.stop(Stop::Halted);
                                return Ok(());
                            }
                            ErrorKind::Forbidden => {
                                cx.stop(Stop::Forbidden);
                                return Ok(());
                            }
                            _ => return Err(error),
                        },
                    }
                    cx.check()?;
                    steps = rest;
                }
                StepKind::Around => {
                    let next = Next {
                        chain,
                        steps: rest,
                        arguments,
                    };
                    step.class
                        .around(step.callback, cx, next)
                        .await
                        .map_err(misplaced)?;
                    return cx.check();
                }
                StepKind::After => {
                    Self::boxed(
                        Next {
                            chain,
                            steps: rest,
                            arguments,
                        },
                        cx,
                    )
                    .await?;
                    if cx.stopped().is_some() {
                        return Ok(());
                    }
                    step.class
                        .callback(step.callback, cx)
                        .await
                        .map_err(misplaced)?;
                    return cx.check();
                }
            }
        }
        chain
            .class
            .act(chain.action, cx, arguments)
            .await
            .map_err(misplaced)?;
        cx.check()
    }

    /// The chain calls itself; only afters and arounds do, so most reflexes never pay for the box.
    fn boxed<'b>(self, cx: &'b mut Reflex) -> BoxFuture<'b, Result>
    where
        'a: 'b,
    {
        Box::pin(self.run(cx))
    }
}

/// How a `before` callback ended the reflex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Halted,
    Forbidden,
}

/// Halting and forbidding are for `before`; elsewhere they are mistakes, as in the original.
fn misplaced(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Halted => Error::of(ErrorKind::Application, "uncaught throw :abort"),
        ErrorKind::Forbidden => Error::of(ErrorKind::Application, "uncaught throw :forbidden"),
        _ => error,
    }
}

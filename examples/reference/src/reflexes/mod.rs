//! The reflexes, one file a subject.

mod application;
mod args;
mod callbacks;
mod counter;
mod dataset;
mod errors;
mod html;
mod ops;
mod selector;
mod session;
mod slow;

pub(crate) use application::ApplicationReflex;
pub(crate) use args::{Args, Form};
pub(crate) use callbacks::{Callback, Halt};
pub(crate) use counter::{Assigned, Counter, Permanent, Tick};
pub(crate) use dataset::Dataset;
pub(crate) use errors::Error as ErrorReflex;
pub(crate) use html::Html;
pub(crate) use ops::Ops;
pub(crate) use selector::{Load, Nothing, Selector};
pub(crate) use session::{Flashes, Sess};
pub(crate) use slow::Slow;

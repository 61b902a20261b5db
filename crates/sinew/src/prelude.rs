//! What most applications use: `use sinew::prelude::*;`.
//!
//! The attribute [`macro@reflex`] comes with it; the macro that names a reflex in HTML is written
//! with its path, `sinew::reflex!`, since Rust does not import both under one name.

pub use crate::application::Sinew;
pub use crate::cable_car::CableCar;
pub use crate::extract::Extract as _;
pub use crate::handle::SinewHandle;
pub use crate::page_params::PageParams;
pub use crate::tags::{ClientTags, IsReflex};
pub use sinew_cable::{ChannelError, Subscription};
pub use sinew_macros::{channel, reflex};
pub use sinew_reflex::{Error, Next, Reflex, Result};
pub use sinew_store::{Flash, Session};

/// What a channel's method gives back: see [`channel`](macro@channel).
pub type ChannelResult<T = ()> = std::result::Result<T, ChannelError>;

//! Operations as they travel.

mod fixtures;
mod memory;
mod properties;
mod recorded;

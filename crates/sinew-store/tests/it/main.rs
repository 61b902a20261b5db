//! What the store promises, seen from outside.

mod cache;
mod flash;
mod memory;

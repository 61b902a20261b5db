//! What the store promises, seen from outside.

mod flash;
mod memory;

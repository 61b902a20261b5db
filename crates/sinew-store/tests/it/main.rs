//! What the store promises, seen from outside.

mod cache_memory;
mod flash;
mod memory;

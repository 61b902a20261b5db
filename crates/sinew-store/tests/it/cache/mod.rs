//! The cache and its stores in memory.

mod failing;
mod fetch;
mod memory;
mod multi;
mod renewal;
mod tiered;
mod values;

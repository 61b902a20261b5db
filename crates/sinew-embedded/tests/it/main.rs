//! What the embedded store promises, on a real disk.

mod cache;
mod contract;
mod crash;
mod opening;

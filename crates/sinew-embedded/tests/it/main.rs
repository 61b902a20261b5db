//! What the embedded store promises, on a real disk.

mod contract;
mod crash;
mod opening;

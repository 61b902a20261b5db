//! What the loads of this package have in common.

pub mod histogram;

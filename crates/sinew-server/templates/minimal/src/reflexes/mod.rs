//! What the pages can call, one module each.

pub(crate) mod counter;

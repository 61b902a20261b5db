//! The suite that every store runs on itself.

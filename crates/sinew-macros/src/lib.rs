//! The #[reflex] and #[channel] attributes and the reflex! macro

//! StimulusReflex for Rust: server-driven reactive HTML over WebSockets for axum

pub mod client;

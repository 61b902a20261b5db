//! The engine end to end: a call goes in, messages come out.

mod arguments;
mod cable_ready;
mod callbacks;
mod calls;
mod failures;
mod lanes;
mod listening;
mod log;
mod measured;
mod morphs;
mod registration;
mod server;
mod session_links;
mod sessions;

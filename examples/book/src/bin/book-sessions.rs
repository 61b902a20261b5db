//! The program of `docs/guide/sessions.md`.
include!(concat!(env!("OUT_DIR"), "/sessions/src/main.rs"));

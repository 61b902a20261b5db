//! The program of `docs/guide/channels.md`.
include!(concat!(env!("OUT_DIR"), "/channels/src/main.rs"));

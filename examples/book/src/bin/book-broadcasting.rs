//! The program of `docs/guide/broadcasting.md`.
include!(concat!(env!("OUT_DIR"), "/broadcasting/src/main.rs"));

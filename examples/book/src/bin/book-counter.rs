//! The program of `docs/guide/counter.md`.
include!(concat!(env!("OUT_DIR"), "/counter/src/main.rs"));

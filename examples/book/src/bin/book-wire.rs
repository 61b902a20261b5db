//! The program of `docs/guide/wire.md`.
include!(concat!(env!("OUT_DIR"), "/wire/src/main.rs"));

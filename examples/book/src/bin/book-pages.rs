//! The program of `docs/guide/pages.md`.
include!(concat!(env!("OUT_DIR"), "/pages/src/main.rs"));

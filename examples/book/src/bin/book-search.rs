//! The program of `docs/guide/search.md`.
include!(concat!(env!("OUT_DIR"), "/search/src/main.rs"));

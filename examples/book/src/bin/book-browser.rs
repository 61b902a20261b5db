//! The program of `docs/guide/browser.md`.
include!(concat!(env!("OUT_DIR"), "/browser/src/main.rs"));

//! The program of `docs/guide/forms.md`.
include!(concat!(env!("OUT_DIR"), "/forms/src/main.rs"));

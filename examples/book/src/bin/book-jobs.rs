//! The program of `docs/guide/jobs.md`.
include!(concat!(env!("OUT_DIR"), "/jobs/src/main.rs"));

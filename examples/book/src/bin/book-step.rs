//! What `docs/guide/counter.md` makes of its program in the end.
include!(concat!(env!("OUT_DIR"), "/counter-2/src/main.rs"));

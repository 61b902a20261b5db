//! The program of `docs/guide/todos.md`.
include!(concat!(env!("OUT_DIR"), "/todos/src/main.rs"));

//! Prints the table of metrics for `docs/guide/operating.md`: `cargo xtask codegen` runs it.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

fn main() {
    print!("{}", book::metrics::table());
}

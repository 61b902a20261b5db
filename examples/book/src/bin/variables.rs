//! Prints the table of environment variables for `docs/guide/configuration.md`: `cargo xtask codegen` runs it.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

fn main() {
    print!("{}", book::variables::table());
}

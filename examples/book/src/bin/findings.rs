//! Prints the table of findings for `docs/guide/doctor.md`: `cargo xtask codegen` runs it.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

fn main() {
    print!("{}", book::findings::table());
}

//! The command as a user runs it.

#![cfg(unix)]

mod doctor;
mod watch;

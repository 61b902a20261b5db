//! The test kit against an application that uses everything it plays.

mod application;
mod failures;
mod forms;
mod pages;
mod reflexes;
mod streams;

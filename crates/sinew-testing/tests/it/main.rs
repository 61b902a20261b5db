//! The test kit against an application that uses everything it plays.

mod application;
mod channels;
mod failures;
mod forms;
mod keys;
mod pages;
mod reflexes;
mod sending;
mod sessions;
mod streams;

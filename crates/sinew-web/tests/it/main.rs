//! The server on its own: connections, their bounds, their end.

mod stopping;

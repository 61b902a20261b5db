//! The session cookie between Sinew and a running Rails application.

mod rails;
mod session_cookie;

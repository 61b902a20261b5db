//! The session cookie between Sinew and a running Rails application.

mod session_cookie;

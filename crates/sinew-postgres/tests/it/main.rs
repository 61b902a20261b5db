//! The stores on a real PostgreSQL.

mod cache;
mod contract;
mod database;
mod guide;
mod migration;
mod outage;
mod relay;
mod rights;
mod sweep;
mod tls;

//! The stores and the streams on a real PostgreSQL.

mod cache;
mod contract;
mod database;
mod guide;
mod migration;
mod outage;
mod relay;
mod rights;
mod streams;
mod sweep;
mod tls;

//! Sessions and cache in a PostgreSQL database.

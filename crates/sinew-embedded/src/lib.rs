//! Sessions and records in one local file that survives a restart (redb)

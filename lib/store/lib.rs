//! The SQLite store: schema, sessions, logs, queries.

//! park-serve: records to SQLite and to live clients.

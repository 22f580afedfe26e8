//! SQLite's errors by kind.

use park_core::{Error, Kind};
use rusqlite::ErrorCode;

/// The error met while doing what `doing` says.
pub(crate) fn failed(doing: impl Into<String>) -> impl FnOnce(rusqlite::Error) -> Error {
    move |source| Error::new(kind(&source), doing).because(source)
}

fn kind(error: &rusqlite::Error) -> Kind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::TryAgain,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Config,
        _ => Kind::Io,
    }
}

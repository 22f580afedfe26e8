//! The open database.

use std::path::Path;
use std::time::Duration;

use park_core::Result;
use rusqlite::Connection;

use crate::error::failed;
use crate::schema;

/// How long a process waits while another one writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A park database, open for reading and writing.
///
/// The file is in WAL mode, so that any number of processes read it while one writes; a writer waits up to five
/// seconds for another, then fails with [`park_core::Kind::TryAgain`]. What a call has written survives a killed process
/// (`synchronous = NORMAL`); a power cut may take the last moments but leaves the file whole.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
}

impl Store {
    /// Opens the database at `path`, makes it if it is missing, and brings its schema up to date.
    ///
    /// Fails with `Config` if the file is no database, another program's or a newer park's.
    pub fn open(path: impl AsRef<Path>) -> Result<Store> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let connection = Connection::open(path).map_err(failed(format!("opening {name}")))?;
        Self::prepare(connection, &name)
    }

    /// A database that lives in memory and ends with the process.
    pub fn in_memory() -> Result<Store> {
        let connection = Connection::open_in_memory().map_err(failed("opening a database in memory"))?;
        Self::prepare(connection, "the database in memory")
    }

    fn prepare(mut connection: Connection, name: &str) -> Result<Store> {
        let doing = || format!("opening {name}");
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed(doing()))?;
        // Counts for a new file only, and there only before anything is written.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed(doing()))?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed(doing()))?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed(doing()))?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed(doing()))?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection, name)?;
        Ok(Store { connection })
    }
}

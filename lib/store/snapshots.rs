//! What a reader of the log has made of it, kept beside it.

use park_core::Result;
use rusqlite::OptionalExtension;

use crate::Store;
use crate::error::failed;

impl Store {
    /// Keeps what `name` has made of the log up to and including `seq`, instead of what it had kept before.
    pub fn save_snapshot(&self, name: &str, seq: i64, body: &str) -> Result<()> {
        let doing = || format!("saving the state of {name}");
        self.connection
            .prepare_cached(
                "INSERT INTO snapshots (name, seq, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, body = excluded.body",
            )
            .map_err(failed(doing()))?
            .execute((name, seq, body))
            .map_err(failed(doing()))?;
        Ok(())
    }

    /// What `name` has kept, and the place in the log up to which it counts.
    pub fn snapshot(&self, name: &str) -> Result<Option<(i64, String)>> {
        let doing = || format!("reading the state of {name}");
        self.connection
            .prepare_cached("SELECT seq, body FROM snapshots WHERE name = ?1")
            .map_err(failed(doing()))?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(failed(doing()))
    }
}

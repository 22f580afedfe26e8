//! Whether a database is whole.

use std::path::Path;

use park_core::Result;
use rusqlite::OpenFlags;

use crate::error::failed;
use crate::{Store, schema};

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is wrong, in SQLite's words or ours; nothing if the database is whole.
    pub problems: Vec<String>,
    /// Records in the log.
    pub records: u64,
    /// Sessions, ended or not.
    pub sessions: u64,
    /// Sessions that have not ended.
    pub inside: u64,
}

/// Problems that are named one by one at most.
const NAMED: u32 = 100;

impl Store {
    /// Opens the database at `path` to look at it only: nothing is made, nothing is brought up to date.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Store> {
        let name = path.as_ref().display().to_string();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            rusqlite::Connection::open_with_flags(path, flags).map_err(failed(format!("opening {name}")))?;
        schema::require_newest(&connection, &name)?;
        Ok(Store { connection })
    }

    /// Reads the whole database and says what is wrong with it.
    pub fn check(&self) -> Result<Findings> {
        let mut findings = Findings::default();
        let lines = |sql: &str| -> Result<Vec<String>> {
            let mut statement = self.connection.prepare(sql).map_err(failed("checking the database"))?;
            let rows = statement.query_map([], |row| row.get(0)).map_err(failed("checking the database"))?;
            rows.collect::<rusqlite::Result<_>>().map_err(failed("checking the database"))
        };
        findings.problems = lines(&format!("PRAGMA integrity_check({NAMED})"))?;
        findings.problems.retain(|line| line != "ok");
        findings.problems.extend(lines(&format!(
            "SELECT 'record ' || seq || ' is not JSON' FROM records WHERE NOT json_valid(body) LIMIT {NAMED}"
        ))?);
        findings.problems.extend(lines(&format!(
            "SELECT 'session ' || id || ' ends before it begins' FROM sessions WHERE exited < entered LIMIT {NAMED}"
        ))?);
        let count = |sql: &str| -> Result<u64> {
            self.connection
                .query_row(sql, [], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
                .map_err(failed("counting"))
        };
        findings.records = count("SELECT count(*) FROM records")?;
        findings.sessions = count("SELECT count(*) FROM sessions")?;
        findings.inside = count("SELECT count(*) FROM sessions WHERE exited IS NULL")?;
        Ok(findings)
    }
}

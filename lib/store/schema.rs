//! The schema and the steps that lead to it.

use park_core::{Error, Kind, Result};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::failed;

/// `PRAGMA application_id` of a park database: "park" in ASCII.
const APPLICATION_ID: i64 = 0x7061_726B;

/// Each step leads from the version of its place (0, 1, …) to the next. A step that was released is never edited.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1_records.sql"),
    include_str!("migrations/2_sessions.sql"),
    include_str!("migrations/3_snapshots.sql"),
    include_str!("migrations/4_operations.sql"),
];

/// Brings the database behind `connection` to the newest version. Several processes may do so at once.
pub(crate) fn migrate(connection: &mut Connection, name: &str) -> Result<()> {
    migrate_to(connection, name, MIGRATIONS.len())
}

/// The same, up to `target` only.
pub(crate) fn migrate_to(connection: &mut Connection, name: &str, target: usize) -> Result<()> {
    if version(connection, name)? == MIGRATIONS.len() {
        return Ok(());
    }
    let doing = || format!("bringing {name} to version {target}");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed(doing()))?;
    // Asked again under the lock: another process may have been faster.
    let from = version(&transaction, name)?;
    for (version, step) in (1i64..).zip(MIGRATIONS).take(target).skip(from) {
        transaction.execute_batch(step).map_err(failed(doing()))?;
        transaction.pragma_update(None, "user_version", version).map_err(failed(doing()))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed(doing()))?;
    transaction.commit().map_err(failed(doing()))
}

/// Fails unless the database has the newest version.
pub(crate) fn require_newest(connection: &Connection, name: &str) -> Result<()> {
    match version(connection, name)? {
        newest if newest == MIGRATIONS.len() => Ok(()),
        older => Err(Error::new(
            Kind::Config,
            format!("{name} has version {older}; open it once to bring it up to date"),
        )),
    }
}

/// The version of the database: 0 for an empty one. An error if it is another program's or a newer park's.
fn version(connection: &Connection, name: &str) -> Result<usize> {
    let ask = |what: &str| -> Result<i64> {
        connection.query_row(what, [], |row| row.get(0)).map_err(failed(format!("reading {name}")))
    };
    let application = ask("PRAGMA application_id")?;
    let version = ask("PRAGMA user_version")?;
    let empty = ask("SELECT count(*) FROM sqlite_schema")? == 0;
    if application != APPLICATION_ID && !empty {
        return Err(Error::new(Kind::Config, format!("{name} is a database, but not one of park")));
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(Error::new(
            Kind::Config,
            format!("{name} has version {version}, newer than this park understands ({})", MIGRATIONS.len()),
        )),
    }
}

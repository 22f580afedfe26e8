//! What is old goes, a little at a time, so that no writer waits long.
//!
//! How old a record is goes by the wall clock at which it came, not by the time of its event: a recording of last year
//! that is played today is of today. The log itself has no such clock, so a mark is set now and then.

use park_core::Result;
use park_core::record::Time;
use rusqlite::OptionalExtension;
use rusqlite::types::ToSql;

use crate::Store;
use crate::error::failed;

/// What is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old<'a> {
    /// Records of this type.
    Records(&'a str),
    /// Records of all types but these.
    OtherRecords(&'a [&'a str]),
    /// The log of connections, but for those that are open.
    Connections,
    /// The audit trail.
    Audit,
    /// Statistics.
    Statistics,
}

/// What a step of the clean-up did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// How many rows went.
    pub rows: usize,
    /// Whether there may be more to remove.
    pub more: bool,
}

impl Store {
    /// Notes where the log is `now`, by the wall clock. Nothing is noted while nothing comes.
    pub fn mark(&self, now: Time) -> Result<()> {
        let sql = "INSERT INTO marks (time, seq)
                   SELECT ?1, (SELECT max(seq) FROM records)
                   WHERE coalesce((SELECT max(seq) FROM records), 0) > coalesce((SELECT max(seq) FROM marks), 0)
                   ON CONFLICT (time) DO UPDATE SET seq = excluded.seq";
        self.connection.execute(sql, [now.millis()]).map_err(failed("marking the time in the log"))?;
        Ok(())
    }

    /// Removes the marks that no clean-up needs any more, because it keeps nothing from before `before`.
    pub fn forget_marks(&self, before: Time) -> Result<()> {
        let sql = "DELETE FROM marks WHERE time < (SELECT max(time) FROM marks WHERE time <= ?1)";
        self.connection.execute(sql, [before.millis()]).map_err(failed("removing old marks"))?;
        Ok(())
    }

    /// Removes up to `most` rows of what came before `before`, by the wall clock, in one short transaction.
    pub fn remove(&self, old: Old<'_>, before: Time, most: usize) -> Result<Removed> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let before = before.millis();
        let rows = match old {
            Old::Connections => self.delete(
                "DELETE FROM connections WHERE id IN
                 (SELECT id FROM connections WHERE opened < ? AND why IS NOT NULL LIMIT ?)",
                &[&before, &limit],
            ),
            Old::Audit => self.delete(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time < ? LIMIT ?)",
                &[&before, &limit],
            ),
            Old::Statistics => self.delete(
                "DELETE FROM statistics WHERE (hour, name, thing) IN
                 (SELECT hour, name, thing FROM statistics WHERE hour < ? LIMIT ?)",
                &[&before, &limit],
            ),
            Old::Records(kind) => {
                let Some(seq) = self.marked(before)? else { return Ok(Removed { rows: 0, more: false }) };
                self.delete(
                    "DELETE FROM records WHERE seq IN
                     (SELECT seq FROM records WHERE type = ? AND seq <= ? ORDER BY seq LIMIT ?)",
                    &[&kind, &seq, &limit],
                )
            }
            Old::OtherRecords(kinds) => {
                let Some(seq) = self.marked(before)? else { return Ok(Removed { rows: 0, more: false }) };
                return self.remove_others(kinds, seq, most);
            }
        }?;
        Ok(Removed { rows, more: rows == most })
    }

    /// Gives up to `pages` unused pages back to the file system, but leaves a tenth of the file for what comes next;
    /// how many it gave. A file that was made before this was possible keeps them all, and uses them again.
    pub fn shrink(&self, pages: u32) -> Result<u32> {
        let doing = "shrinking the database";
        let ask = |what: &str| -> Result<u32> {
            self.connection.query_row(what, [], |row| row.get(0)).map_err(failed(doing))
        };
        let unused = ask("PRAGMA freelist_count")?;
        if unused <= ask("PRAGMA page_count")? / 10 {
            return Ok(0);
        }
        let mut statement =
            self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})")).map_err(failed(doing))?;
        let mut rows = statement.query([]).map_err(failed(doing))?;
        while rows.next().map_err(failed(doing))?.is_some() {}
        Ok(unused.saturating_sub(ask("PRAGMA freelist_count")?))
    }

    /// The newest record that was there before `before`.
    fn marked(&self, before: i64) -> Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT seq FROM marks WHERE time < ?1 ORDER BY time DESC LIMIT 1")
            .and_then(|mut statement| statement.query_row([before], |row| row.get(0)).optional())
            .map_err(failed("looking for a mark"))
    }

    /// Goes from type to type, each by its index, so that what is kept need not be read.
    fn remove_others(&self, kept: &[&str], seq: i64, most: usize) -> Result<Removed> {
        let doing = "listing the types of the log";
        let (mut rows, mut last) = (0, String::new());
        loop {
            let next: Option<String> = self
                .connection
                .prepare_cached("SELECT min(type) FROM records WHERE type > ?1")
                .and_then(|mut statement| statement.query_row([&last], |row| row.get(0)))
                .map_err(failed(doing))?;
            let Some(kind) = next else { return Ok(Removed { rows, more: false }) };
            if !kept.contains(&kind.as_str()) {
                let limit = i64::try_from(most - rows).unwrap_or(i64::MAX);
                rows += self.delete(
                    "DELETE FROM records WHERE seq IN
                     (SELECT seq FROM records WHERE type = ? AND seq <= ? ORDER BY seq LIMIT ?)",
                    &[&kind, &seq, &limit],
                )?;
            }
            if rows >= most {
                return Ok(Removed { rows, more: true });
            }
            last = kind;
        }
    }

    fn delete(&self, sql: &str, values: &[&dyn ToSql]) -> Result<usize> {
        let doing = "removing what is old";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map_err(failed(doing))
    }
}

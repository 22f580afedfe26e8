//! Who was connected, who did what, and what was counted. All times here are those of the wall clock.

use park_core::Result;
use park_core::record::Time;
use rusqlite::types::ToSql;
use rusqlite::{Row, Transaction, TransactionBehavior};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Store;
use crate::error::failed;

/// What is to be noted.
#[derive(Debug, Clone)]
pub enum Note {
    /// A connection was opened. Its id should be new, see [`Store::next_connection`]: one that is known stays as it is, so
    /// that no other note of a batch is lost with it.
    Opened(Connection),
    /// A connection was closed.
    Closed {
        /// Which.
        id: i64,
        /// When.
        time: Time,
        /// Why.
        why: String,
        /// How many bytes it was sent.
        bytes: u64,
    },
    /// Somebody did something.
    Did(Deed),
    /// It is known what came of what was done by this request, unless it was known before.
    Became {
        /// The deed's `request_id`.
        request_id: String,
        /// What came of it, in a word.
        outcome: String,
        /// What else there is to say.
        detail: Option<String>,
    },
    /// Something was counted.
    Counted(Count),
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Connection {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub opened: Time,
    /// When it ended; nothing while it is open, or if the server ended first.
    pub closed: Option<Time>,
    /// How long it lasted, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Whose it was.
    pub person: String,
    /// What they are to the site.
    pub role: String,
    /// The dialect.
    pub surface: String,
    /// Where it came from.
    pub address: String,
    /// Why it ended.
    pub why: Option<String>,
    /// How many bytes it was sent.
    pub bytes: Option<i64>,
}

/// One thing somebody did.
#[derive(Debug, Clone, Serialize)]
pub struct Deed {
    /// When.
    pub time: Time,
    /// Who.
    pub person: String,
    /// What they are to the site.
    pub role: String,
    /// The dialect it came in.
    pub surface: String,
    /// Where they came from.
    pub address: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: Option<String>,
    /// How, as JSON.
    pub payload: Option<Box<RawValue>>,
    /// The id of the record that carries it.
    pub request_id: Option<String>,
    /// What came of it; nothing until it is known.
    pub outcome: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// How often something happened within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The hour's beginning; any moment of the hour when it is noted.
    pub hour: Time,
    /// What was counted.
    pub name: String,
    /// Of which kind; empty if there are none.
    pub thing: String,
    /// How often.
    pub count: i64,
}

/// From a moment on, up to but not including another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From here on.
    pub since: Time,
    /// Up to here.
    pub until: Time,
}

impl Default for Span {
    fn default() -> Span {
        Span { since: Time::from_millis(i64::MIN), until: Time::from_millis(i64::MAX) }
    }
}

const HOUR: i64 = 3_600_000;

/// A row's place, to read on from.
type Place = (i64, i64);

impl Store {
    /// Writes notes in one transaction: all of them are durable on return, or none.
    pub fn note(&mut self, notes: &[Note]) -> Result<()> {
        let doing = || format!("writing {} notes", notes.len());
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed(doing()))?;
        for note in notes {
            write(&transaction, note).map_err(failed(doing()))?;
        }
        transaction.commit().map_err(failed(doing()))
    }

    /// The number from which on connections have not been noted.
    pub fn next_connection(&self) -> Result<i64> {
        let doing = "numbering connections";
        self.connection
            .query_row("SELECT coalesce(max(id), 0) + 1 FROM connections", [], |row| row.get(0))
            .map_err(failed(doing))
    }

    /// Says of every connection that is not known to have ended why its end is not known.
    pub fn forget_open_connections(&self, why: &str) -> Result<usize> {
        self.connection
            .execute("UPDATE connections SET why = ?1 WHERE why IS NULL", [why])
            .map_err(failed("noting what the last server left open"))
    }

    /// Hands the connections that were opened within `span` to `take`, oldest first, until it says false.
    pub fn connections(&self, span: Span, take: impl FnMut(&Connection) -> bool) -> Result<()> {
        let sql = "SELECT id, opened, closed, person, role, surface, address, why, bytes FROM connections
                   WHERE opened >= ? AND opened < ? AND (opened, id) > (?, ?) ORDER BY opened, id LIMIT ?";
        let place = |connection: &Connection| (connection.opened.millis(), connection.id);
        self.pages(sql, span, connection, place, take)
    }

    /// Hands what was done within `span` to `take`, oldest first, until it says false.
    pub fn deeds(&self, span: Span, mut take: impl FnMut(&Deed) -> bool) -> Result<()> {
        let sql = "SELECT id, time, person, role, surface, address, action, target, payload, request_id, outcome, detail
                   FROM audit WHERE time >= ? AND time < ? AND (time, id) > (?, ?) ORDER BY time, id LIMIT ?";
        self.pages(sql, span, deed, |(id, deed)| (deed.time.millis(), *id), |(_, deed)| take(deed))
    }

    /// The counts of every hour that began within `span`, oldest first.
    pub fn counts(&self, span: Span) -> Result<Vec<Count>> {
        let doing = "reading statistics";
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT hour, name, thing, count FROM statistics WHERE hour >= ?1 AND hour < ?2 ORDER BY hour, name, thing",
            )
            .map_err(failed(doing))?;
        let count = |row: &Row<'_>| {
            Ok(Count {
                hour: Time::from_millis(row.get(0)?),
                name: row.get(1)?,
                thing: row.get(2)?,
                count: row.get(3)?,
            })
        };
        let rows = statement.query_map([span.since.millis(), span.until.millis()], count);
        rows.and_then(Iterator::collect).map_err(failed(doing))
    }

    /// Reads page after page, so that no reader holds up the clean-up of the file for long.
    fn pages<T>(
        &self,
        sql: &str,
        span: Span,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
        place: impl Fn(&T) -> Place,
        mut take: impl FnMut(&T) -> bool,
    ) -> Result<()> {
        const PAGE: i64 = 500;
        let doing = "reading the trail";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed(doing))?;
        let mut after = (i64::MIN, i64::MIN);
        loop {
            let values: [&dyn ToSql; 5] =
                [&span.since.millis(), &span.until.millis(), &after.0, &after.1, &PAGE];
            let rows = statement.query_map(values, read).map_err(failed(doing))?;
            let page: Vec<T> = rows.collect::<rusqlite::Result<_>>().map_err(failed(doing))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = place(last);
            if !page.iter().all(&mut take) {
                return Ok(());
            }
        }
    }
}

fn write(transaction: &Transaction<'_>, note: &Note) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[&dyn ToSql]| transaction.prepare_cached(sql)?.execute(values).map(drop);
    match note {
        Note::Opened(it) => run(
            "INSERT INTO connections (id, opened, person, role, surface, address) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO NOTHING",
            &[&it.id, &it.opened.millis(), &it.person, &it.role, &it.surface, &it.address],
        ),
        Note::Closed { id, time, why, bytes } => run(
            "UPDATE connections SET closed = ?2, why = ?3, bytes = ?4 WHERE id = ?1",
            &[id, &time.millis(), why, &i64::try_from(*bytes).unwrap_or(i64::MAX)],
        ),
        Note::Did(it) => run(
            "INSERT INTO audit (time, person, role, surface, address, action, target, payload, request_id, outcome, detail)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            &[
                &it.time.millis(),
                &it.person,
                &it.role,
                &it.surface,
                &it.address,
                &it.action,
                &it.target,
                &it.payload.as_ref().map(|payload| payload.get()),
                &it.request_id,
                &it.outcome,
                &it.detail,
            ],
        ),
        Note::Became { request_id, outcome, detail } => run(
            "UPDATE audit SET outcome = ?2, detail = ?3 WHERE request_id = ?1 AND outcome IS NULL",
            &[request_id, outcome, detail],
        ),
        Note::Counted(it) => run(
            "INSERT INTO statistics (hour, name, thing, count) VALUES (?, ?, ?, ?)
             ON CONFLICT (hour, name, thing) DO UPDATE SET count = count + excluded.count",
            &[&(it.hour.millis().div_euclid(HOUR) * HOUR), &it.name, &it.thing, &it.count],
        ),
    }
}

fn connection(row: &Row<'_>) -> rusqlite::Result<Connection> {
    let opened = Time::from_millis(row.get(1)?);
    let closed = row.get::<_, Option<i64>>(2)?.map(Time::from_millis);
    Ok(Connection {
        id: row.get(0)?,
        opened,
        closed,
        duration: closed.map(|closed| closed.since(opened).as_secs_f64()),
        person: row.get(3)?,
        role: row.get(4)?,
        surface: row.get(5)?,
        address: row.get(6)?,
        why: row.get(7)?,
        bytes: row.get(8)?,
    })
}

fn deed(row: &Row<'_>) -> rusqlite::Result<(i64, Deed)> {
    let payload: Option<String> = row.get(8)?;
    let deed = Deed {
        time: Time::from_millis(row.get(1)?),
        person: row.get(2)?,
        role: row.get(3)?,
        surface: row.get(4)?,
        address: row.get(5)?,
        action: row.get(6)?,
        target: row.get(7)?,
        payload: payload.and_then(|payload| RawValue::from_string(payload).ok()),
        request_id: row.get(9)?,
        outcome: row.get(10)?,
        detail: row.get(11)?,
    };
    Ok((row.get(0)?, deed))
}

//! The log of records: each id is taken once, in the order of arrival.

use std::borrow::Cow;

use park_core::record::{Envelope, Time, derive_id};
use park_core::{Error, Kind, Result};
use rusqlite::types::ToSql;
use rusqlite::{Row, TransactionBehavior};

use crate::Store;
use crate::error::failed;

/// A record on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// Event time.
    pub time: Time,
    /// Its type.
    pub kind: Cow<'a, str>,
    /// What it comes from.
    pub source: Option<Cow<'a, str>>,
    /// The gate it concerns.
    pub gate_id: Option<Cow<'a, str>>,
    /// The lot it concerns.
    pub lot_id: Option<Cow<'a, str>>,
    /// The whole line, without its newline.
    pub body: &'a str,
}

impl<'a> Record<'a> {
    /// The record that stands on `line`. One without a time gets `received`; one without an id gets one derived from
    /// its time and its bytes, so that a second delivery is recognised.
    pub fn parse(line: &'a [u8], received: Time) -> Result<Record<'a>> {
        Self::new(&Envelope::parse(line)?, line, received)
    }

    /// The same, where `line` has been read already.
    pub fn new(envelope: &Envelope<'a>, line: &'a [u8], received: Time) -> Result<Record<'a>> {
        let body = std::str::from_utf8(line)
            .map_err(|error| Error::new(Kind::BadInput, "a record that is not UTF-8").because(error))?
            .trim_end();
        let time = envelope.timestamp.unwrap_or(received);
        let owned = |text: &str| Cow::Owned(text.to_owned());
        Ok(Record {
            id: match &envelope.id {
                Some(id) => owned(id),
                None => Cow::Owned(derive_id(time, &[body.as_bytes()])),
            },
            time,
            kind: owned(&envelope.kind),
            source: envelope.source.as_deref().map(owned),
            gate_id: envelope.gate_id.as_deref().map(owned),
            lot_id: envelope.lot_id.as_deref().map(owned),
            body,
        })
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many records were new.
    pub stored: usize,
    /// How many had been there before.
    pub duplicates: usize,
    /// For each record of the batch its place in the log, or nothing if it had been there before.
    pub seqs: Vec<Option<i64>>,
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its place in the log: later records have higher ones, with gaps; never used twice.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Event time.
    pub time: Time,
    /// Its type.
    pub kind: String,
    /// The gate it concerns.
    pub gate_id: Option<String>,
    /// The lot it concerns.
    pub lot_id: Option<String>,
    /// The whole line, without a newline.
    pub body: String,
}

/// Which records of the log are wanted: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query<'a> {
    /// One of these types; empty means any.
    pub kinds: &'a [&'a str],
    /// Of this gate or lot.
    pub place: Place<'a>,
}

/// A gate, a lot, or anywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place<'a> {
    /// Anywhere.
    #[default]
    Any,
    /// At this gate.
    Gate(&'a str),
    /// In this lot.
    Lot(&'a str),
}

const COLUMNS: &str = "seq, id, time, type, gate_id, lot_id, body";

impl Store {
    /// Writes a batch in one transaction: all of it is durable on return, or none of it. A record whose id is in the log
    /// already is left out and counted.
    pub fn append(&mut self, batch: &[Record<'_>]) -> Result<Appended> {
        let doing = || format!("writing {} records to the log", batch.len());
        let mut appended = Appended { seqs: Vec::with_capacity(batch.len()), ..Appended::default() };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed(doing()))?;
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO records (id, time, type, source, gate_id, lot_id, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
                )
                .map_err(failed(doing()))?;
            for record in batch {
                let row = (
                    &record.id,
                    record.time.millis(),
                    &record.kind,
                    &record.source,
                    &record.gate_id,
                    &record.lot_id,
                    record.body,
                );
                let new = insert.execute(row).map_err(failed(doing()))? == 1;
                appended.stored += usize::from(new);
                appended.duplicates += usize::from(!new);
                appended.seqs.push(new.then(|| transaction.last_insert_rowid()));
            }
        }
        transaction.commit().map_err(failed(doing()))?;
        Ok(appended)
    }

    /// The first `limit` records after `seq` that meet `query`, in the order of arrival.
    pub fn since(&self, seq: i64, query: &Query<'_>, limit: usize) -> Result<Vec<Logged>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (condition, mut values) = query.condition();
        values.push(&seq);
        values.push(&limit);
        let sql = format!("SELECT {COLUMNS} FROM records WHERE {condition} AND seq > ? ORDER BY seq LIMIT ?");
        self.records(&sql, &values)
    }

    /// The newest record that meets `query`.
    pub fn latest(&self, query: &Query<'_>) -> Result<Option<Logged>> {
        Ok(self.recent(query, 1)?.pop())
    }

    /// The newest `limit` records that meet `query`, newest first.
    pub fn recent(&self, query: &Query<'_>, limit: usize) -> Result<Vec<Logged>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (condition, mut values) = query.condition();
        values.push(&limit);
        let sql = format!("SELECT {COLUMNS} FROM records WHERE {condition} ORDER BY seq DESC LIMIT ?");
        self.records(&sql, &values)
    }

    /// The newest `booking_updated` of this booking.
    pub fn booking(&self, booking_id: &str) -> Result<Option<Logged>> {
        // Word for word the expression of the index.
        let sql = format!(
            "SELECT {COLUMNS} FROM records WHERE type = 'booking_updated'
             AND CASE WHEN json_valid(body) THEN json_extract(body, '$.payload.booking_id') END = ?
             ORDER BY seq DESC LIMIT 1"
        );
        Ok(self.records(&sql, &[&booking_id])?.pop())
    }

    /// The place in the log of the record with this id; nothing if it is not (or no longer) there.
    pub fn seq_of(&self, id: &str) -> Result<Option<i64>> {
        use rusqlite::OptionalExtension;
        let doing = || format!("looking up record {id}");
        self.connection
            .prepare_cached("SELECT seq FROM records WHERE id = ?1")
            .map_err(failed(doing()))?
            .query_row([id], |row| row.get(0))
            .optional()
            .map_err(failed(doing()))
    }

    fn records(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Logged>> {
        let doing = "reading the log";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed(doing))?;
        let rows = statement.query_map(values, logged).map_err(failed(doing))?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed(doing))
    }
}

impl<'a> Query<'a> {
    /// The condition in SQL, with its values in the order of its question marks.
    fn condition(&'a self) -> (String, Vec<&'a dyn ToSql>) {
        let mut sql = String::from("1");
        let mut values: Vec<&dyn ToSql> = Vec::new();
        match &self.place {
            Place::Any => {}
            Place::Gate(gate) => {
                sql.push_str(" AND gate_id = ?");
                values.push(gate);
            }
            Place::Lot(lot) => {
                sql.push_str(" AND lot_id = ?");
                values.push(lot);
            }
        }
        if !self.kinds.is_empty() {
            let marks = vec!["?"; self.kinds.len()].join(", ");
            sql.push_str(&format!(" AND type IN ({marks})"));
            values.extend(self.kinds.iter().map(|kind| kind as &dyn ToSql));
        }
        (sql, values)
    }
}

fn logged(row: &Row<'_>) -> rusqlite::Result<Logged> {
    Ok(Logged {
        seq: row.get(0)?,
        id: row.get(1)?,
        time: Time::from_millis(row.get(2)?),
        kind: row.get(3)?,
        gate_id: row.get(4)?,
        lot_id: row.get(5)?,
        body: row.get(6)?,
    })
}

//! Parking sessions: one vehicle's stay, from its entry to its exit.
//!
//! Every question is asked as of an event time and sees only what had happened before it, so that a replay of the
//! same events into the same database finds its own sessions again and adds none.

use park_core::Result;
use park_core::record::gate::Match;
use park_core::record::{Time, derive_id};
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row};

use crate::Store;
use crate::error::failed;

/// A vehicle comes in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arrival<'a> {
    /// Its number; it or the card must be known.
    pub plate: Option<&'a str>,
    /// Its card.
    pub card: Option<&'a str>,
    /// How likely the number is right, 0 to 1.
    pub confidence: Option<f64>,
    /// The gate it comes through.
    pub gate_id: Option<&'a str>,
    /// The lot it comes into.
    pub lot_id: Option<&'a str>,
    /// When.
    pub time: Time,
}

/// A vehicle goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure<'a> {
    /// Its number as read at the exit.
    pub plate: Option<&'a str>,
    /// Its card as read at the exit.
    pub card: Option<&'a str>,
    /// The gate it goes through.
    pub gate_id: Option<&'a str>,
    /// When.
    pub time: Time,
    /// How it was paired with its session.
    pub matched: Match,
}

/// One vehicle's stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The session.
    pub id: String,
    /// The vehicle's number.
    pub plate: Option<String>,
    /// Its card.
    pub card: Option<String>,
    /// How likely the number is right, 0 to 1.
    pub confidence: Option<f64>,
    /// The gate it came through.
    pub gate_id: Option<String>,
    /// The lot it came into.
    pub lot_id: Option<String>,
    /// When it came in.
    pub entered: Time,
    /// When it went out, if it has.
    pub exited: Option<Time>,
    /// The gate it went out through.
    pub exit_gate_id: Option<String>,
}

/// The sessions in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// Vehicles that came in.
    pub entries: i64,
    /// Those of them that went out again.
    pub exits: i64,
    /// Those that have not.
    pub inside: i64,
    /// How long those that went out had stayed on average, in seconds.
    pub mean_duration: Option<f64>,
}

const COLUMNS: &str = "id, plate, card, confidence, gate_id, lot_id, entered, exited, exit_gate_id";

impl Store {
    /// Opens a session. Its id is derived from gate, number, card and time: the same arrival again finds the same session.
    pub fn open_session(&self, arrival: &Arrival<'_>) -> Result<Session> {
        let part = |text: Option<&'_ str>| text.unwrap_or("").as_bytes().to_vec();
        let parts = [b"session".to_vec(), part(arrival.gate_id), part(arrival.plate), part(arrival.card)];
        let id = derive_id(arrival.time, &parts.each_ref().map(Vec::as_slice));
        let doing = || format!("opening session {id}");
        self.connection
            .prepare_cached(
                "INSERT INTO sessions (id, plate, card, confidence, gate_id, lot_id, entered)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
            )
            .map_err(failed(doing()))?
            .execute((
                &id,
                arrival.plate,
                arrival.card,
                arrival.confidence,
                arrival.gate_id,
                arrival.lot_id,
                arrival.time.millis(),
            ))
            .map_err(failed(doing()))?;
        self.connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"))
            .map_err(failed(doing()))?
            .query_row([&id], session)
            .map_err(failed(doing()))
    }

    /// Gives a session the plate or the card that it lacks: the two were one vehicle. What it has, it keeps.
    pub fn join_session(&self, id: &str, plate: Option<&str>, card: Option<&str>) -> Result<()> {
        let doing = || format!("completing session {id}");
        self.connection
            .prepare_cached(
                "UPDATE sessions SET plate = coalesce(plate, ?2), card = coalesce(card, ?3) WHERE id = ?1",
            )
            .map_err(failed(doing()))?
            .execute((id, plate, card))
            .map_err(failed(doing()))?;
        Ok(())
    }

    /// Closes a session. One that is closed already stays as it is; returns whether this call closed it.
    pub fn close_session(&self, id: &str, departure: &Departure<'_>) -> Result<bool> {
        let doing = || format!("closing session {id}");
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE sessions SET exited = ?2, exit_gate_id = ?3, exit_plate = ?4, exit_card = ?5, matched = ?6
                 WHERE id = ?1 AND exited IS NULL",
            )
            .map_err(failed(doing()))?
            .execute((
                id,
                departure.time.millis(),
                departure.gate_id,
                departure.plate,
                departure.card,
                match_name(departure.matched),
            ))
            .map_err(failed(doing()))?;
        Ok(changed == 1)
    }

    /// The newest session that had begun before `at` and not ended before it, with exactly this number.
    pub fn inside_by_plate(&self, plate: &str, at: Time) -> Result<Option<Session>> {
        self.newest(
            "plate = ?1 AND entered < ?2 AND (exited IS NULL OR exited >= ?2)",
            &[&plate, &at.millis()],
        )
    }

    /// The same by card.
    pub fn inside_by_card(&self, card: &str, at: Time) -> Result<Option<Session>> {
        self.newest("card = ?1 AND entered < ?2 AND (exited IS NULL OR exited >= ?2)", &[&card, &at.millis()])
    }

    /// The newest session with this number or card that had begun before `at`, ended or not.
    pub fn last_session(&self, plate: Option<&str>, card: Option<&str>, at: Time) -> Result<Option<Session>> {
        self.newest("(plate = ?1 OR card = ?2) AND entered < ?3", &[&plate, &card, &at.millis()])
    }

    /// The sessions open at `at` whose number is `alike`, newest first.
    pub fn lookalikes(&self, at: Time, alike: impl Fn(&str) -> bool) -> Result<Vec<Session>> {
        let mut inside = self.inside(at, None)?;
        inside.retain(|session| session.plate.as_deref().is_some_and(&alike));
        Ok(inside)
    }

    /// The sessions open at `at`, newest first; of one lot if it is given.
    pub fn inside(&self, at: Time, lot_id: Option<&str>) -> Result<Vec<Session>> {
        self.select(
            "entered < ?1 AND (exited IS NULL OR exited >= ?1) AND (?2 IS NULL OR lot_id = ?2)",
            &[&at.millis(), &lot_id],
            i64::MAX,
        )
    }

    /// The last `limit` sessions to begin, newest first; of one lot if it is given.
    pub fn recent_sessions(&self, lot_id: Option<&str>, limit: usize) -> Result<Vec<Session>> {
        self.select("(?1 IS NULL OR lot_id = ?1)", &[&lot_id], i64::try_from(limit).unwrap_or(i64::MAX))
    }

    /// The sessions in numbers; of one lot if it is given.
    pub fn summary(&self, lot_id: Option<&str>) -> Result<Summary> {
        let doing = "counting sessions";
        self.connection
            .prepare_cached(
                "SELECT count(*), count(exited), avg(exited - entered) FROM sessions WHERE ?1 IS NULL OR lot_id = ?1",
            )
            .map_err(failed(doing))?
            .query_row([lot_id], |row| {
                let (entries, exits): (i64, i64) = (row.get(0)?, row.get(1)?);
                let mean: Option<f64> = row.get(2)?;
                Ok(Summary { entries, exits, inside: entries - exits, mean_duration: mean.map(|ms| ms / 1000.0) })
            })
            .map_err(failed(doing))
    }

    fn newest(&self, condition: &str, values: &[&dyn ToSql]) -> Result<Option<Session>> {
        let doing = "looking for a session";
        self.connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM sessions WHERE {condition} ORDER BY entered DESC, id DESC LIMIT 1"
            ))
            .map_err(failed(doing))?
            .query_row(values, session)
            .optional()
            .map_err(failed(doing))
    }

    fn select(&self, condition: &str, values: &[&dyn ToSql], limit: i64) -> Result<Vec<Session>> {
        let doing = "listing sessions";
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE {condition} ORDER BY entered DESC, id DESC LIMIT {limit}"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed(doing))?;
        let rows = statement.query_map(values, session).map_err(failed(doing))?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed(doing))
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        plate: row.get(1)?,
        card: row.get(2)?,
        confidence: row.get(3)?,
        gate_id: row.get(4)?,
        lot_id: row.get(5)?,
        entered: Time::from_millis(row.get(6)?),
        exited: row.get::<_, Option<i64>>(7)?.map(Time::from_millis),
        exit_gate_id: row.get(8)?,
    })
}

fn match_name(matched: Match) -> &'static str {
    match matched {
        Match::Plate => "plate",
        Match::Card => "card",
        Match::LookAlike => "look_alike",
        Match::None => "none",
    }
}

//! The truth file: JSON lines, or CSV with a header.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use park_core::record::Time;
use park_core::{Error, Kind, Result};
use serde::Deserialize;

use super::key::Key;

/// What is true of each picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// The plates to be seen in it.
    Plates(BTreeMap<Key, Vec<TruePlate>>),
    /// The slots whose state is known.
    Slots(BTreeMap<Key, Vec<TrueSlot>>),
}

/// A plate that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct TruePlate {
    /// Its number; `None` where only the place is known.
    pub text: Option<String>,
    /// Left, top, width and height in pixels.
    pub area: [f64; 4],
    /// Whether every character can be told.
    pub legible: bool,
}

/// The state of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TrueSlot {
    /// The slot.
    pub slot_id: String,
    /// Whether a vehicle stands in it; `None` where that cannot be said.
    pub occupied: Option<bool>,
}

/// A line of JSON.
#[derive(Deserialize)]
struct Line {
    file: Option<String>,
    #[serde(alias = "frame")]
    seq: Option<u64>,
    timestamp: Option<Time>,
    plates: Option<Vec<PlateEntry>>,
    slots: Option<Vec<TrueSlot>>,
}

#[derive(Deserialize)]
struct PlateEntry {
    text: Option<String>,
    #[serde(rename = "box")]
    area: Option<[f64; 4]>,
    corners: Option<Vec<[f64; 2]>>,
    legible: Option<bool>,
}

type Fault = String;

impl Truth {
    /// Reads the truth in the file at `path`.
    ///
    /// # Errors
    /// [`Kind::Config`], naming the file and the line of the first fault.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let failed = || Error::new(Kind::Config, format!("reading the truth in {name}"));
        let text = std::fs::read_to_string(path).map_err(|error| failed().because(error))?;
        Truth::parse(&text).map_err(|(line, fault)| {
            let place = if line > 0 { format!("{name}:{line}") } else { name.to_string() };
            Error::new(Kind::Config, format!("{place}: {fault}"))
        })
    }

    /// Reads the truth in `text`: JSON lines if it begins with a brace, else CSV with a header.
    ///
    /// # Errors
    /// The number of the line, from 1, or 0 for the whole, and what is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, (u64, Fault)> {
        let text = text.trim_start_matches('\u{FEFF}');
        let truth = match text.trim_start().starts_with('{') {
            true => json_lines(text)?,
            false => csv_rows(text)?,
        };
        truth.ok_or((0, "there is no truth in it".to_owned()))
    }
}

/// What one line says.
enum Said {
    Plates(Vec<TruePlate>),
    Slots(Vec<TrueSlot>),
}

/// Adds what a line says to what those before it said; a picture may be spread over several lines.
fn add(truth: &mut Option<Truth>, key: Key, said: Said) -> std::result::Result<(), Fault> {
    let empty = || match &said {
        Said::Plates(_) => Truth::Plates(BTreeMap::new()),
        Said::Slots(_) => Truth::Slots(BTreeMap::new()),
    };
    match (truth.get_or_insert_with(empty), said) {
        (Truth::Plates(all), Said::Plates(plates)) => all.entry(key).or_default().extend(plates),
        (Truth::Slots(all), Said::Slots(slots)) => {
            let known = all.entry(key).or_default();
            for slot in slots {
                if known.iter().any(|other| other.slot_id == slot.slot_id) {
                    return Err(format!("slot {:?} is there twice", slot.slot_id));
                }
                known.push(slot);
            }
        }
        (Truth::Plates(_), Said::Slots(_)) => return Err("slots, where lines before it have plates".into()),
        (Truth::Slots(_), Said::Plates(_)) => return Err("plates, where lines before it have slots".into()),
    }
    Ok(())
}

fn json_lines(text: &str) -> std::result::Result<Option<Truth>, (u64, Fault)> {
    let mut truth = None;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let line: std::result::Result<Line, _> = serde_json::from_str(line);
        let read = line.map_err(|error| error.to_string()).and_then(Line::read);
        read.and_then(|(key, said)| add(&mut truth, key, said)).map_err(|fault| (number, fault))?;
    }
    Ok(truth)
}

impl Line {
    fn read(self) -> std::result::Result<(Key, Said), Fault> {
        let key = match (self.file, self.seq, self.timestamp) {
            (Some(file), None, None) => Key::file(&file),
            (None, Some(seq), None) => Key::Seq(seq),
            (None, None, Some(time)) => Key::Time(time),
            (None, None, None) => {
                return Err("no file, seq or timestamp says which picture it is about".into());
            }
            _ => return Err("one of file, seq and timestamp says which picture it is about".into()),
        };
        let said = match (self.plates, self.slots) {
            (Some(plates), None) => {
                Said::Plates(plates.into_iter().map(PlateEntry::read).collect::<std::result::Result<_, _>>()?)
            }
            (None, Some(slots)) => Said::Slots(slots),
            _ => return Err("it has either plates or slots".into()),
        };
        Ok((key, said))
    }
}

impl PlateEntry {
    fn read(self) -> std::result::Result<TruePlate, Fault> {
        let area = match (self.area, self.corners) {
            (Some(area), _) => area,
            (None, Some(corners)) => area_of(&corners),
            (None, None) => return Err("a plate has neither box nor corners".into()),
        };
        checked(area).map(|area| TruePlate { text: self.text, area, legible: self.legible.unwrap_or(true) })
    }
}

/// The upright rectangle around points: left, top, width and height.
pub(super) fn area_of(points: &[[f64; 2]]) -> [f64; 4] {
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    [low[0], low[1], high[0] - low[0], high[1] - low[1]]
}

fn checked(area: [f64; 4]) -> std::result::Result<[f64; 4], Fault> {
    match area.iter().all(|side| side.is_finite()) && area[2] > 0.0 && area[3] > 0.0 {
        true => Ok(area),
        false => Err(format!("a box is [left, top, width, height] with some width and height, not {area:?}")),
    }
}

fn csv_rows(text: &str) -> std::result::Result<Option<Truth>, (u64, Fault)> {
    let failed = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        (line, error.to_string())
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(failed)?.clone();
    let columns = Columns(header.iter().zip(0..).collect());
    let mut truth = None;
    for row in reader.records() {
        let row = row.map_err(failed)?;
        let line = row.position().map_or(0, csv::Position::line);
        let read = columns.read(&row).and_then(|(key, said)| add(&mut truth, key, said));
        read.map_err(|fault| (line, fault))?;
    }
    Ok(truth)
}

/// Where each column stands.
struct Columns<'a>(HashMap<&'a str, usize>);

impl Columns<'_> {
    fn read(&self, row: &csv::StringRecord) -> std::result::Result<(Key, Said), Fault> {
        let field = |name: &str| self.0.get(name).and_then(|at| row.get(*at));
        let key = match (field("file"), field("seq").or(field("frame")), field("timestamp")) {
            (Some(file), ..) => Key::file(file),
            (_, Some(seq), _) => Key::Seq(seq.parse().map_err(|_| format!("seq is a number, not {seq:?}"))?),
            (.., Some(time)) => Key::Time(time.parse()?),
            _ => return Err("no column file, seq or timestamp says which picture it is about".into()),
        };
        if let Some(slot) = field("slot_id") {
            let occupied = occupied(field("occupied").ok_or("no column occupied")?)?;
            return Ok((key, Said::Slots(vec![TrueSlot { slot_id: slot.to_owned(), occupied }])));
        }
        let text = field("plate_text").ok_or("neither a column plate_text nor a column slot_id")?;
        let number = |name: &str| {
            let value = field(name).ok_or_else(|| format!("no column {name}"))?;
            value.parse::<f64>().map_err(|_| format!("{name} is a number, not {value:?}"))
        };
        let area = checked([number("x")?, number("y")?, number("w")?, number("h")?])?;
        let legible = field("legible").is_none_or(|legible| !matches!(legible, "0" | "false"));
        let text = (!text.is_empty()).then(|| text.to_owned());
        Ok((key, Said::Plates(vec![TruePlate { text, area, legible }])))
    }
}

fn occupied(word: &str) -> std::result::Result<Option<bool>, Fault> {
    match word {
        "1" | "true" | "occupied" => Ok(Some(true)),
        "0" | "false" | "free" => Ok(Some(false)),
        "" | "null" | "unknown" => Ok(None),
        other => Err(format!("occupied is 1, 0 or empty, not {other:?}")),
    }
}

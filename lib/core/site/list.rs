//! Lists of plates and cards: plain files, made for `grep`, `sort` and `comm`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// A plate or card as it is compared: its letters and digits, in upper case.
///
/// ```
/// assert_eq!(park_core::site::plain(" b-mw 1234\t"), "BMW1234");
/// assert_eq!(park_core::site::plain("--"), "");
/// ```
pub fn plain(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The longest entry that a list may hold; more is a broken file.
const LONGEST: usize = 32;

/// A list: one plate or card a line; `#` begins a comment; empty lines count for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    name: String,
    lines: BTreeMap<String, usize>,
}

impl List {
    /// Reads a list; [`List::find`] cites it by the last part of its path.
    ///
    /// # Errors
    ///
    /// [`Kind::Config`], naming the file, and the line that is neither plate nor card.
    pub fn read(path: &Path) -> Result<List> {
        let reading = || Error::new(Kind::Config, format!("reading the list {}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| reading().because(error))?;
        let text = String::from_utf8(bytes).map_err(|error| reading().because(error.utf8_error()))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        List::parse(name, &text).map_err(|error| reading().because(error))
    }

    /// Reads a list from its text.
    ///
    /// # Errors
    ///
    /// [`Kind::Config`], naming the line that is neither plate nor card.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<List> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut list = List { name: name.into(), lines: BTreeMap::new() };
        for (number, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or("").trim();
            if entry.is_empty() {
                continue;
            }
            let key = plain(entry);
            let odd = entry.chars().any(|char| !char.is_alphanumeric() && !" \t-_.·/".contains(char));
            if odd || key.is_empty() || key.chars().count() > LONGEST {
                let message = format!("line {}: {entry:?} is no plate or card", number + 1);
                return Err(Error::new(Kind::Config, message));
            }
            list.lines.entry(key).or_insert(number + 1);
        }
        Ok(list)
    }

    /// Where a plate or card stands, as `allow.txt:12`; nothing if it is not listed. Only the same letters and
    /// digits are the same.
    pub fn find(&self, plate_or_card: &str) -> Option<String> {
        self.lines.get(&plain(plate_or_card)).map(|line| self.cite(*line))
    }

    /// How a line is cited: `allow.txt:12`.
    pub fn cite(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }

    /// The entries, as [`plain`] writes them, in order, each with its line.
    pub fn lines(&self) -> impl Iterator<Item = (&str, usize)> {
        self.lines.iter().map(|(entry, line)| (entry.as_str(), *line))
    }

    /// The entries, as [`plain`] writes them, in order.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(String::as_str)
    }

    /// How many different entries it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it lists nothing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

//! Which picture the truth or a record is about.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use park_core::record::Time;
use serde::Serialize;

/// What the truth names a picture by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The name of its file, without folders.
    File(String),
    /// The number of the frame.
    Seq(u64),
    /// The event time of the frame.
    Time(Time),
}

impl Key {
    /// The key of the file at `path`.
    pub fn file(path: &str) -> Self {
        let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
        Key::File(name.unwrap_or_else(|| path.to_owned()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::File(name) => f.write_str(name),
            Key::Seq(seq) => write!(f, "frame {seq}"),
            Key::Time(time) => write!(f, "{time}"),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where a record stands: all that the truth may name it by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// The picture's file.
    pub file: Option<String>,
    /// The number of the frame.
    pub seq: u64,
    /// Its event time.
    pub time: Option<Time>,
}

impl Moment {
    /// The keys it may have in the truth, the likeliest first.
    fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        let file = self.file.as_deref().map(Key::file);
        file.into_iter().chain(self.time.map(Key::Time)).chain([Key::Seq(self.seq)])
    }

    /// The key under which `truth` has it, and what stands there.
    pub(super) fn find<'a, T>(&self, truth: &'a BTreeMap<Key, T>) -> Option<(Key, &'a T)> {
        self.keys().find_map(|key| truth.get(&key).map(|found| (key, found)))
    }

    /// What to call it: by its file, else by its number.
    pub fn name(&self) -> Key {
        self.file.as_deref().map_or(Key::Seq(self.seq), Key::file)
    }
}

/// Some names of many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Names {
    /// How many there are.
    pub count: u64,
    /// The first of them in their order, ten at most.
    pub first: Vec<String>,
}

impl Names {
    /// How many names are kept.
    const KEPT: usize = 10;

    /// The count of `names` and the first in their order.
    pub(super) fn of<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> Self {
        let mut found = Names::default();
        for name in names {
            found.count += 1;
            if found.first.len() < Self::KEPT {
                found.first.push(name.to_string());
            }
        }
        found
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first.join(", "))?;
        if self.count > self.first.len() as u64 { f.write_str(", …") } else { Ok(()) }
    }
}

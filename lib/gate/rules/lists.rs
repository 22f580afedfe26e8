//! Lists of plates and cards: plain text, one a line, `#` begins a comment.

use std::collections::HashMap;

use park_core::{Error, Kind, Result};

use super::text::{distance, normal};

/// The longest number that a list may hold; more is a broken file.
const LONGEST: usize = 32;

/// One list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    name: String,
    lines: HashMap<String, usize>,
}

/// Where a number stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The list and the line: `allow.txt:12`.
    pub at: String,
    /// How far the number is from the one on the list; 0 may still be other characters that look alike.
    pub distance: usize,
}

impl List {
    /// The list in `text`; `name` is for messages and hits. Spaces, dashes and case do not matter.
    ///
    /// Fails with `Config`, naming the line, if one is not a number.
    pub fn parse(name: &str, text: &str) -> Result<List> {
        let mut lines = HashMap::new();
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.split('#').next().unwrap_or("").trim();
            if content.is_empty() {
                continue;
            }
            let number = normal(content);
            let odd = content.chars().any(|c| !c.is_alphanumeric() && !" \t-_.·/".contains(c));
            if odd || number.is_empty() || number.chars().count() > LONGEST {
                return Err(Error::new(Kind::Config, format!("{name}:{line}: not a plate or card number")));
            }
            lines.entry(number).or_insert(line);
        }
        Ok(List { name: name.to_owned(), lines })
    }

    /// How many numbers are on it.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Where exactly this number (in normal form) stands.
    fn exact(&self, number: &str) -> Option<Hit> {
        self.lines.get(number).map(|line| Hit { at: format!("{}:{line}", self.name), distance: 0 })
    }

    /// The number most like this one, at most `most` characters apart.
    fn alike(&self, number: &str, most: usize) -> Option<(usize, usize)> {
        let near = |(listed, line): (&String, &usize)| {
            // A different length alone is a distance: most numbers need no further look.
            let apart = listed.len().abs_diff(number.len());
            (apart <= most)
                .then(|| (distance(listed, number), *line))
                .filter(|(distance, _)| *distance <= most)
        };
        self.lines.iter().filter_map(near).min()
    }
}

/// Several lists that mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(pub Vec<List>);

impl Lists {
    /// Where exactly this number (in normal form) stands.
    pub fn exact(&self, number: &str) -> Option<Hit> {
        self.0.iter().find_map(|list| list.exact(number))
    }

    /// The listed number most like this one, at most `most` characters apart, the first of equals.
    pub fn alike(&self, number: &str, most: usize) -> Option<Hit> {
        let found = self.0.iter().enumerate().filter_map(|(place, list)| {
            list.alike(number, most).map(|(distance, line)| (distance, place, line))
        });
        found
            .min()
            .map(|(distance, place, line)| Hit { at: format!("{}:{line}", self.0[place].name), distance })
    }

    /// How many numbers are on the lists.
    pub fn len(&self) -> usize {
        self.0.iter().map(List::len).sum()
    }

    /// Whether nobody is on any.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(List::is_empty)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lists(texts: &[&str]) -> Lists {
        let parse = |(n, text): (usize, &&str)| List::parse(&format!("{n}.txt"), text).unwrap();
        Lists(texts.iter().enumerate().map(parse).collect())
    }

    #[test]
    fn numbers_stand_on_their_lines() {
        let lists = lists(&["# residents\n\nb 1234-xyz  # flat 3\r\nB1234XYZ\n", "0100AB"]);
        assert_eq!(lists.exact("B1234XYZ").unwrap().at, "0.txt:3");
        assert_eq!(lists.exact("0100AB").unwrap().at, "1.txt:1");
        assert_eq!(lists.exact("B1234XY"), None);
        assert_eq!(lists.len(), 2);
    }

    #[test]
    fn a_look_alike_is_found_with_its_distance() {
        let lists = lists(&["AB123CD\nXY777ZZ", "B0B1256"]);
        assert_eq!(lists.alike("8DB1Z5G", 0), Some(Hit { at: "1.txt:1".to_owned(), distance: 0 }));
        assert_eq!(lists.alike("XY77ZZ", 1), Some(Hit { at: "0.txt:2".to_owned(), distance: 1 }));
        assert_eq!(lists.alike("XY77ZZ", 0), None);
    }

    #[test]
    fn a_line_that_is_no_number_is_named() {
        for broken in ["AB12\n<html>", "AB12\n---", &format!("AB12\n{}", "X".repeat(40))] {
            let error = List::parse("allow.txt", broken).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.to_string().starts_with("allow.txt:2:"), "{error}");
        }
    }
}

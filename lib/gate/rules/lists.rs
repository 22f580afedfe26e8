//! Which list a number stands on, exactly or by a look-alike.

use park_core::site::List;

use super::text::distance;

/// Where a number stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The list and the line: `allow.txt:12`.
    pub at: String,
    /// How far the number is from the one on the list; 0 may still be other characters that look alike.
    pub distance: usize,
}

/// The line of a list whose number is most like this one, at most `most` characters apart, with its distance.
fn alike(list: &List, number: &str, most: usize) -> Option<(usize, usize)> {
    let near = |(listed, line): (&str, usize)| {
        // A different length alone is a distance: most numbers need no further look.
        let apart = listed.len().abs_diff(number.len());
        (apart <= most).then(|| (distance(listed, number), line)).filter(|(distance, _)| *distance <= most)
    };
    list.lines().filter_map(near).min()
}

/// Several lists that mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(pub Vec<List>);

impl Lists {
    /// Where exactly this number (in normal form) stands.
    pub fn exact(&self, number: &str) -> Option<Hit> {
        self.0.iter().find_map(|list| list.find(number)).map(|at| Hit { at, distance: 0 })
    }

    /// The listed number most like this one, at most `most` characters apart, the first of equals.
    pub fn alike(&self, number: &str, most: usize) -> Option<Hit> {
        let found = self.0.iter().enumerate().filter_map(|(place, list)| {
            alike(list, number, most).map(|(distance, line)| (distance, place, line))
        });
        found.min().map(|(distance, place, line)| Hit { at: self.0[place].cite(line), distance })
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
        let parse = |(n, text): (usize, &&str)| List::parse(format!("{n}.txt"), text).unwrap();
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
}

//! How the plates of a country are made up: `models/plates/regions.txt`, compiled in.

use std::fmt;
use std::str::FromStr;

const REGIONS: &str = include_str!("../../../models/plates/regions.txt");

/// A country whose plates' syntax is known, by its ISO 3166 code in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    code: &'static str,
    patterns: &'static str,
}

impl Region {
    /// Every region there is.
    pub fn all() -> impl Iterator<Item = Region> {
        let lines = REGIONS.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(':')).map(|(code, patterns)| Region { code, patterns })
    }

    /// Whether `text` (A-Z and 0-9 only) is made up like a plate of this region. One that its owner chose is not.
    pub fn allows(self, text: &str) -> bool {
        let patterns = self.patterns.split_whitespace().map(parts);
        let made_up = |parts: &Vec<Part>| parts.iter().any(|part| !matches!(part.kind, Kind::Either));
        patterns.filter(made_up).any(|parts| fits(&parts, text.as_bytes()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        Region::all().find(|region| region.code.eq_ignore_ascii_case(code)).ok_or_else(|| {
            let known: Vec<_> = Region::all().map(|region| region.code).collect();
            format!("the plates of {code:?} are not known; those of {} are", known.join(", "))
        })
    }
}

/// What may stand in a place.
#[derive(Clone, Copy)]
enum Kind<'a> {
    /// A letter that is none of these.
    Letter(&'a str),
    Figure,
    Either,
}

impl Kind<'_> {
    fn allows(self, c: u8) -> bool {
        match self {
            Kind::Letter(without) => c.is_ascii_uppercase() && !without.as_bytes().contains(&c),
            Kind::Figure => c.is_ascii_digit(),
            Kind::Either => true,
        }
    }
}

/// So many characters of one kind in a row.
struct Part<'a> {
    kind: Kind<'a>,
    least: usize,
    most: usize,
}

/// A pattern's parts, without what is only drawn.
fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(sign) = rest.chars().next() {
        let mut after = &rest[sign.len_utf8()..];
        let kind = match sign {
            'A' => Some(Kind::Letter("")),
            '9' => Some(Kind::Figure),
            'X' => Some(Kind::Either),
            '[' => after.strip_prefix('^').and_then(|r| r.split_once(']')).map(|(without, behind)| {
                after = behind;
                Kind::Letter(without)
            }),
            _ => None,
        };
        rest = after;
        let Some(kind) = kind else { continue };
        let (mut least, mut most) = (1, 1);
        if let Some((counts, after)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            let (low, high) = counts.split_once(',').unwrap_or((counts, counts));
            (least, most) = (low.parse().unwrap_or(1), high.parse().unwrap_or(1));
            rest = after;
        }
        parts.push(Part { kind, least, most });
    }
    parts
}

fn fits(parts: &[Part], text: &[u8]) -> bool {
    let Some((part, others)) = parts.split_first() else { return text.is_empty() };
    let run = text.iter().take(part.most).take_while(|c| part.kind.allows(**c)).count();
    (part.least..=run).any(|taken| fits(others, &text[taken..]))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    #[test]
    fn a_text_fits_the_patterns_of_its_country_alone() {
        for (code, text) in
            [("id", "B1234XYZ"), ("id", "AB1CD"), ("gb", "AB12CDE"), ("br", "ABC1D23"), ("in", "MH12DE1433")]
        {
            assert!(region(code).allows(text), "{code} {text}");
        }
        for (code, text) in
            [("id", "B12345XYZ"), ("id", "1234"), ("gb", "AB12CD"), ("br", "ABCD123"), ("in", "")]
        {
            assert!(!region(code).allows(text), "{code} {text}");
        }
    }

    #[test]
    fn letters_that_a_country_leaves_out_are_not_read_there() {
        assert!(region("gb").allows("OL82YVO") && !region("gb").allows("OL82YVQ"));
        assert!(region("in").allows("OD02CD1234") && !region("in").allows("MH12OD1234"));
        assert!(region("fr").allows("AB123CD") && !region("fr").allows("AB123CO"));
    }

    #[test]
    fn what_anybody_may_have_chosen_follows_no_syntax() {
        assert!(region("us").allows("7ABC123") && !region("us").allows("7HELLO"));
    }

    #[test]
    fn an_unknown_code_is_named_and_the_known_ones_are_told() {
        let told = "zz".parse::<Region>().unwrap_err();
        assert!(told.contains("\"zz\"") && told.contains("id, ie, il"), "{told}");
        assert_eq!(region("GB").to_string(), "gb");
    }

    #[test]
    fn every_pattern_of_the_file_is_whole() {
        for region in Region::all() {
            for pattern in region.patterns.split_whitespace() {
                let parts = parts(pattern);
                let (least, most) =
                    parts.iter().fold((0, 0), |(low, high), part| (low + part.least, high + part.most));
                assert!(1 <= least && least <= most && most <= 12, "{region}: {pattern}");
                let drawn =
                    pattern.split('[').map(|piece| piece.split_once(']').map_or(piece, |(_, drawn)| drawn));
                assert!(
                    drawn.collect::<String>().bytes().all(|c| b"A9X_-o|yzw{},12345678".contains(&c)),
                    "{region}: {pattern}"
                );
            }
        }
    }
}

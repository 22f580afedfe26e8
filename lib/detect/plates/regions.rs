//! How the plates of a country are made up: `models/plates/regions.txt`, compiled in.

use std::fmt;
use std::str::FromStr;

use super::syntax::Pattern;

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

    /// How its plates are made up, without those whose owners chose what they say.
    fn patterns(self) -> impl Iterator<Item = Pattern> {
        self.patterns.split_whitespace().map(Pattern::new).filter(Pattern::is_made_up)
    }
}

/// How the plates of some regions are made up.
#[derive(Debug)]
pub struct Syntax(Vec<(Region, Vec<Pattern>)>);

impl Syntax {
    /// That of these regions.
    pub fn of(regions: impl IntoIterator<Item = Region>) -> Self {
        Syntax(regions.into_iter().map(|region| (region, region.patterns().collect())).collect())
    }

    /// The first of the regions whose plates may bear `text` (A-Z and 0-9 only).
    pub fn region(&self, text: &str) -> Option<Region> {
        let allows =
            |(_, patterns): &&(Region, Vec<Pattern>)| patterns.iter().any(|p| p.likelihood(text) > 0.0);
        self.0.iter().find(allows).map(|(region, _)| *region)
    }

    /// How likely `text` is on a plate of any of the regions, each and each of its patterns being equally likely.
    pub fn likelihood(&self, text: &str) -> f64 {
        let mean = |patterns: &Vec<Pattern>| {
            patterns.iter().map(|pattern| pattern.likelihood(text)).sum::<f64>()
                / patterns.len().max(1) as f64
        };
        self.0.iter().map(|(_, patterns)| mean(patterns)).sum::<f64>() / self.0.len().max(1) as f64
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    fn allows(code: &str, text: &str) -> bool {
        Syntax::of([region(code)]).region(text).is_some()
    }

    #[test]
    fn a_text_fits_the_patterns_of_its_country_alone() {
        for (code, text) in
            [("id", "B1234XYZ"), ("id", "AB1CD"), ("gb", "AB12CDE"), ("br", "ABC1D23"), ("in", "MH12DE1433")]
        {
            assert!(allows(code, text), "{code} {text}");
        }
        for (code, text) in
            [("id", "B12345XYZ"), ("id", "1234"), ("gb", "AB12CD"), ("br", "ABCD123"), ("in", "")]
        {
            assert!(!allows(code, text), "{code} {text}");
        }
    }

    #[test]
    fn letters_that_a_country_leaves_out_are_not_read_there() {
        assert!(allows("gb", "OL82YVO") && !allows("gb", "OL82YVQ"));
        assert!(allows("in", "OD02CD1234") && !allows("in", "MH12OD1234"));
        assert!(allows("fr", "AB123CD") && !allows("fr", "AB123CO"));
    }

    #[test]
    fn what_anybody_may_have_chosen_follows_no_syntax() {
        assert!(allows("us", "7ABC123") && !allows("us", "7HELLO"));
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
                let (least, most) = Pattern::new(pattern).lengths();
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

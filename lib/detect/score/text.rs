//! When two texts are the same, and how far apart they are.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters taken for one another, such as `O0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold(Vec<char>);

impl FromStr for Fold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let group: Vec<char> = text.trim().to_uppercase().chars().collect();
        match group.len() {
            0 | 1 => Err(format!("{text:?} folds nothing: two characters or more are taken for one another")),
            _ => Ok(Fold(group)),
        }
    }
}

/// The letters and digits of `text` in capitals, in Unicode's compatibility form (NFKC): spaces, hyphens and other marks do not
/// count. Of each group of `folds`, in their order, every character becomes the first.
pub fn normalise(text: &str, folds: &[Fold]) -> Vec<char> {
    let plain: String = text.nfkc().collect();
    let counts = |char: &char| char.is_alphanumeric() && !is_combining_mark(*char);
    let mut chars: Vec<char> = plain.to_uppercase().chars().filter(counts).collect();
    for Fold(group) in folds {
        for char in &mut chars {
            if group.contains(char) {
                *char = group[0];
            }
        }
    }
    chars
}

/// How many characters must be put in, taken out or replaced to make `a` into `b` (Levenshtein, 1965).
pub fn edit_distance(a: &[char], b: &[char]) -> u64 {
    let mut row: Vec<u64> = (0..=b.len() as u64).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i as u64 + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + u64::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

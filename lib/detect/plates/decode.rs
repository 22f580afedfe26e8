//! The reader's scores to characters, and characters to candidate texts.

use std::collections::BTreeMap;

/// The characters a plate is made of; class 0 of the network is none of them.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Classes of the network.
pub const CLASSES: usize = ALPHABET.len() + 1;
/// Lines of text on a plate, at most; the scores of the upper one come first.
pub const LINES: usize = 2;
/// Characters kept for a place.
const ALTERNATIVES: usize = 4;
/// Characters stand at least this many columns apart; nearer ones are one character in doubt.
const NEAREST: f64 = 1.8;

/// One place of a text: what may stand there.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Characters that may stand here with their probabilities, likeliest first; never empty.
    pub options: Vec<(char, f64)>,
}

/// Characters in reading order, of one plate's scores: for each line [`CLASSES`] rows with a value for every column.
pub fn places(scores: &[f32]) -> Vec<Place> {
    scores.chunks_exact((scores.len() / LINES).max(1)).flat_map(line).collect()
}

/// Characters of one line from left to right.
fn line(scores: &[f32]) -> Vec<Place> {
    let columns = scores.len() / CLASSES;
    let probabilities: Vec<[f64; CLASSES]> = (0..columns).map(|c| softmax(scores, columns, c)).collect();
    let mut spans: Vec<Span> = Vec::new();
    for (column, probability) in probabilities.iter().enumerate() {
        let class = largest(probability);
        if class == 0 {
            continue;
        }
        match spans.last_mut() {
            Some(span) if span.end == column && span.class == class => span.end += 1,
            _ => spans.push(Span { class, start: column, end: column + 1 }),
        }
    }
    merge(&mut spans);
    spans.iter().map(|span| span.place(&probabilities)).collect()
}

/// Neighbouring columns that show one character.
struct Span {
    class: usize,
    start: usize,
    end: usize,
}

impl Span {
    fn middle(&self) -> f64 {
        (self.start + self.end - 1) as f64 / 2.0
    }

    fn place(&self, probabilities: &[[f64; CLASSES]]) -> Place {
        let inside = &probabilities[self.start..self.end];
        let peak = |class: usize| inside.iter().map(|p| p[class]).fold(0.0, f64::max);
        let mut options: Vec<(char, f64)> =
            ALPHABET.iter().enumerate().map(|(i, &c)| (char::from(c), peak(i + 1))).collect();
        options.sort_by(|a, b| b.1.total_cmp(&a.1));
        options.truncate(ALTERNATIVES);
        let mass: f64 = options.iter().map(|o| o.1).sum();
        if mass > 1.0 {
            options.iter_mut().for_each(|o| o.1 /= mass);
        }
        Place { options }
    }
}

/// Joins spans that touch and are too near for two characters: the network wavers between two readings of one.
fn merge(spans: &mut Vec<Span>) {
    let mut i = 1;
    while i < spans.len() {
        let (left, right) = (&spans[i - 1], &spans[i]);
        if left.end == right.start && right.middle() - left.middle() < NEAREST {
            spans[i - 1].end = spans[i].end;
            spans.remove(i);
        } else {
            i += 1;
        }
    }
}

fn softmax(scores: &[f32], columns: usize, column: usize) -> [f64; CLASSES] {
    let score = |class: usize| f64::from(scores[class * columns + column]);
    let highest = (0..CLASSES).map(score).fold(f64::NEG_INFINITY, f64::max);
    let mut result = [0.0; CLASSES];
    for (class, value) in result.iter_mut().enumerate() {
        *value = (score(class) - highest).exp();
    }
    let sum: f64 = result.iter().sum();
    result.map(|v| v / sum)
}

fn largest(values: &[f64; CLASSES]) -> usize {
    (1..CLASSES).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// The `count` likeliest texts with the product of their characters' probabilities, best first.
fn candidates(places: &[Place], count: usize) -> Vec<(String, f64)> {
    let mut beam = vec![(String::new(), 1.0)];
    for place in places {
        beam = beam
            .iter()
            .flat_map(|(text, p)| place.options.iter().map(move |(c, q)| (format!("{text}{c}"), p * q)))
            .collect();
        beam.sort_by(|a, b| b.1.total_cmp(&a.1));
        beam.truncate(count);
    }
    beam
}

/// The `count` likeliest texts of several readings of one plate with their mean likelihoods, best first.
pub fn mean(readings: &[Vec<Place>], count: usize) -> Vec<(String, f64)> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for (text, likelihood) in readings.iter().flat_map(|places| candidates(places, count)) {
        *sums.entry(text).or_default() += likelihood / readings.len() as f64;
    }
    let mut texts: Vec<_> = sums.into_iter().filter(|(text, _)| !text.is_empty()).collect();
    texts.sort_by(|a, b| b.1.total_cmp(&a.1));
    texts.truncate(count);
    texts
}

/// A text's characters with their mean probabilities in the readings that have as many.
pub fn characters(readings: &[Vec<Place>], text: &str) -> Vec<(char, f64)> {
    let alike: Vec<_> = readings.iter().filter(|places| places.len() == text.len()).collect();
    let of = |(at, shown): (usize, char)| {
        let each = alike.iter().flat_map(|places| &places[at].options).filter(|option| option.0 == shown);
        (shown, each.map(|option| option.1).sum::<f64>() / alike.len().max(1) as f64)
    };
    text.chars().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that show `shown` (a class for every column) with certainty.
    fn scores(shown: &[usize]) -> Vec<f32> {
        let mut scores = vec![0.0; CLASSES * shown.len()];
        for (column, class) in shown.iter().enumerate() {
            scores[class * shown.len() + column] = 9.0;
        }
        scores
    }

    fn text(places: &[Place]) -> String {
        places.iter().map(|p| p.options[0].0).collect()
    }

    /// Scores of a plate that shows this in its upper line and nothing below.
    fn upper(shown: &[usize]) -> Vec<f32> {
        [scores(shown), scores(&vec![0; shown.len()])].concat()
    }

    #[test]
    fn repeats_are_one_character_and_a_gap_makes_two() {
        assert_eq!(text(&places(&upper(&[0, 2, 2, 2, 0, 2, 2, 0, 11, 0]))), "11A");
    }

    #[test]
    fn the_lower_line_follows_the_upper_one() {
        let plate = |upper: &[usize], lower: &[usize]| [scores(upper), scores(lower)].concat();
        assert_eq!(text(&places(&plate(&[0, 11, 0, 12], &[0, 2, 0, 3]))), "AB12");
        assert_eq!(text(&places(&plate(&[0, 0, 0, 2], &[2, 0, 0, 0]))), "11");
    }

    #[test]
    fn two_readings_of_one_place_stay_one_character() {
        let places = places(&upper(&[0, 9, 12, 0]));
        assert_eq!(places.len(), 1);
        let mut seen: Vec<char> = places[0].options.iter().take(2).map(|o| o.0).collect();
        seen.sort_unstable();
        assert_eq!(seen, ['8', 'B']);
        assert!(places[0].options[0].1 <= 0.5);
    }

    #[test]
    fn candidates_come_best_first_and_begin_with_the_best_of_every_place() {
        let place = |options: &[(char, f64)]| Place { options: options.to_vec() };
        let places = [place(&[('A', 0.9), ('4', 0.1)]), place(&[('8', 0.6), ('B', 0.4)])];
        let found = candidates(&places, 3);
        let texts: Vec<&str> = found.iter().map(|c| c.0.as_str()).collect();
        assert_eq!(texts, ["A8", "AB", "48"]);
        assert!((found[0].1 - 0.9 * 0.6).abs() < 1e-9);
    }

    #[test]
    fn readings_that_agree_outweigh_a_surer_one() {
        let reading =
            |shown: char, sure: f64| vec![Place { options: vec![(shown, sure), ('X', 1.0 - sure)] }];
        let readings = [reading('8', 0.6), reading('B', 0.9), reading('8', 0.5)];
        let found = mean(&readings, 3);
        assert_eq!(found[0].0, "8");
        assert!((found[0].1 - 1.1 / 3.0).abs() < 1e-9);
        assert_eq!(characters(&readings, "8"), [('8', 1.1 / 3.0)]);
        assert!(mean(&[vec![], vec![]], 3).is_empty());
    }

    #[test]
    fn no_scores_give_no_places() {
        assert!(places(&[]).is_empty());
        assert!(places(&upper(&[0, 0, 0])).is_empty());
    }
}

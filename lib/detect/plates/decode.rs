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

/// Where most likely nothing stands, a character may that is as likely as this.
const FAINT: f64 = 0.15;
/// Where something stands, nothing may that is likelier than this.
const ABSENT: f64 = 0.02;

/// A text that a plate may bear.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// A-Z and 0-9, never empty.
    pub text: String,
    /// How likely the plate says this and nothing else.
    pub likelihood: f64,
    /// How likely each character is, whatever the others are.
    pub alone: Vec<f64>,
}

/// One place of a text: characters that may stand there with their probabilities, likeliest first. What is left to 1 is that
/// none does.
#[derive(Clone, Debug, PartialEq)]
struct Place(Vec<(char, f64)>);

impl Place {
    /// How likely nothing stands there, if that is worth a thought.
    fn absent(&self) -> Option<f64> {
        let absent = 1.0 - self.0.iter().map(|(_, probability)| probability).sum::<f64>();
        (absent > ABSENT).then_some(absent)
    }
}

/// Places in reading order, of one plate's scores: for each line [`CLASSES`] rows with a value for every column.
fn places(scores: &[f32]) -> Vec<Place> {
    scores.chunks_exact((scores.len() / LINES).max(1)).flat_map(line).collect()
}

/// Places of one line from left to right.
fn line(scores: &[f32]) -> Vec<Place> {
    let columns = scores.len() / CLASSES;
    let probabilities: Vec<[f64; CLASSES]> = (0..columns).map(|c| softmax(scores, columns, c)).collect();
    let mut spans = plain(&probabilities);
    spans.extend(faint(&probabilities, &spans));
    spans.sort_by_key(|span| span.start);
    spans.iter().map(|span| span.place(&probabilities)).collect()
}

/// Where a character most likely stands.
fn plain(probabilities: &[[f64; CLASSES]]) -> Vec<Span> {
    let likeliest = probabilities.iter().map(|probability| largest(probability, 0)).enumerate();
    let mut spans = joined(likeliest.filter(|&(_, class)| class != 0), |span, class| span.class == class);
    merge(&mut spans);
    spans
}

/// Where a character may stand, though it is likelier that none does: away from these that stand there.
fn faint(probabilities: &[[f64; CLASSES]], plain: &[Span]) -> Vec<Span> {
    let beside = |column| plain.iter().any(|span| span.start <= column + 1 && column <= span.end);
    let likeliest = probabilities.iter().map(|probability| largest(probability, 1)).enumerate();
    let shown = likeliest.filter(|&(column, class)| probabilities[column][class] >= FAINT && !beside(column));
    joined(shown, |_, _| true)
}

/// Columns with their classes, from left to right, to spans: a column joins those right before it if `one` says that its class
/// is the same character as theirs.
fn joined(shown: impl Iterator<Item = (usize, usize)>, one: impl Fn(&Span, usize) -> bool) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (column, class) in shown {
        match spans.last_mut() {
            Some(span) if span.end == column && one(span, class) => span.end += 1,
            _ => spans.push(Span { class, start: column, end: column + 1 }),
        }
    }
    spans
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
        Place(options)
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

/// The class with the largest value, from class `first` on.
fn largest(values: &[f64; CLASSES], first: usize) -> usize {
    (first..CLASSES).fold(first, |best, i| if values[i] > values[best] { i } else { best })
}

/// The `count` likeliest texts of one plate's scores ([`LINES`] times [`CLASSES`] rows with a value for every column), best first.
pub fn candidates(scores: &[f32], count: usize) -> Vec<Candidate> {
    likeliest(&places(scores), count)
}

/// The `count` texts whose places' probabilities have the largest products, best first.
fn likeliest(places: &[Place], count: usize) -> Vec<Candidate> {
    let mut beam = vec![Candidate { text: String::new(), likelihood: 1.0, alone: Vec::new() }];
    for place in places {
        let absent = place.absent();
        let further = |before: &Candidate| {
            let shown = place.0.iter().map(|&(character, probability)| Candidate {
                text: format!("{}{character}", before.text),
                likelihood: before.likelihood * probability,
                alone: [&before.alone[..], &[probability]].concat(),
            });
            let none =
                absent.map(|absent| Candidate { likelihood: before.likelihood * absent, ..before.clone() });
            shown.chain(none).collect::<Vec<_>>()
        };
        beam = beam.iter().flat_map(further).collect();
        best(&mut beam, count);
    }
    beam.retain(|candidate| !candidate.text.is_empty());
    beam
}

/// The `count` likeliest texts of several readings of one plate with their mean likelihoods, best first.
pub fn mean(readings: &[Vec<Candidate>], count: usize) -> Vec<Candidate> {
    let mut sums: BTreeMap<&str, (f64, Vec<f64>)> = BTreeMap::new();
    for Candidate { text, likelihood, alone } in readings.iter().flatten() {
        let (whole, each) = sums.entry(text).or_insert_with(|| (0.0, vec![0.0; alone.len()]));
        *whole += likelihood;
        each.iter_mut().zip(alone).for_each(|(sum, alone)| *sum += likelihood * alone);
    }
    let mut texts: Vec<_> = sums
        .into_iter()
        .map(|(text, (whole, each))| Candidate {
            text: text.to_owned(),
            likelihood: whole / readings.len() as f64,
            alone: each.into_iter().map(|sum| sum / whole.max(f64::MIN_POSITIVE)).collect(),
        })
        .collect();
    best(&mut texts, count);
    texts
}

/// Brings the likeliest to the front and leaves `count`.
fn best(candidates: &mut Vec<Candidate>, count: usize) {
    candidates.sort_by(|a, b| b.likelihood.total_cmp(&a.likelihood));
    candidates.truncate(count);
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
        places.iter().map(|p| p.0[0].0).collect()
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
        let mut seen: Vec<char> = places[0].0.iter().take(2).map(|o| o.0).collect();
        seen.sort_unstable();
        assert_eq!(seen, ['8', 'B']);
        assert!(places[0].0[0].1 <= 0.5);
    }

    #[test]
    fn candidates_come_best_first_and_begin_with_the_best_of_every_place() {
        let places = [Place(vec![('A', 0.9), ('4', 0.1)]), Place(vec![('8', 0.6), ('B', 0.4)])];
        let found = likeliest(&places, 3);
        let texts: Vec<&str> = found.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(texts, ["A8", "AB", "48"]);
        assert!((found[0].likelihood - 0.9 * 0.6).abs() < 1e-9);
        assert_eq!(found[0].alone, [0.9, 0.6]);
    }

    #[test]
    fn what_may_stand_there_and_what_may_not_make_texts_too() {
        let texts = |places: &[Place]| {
            let likely = likeliest(places, 9).into_iter().filter(|candidate| candidate.likelihood > 0.05);
            likely.map(|candidate| candidate.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(&[Place(vec![('A', 0.6)]), Place(vec![('1', 1.0)])]), ["A1", "1"]);
        assert_eq!(
            texts(&[Place(vec![('A', 0.99)]), Place(vec![('1', 1.0)])]),
            ["A1"],
            "hardly anything is left"
        );
        // Of seven columns the last but one shows a 3 less likely than nothing.
        let mut scores = upper(&[0, 11, 0, 0, 0, 0, 0]);
        scores[4 * 7 + 5] = 8.0;
        assert_eq!(texts(&places(&scores)), ["A", "A3"]);
        scores[4 * 7 + 5] = 2.0;
        assert_eq!(texts(&places(&scores)), ["A"]);
        assert!(texts(&[]).is_empty());
    }

    #[test]
    fn readings_that_agree_outweigh_a_surer_one() {
        let reading = |shown: char, sure: f64| likeliest(&[Place(vec![(shown, sure), ('X', 1.0 - sure)])], 3);
        let found = mean(&[reading('8', 0.6), reading('B', 0.9), reading('8', 0.5)], 3);
        assert_eq!(found[0].text, "8");
        assert!((found[0].likelihood - 1.1 / 3.0).abs() < 1e-9);
        let weighted = (0.6 * 0.6 + 0.5 * 0.5) / 1.1;
        assert!((found[0].alone[0] - weighted).abs() < 1e-9, "{found:?}");
        assert!(mean(&[vec![], vec![]], 3).is_empty());
    }

    #[test]
    fn no_scores_give_no_places() {
        assert!(places(&[]).is_empty());
        assert!(places(&upper(&[0, 0, 0])).is_empty());
    }
}

//! The patterns of `models/plates/regions.txt`: whether a text follows one, and how likely one gives it.

/// How plates of one kind are made up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

/// So many characters of one kind in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    kind: Kind,
    least: usize,
    most: usize,
}

/// What may stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A letter that is none of these.
    Letter(&'static str),
    Figure,
    Either,
}

impl Kind {
    fn allows(self, c: u8) -> bool {
        match self {
            Kind::Letter(without) => c.is_ascii_uppercase() && !without.as_bytes().contains(&c),
            Kind::Figure => c.is_ascii_digit(),
            Kind::Either => true,
        }
    }

    /// How many characters it allows.
    fn count(self) -> usize {
        match self {
            Kind::Letter(without) => 26 - without.len(),
            Kind::Figure => 10,
            Kind::Either => 36,
        }
    }
}

impl Pattern {
    /// The pattern, without what is only drawn.
    pub fn new(pattern: &'static str) -> Self {
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
        Pattern(parts)
    }

    /// Whether it says anything: what its owner chose follows none.
    pub fn is_made_up(&self) -> bool {
        self.0.iter().any(|part| part.kind != Kind::Either)
    }

    /// The fewest and the most characters of a text that follows it.
    #[cfg(test)]
    pub fn lengths(&self) -> (usize, usize) {
        self.0.iter().fold((0, 0), |(low, high), part| (low + part.least, high + part.most))
    }

    /// How likely a text drawn by this pattern, everything that it leaves open being equally likely, is this one (A-Z and 0-9
    /// only); 0 if that cannot be.
    pub fn likelihood(&self, text: &str) -> f64 {
        likelihood(&self.0, text.as_bytes())
    }
}

fn likelihood(parts: &[Part], text: &[u8]) -> f64 {
    let Some((part, others)) = parts.split_first() else { return f64::from(u8::from(text.is_empty())) };
    let run = text.iter().take(part.most).take_while(|c| part.kind.allows(**c)).count();
    let each = (part.least..=run)
        .map(|taken| (part.kind.count() as f64).powi(-(taken as i32)) * likelihood(others, &text[taken..]));
    each.sum::<f64>() / (part.most + 1 - part.least) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_leaves_open_is_equally_likely() {
        let near = |pattern, text, one_of: f64| {
            let likelihood = Pattern::new(pattern).likelihood(text);
            assert!((likelihood * one_of - 1.0).abs() < 1e-9, "{pattern} {text}: 1 of {}", 1.0 / likelihood);
        };
        near("A-99", "B12", 26.0 * 100.0);
        near("[^IO]{2}_y9", "AB7", 24.0 * 24.0 * 10.0);
        near("A{1,2}9", "AB7", 2.0 * 26.0 * 26.0 * 10.0);
        near("X{2}|9{1,3}", "A711", 36.0 * 36.0 * 3.0 * 100.0);
        for (pattern, text) in [("A99", "B1"), ("A99", "B123"), ("[^IO]9", "I1"), ("A{1,2}9", "")] {
            assert_eq!(Pattern::new(pattern).likelihood(text), 0.0, "{pattern} {text}");
        }
    }

    #[test]
    fn only_what_its_owner_chose_says_nothing() {
        assert!(Pattern::new("9X{3}").is_made_up() && !Pattern::new("X{4,6}").is_made_up());
    }
}

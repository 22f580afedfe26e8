//! Which plates and cards look alike. Numbers are as [`park_core::site::plain`] writes them.

/// How many characters must be changed, added or left out to make one number into the other, where characters that
/// look alike (0/O/Q/D, 1/I/L, 8/B, 5/S, 2/Z, 6/G) count as the same. Both are in normal form.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().map(fold).collect(), b.chars().map(fold).collect());
    // Levenshtein's distance, one row at a time.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Whether a person should ask if the two numbers are one: at most one character apart, or none for short ones, where
/// one character in four is too much.
pub fn alike(a: &str, b: &str) -> bool {
    let shorter = a.chars().count().min(b.chars().count());
    distance(a, b) <= usize::from(shorter >= 5)
}

/// Whether the two may be readings of one plate seen twice: up to two characters apart, or one a part of the other, as
/// when the plate is cut off at the edge of the frame.
pub fn may_be_same(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let tolerance = match short.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    };
    let folded = |text: &str| text.chars().map(fold).collect::<String>();
    distance(a, b) <= tolerance || (short.len() >= 4 && folded(long).contains(&folded(short)))
}

fn fold(c: char) -> char {
    match c {
        '0' | 'Q' | 'D' => 'O',
        '1' | 'L' => 'I',
        '8' => 'B',
        '5' => 'S',
        '2' => 'Z',
        '6' => 'G',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_look_alike_cost_nothing() {
        assert_eq!(distance("B0D1256", "80OIZSG"), 0);
        assert_eq!(distance("ABC123", "ABC124"), 1);
        assert_eq!(distance("ABC123", "ABC13"), 1);
        assert_eq!(distance("", "ABC"), 3);
    }

    #[test]
    fn short_numbers_must_be_the_same_to_look_alike() {
        assert!(alike("B1234XY", "B1234XX"));
        assert!(!alike("B1234XY", "B1234KK"));
        assert!(alike("AB12", "A812"));
        assert!(!alike("AB12", "AB13"));
    }

    #[test]
    fn a_cut_off_plate_may_be_the_same() {
        assert!(may_be_same("B1234XYZ", "1234XY"));
        assert!(may_be_same("COYU51", "CQYU"));
        assert!(!may_be_same("B1234XYZ", "123"));
        assert!(!may_be_same("KA01AB1234", "MH12DE1433"));
    }
}

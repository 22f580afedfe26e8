//! Rates with their intervals of 95 %.

use serde::Serialize;

/// The quantile of the normal distribution that leaves 2.5 % on either side.
const Z: f64 = 1.96;

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many did.
    pub count: u64,
    /// How many could.
    pub of: u64,
    /// The share, 0 to 1, if there were any.
    pub rate: Option<f64>,
    /// The lower and the upper bound of the interval (Wilson, 1927).
    pub interval: Option<[f64; 2]>,
}

impl Share {
    /// `count` of `of`.
    pub fn new(count: u64, of: u64) -> Self {
        let some = of > 0;
        Share {
            count,
            of,
            rate: some.then(|| count as f64 / of as f64),
            interval: some.then(|| wilson(count as f64, of as f64)),
        }
    }
}

fn wilson(count: f64, of: f64) -> [f64; 2] {
    let rate = count / of;
    let scale = 1.0 + Z * Z / of;
    let middle = (rate + Z * Z / (2.0 * of)) / scale;
    let half = Z * (rate * (1.0 - rate) / of + Z * Z / (4.0 * of * of)).sqrt() / scale;
    // The bounds reach 0 and 1 where the rate does, whatever rounding makes of it.
    [(middle - half).clamp(0.0, rate), (middle + half).clamp(rate, 1.0)]
}

/// How often something happened in a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Hourly {
    /// How often.
    pub count: u64,
    /// In how many hours.
    pub hours: f64,
    /// How often an hour, if there was any time.
    pub rate: Option<f64>,
    /// The lower and the upper bound of the interval, as of a Poisson process (Byar's approximation; Breslow and Day, 1987).
    pub interval: Option<[f64; 2]>,
}

impl Hourly {
    /// `count` times in `hours`.
    pub fn new(count: u64, hours: f64) -> Self {
        let some = hours > 0.0;
        Hourly {
            count,
            hours,
            rate: some.then(|| count as f64 / hours),
            interval: some.then(|| byar(count as f64).map(|bound| bound / hours)),
        }
    }
}

fn byar(count: f64) -> [f64; 2] {
    let cube = |n: f64, side: f64| n * (1.0 - 1.0 / (9.0 * n) + side * Z / (3.0 * n.sqrt())).powi(3);
    let low = if count > 0.0 { cube(count, -1.0).max(0.0) } else { 0.0 };
    [low, cube(count + 1.0, 1.0)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn near(found: [f64; 2], expected: [f64; 2], within: f64) {
        let off = (found[0] - expected[0]).abs().max((found[1] - expected[1]).abs());
        assert!(off < within, "{found:?} is not {expected:?}");
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        near(Share::new(8, 10).interval.unwrap(), [0.4902, 0.9433], 1e-4);
        near(Share::new(0, 10).interval.unwrap(), [0.0, 0.2775], 1e-4);
        // The exact intervals of a Poisson count are 0 to 3.689 and 4.795 to 18.390.
        near(Hourly::new(0, 2.0).interval.unwrap(), [0.0, 1.845], 0.02);
        near(Hourly::new(10, 1.0).interval.unwrap(), [4.795, 18.390], 0.02);
    }

    #[test]
    fn nothing_has_no_rate() {
        assert_eq!((Share::new(0, 0).rate, Share::new(0, 0).interval), (None, None));
        assert_eq!((Hourly::new(3, 0.0).rate, Hourly::new(3, 0.0).interval), (None, None));
    }
}

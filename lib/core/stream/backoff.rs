//! Waiting longer after each failure, with jitter so that a crowd does not return at once.

use std::time::Duration;

/// Delays that double from `first` up to `most`, each shortened by up to a fifth.
///
/// The jitter comes from a small generator seeded by the caller (Marsaglia's xorshift, 2003), so that tests repeat.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
    random: u64,
}

impl Backoff {
    /// Begins at `first`; `seed` moves the jitter.
    pub fn new(first: Duration, most: Duration, seed: u64) -> Self {
        Backoff { first, most, next: first, random: seed | 1 }
    }

    /// How long to wait now.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.most);
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        delay.mul_f64(1.0 - 0.2 * (self.random % 1024) as f64 / 1024.0)
    }

    /// It worked: begin anew.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_most_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5), 7);
        for expected in [1.0, 2.0, 4.0, 5.0, 5.0] {
            let delay = backoff.delay().as_secs_f64();
            assert!(delay <= expected && delay >= expected * 0.8, "{delay} for {expected}");
        }
        backoff.reset();
        assert!(backoff.delay() <= Duration::from_secs(1));
    }
}

//! How fast and how large frames go to one viewer: as its connection takes them. Pure.

use std::time::Duration;

/// How a picture is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    /// At most so many pixels wide; 0 for as wide as it is.
    pub width: u32,
    /// Coded with at most this quality, 1 to 100; 0 for as it is.
    pub quality: u8,
}

/// What a viewer asks for at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Frames a second.
    pub fps: f64,
    /// The picture.
    pub shape: Shape,
}

/// The most frames a second that anybody is sent.
pub const MOST_FPS: f64 = 30.0;

/// The fewest frames a second that one may ask for.
pub const LEAST_FPS: f64 = 0.1;

/// Widths that pictures are made in, so that viewers with like wishes share them.
const WIDTHS: &[u32] = &[160, 240, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3840];

/// The steps from the best down: frames a second, quality, width.
const STEPS: &[(f64, u8, u32)] = &[
    (30.0, 0, 0),
    (30.0, 70, 0),
    (20.0, 70, 1280),
    (15.0, 60, 960),
    (10.0, 55, 640),
    (6.0, 50, 640),
    (4.0, 45, 480),
    (2.0, 40, 320),
    (1.0, 35, 320),
    (0.5, 30, 240),
];

/// The share of a frame's time that sending it may take.
const BUSY: f64 = 0.8;

/// The share below which a better step may be tried.
const IDLE: f64 = 0.3;

/// How long it must have been easy before a better step is tried, at first and at most.
const TRIAL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

impl Default for Wanted {
    fn default() -> Self {
        Wanted { fps: MOST_FPS, shape: Shape::default() }
    }
}

impl Wanted {
    /// What somebody asks for, brought within the limits: a width becomes the next smaller one that pictures are made
    /// in, a quality the next lower ten. Nothing if it is no rate, quality (1 to 100) or width (1 pixel or more).
    pub fn new(fps: Option<f64>, quality: Option<u8>, width: Option<u32>) -> Option<Wanted> {
        let fps = fps.unwrap_or(MOST_FPS);
        let sound = fps.is_finite()
            && fps > 0.0
            && quality.is_none_or(|quality| (1..=100).contains(&quality))
            && width != Some(0);
        let rung =
            |width: u32| WIDTHS.iter().rev().find(|rung| **rung <= width).copied().unwrap_or(WIDTHS[0]);
        let shape =
            Shape { width: width.map_or(0, rung), quality: quality.map_or(0, |of| (of / 10 * 10).max(10)) };
        sound.then(|| Wanted { fps: fps.clamp(LEAST_FPS, MOST_FPS), shape })
    }
}

/// The pace of one viewer.
#[derive(Debug, Clone)]
pub struct Pace {
    wanted: Wanted,
    step: usize,
    /// How much of a frame's time sending takes, smoothed; over 1 if it takes longer.
    load: f64,
    /// For how long it has been easy.
    easy: Duration,
    /// How long it must be easy before a better step is tried.
    trial: Duration,
    /// How long ago a better step was tried, while that is not proven.
    tried: Option<Duration>,
}

impl Pace {
    /// The pace for a viewer that wants `wanted`: the best until its connection says otherwise.
    pub fn new(wanted: Wanted) -> Pace {
        Pace { wanted, step: 0, load: 0.0, easy: Duration::ZERO, trial: TRIAL.0, tried: None }
    }

    /// The time between two frames.
    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / STEPS[self.step].0.min(self.wanted.fps))
    }

    /// How the next frame is sent.
    pub fn shape(&self) -> Shape {
        let (_, quality, width) = STEPS[self.step];
        let Shape { width: most, quality: best } = self.wanted.shape;
        // 0 means no bound.
        let least = |a: u32, b: u32| if a == 0 || b == 0 { a.max(b) } else { a.min(b) };
        let quality = least(u32::from(quality), u32::from(best));
        Shape { width: least(width, most), quality: u8::try_from(quality).unwrap_or(100) }
    }

    /// The step, from 0 for the best.
    pub fn step(&self) -> usize {
        self.step
    }

    /// The last frame took `drain` to go out, and `since` has passed from the frame before it.
    pub fn sent(&mut self, drain: Duration, since: Duration) {
        let load = drain.as_secs_f64() / self.interval().as_secs_f64();
        self.load = if load > self.load { (self.load + load) / 2.0 } else { self.load * 0.8 + load * 0.2 };
        self.tried = self.tried.map(|tried| tried + since);
        if self.load > BUSY {
            self.worse();
        } else if self.load < IDLE {
            self.easy += since;
            if self.easy >= self.trial && self.step > 0 {
                self.step -= 1;
                (self.easy, self.load, self.tried) = (Duration::ZERO, BUSY / 2.0, Some(Duration::ZERO));
            }
        } else {
            self.easy = Duration::ZERO;
        }
        if self.tried.is_some_and(|tried| tried > 2 * self.trial) {
            (self.tried, self.trial) = (None, TRIAL.0);
        }
    }

    fn worse(&mut self) {
        // What was tried too early is tried later the next time.
        if self.tried.take().is_some() {
            self.trial = (self.trial * 2).min(TRIAL.1);
        }
        // Twice the time a frame has: two steps at once.
        let down = if self.load > 2.0 { 2 } else { 1 };
        self.step = (self.step + down).min(STEPS.len() - 1);
        (self.easy, self.load) = (Duration::ZERO, BUSY / 2.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// About how many bytes a picture of 1920 x 1080 has in this shape.
    fn bytes(shape: Shape) -> f64 {
        let width = f64::from(if shape.width == 0 { 1920 } else { shape.width.min(1920) });
        let quality = f64::from(if shape.quality == 0 { 90 } else { shape.quality });
        width * width * 9.0 / 16.0 * 0.12 * (quality / 70.0).powi(2)
    }

    /// Sends frames over a link of `rate` bytes a second for `seconds`; returns the pace and the bytes sent.
    fn play(rate: f64, wanted: Wanted, seconds: f64) -> (Pace, f64) {
        let (mut pace, mut clock, mut sent) = (Pace::new(wanted), 0.0, 0.0);
        while clock < seconds {
            let size = bytes(pace.shape());
            let drain = size / rate;
            let took = drain.max(pace.interval().as_secs_f64());
            clock += took;
            sent += size;
            pace.sent(Duration::from_secs_f64(drain), Duration::from_secs_f64(took));
        }
        (pace, sent)
    }

    #[test]
    fn a_fast_link_keeps_the_best() {
        let (pace, _) = play(1e9, Wanted::default(), 60.0);
        assert_eq!((pace.step(), pace.shape()), (0, Shape::default()));
        assert_eq!(pace.interval(), Duration::from_secs_f64(1.0 / 30.0));
    }

    #[test]
    fn a_link_that_recovers_gets_the_best_back() {
        let (mut pace, _) = play(20_000.0, Wanted::default(), 60.0);
        assert!(pace.step() >= 5, "{pace:?}");
        let mut seconds = 0.0;
        while pace.step() > 0 {
            let took = pace.interval();
            pace.sent(Duration::ZERO, took);
            seconds += took.as_secs_f64();
            assert!(seconds < 700.0, "{pace:?}");
        }
    }

    #[test]
    fn wishes_are_brought_within_the_limits() {
        let wanted = Wanted::new(Some(500.0), Some(77), Some(500)).unwrap();
        assert_eq!((wanted.fps, wanted.shape), (30.0, Shape { width: 480, quality: 70 }));
        assert_eq!(Wanted::new(None, Some(3), Some(1)).unwrap().shape, Shape { width: 160, quality: 10 });
        assert_eq!(Wanted::new(None, None, None).unwrap(), Wanted::default());
        for bad in [
            Wanted::new(Some(0.0), None, None),
            Wanted::new(Some(f64::NAN), None, None),
            Wanted::new(Some(-1.0), None, None),
            Wanted::new(None, Some(0), None),
            Wanted::new(None, Some(101), None),
            Wanted::new(None, None, Some(0)),
        ] {
            assert_eq!(bad, None);
        }
    }

    proptest! {
        /// Whatever the link does, what is sent stays within what was asked for, and a frame never comes early.
        #[test]
        fn the_wishes_are_never_exceeded(
            drains in proptest::collection::vec(0u64..5000, 1..300),
            fps in 0.1..100.0f64,
            quality in 1u8..=100,
            width in 1u32..5000,
        ) {
            let wanted = Wanted::new(Some(fps), Some(quality), Some(width)).unwrap();
            let mut pace = Pace::new(wanted);
            for drain in drains.into_iter().map(Duration::from_millis) {
                let shape = pace.shape();
                prop_assert!(shape.width <= width.max(160) && shape.width > 0);
                prop_assert!(shape.quality <= quality.max(10) && shape.quality > 0);
                prop_assert!(pace.interval().as_secs_f64() >= 1.0 / fps.min(MOST_FPS) - 1e-6);
                prop_assert!(pace.step() < STEPS.len());
                pace.sent(drain, drain.max(pace.interval()));
            }
        }

        /// A link of constant rate is not asked for more than it can take: sending fills no more than its time.
        #[test]
        fn a_slow_link_is_not_swamped(rate in 10_000.0..1e7f64) {
            let (pace, sent) = play(rate, Wanted::default(), 120.0);
            prop_assert!(sent <= rate * 121.0);
            let load = bytes(pace.shape()) / rate / pace.interval().as_secs_f64();
            // It may just be trying a better step.
            prop_assert!(load <= 3.0 || pace.step() == STEPS.len() - 1, "{load} {pace:?}");
        }

        /// A faster link never has worse pictures in the end, a step that is being tried aside.
        #[test]
        fn faster_is_never_worse(rate in 10_000.0..1e6f64) {
            let slow = play(rate, Wanted::default(), 120.0).0;
            let fast = play(rate * 8.0, Wanted::default(), 120.0).0;
            prop_assert!(fast.step() <= slow.step() + 1, "{} {}", fast.step(), slow.step());
        }
    }
}

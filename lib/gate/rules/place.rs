//! Where in the picture a plate is, and whether it moves.

use std::time::Duration;

use park_core::record::Time;

/// A plate that has grown by more than this from a sample of its width to the next is drawing near.
const GROWTH: f64 = 1.08;
/// From one sample of its width to the next.
const SAMPLE: Duration = Duration::from_millis(500);
/// By how much of its width a plate that stands still is found elsewhere from frame to frame.
const STILL: f64 = 0.15;

/// What stands still.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub place: Area,
    pub since: Time,
    /// How often it was announced there before.
    pub times: u32,
}

/// Whether a plate draws near.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nearing {
    /// When its width was last kept, and that.
    since: Time,
    width: f64,
    /// Whether it was drawing near then, as any may at first.
    pub yet: bool,
}

impl Nearing {
    pub fn new(place: &Area, time: Time) -> Nearing {
        Nearing { since: time, width: place.width(), yet: true }
    }

    pub fn see(&mut self, place: &Area, time: Time) {
        if time.since(self.since) >= SAMPLE {
            let width = place.width();
            *self = Nearing { since: time, width, yet: width > GROWTH * self.width };
        }
    }
}

/// An upright rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    pub fn around(corners: &[[f64; 2]; 4]) -> Area {
        let mut area = Area { left: f64::MAX, top: f64::MAX, right: f64::MIN, bottom: f64::MIN };
        for [x, y] in corners {
            area.left = area.left.min(*x);
            area.right = area.right.max(*x);
            area.top = area.top.min(*y);
            area.bottom = area.bottom.max(*y);
        }
        area
    }

    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    fn size(&self) -> f64 {
        self.width() * (self.bottom - self.top)
    }

    /// Intersection over union, 0 to 1.
    pub fn overlap(&self, other: &Area) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let both = width * height;
        both / (self.size() + other.size() - both)
    }

    /// Whether a plate here and one at `other` may be one that has not moved.
    pub fn is_very_nearly(&self, other: &Area) -> bool {
        self.distance(other) <= STILL * self.width().max(other.width())
    }

    /// Between the centres, in pixels.
    pub fn distance(&self, other: &Area) -> f64 {
        let x = (self.left + self.right - other.left - other.right) / 2.0;
        let y = (self.top + self.bottom - other.top - other.bottom) / 2.0;
        x.hypot(y)
    }
}

//! More passages of the gate, as many as are asked for, to measure by.

use crate::car::{HATCH, SEDAN, SUV, VAN};
use crate::gate::{Guest, Show};
use crate::math::Rng;
use crate::plate::Style;
use crate::yard::Sky;

/// Cars in one film.
const CARS: usize = 5;
/// Seconds from one to the next, and before the first.
const APART: f32 = 7.5;
const FIRST: f32 = 6.0;

/// Films of so many passages in all, five in each, in all weathers and of all looks of plates; the same for the same count.
pub fn passages(count: usize) -> Vec<Show> {
    let skies = [Sky::Day, Sky::Dusk, Sky::Night, Sky::Rain];
    let film = |index: usize| {
        let mut random = Rng::new(index as u64 + 1);
        let cars = CARS.min(count - index * CARS);
        Show {
            name: format!("passages-{:02}", index + 1),
            sky: skies[index % skies.len()],
            camera_id: "cam_in",
            start: "2026-01-22T08:00:00Z",
            seconds: FIRST + APART * cars as f32 - 2.0,
            guests: (0..cars).map(|car| guest(&mut random, FIRST + APART * car as f32)).collect(),
            walker: None,
            crf: 30,
        }
    };
    (0..count.div_ceil(CARS)).map(film).collect()
}

fn guest(random: &mut Rng, stop: f32) -> Guest {
    use Style::{American, British, European, Indian, IndonesianBlack, IndonesianWhite, Mercosul};
    let looks: [(Style, &[&str]); 7] = [
        (European, &["AAA 9999", "AA 9999 A", "AAA 999"]),
        (IndonesianBlack, &["A 9999 AAA", "AA 9999 AA", "A 999 AA"]),
        (IndonesianWhite, &["A 9999 AAA", "AA 9999 AA", "A 9999 A"]),
        (British, &["AA99 AAA"]),
        (Mercosul, &["AAA9A99"]),
        (Indian, &["AA99AA9999"]),
        (American, &["9AAA 999", "AAA 9999"]),
    ];
    let (style, patterns) = *pick(random, &looks);
    let pattern = *pick(random, patterns);
    let text = pattern.chars().map(|place| match place {
        'A' => char::from(*pick(random, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        '9' => char::from(*pick(random, b"0123456789")),
        other => other,
    });
    Guest {
        text: text.collect(),
        style,
        shape: *pick(random, &[HATCH, SEDAN, SUV, VAN]),
        paint: (random.bits() & 0xFF_FFFF) as u32,
        stop,
        gap: random.between(4.3, 4.9),
        dirt: random.unit(),
        aside: random.between(-0.15, 0.15),
    }
}

fn pick<'a, T>(random: &mut Rng, from: &'a [T]) -> &'a T {
    &from[(random.bits() % from.len() as u64) as usize]
}

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

/// What the plates of one film look like, and where from: cameras see the plates of one country most of the day.
struct Look {
    style: Style,
    region: &'static str,
    /// Texts: A stands for a letter, 9 for a figure.
    patterns: &'static [&'static str],
    /// Letters that stand on no such plate there.
    never: &'static str,
}

const LOOKS: [Look; 8] = [
    Look {
        style: Style::European,
        region: "de",
        patterns: &["AA AA 999", "AAA A 99", "A AA 9999"],
        never: "",
    },
    Look { style: Style::IndonesianBlack, region: "id", patterns: &["A 9999 AAA", "AA 9999 AA"], never: "" },
    Look { style: Style::British, region: "gb", patterns: &["AA99 AAA"], never: "IQ" },
    Look { style: Style::Mercosul, region: "br", patterns: &["AAA9A99"], never: "" },
    Look { style: Style::Indian, region: "in", patterns: &["AA99AA9999"], never: "IO" },
    Look { style: Style::American, region: "us", patterns: &["9AAA 999", "AAA 9999"], never: "IOQ" },
    Look { style: Style::European, region: "fr", patterns: &["AA 999 AA"], never: "IOU" },
    Look { style: Style::IndonesianWhite, region: "id", patterns: &["A 999 AA", "A 9999 A"], never: "" },
];

/// Films of so many passages in all, five in each, in all weathers and of all looks of plates; the same for the same count.
pub fn passages(count: usize) -> Vec<Show> {
    let skies = [Sky::Day, Sky::Dusk, Sky::Night, Sky::Rain];
    let film = |index: usize| {
        let mut random = Rng::new(index as u64 + 1);
        let cars = CARS.min(count - index * CARS);
        let look = &LOOKS[index % LOOKS.len()];
        Show {
            name: format!("passages-{:02}", index + 1),
            // Every look comes in every weather, in four rounds.
            sky: skies[(index + index / LOOKS.len()) % skies.len()],
            camera_id: "cam_in",
            region: Some(look.region),
            start: "2026-01-22T08:00:00Z",
            seconds: FIRST + APART * cars as f32 - 2.0,
            guests: (0..cars).map(|car| guest(&mut random, look, FIRST + APART * car as f32)).collect(),
            walker: None,
            crf: 30,
        }
    };
    (0..count.div_ceil(CARS)).map(film).collect()
}

fn guest(random: &mut Rng, look: &Look, stop: f32) -> Guest {
    let letters: Vec<char> = ('A'..='Z').filter(|letter| !look.never.contains(*letter)).collect();
    let pattern = *pick(random, look.patterns);
    let text = pattern.chars().map(|place| match place {
        'A' => *pick(random, &letters),
        '9' => char::from(*pick(random, b"0123456789")),
        other => other,
    });
    Guest {
        text: text.collect(),
        style: look.style,
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

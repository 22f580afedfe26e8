//! A camera's memory over made-up sights.

use super::*;

const WIDTH: usize = 48;
const HEIGHT: usize = 27;
const CELLS: usize = WIDTH * HEIGHT;
const SLOT: [usize; 2] = [16, 8];

/// Something else in every cell, the same for the same seed.
fn texture(seed: u64, at: u64) -> f64 {
    let mut hash = (seed << 32 | at).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (hash >> 40) as f64 / (1_u64 << 24) as f64
}

/// A frame of eight slots, seen moved by (x, y) cells and by this light; the vehicles in the occupied ones look like nothing else.
fn sight(second: i64, moved: [i64; 2], light: f64, occupied: &[usize]) -> Sight {
    let scene = |i: usize| {
        let (x, y) = ((i % WIDTH) as i64 - moved[0] + 100, (i / WIDTH) as i64 - moved[1] + 100);
        light * (0.7 + 0.6 * texture(1, (x * 1000 + y) as u64))
    };
    let slot = |slot: usize| {
        let full = occupied.contains(&slot);
        let (seed, depth) = if full { (50 + slot as u64, 1.2) } else { (10 + slot as u64, 0.15) };
        let cell = |i: usize| light * (1.0 - depth / 2.0 + depth * texture(seed, i as u64));
        Relief::of(&(0..SLOT[0] * SLOT[1]).map(cell).collect::<Vec<_>>(), SLOT[0])
    };
    Sight {
        at: Time::from_millis(second * 1000),
        light,
        scene: Relief::of(&(0..CELLS).map(scene).collect::<Vec<_>>(), WIDTH),
        slots: (0..8).map(slot).collect(),
    }
}

const FREE: [f64; 8] = [-4.0; 8];
const ALL: [bool; CELLS] = [true; CELLS];

/// A memory that has seen an empty lot for a minute of good light.
fn taught() -> Memory {
    let mut memory = Memory::new(7);
    (0..60).for_each(|second| assert!(memory.learn(&sight(second, [0, 0], 120.0, &[]), &FREE)));
    memory
}

#[test]
fn it_has_no_opinion_before_it_has_seen_enough() {
    let mut memory = Memory::new(7);
    assert_eq!(memory.opinions(&sight(0, [0, 0], 120.0, &[]), &ALL), [0.0; 8]);
    (0..10).for_each(|second| _ = memory.learn(&sight(second, [0, 0], 120.0, &[]), &FREE));
    assert_eq!(memory.opinions(&sight(10, [0, 0], 120.0, &[3]), &ALL), [0.0; 8]);
}

#[test]
fn it_tells_an_empty_slot_from_a_taken_one_in_any_gain() {
    let memory = taught();
    for light in [120.0, 60.0, 200.0] {
        let opinions = memory.opinions(&sight(90, [0, 0], light, &[2, 5]), &ALL);
        for (slot, opinion) in opinions.into_iter().enumerate() {
            assert_eq!(opinion > 0.5, [2, 5].contains(&slot), "slot {slot} at {light}: {opinion}");
            assert!(opinion.abs() > 0.5);
        }
    }
}

#[test]
fn a_slot_that_is_taken_teaches_nothing() {
    let mut memory = taught();
    let mut odds = FREE;
    odds[4] = 3.0;
    (60..4000).for_each(|second| _ = memory.learn(&sight(second, [0, 0], 120.0, &[4]), &odds));
    let opinions = memory.opinions(&sight(4001, [0, 0], 120.0, &[]), &ALL);
    assert!(opinions.iter().all(|opinion| *opinion < -0.5), "{opinions:?}");
}

#[test]
fn a_moved_camera_is_noticed_and_one_in_its_place_is_not() {
    let memory = taught();
    for light in [120.0, 50.0, 25.0, 220.0] {
        assert_eq!(memory.trouble(&sight(70, [0, 0], light, &[1]), &ALL), None, "at {light}");
    }
    for moved in [[2, 0], [0, -3], [5, 4], [30, 12]] {
        let trouble = memory.trouble(&sight(70, moved, 120.0, &[]), &ALL);
        assert_eq!(trouble, Some(UnknownCause::CameraMoved), "{moved:?}");
    }
    assert_eq!(
        Memory::new(7).trouble(&sight(0, [3, 3], 120.0, &[]), &ALL),
        None,
        "it has nothing to compare with"
    );
}

#[test]
fn a_view_without_its_usual_detail_is_blocked() {
    let memory = taught();
    let mut covered = sight(70, [0, 0], 120.0, &[]);
    covered.scene = Relief::of(&[90.0; CELLS], WIDTH);
    assert_eq!(memory.trouble(&covered, &ALL), Some(UnknownCause::Blocked));
}

#[test]
fn bare_surroundings_say_nothing() {
    let mut memory = Memory::new(7);
    let bare =
        |second| Sight { scene: Relief::of(&[90.0; CELLS], WIDTH), ..sight(second, [0, 0], 120.0, &[]) };
    (0..60).for_each(|second| _ = memory.learn(&bare(second), &FREE));
    assert_eq!(memory.trouble(&bare(61), &ALL), None);
}

#[test]
fn it_follows_what_changes_slowly() {
    let mut memory = taught();
    let other = |second| {
        let mut other = sight(second, [0, 0], 120.0, &[]);
        other.slots = (0..8).map(|slot| sight(0, [0, 0], 120.0, &[slot]).slots[slot].clone()).collect();
        other
    };
    assert!(memory.opinions(&other(70), &ALL)[0] > 0.5);
    // The classifier stays sure that all are free, for hours: new markings, then.
    (70..9000).for_each(|second| _ = memory.learn(&other(second), &FREE));
    assert!(memory.opinions(&other(9001), &ALL)[0] < -0.5);
}

#[test]
fn it_is_written_and_read_and_belongs_to_its_map() {
    let memory = taught();
    let text = serde_json::to_string(&memory).unwrap_or_default();
    let again: Memory = serde_json::from_str(&text).unwrap_or_default();
    assert_eq!(again, memory);
    assert_eq!(again.clone().of_map(7), memory);
    assert_eq!(again.of_map(8), Memory::new(8));
}

#[test]
fn it_does_not_grow() {
    let size = |memory: &Memory| serde_json::to_string(memory).map_or(0, |text| text.len());
    let mut memory = Memory::new(7);
    let lights = [20.0, 60.0, 120.0];
    let sights: Vec<Sight> = (0..3).map(|i| sight(0, [0, 0], lights[i], &[i])).collect();
    let step = |second: i64, memory: &mut Memory| {
        let mut sight = sights[second as usize % 3].clone();
        sight.at = Time::from_millis(second * 1000);
        memory.learn(&sight, &FREE)
    };
    (0..300).for_each(|second| _ = step(second, &mut memory));
    let early = size(&memory);
    (300..100_000).for_each(|second| assert!(step(second, &mut memory)));
    assert!(size(&memory) < early + early / 10, "{early} bytes became {}", size(&memory));
}

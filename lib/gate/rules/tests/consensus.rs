#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use park_core::record::vision::Candidate;

use super::*;

fn at(ms: i64) -> Time {
    Time::from_millis(1_000_000 + ms)
}

/// A reading 120 pixels wide whose left edge is at `x`.
fn reading(text: &str, confidence: f64, x: f64) -> Plate {
    Plate {
        text: text.to_owned(),
        confidence,
        corners: [[x, 100.0], [x + 120.0, 100.0], [x + 120.0, 130.0], [x, 130.0]],
        characters: Vec::new(),
        candidates: Vec::new(),
        region: None,
        rejected: None,
    }
}

fn frame(plates: Vec<Plate>) -> Plates {
    Plates { camera_id: "cam".to_owned(), seq: 0, file: None, plates }
}

/// Feeds `(milliseconds, readings)` and returns what was announced, the end included.
fn announced(frames: Vec<(i64, Vec<Plate>)>) -> Vec<Detection> {
    let mut consensus = Consensus::new(Settings::default());
    let mut all = Vec::new();
    for (ms, plates) in frames {
        all.extend(consensus.frame(&frame(plates), at(ms)));
    }
    all.extend(consensus.finish());
    all
}

fn plates_of(detections: &[Detection]) -> Vec<&str> {
    detections.iter().map(|detection| detection.detected.plate.as_str()).collect()
}

#[test]
fn a_passage_is_announced_once_and_early() {
    let all = announced((0..20).map(|n| (n * 40, vec![reading("B1234XY", 0.9, n as f64 * 20.0)])).collect());
    assert_eq!(plates_of(&all), ["B1234XY"]);
    assert_eq!((all[0].time, all[0].detected.frames), (at(80), 3));
    assert_eq!((all[0].detected.first_seen, all[0].detected.last_seen), (at(0), at(80)));
}

#[test]
fn flukes_and_rejected_readings_never_count() {
    let rejected = Plate { rejected: Some("too short".to_owned()), ..reading("B1234XY", 0.9, 0.0) };
    let weak = reading("KA01AB9", 0.2, 400.0);
    let mut frames: Vec<(i64, Vec<Plate>)> =
        (0..10).map(|n| (n * 40, vec![rejected.clone(), weak.clone()])).collect();
    frames.push((410, vec![reading("ZZ99ZZ9", 0.99, 0.0)]));
    frames.push((450, vec![reading("ZZ99ZZ9", 0.99, 0.0)]));
    assert_eq!(announced(frames), []);
}

#[test]
fn after_the_gap_the_same_plate_is_a_new_passage() {
    let pass =
        |from: i64| (0..4).map(move |n| (from + n * 40, vec![reading("B1234XY", 0.9, n as f64 * 20.0)]));
    assert_eq!(plates_of(&announced(pass(0).chain(pass(2_200)).collect())), ["B1234XY", "B1234XY"]);
    assert_eq!(plates_of(&announced(pass(0).chain(pass(2_000)).collect())), ["B1234XY"]);
}

#[test]
fn a_slightly_different_reading_is_no_second_passage() {
    let texts =
        ["B1234XY", "B1234XY", "8I234XY", "B1234XY", "B1234XYZ", "1234XY", "B1234KY", "B1234KY", "B1234KY"];
    let frames = texts.iter().enumerate();
    let all = announced(
        frames.map(|(n, text)| (n as i64 * 40, vec![reading(text, 0.9, n as f64 * 5.0)])).collect(),
    );
    assert_eq!(plates_of(&all), ["B1234XY"]);
}

#[test]
fn characters_are_voted_on_with_their_confidence() {
    // No text is read three times, but each character is.
    let texts = ["B1234XY", "B1Z34XY", "B123AXY", "81234XY", "B1234KY"];
    let frames = texts.iter().enumerate();
    let all = announced(frames.map(|(n, text)| (n as i64 * 40, vec![reading(text, 0.9, 0.0)])).collect());
    assert_eq!(plates_of(&all), ["B1234XY"]);
    assert!((all[0].detected.confidence - 0.72).abs() < 1e-9, "four of five, each 0.9");
    assert_eq!(all[0].detected.candidates.len(), 4);
}

#[test]
fn a_much_better_reading_corrects_the_first() {
    let frames =
        (0..12).map(|n| (n * 40, vec![reading(if n < 3 { "RXJ4F82" } else { "RKJ4F82" }, 0.9, 0.0)]));
    let all = announced(frames.collect());
    assert_eq!(plates_of(&all), ["RXJ4F82", "RKJ4F82"]);
    assert_eq!(all[1].corrects.as_deref(), Some("RXJ4F82"));
    assert_eq!(all[1].time, at(8 * 40), "six frames to three");
}

#[test]
fn a_few_readings_from_nearby_correct_many_from_afar() {
    let wide = |text, width| {
        let corners = [[0.0, 100.0], [width, 100.0], [width, 130.0], [0.0, 130.0]];
        vec![Plate { corners, ..reading(text, 0.9, 0.0) }]
    };
    let frames = |width| {
        let near = (12..18).map(move |n| (n * 40, wide("RKJ4F82", width)));
        (0..12).map(|n| (n * 40, wide("RXJ4F82", 20.0))).chain(near).collect()
    };
    assert_eq!(plates_of(&announced(frames(100.0))), ["RXJ4F82", "RKJ4F82"]);
    assert_eq!(plates_of(&announced(frames(20.0))), ["RXJ4F82"], "equally far away the more count");
}

#[test]
fn two_cars_side_by_side_are_two_even_with_numbers_alike() {
    let frames = (0..5).map(|n| (n * 40, vec![reading("B1234XY", 0.9, 0.0), reading("B1234XX", 0.9, 300.0)]));
    let mut plates: Vec<String> =
        announced(frames.collect()).into_iter().map(|detection| detection.detected.plate).collect();
    plates.sort();
    assert_eq!(plates, ["B1234XX", "B1234XY"]);
}

#[test]
fn a_misreading_in_the_same_place_is_a_shadow_but_the_next_car_is_not() {
    let misread = (0..20).map(|n| {
        let text = if n % 4 == 3 { "MH99TT77" } else { "B1234XY" };
        (n * 40, vec![reading(text, 0.9, 0.0)])
    });
    let next = (0..20).map(|n| (800 + n * 40, vec![reading("KA05CD88", 0.9, 0.0)]));
    assert_eq!(plates_of(&announced(misread.clone().collect())), ["B1234XY"]);
    assert_eq!(plates_of(&announced(misread.chain(next).collect())), ["B1234XY", "KA05CD88"]);
}

#[test]
fn a_parked_car_is_read_once_although_it_is_covered_for_a_while() {
    let stay = (0..300).map(|n| (n * 200, vec![reading("B1234XY", 0.9, 0.0)]));
    let back = (0..5).map(|n| (60_000 + 20_000 + n * 200, vec![reading("B1234XY", 0.9, 2.0)]));
    assert_eq!(plates_of(&announced(stay.clone().chain(back).collect())), ["B1234XY"]);
    let elsewhere = (0..5).map(|n| (80_000 + n * 200, vec![reading("B1234XY", 0.9, 500.0)]));
    assert_eq!(announced(stay.chain(elsewhere).collect()).len(), 2, "it drove off and came again");
}

#[test]
fn a_sign_is_told_three_times_and_a_car_whenever_it_comes() {
    let minute = 60_000;
    let at_times = |times: &[i64]| {
        let frames = times.iter().flat_map(|from| (0..4).map(move |n| from * minute + n * 40));
        // Found a little elsewhere every time.
        announced(
            frames.map(|ms| (ms, vec![reading("MAX24H", 0.9, 300.0 + (ms / 40 % 3) as f64 * 5.0)])).collect(),
        )
    };
    assert_eq!(at_times(&[0, 2, 4, 6, 15, 29]).len(), 3, "known for 15 minutes, then unread for 14");
    assert_eq!(at_times(&[0, 2, 4, 15]).len(), 4, "unread for longer than it was known");
    let now_and_then = (0..10).map(|half| (half * minute / 2, vec![reading("MAX24H", 0.9, 300.0)]));
    let often =
        (5..10).flat_map(|n| (0..4).map(move |i| (n * minute + i * 40, vec![reading("MAX24H", 0.9, 300.0)])));
    let between = (5..10).map(|n| (n * minute + minute / 2, vec![reading("MAX24H", 0.9, 300.0)]));
    let mut frames: Vec<_> = now_and_then.chain(often).chain(between).collect();
    frames.sort_by_key(|(ms, _)| *ms);
    assert_eq!(
        announced(frames).len(),
        3,
        "frames now and then are none of a passage, nor make it forgotten"
    );
    // The car stops where it stopped before.
    let comes = |at: i64| {
        (0..8).map(move |n| (at * minute + n * 40, vec![reading("B1234XY", 0.9, n.min(4) as f64 * 30.0)]))
    };
    assert_eq!(announced((0..5).flat_map(comes).collect()).len(), 5);
}

#[test]
fn doubt_between_characters_that_look_alike_is_no_doubt_of_the_plate() {
    let read = |text: &str, other: &str| Plate {
        candidates: [(text, 0.4), (other, 0.3), ("KA01AB9", 0.1)]
            .map(|(text, confidence)| Candidate { text: text.to_owned(), confidence })
            .to_vec(),
        ..reading(text, 0.4, 0.0)
    };
    let frames = |other: &'static str| (0..20).map(move |n| (n * 40, vec![read("TI85OW2683", other)]));
    let told = announced(frames("T185OW2683").collect());
    assert_eq!(
        (plates_of(&told), told[0].time),
        (vec!["TI85OW2683"], at(11 * 40)),
        "four times as many frames"
    );
    assert_eq!(announced(frames("TA85OW2683").collect()), []);
}

#[test]
fn cameras_are_apart_and_silence_ends_a_passage() {
    let mut consensus = Consensus::new(Settings { agree: 3, ..Settings::default() });
    for (n, text) in ["AB123CD", "AB124CD", "AB123CO"].iter().enumerate() {
        let time = at(n as i64 * 40);
        assert_eq!(consensus.frame(&frame(vec![reading(text, 0.9, 0.0)]), time), []);
    }
    let other = Plates { camera_id: "other".to_owned(), ..frame(vec![]) };
    assert_eq!(consensus.frame(&other, at(60_000)), []);
    assert_eq!(consensus.silence(at(5_000)), []);
    assert_eq!(plates_of(&consensus.silence(at(5_100))), ["AB123CD"]);
    assert_eq!(consensus.finish(), []);
}

proptest! {
    // A file of failures would lie where the workspace looks for its members.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is read, each announcement rests on enough frames, and the same readings give the same answers.
    #[test]
    fn announcements_rest_on_enough_frames(
        readings in proptest::collection::vec((0i64..1500, "[AB01]{4,7}", 0.0f64..1.0, 0.0f64..600.0), 0..60)
    ) {
        let mut now = 0;
        let frames: Vec<(i64, Vec<Plate>)> = readings.iter().map(|(pause, text, confidence, x)| {
            now += pause;
            (now, vec![reading(text, *confidence, *x)])
        }).collect();
        let certain = frames.iter().filter(|(_, plates)| plates[0].confidence >= 0.5).count();
        let all = announced(frames.clone());
        prop_assert!(all.len() * 3 <= certain);
        for detection in &all {
            prop_assert!(detection.detected.frames >= 3);
            prop_assert!(detection.detected.first_seen <= detection.detected.last_seen);
            prop_assert!((0.0..=1.0).contains(&detection.detected.confidence));
        }
        prop_assert_eq!(all, announced(frames));
    }
}

#[test]
fn what_another_system_tells_is_a_passage_once() {
    let mut consensus = Consensus::new(Settings::default());
    let mut told = |ms: i64, plate: &str, confidence: f64| {
        let told = PlateDetected {
            camera_id: "cam".to_owned(),
            plate: plate.to_owned(),
            confidence,
            frames: 1,
            first_seen: at(ms),
            last_seen: at(ms),
            candidates: Vec::new(),
            region: None,
        };
        let found = consensus.told(&told, at(ms));
        found.into_iter().map(|found| found.detected.plate).collect::<Vec<_>>()
    };
    assert_eq!(told(0, "ab-123", 0.9), ["AB123"]);
    for ms in [500, 2000, 3900] {
        assert_eq!(told(ms, "AB123", 0.9), [""; 0], "it still stands there");
    }
    assert_eq!(told(4000, "XY77", 0.9), ["XY77"]);
    assert_eq!(told(4100, "ZZ99", 0.2), [""; 0], "too uncertain");
    assert_eq!(told(9000, "AB123", 0.9), ["AB123"], "it is back");
    assert_eq!(plates_of(&consensus.finish()), [""; 0], "nothing is told twice");
}

//! What must hold of every score, whatever is scored.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use park_core::record::Time;
use park_core::record::vision::{Plate, Plates, SlotReading, SlotState, Slots};
use proptest::prelude::*;

use super::plates::{Options, PlateReport, PlateScore};
use super::rates::Share;
use super::slots::{SlotReport, SlotScore};
use super::text::{Fold, edit_distance, normalise};
use super::truth::{TruePlate, TrueSlot};
use super::{Key, Moment, Truth};

fn plates_truth() -> impl Strategy<Value = BTreeMap<Key, Vec<TruePlate>>> {
    let plate = (proptest::option::of("[AB01]{1,4}"), 0..80_i32, 0..80_i32, any::<bool>()).prop_map(
        |(text, x, y, legible)| TruePlate { text, area: [f64::from(x), f64::from(y), 40.0, 15.0], legible },
    );
    proptest::collection::btree_map(
        (0..12_u64).prop_map(Key::Seq),
        proptest::collection::vec(plate, 0..4),
        1..8,
    )
}

fn plates_records() -> impl Strategy<Value = Vec<Plates>> {
    let plate =
        ("[AB01]{0,4}", 0..=100_u8, 0..80_i32, 0..80_i32, 0..5_u8).prop_map(|(text, sure, x, y, kind)| {
            let (x, y) = (f64::from(x), f64::from(y));
            Plate {
                text,
                confidence: f64::from(sure) / 100.0,
                corners: [[x, y], [x + 40.0, y + 1.0], [x + 40.0, y + 15.0], [x, y + 14.0]],
                characters: Vec::new(),
                candidates: Vec::new(),
                region: None,
                rejected: (kind == 0).then(|| "unsure".to_owned()),
            }
        });
    proptest::collection::btree_map(0..12_u64, proptest::collection::vec(plate, 0..5), 0..10).prop_map(
        |all| {
            let record = |(seq, plates)| Plates { camera_id: "c".into(), seq, file: None, plates };
            all.into_iter().map(record).collect()
        },
    )
}

fn plate_report(truth: &BTreeMap<Key, Vec<TruePlate>>, records: &[Plates], options: &Options) -> PlateReport {
    let mut score = PlateScore::new(truth.clone(), options.clone());
    for record in records {
        score.add(&Moment { seq: record.seq, ..Moment::default() }, record).unwrap();
    }
    score.report()
}

fn slots_truth() -> impl Strategy<Value = BTreeMap<Key, Vec<TrueSlot>>> {
    let states = proptest::collection::vec(proptest::option::of(any::<bool>()), 5);
    proptest::collection::btree_map((0..12_u64).prop_map(Key::Seq), states, 1..8).prop_map(|all| {
        let slots = |states: Vec<Option<bool>>| {
            let slot = |(at, occupied)| TrueSlot { slot_id: format!("S{at}"), occupied };
            states.into_iter().enumerate().map(slot).collect()
        };
        all.into_iter().map(|(key, states)| (key, slots(states))).collect()
    })
}

fn slots_records() -> impl Strategy<Value = Vec<Slots>> {
    let reading = (0..7_u8, 0..3_u8, 0..=100_u8).prop_map(|(slot, state, sure)| SlotReading {
        slot_id: format!("S{slot}"),
        level_id: None,
        state: [SlotState::Occupied, SlotState::Free, SlotState::Unknown][usize::from(state)],
        confidence: f64::from(sure) / 100.0,
        cause: None,
    });
    proptest::collection::btree_map(0..12_u64, proptest::collection::vec(reading, 0..8), 0..10).prop_map(
        |all| {
            let record = |(seq, slots)| Slots { camera_id: "c".into(), seq, file: None, slots };
            all.into_iter().map(record).collect()
        },
    )
}

fn slot_report(truth: &BTreeMap<Key, Vec<TrueSlot>>, records: &[Slots], hold: bool) -> SlotReport {
    let mut score = SlotScore::new(truth.clone(), hold).unwrap();
    for record in records {
        let time = Some(Time::from_millis(record.seq as i64 * 60_000));
        score.add(&Moment { file: None, seq: record.seq, time }, record).unwrap();
    }
    score.report()
}

fn is_sound(share: &Share) -> bool {
    let within = match (share.rate, share.interval) {
        (Some(rate), Some([low, high])) => 0.0 <= low && low <= rate && rate <= high && high <= 1.0,
        (rate, interval) => share.of == 0 && rate.is_none() && interval.is_none(),
    };
    share.count <= share.of && within
}

proptest! {
    #[test]
    fn a_distance_is_symmetric_bounded_and_nothing_only_between_equals(a in "[AB]{0,8}", b in "[AB]{0,8}", c in "[AB]{0,8}") {
        let [a, b, c] = [a, b, c].map(|text| text.chars().collect::<Vec<_>>());
        let there = edit_distance(&a, &b);
        prop_assert_eq!(there, edit_distance(&b, &a));
        prop_assert_eq!(there == 0, a == b);
        prop_assert!(there >= a.len().abs_diff(b.len()) as u64 && there <= a.len().max(b.len()) as u64);
        prop_assert!(there <= edit_distance(&a, &c) + edit_distance(&c, &b));
    }

    #[test]
    fn normalising_twice_changes_nothing(text in "\\PC{0,12}") {
        let folds: Vec<Fold> = vec!["O0Q".parse().unwrap(), "I1".parse().unwrap()];
        let once = normalise(&text, &folds);
        prop_assert_eq!(normalise(&once.iter().collect::<String>(), &folds), once);
    }

    #[test]
    fn plates_score_alike_in_any_order_and_within_bounds(
        truth in plates_truth(), records in plates_records(), skip_illegible in any::<bool>(),
    ) {
        let options = Options { skip_illegible, ..Options::default() };
        let report = plate_report(&truth, &records, &options);
        let mut back = records.clone();
        back.reverse();
        prop_assert_eq!(&report, &plate_report(&truth, &back, &options));
        for share in [&report.detected_iou, &report.detected_on, &report.exact, &report.exact_anywhere, &report.exact_first,
            &report.top, &report.right, &report.reliability.sure]
        {
            prop_assert!(is_sound(share), "{:?}", share);
        }
        prop_assert!(report.detected_iou.count <= report.detected_on.count);
        prop_assert!(report.exact.count <= report.top.count && report.exact.count <= report.exact_anywhere.count);
        prop_assert!(report.cer_matched.is_none_or(|rate| rate >= 0.0));
        prop_assert_eq!(report.errors.len() as u64, report.exact.of - report.exact.count);
        let of = report.without_record.count + records.len() as u64 - report.without_truth.count;
        prop_assert_eq!(of, report.pictures);
    }

    #[test]
    fn slots_score_alike_in_any_order_and_within_bounds(truth in slots_truth(), records in slots_records(), hold in any::<bool>()) {
        let report = slot_report(&truth, &records, hold);
        let mut back = records.clone();
        back.reverse();
        prop_assert_eq!(&report, &slot_report(&truth, &back, hold));
        for share in [&report.accuracy, &report.accuracy_known, &report.precision, &report.recall, &report.unknown] {
            prop_assert!(is_sound(share), "{:?}", share);
        }
        prop_assert_eq!(report.causes.values().sum::<u64>(), report.unknown.count);
        prop_assert_eq!(report.accuracy.count + report.unknown.count + report.errors.len() as u64, report.labelled);
        prop_assert_eq!(report.slots.iter().map(|slot| slot.accuracy.of).sum::<u64>(), report.labelled);
    }

    #[test]
    fn perfect_readings_score_full(truth in slots_truth()) {
        let state = |occupied| if occupied { SlotState::Occupied } else { SlotState::Free };
        let reading = |slot: &TrueSlot| Some(SlotReading {
            slot_id: slot.slot_id.clone(), level_id: None, state: state(slot.occupied?), confidence: 1.0, cause: None,
        });
        let record = |(key, slots): (&Key, &Vec<TrueSlot>)| match key {
            Key::Seq(seq) => Slots {
                camera_id: "c".into(), seq: *seq, file: None, slots: slots.iter().filter_map(reading).collect(),
            },
            other => panic!("{other:?}"),
        };
        let records: Vec<Slots> = truth.iter().map(record).collect();
        let report = slot_report(&truth, &records, false);
        prop_assert_eq!(report.accuracy.count, report.labelled);
        let flips = report.flips.unwrap();
        prop_assert_eq!((flips.count, flips.too_many.count), (flips.true_changes, 0));
    }

    #[test]
    fn no_truth_makes_the_reader_panic(text in "[{}\\[\\]\":,a-z0-9 \n.-]{0,80}") {
        let _ = Truth::parse(&text);
    }
}

#[test]
fn texts_are_the_same_whatever_the_case_and_the_marks() {
    let same = |a: &str, b: &str| assert_eq!(normalise(a, &[]), normalise(b, &[]), "{a} {b}");
    same("rk-115 an", "RK115AN");
    same("ＫＬ·１２", "KL12");
    same("straße", "STRASSE");
    let folded = normalise("QO0-I1", &["O0Q".parse().unwrap(), "I1".parse().unwrap()]);
    assert_eq!(folded, ['O', 'O', 'O', 'I', 'I']);
    assert!("O".parse::<Fold>().is_err() && "".parse::<Fold>().is_err());
}

#[test]
fn a_fault_in_the_truth_names_its_line() {
    let good = "{\"file\":\"a.jpg\",\"plates\":[]}\n\n";
    for (line, words) in [
        ("{\"file\":\"b.jpg\",\"plates\":[{\"text\":\"A\",\"box\":[1,2,0,4]}]}", "a box is"),
        ("{\"file\":\"b.jpg\",\"plates\":[{\"text\":\"A\"}]}", "neither box nor corners"),
        ("{\"file\":\"b.jpg\",\"plates\":[{\"text\":\"A\",\"corners\":[]}]}", "a box is"),
        ("{\"file\":\"b.jpg\"}", "either plates or slots"),
        ("{\"plates\":[]}", "no file, seq or timestamp"),
        ("{\"file\":\"b.jpg\",\"seq\":2,\"plates\":[]}", "one of file, seq"),
        ("{\"file\":\"b.jpg\",\"slots\":[]}", "lines before it have plates"),
        ("{\"timestamp\":\"noon\",\"plates\":[]}", "not an RFC 3339 time"),
        ("{\"file\":", "EOF"),
        ("nonsense", "expected"),
    ] {
        let (number, fault) = Truth::parse(&format!("{good}{line}\n{good}")).unwrap_err();
        assert!(number == 3 && fault.contains(words), "{line}: {number}: {fault}");
    }
    let csv = "file,slot_id,polygon,occupied\na.jpg,1,\"1,2 3,4\",1\n";
    for (line, words) in [
        ("a.jpg,2,,yes", "occupied is 1, 0 or empty"),
        ("a.jpg,1,,0", "\"1\" is there twice"),
        ("a.jpg,2,0", "found record with 3 fields"),
    ] {
        let (number, fault) = Truth::parse(&format!("{csv}{line}\n")).unwrap_err();
        assert!(number == 3 && fault.contains(words), "{line}: {number}: {fault}");
    }
    for (text, words) in
        [("", "no truth"), ("file,text\na,b\n", "neither a column"), ("a\nb\n", "no column file")]
    {
        let (_, fault) = Truth::parse(text).unwrap_err();
        assert!(fault.contains(words), "{text}: {fault}");
    }
}

#[test]
fn csv_is_read_as_json_lines_are() {
    let lines = "{\"file\":\"x/a.jpg\",\"slots\":[{\"slot_id\":\"1\",\"occupied\":true},{\"slot_id\":\"2\",\"occupied\":null}]}\n\
        {\"file\":\"b.jpg\",\"slots\":[{\"slot_id\":\"1\",\"occupied\":false}]}\n";
    let csv = "file,slot_id,polygon,occupied\nx/a.jpg,1,\"1,2 3,4\",1\nx/a.jpg,2,\"1,2 3,4\",\nb.jpg,1,,0\n";
    assert_eq!(Truth::parse(lines), Truth::parse(csv));
    let lines = "\u{FEFF}{\"seq\":7,\"plates\":[{\"text\":\"A 1\",\"corners\":[[1,2],[4,2],[4,4],[1,3]],\"legible\":false}]}\n\
        {\"frame\":8,\"plates\":[{\"box\":[0,0,2,2]}]}";
    let csv = "seq,plate_text,x,y,w,h,legible\n7,A 1,1,2,3,2,0\n8,,0,0,2,2,1\n";
    assert_eq!(Truth::parse(lines), Truth::parse(csv));
}

#[test]
fn what_cannot_be_told_is_held_against_nobody_and_what_holds_goes_on() {
    let label = |slot: &str, occupied| TrueSlot { slot_id: slot.to_owned(), occupied };
    let truth: BTreeMap<Key, Vec<TrueSlot>> = [
        (Key::Seq(2), vec![label("A", Some(true)), label("B", Some(false))]),
        (Key::Seq(5), vec![label("A", None)]),
        (Key::Seq(7), vec![label("A", Some(false))]),
    ]
    .into();
    let record = |seq: u64, a: SlotState, b: SlotState| {
        let slot = |slot: &str, state| SlotReading {
            slot_id: slot.to_owned(),
            level_id: None,
            state,
            confidence: 0.8,
            cause: None,
        };
        Slots { camera_id: "c".into(), seq, file: None, slots: vec![slot("A", a), slot("B", b)] }
    };
    let (o, f, u) = (SlotState::Occupied, SlotState::Free, SlotState::Unknown);
    // A leaves in frame 6; B flickers once and is not told once.
    let records = [(1, o, f), (2, o, f), (3, o, o), (4, o, f), (5, o, f), (6, f, u), (7, f, f), (8, f, f)]
        .map(|(s, a, b)| record(s, a, b));
    let report = slot_report(&truth, &records, true);
    assert_eq!((report.records, report.without_truth.count), (7, 1));
    assert_eq!((report.accuracy.count, report.accuracy.of), (10, 12));
    assert_eq!((report.unknown.count, report.causes["no_cause"]), (1, 1));
    let flips = report.flips.unwrap();
    assert_eq!((flips.count, flips.true_changes, flips.too_many.count), (3, 1, 2));
    assert!((flips.too_many.hours - 7.0 / 60.0).abs() < 1e-9);
    assert_eq!(report.errors.len(), 1);
    assert_eq!(report.errors[0].picture, Key::Seq(3));
    let pictures = BTreeMap::from([(Key::file("a.jpg"), vec![label("A", Some(true))])]);
    assert!(SlotScore::new(pictures, true).is_err(), "pictures do not hold");
}

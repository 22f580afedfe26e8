//! How often the detector is right.

use std::error::Error;
use std::time::{Duration, Instant};

use park_core::record::Time;
use park_core::record::vision::SlotState;
use park_detect::engine::Runtime;
use park_detect::slots::{Memory, SlotReader};

use crate::sets;

pub fn score(folder: &str) -> Result<(), Box<dyn Error>> {
    let (mut right, mut false_occupied, mut false_free, mut unknown) = (0, 0, 0, 0);
    // By confidence of the state, from 0.5 up in tenths: how many, how many right, the sum of confidences.
    let mut bins = [(0, 0, 0.0); 5];
    let runtime = Runtime::opencv(0)?;
    for scene in sets::load(folder)? {
        let mut reader = SlotReader::new(scene.map, Memory::default(), None, &runtime)?;
        let readings = reader.read(&scene.picture, Time::default())?;
        for (reading, occupied) in readings.iter().zip(&scene.occupied) {
            let Some(occupied) = *occupied else { continue };
            let correct = match (reading.state, occupied) {
                (SlotState::Unknown, _) => {
                    unknown += 1;
                    println!("  {} {}: unknown, {:?}", scene.name, reading.slot_id, reading.cause);
                    continue;
                }
                (SlotState::Occupied, true) | (SlotState::Free, false) => true,
                _ => false,
            };
            let bin = &mut bins[((reading.confidence * 10.0) as usize).clamp(5, 9) - 5];
            *bin = (bin.0 + 1, bin.1 + u32::from(correct), bin.2 + reading.confidence);
            match (correct, occupied) {
                (true, _) => right += 1,
                (false, true) => false_free += 1,
                (false, false) => false_occupied += 1,
            }
            if !correct {
                println!(
                    "  {} {}: {:?} {:.2} is wrong",
                    scene.name, reading.slot_id, reading.state, reading.confidence
                );
            }
        }
    }
    let all = right + false_occupied + false_free + unknown;
    println!(
        "{folder}: {right} of {all} right ({:.2} %), {false_occupied} falsely occupied, {false_free} falsely free, {unknown} unknown",
        100.0 * f64::from(right) / f64::from(all)
    );
    for (count, correct, sum) in bins.into_iter().filter(|bin| bin.0 > 0) {
        let count_f = f64::from(count);
        println!("  confidence {:.3}: {:.3} of {count} right", sum / count_f, f64::from(correct) / count_f);
    }
    Ok(())
}

/// How long a frame takes, with 40 and with 400 slots, on one thread, by OpenCV (`none`) or by this library of ONNX Runtime.
pub fn cost(folder: &str, library: &str) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::chosen(Some(library.as_ref()), 1)?;
    let scene = sets::load(folder)?.into_iter().next().ok_or("no pictures")?;
    for wanted in [40, 400] {
        let mut map = scene.map.clone();
        map.slots = scene.map.slots.iter().cycle().take(wanted).cloned().collect();
        let mut reader = SlotReader::new(map, Memory::default(), None, &runtime)?;
        let mut times: Vec<Duration> = Vec::new();
        for second in 0..40 {
            let start = Instant::now();
            reader.read(&scene.picture, Time::from_millis(second * 1000))?;
            times.push(start.elapsed());
        }
        times.sort();
        let [middle, slow] = [20, 38].map(|at| times[at].as_secs_f64() * 1e3);
        println!("{wanted} slots: {middle:.1} ms a frame in the middle, {slow:.1} ms one in twenty");
    }
    Ok(())
}

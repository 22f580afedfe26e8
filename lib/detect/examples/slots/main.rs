//! Scores the slot detector on labelled pictures, or cuts them up to learn from.
//!
//! `slots score FOLDER…`: accuracy, confusion, and calibration of `SlotReader` on each folder.
//! `slots cost FOLDER [LIBRARY]`: the time a frame of 40 and of 400 slots takes on one thread, decoding apart, by OpenCV or by ONNX
//! Runtime's LIBRARY.
//! `slots patches OUT FOLDER…`: the labelled slots as the detector cuts them out, for models/slot-occupancy/train.py.
//! `slots map FOLDER LOT`: the slot map of the first picture, for `park-detect slots --map`.
//!
//! A folder holds `slots.csv` (file, slot_id, polygon "x,y x,y …", occupied: 1, 0 or empty) beside its pictures,
//! or the folders `empty` and `not_empty` with a picture a slot. A rendered lot's video (testdata/lot/*.mp4) will do as well.

#![allow(clippy::print_stdout)]

mod patches;
mod score;
mod sets;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["score", folders @ ..] if !folders.is_empty() => folders.iter().try_for_each(|f| score::score(f)),
        ["cost", folder] => score::cost(folder, "none"),
        ["cost", folder, library] => score::cost(folder, library),
        ["patches", out, folders @ ..] if !folders.is_empty() => patches::patches(out, folders),
        ["map", folder, lot] => {
            let mut map = sets::load(folder)?.into_iter().next().ok_or("no pictures")?.map;
            map.lot_id = (*lot).to_owned();
            println!("{}", serde_json::to_string_pretty(&map)?);
            Ok(())
        }
        _ => Err("usage: slots score FOLDER… | slots cost FOLDER [LIBRARY] | slots patches OUT FOLDER… | slots map FOLDER LOT".into()),
    }
}

//! Scores the slot detector on labelled pictures, or fits its parameters to them.
//!
//! `slots score FOLDER…`: accuracy, confusion, calibration and time of `SlotReader` on each folder.
//! `slots fit FOLDER…`: the logistic regression of `slots::judge`, each picture seen as it is and several times varied.
//! `slots map FOLDER LOT`: the slot map of the first picture, for `park-detect slots --map`.
//!
//! A folder holds `slots.csv` (file, slot_id, polygon "x,y x,y …", occupied: 1, 0 or empty) beside its pictures,
//! or the folders `empty` and `not_empty` with a picture a slot. A rendered lot's video (testdata/lot/*.mp4) will do as well.

#![allow(clippy::print_stdout)]

mod fit;
mod score;
mod sets;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["score", folders @ ..] if !folders.is_empty() => folders.iter().try_for_each(|f| score::score(f)),
        ["fit", folders @ ..] if !folders.is_empty() => fit::fit(folders),
        ["map", folder, lot] => {
            let mut map = sets::load(folder)?.into_iter().next().ok_or("no pictures")?.map;
            map.lot_id = (*lot).to_owned();
            println!("{}", serde_json::to_string_pretty(&map)?);
            Ok(())
        }
        _ => Err("usage: slots score FOLDER… | slots fit FOLDER… | slots map FOLDER LOT".into()),
    }
}

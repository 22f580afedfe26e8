//! Slots cut out by the detector's own code, to learn from.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use park_detect::slots::patch::Ground;
use park_detect::slots::view::View;

use crate::sets;

/// Writes `OUT.bin`, the labelled slots' pixels, and `OUT.csv`: set, file, slot, state, and the frame's ground (BGR).
pub fn patches(out: &str, folders: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut pixels = BufWriter::new(File::create(format!("{out}.bin"))?);
    let mut list = BufWriter::new(File::create(format!("{out}.csv"))?);
    writeln!(list, "set,file,slot_id,occupied,blue,green,red")?;
    for folder in folders {
        for scene in sets::load(folder)? {
            let mut view =
                View::new(&scene.map, scene.map.image_size)?.ok_or("the map fits its own picture")?;
            let patches = view.patches(&scene.picture)?;
            let Ground([b, g, r]) = Ground::of(&patches);
            for ((slot, patch), occupied) in scene.map.slots.iter().zip(&patches).zip(&scene.occupied) {
                let Some(occupied) = occupied else { continue };
                pixels.write_all(patch.pixels().as_flattened())?;
                let (file, state) = (&scene.name, u8::from(*occupied));
                writeln!(list, "{folder},{file},{},{state},{b:.1},{g:.1},{r:.1}", slot.slot_id)?;
            }
        }
    }
    Ok(())
}

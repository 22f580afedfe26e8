//! Cuts strips around the lines of text in whole pictures, for the training of models/plate-characters.
//!
//! `plate_strips FOLDER OUT`: OUT.bin holds the strips' pixels one after the other, OUT.jsonl a line for each:
//! its file, and the place of its corners in the picture.
use std::fs::{self, File};
use std::io::{BufWriter, Write};

use opencv::imgcodecs;
use park_detect::plates::strips;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: plate_strips FOLDER OUT".into());
    };
    let mut pixels = BufWriter::new(File::create(format!("{out}.bin"))?);
    let mut places = BufWriter::new(File::create(format!("{out}.jsonl"))?);
    let mut files: Vec<_> = fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(|entry| entry.file_name());
    for entry in files {
        let path = entry.path();
        let grey = imgcodecs::imread(&path, imgcodecs::IMREAD_GRAYSCALE)?;
        for strip in strips(&grey)? {
            pixels.write_all(&strip.pixels)?;
            let place = serde_json::json!({
                "file": entry.file_name().to_string_lossy(),
                "origin": strip.frame.origin, "right": strip.frame.right, "down": strip.frame.down,
                "left": strip.line.left, "end": strip.line.right,
                "height": strip.line.height, "glyphs": strip.line.glyphs, "dark": strip.dark,
            });
            writeln!(places, "{place}")?;
        }
    }
    Ok(())
}

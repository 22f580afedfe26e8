//! Reads the plates of every picture in a folder and prints a line of JSON for each picture.
//!
//! `read_plates FOLDER [LIBRARY [MIN_CONFIDENCE]]`, one thread, by OpenCV (`none`) or by ONNX Runtime's LIBRARY. Each line: file, plates
//! (text, confidence, box, candidates), ms.
use std::fs;
use std::time::Instant;

use opencv::imgcodecs;
use park_detect::engine::Runtime;
use park_detect::plates::{Networks, Options, PlateRead, PlateReader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: read_plates FOLDER [LIBRARY [MIN_CONFIDENCE]]")?;
    let library = arguments.next().unwrap_or_else(|| "none".to_owned());
    let runtime = Runtime::chosen(Some(library.as_ref()), 1)?;
    let mut options = Options::default();
    if let Some(confidence) = arguments.next() {
        options.min_confidence = confidence.parse()?;
    }
    let mut reader = PlateReader::new(options, &Networks::default(), &runtime)?;
    let mut files: Vec<_> = fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(|entry| entry.file_name());
    let mut out = std::io::stdout().lock();
    for entry in files {
        let picture = imgcodecs::imread(entry.path(), imgcodecs::IMREAD_COLOR)?;
        let start = Instant::now();
        let plates = reader.read(&picture)?;
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        let plates: Vec<_> = plates.iter().filter(|plate| plate.rejected.is_none()).map(shown).collect();
        let line =
            serde_json::json!({"file": entry.file_name().to_string_lossy(), "plates": plates, "ms": ms});
        std::io::Write::write_fmt(&mut out, format_args!("{line}\n"))?;
    }
    Ok(())
}

fn shown(plate: &PlateRead) -> serde_json::Value {
    let side = |i: usize| {
        let ends = plate.corners.map(|corner| corner[i]);
        let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
        (low, ends.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low)
    };
    let ((x, w), (y, h)) = (side(0), side(1));
    let candidates: Vec<&str> = plate.candidates.iter().map(|(text, _)| text.as_str()).collect();
    serde_json::json!({
        "text": plate.text, "confidence": plate.confidence, "box": [x, y, w, h], "candidates": candidates,
    })
}

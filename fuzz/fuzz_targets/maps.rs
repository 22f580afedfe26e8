//! A slot map of another format, and a truth file: an error in words, or something that can be checked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use park_detect::map::grid::Grid;
use park_detect::map::import::import;
use park_detect::score::Truth;
use park_detect::slots::SlotMap;

fuzz_target!(|text: &str| {
    if let Ok(imported) = import(text, None) {
        let image_size = imported.size.unwrap_or([640, 480]);
        let map = SlotMap { lot_id: "lot".into(), image_size, slots: imported.slots };
        let _ = map.check();
        if map.slots.len() < 50 {
            let _ = map.warnings();
        }
    }
    if let Ok(grid) = text.parse::<Grid>() {
        assert!(!grid.slots(None).is_empty());
    }
    let _ = Truth::parse(text);
});

//! Where the slots lie in the picture.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use park_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

use super::geometry::{self, Point};

/// The slots of one camera's view of a lot. The JSON that `park-detect slots --map` reads; unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlotMap {
    /// The lot.
    pub lot_id: String,
    /// Width and height of the picture it was drawn on, in pixels.
    pub image_size: [u32; 2],
    /// The slots; readings come in this order.
    pub slots: Vec<Slot>,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its id, of this map alone.
    pub slot_id: String,
    /// The level it lies on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_id: Option<String>,
    /// Its outline in pixels, at least three corners in either turn.
    pub polygon: Vec<[f64; 2]>,
}

/// The share of the smaller of two slots that both may cover before it is worth a warning.
const OVERLAP: f64 = 0.3;

/// What is wrong with a map, or odd about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The slots it is about, by their place in the map.
    pub slots: Vec<usize>,
    /// In words, naming them.
    pub words: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// How many faults are told at once.
const TOLD: usize = 10;

impl SlotMap {
    /// Reads and checks the map in the file at `path`.
    ///
    /// # Errors
    /// [`Kind::Config`], naming the file and each slot at fault: not JSON, a field missing, what [`SlotMap::faults`] finds.
    pub fn load(path: &Path) -> Result<Self> {
        let reading = || format!("reading the slot map {}", path.display());
        let text = std::fs::read(path).map_err(|error| Error::new(Kind::Config, reading()).because(error))?;
        let map: SlotMap = serde_json::from_slice(&text)
            .map_err(|error| Error::new(Kind::Config, reading()).because(error))?;
        let map = map.opened();
        map.check().map_err(|fault| Error::new(Kind::Config, format!("{}: {fault}", reading())))?;
        Ok(map)
    }

    /// The same map without the first corner again at a polygon's end, which some tools repeat to close the outline.
    #[must_use]
    pub fn opened(mut self) -> Self {
        for Slot { polygon, .. } in &mut self.slots {
            if polygon.len() > 3 && polygon.first() == polygon.last() {
                polygon.pop();
            }
        }
        self
    }

    /// Whether pictures of two sizes have the same shape, to one part in fifty.
    pub fn has_shape(one: [u32; 2], other: [u32; 2]) -> bool {
        let [sx, sy] = [0, 1].map(|axis| f64::from(other[axis]) / f64::from(one[axis]));
        (sx / sy - 1.0).abs() <= 0.02
    }

    /// What is wrong with the map, in words; the first ten faults.
    ///
    /// # Errors
    /// The faults, if there are any.
    pub fn check(&self) -> std::result::Result<(), String> {
        let faults = self.faults();
        if faults.is_empty() {
            return Ok(());
        }
        let told: Vec<&str> = faults.iter().take(TOLD).map(|fault| fault.words.as_str()).collect();
        let more = faults.len() - told.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Err(told.join("; ") + &more)
    }

    /// Everything that is wrong with the map: no size, no slots, an id that is there twice, a polygon with fewer than three corners or
    /// no area, one that crosses itself or leaves the picture.
    pub fn faults(&self) -> Vec<Remark> {
        let mut faults = Vec::new();
        let mut say = |slots: Vec<usize>, words: String| faults.push(Remark { slots, words });
        let [width, height] = self.image_size;
        if width == 0 || height == 0 {
            say(Vec::new(), format!("image_size is {width} x {height}"));
        }
        if self.slots.is_empty() {
            say(Vec::new(), "it has no slots".to_owned());
        }
        let mut seen = HashSet::new();
        for (at, slot) in self.slots.iter().enumerate() {
            if !seen.insert(&slot.slot_id) {
                say(vec![at], format!("slot {:?} is there twice", slot.slot_id));
            }
            if let Err(fault) = check_polygon(&slot.polygon, self.image_size) {
                say(vec![at], format!("slot {:?}: {fault}", slot.slot_id));
            }
        }
        faults
    }

    /// What is odd about the map but no error: slots that cover one another.
    pub fn warnings(&self) -> Vec<Remark> {
        let frames: Vec<[Point; 4]> =
            self.slots.iter().map(|slot| geometry::frame_of(&slot.polygon)).collect();
        let mut warnings = Vec::new();
        for (i, a) in frames.iter().enumerate() {
            for (j, b) in frames.iter().enumerate().skip(i + 1) {
                let smaller = geometry::signed_area(a).abs().min(geometry::signed_area(b).abs());
                let share = geometry::shared_area(a, b) / smaller;
                if share > OVERLAP {
                    let words = format!(
                        "slots {:?} and {:?} share {:.0} % of the smaller one",
                        self.slots[i].slot_id,
                        self.slots[j].slot_id,
                        share * 100.0
                    );
                    warnings.push(Remark { slots: vec![i, j], words });
                }
            }
        }
        warnings
    }
}

fn check_polygon(polygon: &[Point], [width, height]: [u32; 2]) -> std::result::Result<(), String> {
    let corners = polygon.len();
    if corners < 3 {
        return Err(format!("its polygon has {corners} corners, and needs three"));
    }
    let (width, height) = (f64::from(width), f64::from(height));
    let inside = |&[x, y]: &Point| (0.0..=width).contains(&x) && (0.0..=height).contains(&y);
    if let Some([x, y]) = polygon.iter().find(|corner| !inside(corner)) {
        return Err(format!("its corner {x},{y} lies outside the picture of {width} x {height}"));
    }
    if geometry::crosses_itself(polygon) {
        return Err("its polygon crosses itself".to_owned());
    }
    if geometry::signed_area(polygon).abs() < 16.0 {
        return Err("its polygon covers less than 16 pixels".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map(slots: &[(&str, &[Point])]) -> SlotMap {
        let slot = |(id, polygon): &(&str, &[Point])| Slot {
            slot_id: (*id).to_owned(),
            level_id: None,
            polygon: polygon.to_vec(),
        };
        SlotMap { lot_id: "lot".into(), image_size: [100, 80], slots: slots.iter().map(slot).collect() }
    }

    const BOX: [Point; 4] = [[10.0, 10.0], [30.0, 10.0], [30.0, 50.0], [10.0, 50.0]];

    #[test]
    fn a_fault_names_its_slot() {
        let faults: [(&str, &[Point]); 5] = [
            ("2 corners", &BOX[..2]),
            ("outside the picture", &[[10.0, 10.0], [101.0, 10.0], [30.0, 50.0]]),
            ("outside the picture", &[[f64::NAN, 10.0], [90.0, 10.0], [30.0, 50.0]]),
            ("crosses itself", &[BOX[0], BOX[2], BOX[1], BOX[3]]),
            ("less than 16 pixels", &[[1.0, 1.0], [2.0, 1.0], [2.0, 2.0]]),
        ];
        for (words, polygon) in faults {
            let fault = map(&[("A1", &BOX), ("B7", polygon)]).check().unwrap_err();
            assert!(fault.contains(words) && fault.contains("\"B7\""), "{fault}");
        }
        let twice = map(&[("A1", &BOX), ("A1", &BOX)]).check().unwrap_err();
        assert_eq!(twice, "slot \"A1\" is there twice");
        assert!(map(&[]).check().is_err());
        let both = map(&[("A1", &BOX), ("A1", &BOX), ("A2", &BOX[..2])]).check().unwrap_err();
        assert_eq!(
            both,
            "slot \"A1\" is there twice; slot \"A2\": its polygon has 2 corners, and needs three"
        );
        let many: Vec<(&str, &[Point])> = vec![("A1", &BOX); 14];
        assert!(map(&many).check().unwrap_err().ends_with("twice; and 3 more"));
        assert_eq!(map(&[("A1", &BOX)]).check(), Ok(()));
    }

    #[test]
    fn slots_that_cover_one_another_are_warned_of() {
        let beside = BOX.map(|[x, y]| [x + 20.0, y]);
        assert_eq!(map(&[("A1", &BOX), ("A2", &beside)]).warnings(), []);
        let over = BOX.map(|[x, y]| [x + 10.0, y]);
        let warnings = map(&[("A1", &BOX), ("A2", &over)]).warnings();
        assert_eq!(warnings[0].to_string(), "slots \"A1\" and \"A2\" share 50 % of the smaller one");
        assert_eq!((warnings.len(), &warnings[0].slots), (1, &vec![0, 1]));
    }
}

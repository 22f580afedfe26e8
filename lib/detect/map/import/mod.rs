//! Slot maps out of other formats. The content tells the format.
//!
//! * [`pklot`]: the XML of PKLot (Almeida et al., 2015).
//! * [`coco`]: polygons of COCO's JSON (Lin et al., 2014), which most labelling programs write.
//! * [`table`]: CSV: `file,slot_id,polygon,occupied`, and the cameras of CNRPark-EXT (Amato et al., 2017).

pub mod coco;
pub mod pklot;
pub mod table;

#[cfg(test)]
mod tests;

use crate::slots::{Slot, SlotMap};

/// What a file says of slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The size of the picture that the polygons were drawn on, where the file or its format says so.
    pub size: Option<[u32; 2]>,
    /// The picture they are of, where the file names pictures.
    pub picture: Option<String>,
    /// How many pictures the file has slots of, where it names pictures.
    pub pictures: usize,
    /// The lot, where the file names it.
    pub lot_id: Option<String>,
    /// The slots, unchecked.
    pub slots: Vec<Slot>,
}

impl Imported {
    fn of(slots: Vec<Slot>) -> Self {
        Imported { size: None, picture: None, pictures: 0, lot_id: None, slots }
    }

    /// Brings polygons that were drawn on a picture of size `from` to one of size `to`.
    ///
    /// # Errors
    /// When the two have not the same shape.
    pub fn scale(&mut self, from: [u32; 2], to: [u32; 2]) -> Result<(), String> {
        let [sx, sy] = [0, 1].map(|axis| f64::from(to[axis]) / f64::from(from[axis]));
        if !SlotMap::has_shape(from, to) {
            let [[w, h], [width, height]] = [from, to];
            return Err(format!(
                "its slots were drawn on {w} x {h}, which has another shape than {width} x {height}"
            ));
        }
        for corner in self.slots.iter_mut().flat_map(|slot| &mut slot.polygon) {
            *corner = [corner[0] * sx, corner[1] * sy].map(|side| (side * 10.0).round() / 10.0);
        }
        Ok(())
    }
}

/// Reads the slots in `text`, of the picture called `picture` where the file has several, or else of the first.
///
/// # Errors
/// What is wrong with the file, naming the line, slot or annotation.
pub fn import(text: &str, picture: Option<&str>) -> Result<Imported, String> {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    match text.chars().next() {
        None => Err("it is empty".to_owned()),
        Some('<') => pklot::read(text).map(Imported::of),
        Some('{') => {
            let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
            if value.get("annotations").is_some() {
                return coco::read(value, picture);
            }
            let map: SlotMap = serde_json::from_value(value)
                .map_err(|error| format!("neither COCO (no annotations) nor a slot map: {error}"))?;
            Ok(Imported {
                size: Some(map.image_size),
                lot_id: Some(map.lot_id.clone()),
                ..Imported::of(map.opened().slots)
            })
        }
        Some(_) => table::read(text, picture),
    }
}

/// Which of the pictures in a file is meant: the one called `wanted` (folders aside), or the first.
fn choose<'a>(names: &[&'a str], wanted: Option<&str>) -> Result<&'a str, String> {
    let base = |name: &'a str| name.rsplit(['/', '\\']).next().unwrap_or(name);
    let found = match wanted {
        None => names.first(),
        Some(wanted) => {
            let exact = names.iter().find(|name| **name == wanted);
            exact.or_else(|| {
                names.iter().find(|name| base(name) == wanted.rsplit('/').next().unwrap_or(wanted))
            })
        }
    };
    found.copied().ok_or_else(|| match wanted {
        Some(wanted) => format!("it has no slots of a picture {wanted:?}"),
        None => "it has no slots".to_owned(),
    })
}

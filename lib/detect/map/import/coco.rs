//! Polygons of COCO's JSON: `images`, and `annotations` with a `segmentation`.

use serde::Deserialize;
use serde_json::Value;

use super::{Imported, choose};
use crate::slots::Slot;
use crate::slots::geometry::{Point, signed_area};

#[derive(Deserialize)]
struct Coco {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    id: Value,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Annotation {
    id: Value,
    image_id: Value,
    #[serde(default)]
    segmentation: Value,
    bbox: Option<[f64; 4]>,
}

/// The slots of one picture: an annotation each, its id the slot's.
///
/// # Errors
/// Fields missing, no such picture, an annotation without polygon and box, or with a bitmap in place of a polygon; names
/// the annotation.
pub(super) fn read(value: Value, picture: Option<&str>) -> Result<Imported, String> {
    let coco: Coco = serde_json::from_value(value).map_err(|error| format!("as COCO: {error}"))?;
    let has_slots =
        |image: &&Image| coco.annotations.iter().any(|annotation| annotation.image_id == image.id);
    let images: Vec<&Image> = coco.images.iter().filter(has_slots).collect();
    let names: Vec<&str> = images.iter().map(|image| image.file_name.as_str()).collect();
    let name = choose(&names, picture)?;
    let image = images.iter().find(|image| image.file_name == name).ok_or("it has no slots")?;
    let of_image = coco.annotations.iter().filter(|annotation| annotation.image_id == image.id);
    let slots = of_image.map(Annotation::slot).collect::<Result<_, _>>()?;
    Ok(Imported {
        size: Some([image.width, image.height]),
        picture: Some(name.to_owned()),
        pictures: images.len(),
        ..Imported::of(slots)
    })
}

impl Annotation {
    fn slot(&self) -> Result<Slot, String> {
        let id = self.id.as_str().map_or_else(|| self.id.to_string(), str::to_owned);
        let polygon = match &self.segmentation {
            Value::Object(_) => return Err(format!("annotation {id} is a bitmap, not a polygon")),
            Value::Array(parts) if !parts.is_empty() => {
                largest(parts).map_err(|fault| format!("annotation {id}: {fault}"))?
            }
            _ => {
                let [x, y, w, h] =
                    self.bbox.ok_or_else(|| format!("annotation {id} has neither segmentation nor bbox"))?;
                vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
            }
        };
        Ok(Slot { slot_id: id, level_id: None, polygon })
    }
}

/// The part that covers most: what a post divides is one slot all the same.
fn largest(parts: &[Value]) -> Result<Vec<Point>, String> {
    let wrong = || "a segmentation is [x, y, x, y, …]".to_owned();
    let mut polygons = Vec::new();
    for part in parts {
        let sides: Option<Vec<f64>> = part.as_array().ok_or_else(wrong)?.iter().map(Value::as_f64).collect();
        let sides = sides.filter(|sides| sides.len() % 2 == 0).ok_or_else(wrong)?;
        polygons.push(sides.chunks(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<Point>>());
    }
    let area = |polygon: &Vec<Point>| signed_area(polygon).abs();
    polygons.into_iter().max_by(|a, b| area(a).total_cmp(&area(b))).ok_or_else(wrong)
}

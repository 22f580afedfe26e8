//! Slots as CSV with a header: `slot_id,polygon`, perhaps with `file`; or `SlotId,X,Y,W,H`, a camera of CNRPark-EXT.

use std::collections::HashMap;

use super::{Imported, choose};
use crate::slots::Slot;
use crate::slots::geometry::Point;

/// The pictures on which CNRPark-EXT's boxes were drawn.
const CNRPARK: [u32; 2] = [2592, 1944];

/// The slots of one picture: a row each.
///
/// # Errors
/// Columns missing, a number that is none, no such picture; names the line.
pub(super) fn read(text: &str, picture: Option<&str>) -> Result<Imported, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns: HashMap<String, usize> = header.iter().map(str::to_ascii_lowercase).zip(0..).collect();
    let column = |name: &str| columns.get(name).copied();
    let id =
        column("slot_id").or(column("slotid")).ok_or("no column slot_id (and it is neither XML nor JSON)")?;
    let outline = match (column("polygon"), ["x", "y", "w", "h"].map(column)) {
        (Some(polygon), _) => Outline::Polygon(polygon),
        (None, [Some(x), Some(y), Some(w), Some(h)]) => Outline::Box([x, y, w, h]),
        _ => return Err("neither a column polygon nor columns x, y, w and h".to_owned()),
    };
    let file = column("file");
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        let polygon = outline.read(&row).map_err(|fault| format!("line {line}: {fault}"))?;
        let of = file.and_then(|at| row.get(at)).unwrap_or_default().to_owned();
        rows.push((of, Slot { slot_id: row[id].to_owned(), level_id: None, polygon }));
    }
    let mut names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    let name = choose(&names, picture.filter(|_| file.is_some()))?.to_owned();
    let pictures = file.map_or(0, |_| names.len());
    let slots = rows.into_iter().filter(|(of, _)| *of == name).map(|(_, slot)| slot).collect();
    let size = matches!(outline, Outline::Box(_)).then_some(CNRPARK);
    Ok(Imported { size, picture: file.map(|_| name), pictures, ..Imported::of(slots) })
}

/// In which columns an outline stands.
enum Outline {
    Polygon(usize),
    Box([usize; 4]),
}

impl Outline {
    fn read(&self, row: &csv::StringRecord) -> Result<Vec<Point>, String> {
        match self {
            Outline::Polygon(at) => {
                let corner = |word: &str| match word.split_once(',') {
                    Some((x, y)) => Ok([number(x)?, number(y)?]),
                    None => Err(format!("{word:?} is not a corner x,y")),
                };
                row[*at].split_whitespace().map(corner).collect()
            }
            Outline::Box(at) => {
                let [x, y, w, h] = at.map(|at| number(&row[at]));
                let (x, y, w, h) = (x?, y?, w?, h?);
                Ok(vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
            }
        }
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("{text:?} is not a number"))
}

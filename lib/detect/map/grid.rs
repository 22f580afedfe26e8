//! Rows and grids of slots by four corners, in perspective.

use std::str::FromStr;

use crate::slots::Slot;
use crate::slots::geometry::{Point, is_convex};

/// The most slots of one grid.
const MOST: usize = 10_000;

/// Slots of equal size on the ground, seen in perspective: `A1..A6 B1..B6 X,Y X,Y X,Y X,Y`.
///
/// Each range of ids is a row. The first row lies along the edge from the first corner to the second; its first slot begins at
/// the first corner. The last row lies along the edge from the fourth corner to the third. A single id may have any
/// polygon.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    rows: Vec<Vec<String>>,
    corners: Vec<Point>,
}

impl FromStr for Grid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut rows, mut corners) = (Vec::new(), Vec::new());
        for word in text.split_whitespace() {
            match word.split_once(',') {
                Some((x, y)) => corners.push([number(x, word)?, number(y, word)?]),
                None if corners.is_empty() => rows.push(range(word)?),
                None => return Err(format!("{word:?} stands after corners: ids come first")),
            }
        }
        let columns = rows.first().map_or(0, Vec::len);
        if columns == 0 {
            return Err("no ids: they come first, such as A1..A6".to_owned());
        }
        if let Some(row) = rows.iter().find(|row| row.len() != columns) {
            return Err(format!("the row of {} has {} slots, the first {columns}", row[0], row.len()));
        }
        if rows.len() * columns > MOST {
            return Err(format!("more than {MOST} slots"));
        }
        match corners.len() {
            4 if is_convex(&corners) || columns * rows.len() == 1 => {}
            4 => return Err("the corners go round the slots in order, without a bend inwards".to_owned()),
            n if n >= 3 && columns * rows.len() == 1 => {}
            n => return Err(format!("{n} corners: a row or grid has four")),
        }
        Ok(Grid { rows, corners })
    }
}

fn number(text: &str, word: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("{word:?} is not a corner X,Y"))
}

/// The ids of `A1..A6`, `A01..A12`, `6..1`, or one id.
fn range(word: &str) -> Result<Vec<String>, String> {
    let Some((first, last)) = word.split_once("..") else { return Ok(vec![word.to_owned()]) };
    let wrong = || format!("{word:?} is not a range of ids such as A1..A6");
    let split = |id: &str| {
        let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (prefix, number) = id.split_at(id.len() - digits);
        number.parse::<usize>().ok().map(|n| (prefix.to_owned(), n, number.len()))
    };
    let (prefix, from, width) = split(first).ok_or_else(wrong)?;
    let (other, to, _) = split(last).ok_or_else(wrong)?;
    if prefix != other {
        return Err(wrong());
    }
    if from.abs_diff(to) >= MOST {
        return Err(format!("more than {MOST} slots"));
    }
    let id = |n: usize| format!("{prefix}{n:0width$}");
    Ok(if from <= to { (from..=to).map(id).collect() } else { (to..=from).rev().map(id).collect() })
}

impl Grid {
    /// The slots, row by row. Corners are in tenths of a pixel.
    pub fn slots(&self, level_id: Option<&str>) -> Vec<Slot> {
        let slot = |id: &String, polygon| Slot {
            slot_id: id.clone(),
            level_id: level_id.map(str::to_owned),
            polygon,
        };
        let &[a, b, c, d] = &self.corners[..] else {
            return vec![slot(&self.rows[0][0], self.corners.clone())];
        };
        if !is_convex(&self.corners) {
            return vec![slot(&self.rows[0][0], self.corners.clone())];
        }
        let plane = Plane::through([a, b, c, d]);
        let (rows, columns) = (self.rows.len() as f64, self.rows[0].len() as f64);
        let mut slots = Vec::new();
        for (at_row, row) in self.rows.iter().enumerate() {
            for (at, id) in row.iter().enumerate() {
                let (left, right) = (at as f64 / columns, (at as f64 + 1.0) / columns);
                let (near, far) = (at_row as f64 / rows, (at_row as f64 + 1.0) / rows);
                let corners = [(left, near), (right, near), (right, far), (left, far)];
                let polygon = corners.map(|(u, v)| plane.at(u, v).map(|side| (side * 10.0).round() / 10.0));
                slots.push(slot(id, polygon.to_vec()));
            }
        }
        slots
    }
}

/// A plane seen in perspective: from the unit square to four corners (Heckbert, 1989).
struct Plane {
    x: [f64; 3],
    y: [f64; 3],
    w: [f64; 2],
}

impl Plane {
    fn through([a, b, c, d]: [Point; 4]) -> Self {
        let [bx, by] = [b[0] - c[0], b[1] - c[1]];
        let [dx, dy] = [d[0] - c[0], d[1] - c[1]];
        let [sx, sy] = [a[0] - b[0] + c[0] - d[0], a[1] - b[1] + c[1] - d[1]];
        // Not zero, for the corners are convex.
        let scale = bx * dy - dx * by;
        let w = [(sx * dy - dx * sy) / scale, (bx * sy - sx * by) / scale];
        let side =
            |axis: usize| [b[axis] - a[axis] + w[0] * b[axis], d[axis] - a[axis] + w[1] * d[axis], a[axis]];
        Plane { x: side(0), y: side(1), w }
    }

    fn at(&self, u: f64, v: f64) -> Point {
        let w = self.w[0] * u + self.w[1] * v + 1.0;
        [&self.x, &self.y].map(|side| (side[0] * u + side[1] * v + side[2]) / w)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn slots(text: &str) -> Vec<Slot> {
        text.parse::<Grid>().unwrap().slots(None)
    }

    #[test]
    fn ids_are_counted_up_and_down() {
        assert_eq!(range("A9..A11").unwrap(), ["A9", "A10", "A11"]);
        assert_eq!(range("L2-08..L2-10").unwrap(), ["L2-08", "L2-09", "L2-10"]);
        assert_eq!(range("3..1").unwrap(), ["3", "2", "1"]);
        assert_eq!(range("gate").unwrap(), ["gate"]);
    }

    #[test]
    fn a_wrong_grid_says_what_is_wrong() {
        let square = "0,0 9,0 9,9 0,9";
        for (text, words) in [
            (String::new(), "no ids"),
            (square.to_owned(), "no ids"),
            ("A1..A3 0,0 9,0 9,9".to_owned(), "3 corners"),
            ("A1..A3 0,0 9,9 9,0 0,9".to_owned(), "go round"),
            (format!("A1..A3 B1..B2 {square}"), "row of B1 has 2"),
            (format!("A1..B3 {square}"), "not a range"),
            (format!("A..B {square}"), "not a range"),
            (format!("1..99999999999999999999 {square}"), "not a range"),
            (format!("1..99999 {square}"), "more than 10000"),
            (format!("{square} A1"), "after corners"),
            ("A1 0,0 9,x 9,9".to_owned(), "not a corner"),
            ("A1 0,0 9,inf 9,9".to_owned(), "not a corner"),
        ] {
            let fault = text.parse::<Grid>().unwrap_err();
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }

    #[test]
    fn a_rectangle_is_divided_evenly_and_one_slot_keeps_its_polygon() {
        let grid = slots("A1..A3 B1..B3 0,0 90,0 90,40 0,40");
        assert_eq!(grid.len(), 6);
        assert_eq!(grid[1].polygon, [[30.0, 0.0], [60.0, 0.0], [60.0, 20.0], [30.0, 20.0]]);
        assert_eq!((grid[5].slot_id.as_str(), grid[5].polygon[2]), ("B3", [90.0, 40.0]));
        let one = slots("X 0,0 9,0 9,9 4,4 0,9");
        assert_eq!(one[0].polygon.len(), 5);
    }

    #[test]
    fn slots_further_away_are_smaller() {
        // A trapezium: the far edge is half as long, so what lies half-way on the ground is nearer to it in the picture.
        let rows = slots("A B 0,100 100,100 75,50 25,50");
        let middle = rows[0].polygon[2][1];
        assert!((middle - 66.7).abs() < 0.05, "{middle}");
        assert_eq!(rows[0].polygon[2], rows[1].polygon[1]);
        // Along the row nothing is further away: evenly divided.
        assert_eq!(slots("A1..A2 0,100 100,100 75,50 25,50")[0].polygon[1], [50.0, 100.0]);
    }
}

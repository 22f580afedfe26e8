//! The XML of PKLot: a `space` for each slot, with its `contour` of `point`s, or else its `rotatedRect`.

use roxmltree::{Document, Node};

use crate::slots::Slot;
use crate::slots::geometry::Point;

/// The slots in an XML document of PKLot.
///
/// # Errors
/// Not XML, no `space`, a space without id or outline, a number that is none; names the space.
pub fn read(text: &str) -> Result<Vec<Slot>, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let slots: Vec<Slot> = document
        .descendants()
        .filter(|node| is(node, "space"))
        .map(|node| space(&node))
        .collect::<Result<_, _>>()?;
    match slots.is_empty() {
        true => Err("there is no space in this XML".to_owned()),
        false => Ok(slots),
    }
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(child, name))
}

fn space(node: &Node<'_, '_>) -> Result<Slot, String> {
    let id = node.attribute("id").ok_or("a space has no id")?;
    let outline = match child(node, "contour") {
        Some(contour) => {
            contour.children().filter(|node| is(node, "point")).map(|point| pair(&point, "x", "y")).collect()
        }
        None => rectangle(node),
    };
    let polygon = outline.map_err(|fault| format!("space {id:?}: {fault}"))?;
    Ok(Slot { slot_id: id.to_owned(), level_id: None, polygon })
}

fn number(node: &Node<'_, '_>, name: &str) -> Result<f64, String> {
    let text = node.attribute(name).ok_or_else(|| format!("a {} has no {name}", node.tag_name().name()))?;
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("{name} is a number, not {text:?}"))
}

fn pair(node: &Node<'_, '_>, first: &str, second: &str) -> Result<Point, String> {
    Ok([number(node, first)?, number(node, second)?])
}

/// The corners of a rectangle given by its centre, size and angle in degrees, clockwise on the screen.
fn rectangle(node: &Node<'_, '_>) -> Result<Vec<Point>, String> {
    let missing = || "it has neither contour nor rotatedRect".to_owned();
    let part =
        |name: &str| child(node, "rotatedRect").and_then(|node| child(&node, name)).ok_or_else(missing);
    let [x, y] = pair(&part("center")?, "x", "y")?;
    let [w, h] = pair(&part("size")?, "w", "h")?;
    let (sin, cos) = number(&part("angle")?, "d")?.to_radians().sin_cos();
    let corner = |u: f64, v: f64| [x + u * w * cos - v * h * sin, y + u * w * sin + v * h * cos];
    Ok([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(u, v)| corner(u, v)).to_vec())
}

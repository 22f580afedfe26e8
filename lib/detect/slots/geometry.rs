//! Polygons in the plane.

/// A point: x to the right, y down.
pub(crate) type Point = [f64; 2];

fn cross(o: Point, a: Point, b: Point) -> f64 {
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

fn edges(polygon: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    polygon.iter().copied().zip(polygon.iter().copied().cycle().skip(1))
}

/// Twice the area counts positive when the corners run clockwise on the screen; this is the area itself.
pub(crate) fn signed_area(polygon: &[Point]) -> f64 {
    edges(polygon).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

/// Whether two edges that are not neighbours meet.
pub(crate) fn crosses_itself(polygon: &[Point]) -> bool {
    let edges: Vec<_> = edges(polygon).collect();
    let n = edges.len();
    (0..n).any(|i| (i + 2..n).any(|j| (i != 0 || j != n - 1) && meet(edges[i], edges[j])))
}

/// Whether two line segments have a point in common.
fn meet((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let within = |p: Point, q: Point, r: Point| {
        r[0] >= p[0].min(q[0]) && r[0] <= p[0].max(q[0]) && r[1] >= p[1].min(q[1]) && r[1] <= p[1].max(q[1])
    };
    let (d1, d2) = (cross(a, b, c), cross(a, b, d));
    let (d3, d4) = (cross(c, d, a), cross(c, d, b));
    if d1 * d2 < 0.0 && d3 * d4 < 0.0 {
        return true;
    }
    (d1 == 0.0 && within(a, b, c))
        || (d2 == 0.0 && within(a, b, d))
        || (d3 == 0.0 && within(c, d, a))
        || (d4 == 0.0 && within(c, d, b))
}

/// Whether every turn is to the same side.
pub(crate) fn is_convex(polygon: &[Point]) -> bool {
    let n = polygon.len();
    let turns = |sign: f64| {
        (0..n).all(|i| cross(polygon[i], polygon[(i + 1) % n], polygon[(i + 2) % n]) * sign > 0.0)
    };
    turns(1.0) || turns(-1.0)
}

/// The area that two convex polygons share (Sutherland and Hodgman, 1974).
pub(crate) fn shared_area(subject: &[Point], clip: &[Point]) -> f64 {
    let side = signed_area(clip).signum();
    let mut shape = subject.to_vec();
    for (a, b) in edges(clip) {
        let inside = |p: Point| cross(a, b, p) * side >= 0.0;
        let mut cut = Vec::with_capacity(shape.len() + 1);
        for (p, q) in edges(&shape) {
            if inside(p) {
                cut.push(p);
            }
            if inside(p) != inside(q) {
                let (dp, dq) = (cross(a, b, p), cross(a, b, q));
                let t = dp / (dp - dq);
                cut.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
            }
        }
        shape = cut;
    }
    signed_area(&shape).abs()
}

/// The four corners in which a slot is looked at: its own if it is a convex quadrilateral, else those of the
/// smallest rectangle around it; in the polygon's turn, the first two along a longer side.
pub(crate) fn frame_of(polygon: &[Point]) -> [Point; 4] {
    let mut corners = match polygon {
        &[a, b, c, d] if is_convex(polygon) => [a, b, c, d],
        _ => smallest_rectangle(polygon),
    };
    let length = |i: usize, j: usize| (corners[i][0] - corners[j][0]).hypot(corners[i][1] - corners[j][1]);
    if length(0, 1) + length(2, 3) < length(1, 2) + length(3, 0) {
        corners.rotate_left(1);
    }
    corners
}

/// The rectangle of least area around the points: one of its sides lies along two of them, and slots have few
/// corners, so every pair is tried.
fn smallest_rectangle(points: &[Point]) -> [Point; 4] {
    let mut best = (f64::INFINITY, [[0.0; 2]; 4]);
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            let length = (b[0] - a[0]).hypot(b[1] - a[1]);
            if length == 0.0 {
                continue;
            }
            let (ux, uy) = ((b[0] - a[0]) / length, (b[1] - a[1]) / length);
            let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
            for p in points {
                for (axis, at) in [p[0] * ux + p[1] * uy, p[1] * ux - p[0] * uy].into_iter().enumerate() {
                    low[axis] = low[axis].min(at);
                    high[axis] = high[axis].max(at);
                }
            }
            let area = (high[0] - low[0]) * (high[1] - low[1]);
            if area < best.0 {
                let corner = |u: f64, v: f64| [u * ux - v * uy, u * uy + v * ux];
                let corners = [
                    corner(low[0], low[1]),
                    corner(high[0], low[1]),
                    corner(high[0], high[1]),
                    corner(low[0], high[1]),
                ];
                best = (area, corners);
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [Point; 4] = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];

    #[test]
    fn a_bow_tie_crosses_itself_and_a_square_does_not() {
        assert!(!crosses_itself(&SQUARE));
        assert!(!crosses_itself(&SQUARE[..3]));
        assert!(crosses_itself(&[SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]));
        // A spike that runs back over an edge.
        assert!(crosses_itself(&[[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 0.0], [0.0, 4.0]]));
    }

    #[test]
    fn the_shared_area_does_not_depend_on_the_turn() {
        let moved = SQUARE.map(|[x, y]| [x + 2.0, y + 1.0]);
        let mut back = moved;
        back.reverse();
        assert_eq!(shared_area(&SQUARE, &moved), 6.0);
        assert_eq!(shared_area(&SQUARE, &back), 6.0);
        assert_eq!(shared_area(&SQUARE, &SQUARE.map(|[x, y]| [x + 9.0, y])), 0.0);
    }

    #[test]
    fn a_slot_is_framed_along_its_longer_side() {
        let upright = [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0], [0.0, 5.0]];
        assert_eq!(frame_of(&upright), [[2.0, 0.0], [2.0, 5.0], [0.0, 5.0], [0.0, 0.0]]);
        let triangle = frame_of(&[[0.0, 0.0], [6.0, 0.0], [3.0, 2.0]]);
        assert_eq!(signed_area(&triangle), 12.0);
    }
}

//! Character-like boxes to lines of text: neighbours of like height on a straight line.

/// The box of one connected component, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glyph {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Glyph {
    fn centre(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }
}

/// A line of text: the middles of its left and right ends, and the height of its characters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Where the first character begins, at half its height.
    pub left: [f64; 2],
    /// Where the last character ends, at half its height.
    pub right: [f64; 2],
    /// Height of the characters.
    pub height: f64,
    /// How many boxes support the line.
    pub glyphs: usize,
}

impl Line {
    /// Distance between the ends.
    pub fn length(&self) -> f64 {
        (self.right[0] - self.left[0]).hypot(self.right[1] - self.left[1])
    }

    /// Unit vector from left to right.
    pub fn direction(&self) -> [f64; 2] {
        let length = self.length().max(f64::MIN_POSITIVE);
        [(self.right[0] - self.left[0]) / length, (self.right[1] - self.left[1]) / length]
    }

    /// The same line in a picture `factor` times as large.
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            left: self.left.map(|v| v * factor),
            right: self.right.map(|v| v * factor),
            height: self.height * factor,
            glyphs: self.glyphs,
        }
    }

    /// Whether `other` runs along this line closely enough that reading both would read one text twice.
    pub fn covers(&self, other: &Line) -> bool {
        let ratio = other.height / self.height;
        let [dx, dy] = self.direction();
        let place = |p: [f64; 2]| {
            let (x, y) = (p[0] - self.left[0], p[1] - self.left[1]);
            (x * dx + y * dy, (y * dx - x * dy).abs())
        };
        let ((start, off_start), (end, off_end)) = (place(other.left), place(other.right));
        let reach = self.height;
        (0.8..1.25).contains(&ratio)
            && off_start.max(off_end) < 0.25 * self.height
            && start > -reach
            && end < self.length() + reach
    }
}

/// Steepest line followed, as a slope.
const STEEPEST: f64 = 0.45;

/// Lines of `shortest` or more boxes of like height; those with most boxes first, parts of a line after the whole.
pub fn lines(mut glyphs: Vec<Glyph>, shortest: usize) -> Vec<Line> {
    glyphs.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut linked = std::collections::HashSet::new();
    let mut found = Vec::new();
    for first in 0..glyphs.len() {
        for second in followers(&glyphs, first, glyphs[first].h) {
            if linked.contains(&(first, second)) {
                continue;
            }
            let chain = follow(&glyphs, first, second);
            if chain.len() >= shortest {
                linked.extend(chain.windows(2).map(|pair| (pair[0], pair[1])));
                found.push(fit(&glyphs, &chain));
            }
        }
    }
    found.sort_by(|a, b| b.glyphs.cmp(&a.glyphs).then(b.height.total_cmp(&a.height)));
    found
}

/// Boxes that may stand next to the right of `from` in a line of characters of this height.
fn followers(glyphs: &[Glyph], from: usize, height: f64) -> impl Iterator<Item = usize> {
    let a = glyphs[from];
    let (ax, ay) = a.centre();
    glyphs[from + 1..]
        .iter()
        .enumerate()
        .take_while(move |(_, b)| b.x < a.x + a.w + 1.3 * height)
        .filter(move |(_, b)| {
            let (bx, by) = b.centre();
            let gap = b.x - (a.x + a.w);
            (0.78..1.28).contains(&(b.h / height))
                && gap > -0.2 * height
                && bx - ax > 0.25 * height
                && (by - ay).abs() < STEEPEST * (bx - ax)
        })
        .map(move |(offset, _)| from + 1 + offset)
}

/// The longest run of boxes that begins with these two and stays straight.
fn follow(glyphs: &[Glyph], first: usize, second: usize) -> Vec<usize> {
    let mut chain = vec![first, second];
    let mut height = (glyphs[first].h + glyphs[second].h) / 2.0;
    loop {
        let last = chain[chain.len() - 1];
        let (x0, y0) = glyphs[first].centre();
        let (x1, y1) = glyphs[last].centre();
        let slope = (y1 - y0) / (x1 - x0);
        let off = |k: &usize| {
            let (x, y) = glyphs[*k].centre();
            (y - y1 - slope * (x - x1)).abs()
        };
        let slack = if chain.len() == 2 { 0.2 } else { 0.15 };
        let next = followers(glyphs, last, height)
            .filter(|k| off(k) < slack * height)
            .min_by(|a, b| glyphs[*a].x.total_cmp(&glyphs[*b].x));
        let Some(next) = next else { return chain };
        let n = chain.len() as f64;
        height = (height * n + glyphs[next].h) / (n + 1.0);
        chain.push(next);
    }
}

/// The least-squares line through the centres, from the first box's left edge to the last one's right.
fn fit(glyphs: &[Glyph], chain: &[usize]) -> Line {
    let n = chain.len() as f64;
    let boxes = || chain.iter().map(|&k| glyphs[k]);
    let (mx, my) = boxes().fold((0.0, 0.0), |(x, y), g| (x + g.centre().0 / n, y + g.centre().1 / n));
    let (mut sxx, mut sxy) = (0.0, 0.0);
    for (x, y) in boxes().map(|g| g.centre()) {
        sxx += (x - mx) * (x - mx);
        sxy += (x - mx) * (y - my);
    }
    let slope = sxy / sxx.max(f64::MIN_POSITIVE);
    let end = |x: f64| [x, my + slope * (x - mx)];
    let (first, last) = (glyphs[chain[0]], glyphs[chain[chain.len() - 1]]);
    let mut heights: Vec<f64> = boxes().map(|g| g.h).collect();
    heights.sort_by(f64::total_cmp);
    Line {
        left: end(first.x),
        right: end(last.x + last.w),
        height: heights[heights.len() / 2],
        glyphs: chain.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boxes of 12 x 20 every 16 pixels from (x, y) on, each `rise` lower than the one before.
    fn row(x: f64, y: f64, count: usize, rise: f64) -> Vec<Glyph> {
        let at = |i: usize| Glyph { x: x + 16.0 * i as f64, y: y + rise * i as f64, w: 12.0, h: 20.0 };
        (0..count).map(at).collect()
    }

    #[test]
    fn a_row_is_a_line_from_edge_to_edge_that_covers_every_part_of_it() {
        let found = lines(row(100.0, 50.0, 7, 0.0), 3);
        assert!(found.iter().all(|line| found[0].covers(line)));
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-9;
        assert!(near(found[0].left, [100.0, 60.0]) && near(found[0].right, [208.0, 60.0]), "{:?}", found[0]);
        assert_eq!((found[0].height, found[0].glyphs), (20.0, 7));
    }

    #[test]
    fn a_slanted_row_keeps_its_slope() {
        let found = lines(row(100.0, 50.0, 7, 4.0), 3);
        let [dx, dy] = found[0].direction();
        assert!((dy / dx - 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_missing_character_does_not_break_a_row() {
        let mut glyphs = row(100.0, 50.0, 7, 0.0);
        glyphs.remove(3);
        assert_eq!(lines(glyphs, 3)[0].glyphs, 6);
    }

    #[test]
    fn two_rows_are_two_lines_and_neither_covers_the_other() {
        let mut glyphs = row(100.0, 50.0, 5, 0.0);
        glyphs.extend(row(100.0, 80.0, 5, 0.0));
        let found = lines(glyphs, 3);
        assert_eq!(found.iter().filter(|line| line.glyphs == 5).count(), 2);
        assert!(!found[0].covers(&found[1]));
        assert!(found[0].covers(&found[0]));
    }

    #[test]
    fn boxes_of_unlike_height_or_far_apart_are_no_line() {
        let mut unlike = row(100.0, 50.0, 3, 0.0);
        unlike[1].h = 40.0;
        assert!(lines(unlike, 3).is_empty());
        let far = (0..5).map(|i| Glyph { x: 60.0 * f64::from(i), y: 0.0, w: 12.0, h: 20.0 });
        assert!(lines(far.collect(), 3).is_empty());
        assert!(lines(Vec::new(), 3).is_empty());
    }
}

//! Flat pictures: a canvas to draw plates and signs on, lettering from an outline font, and textures made from it.

use std::path::Path;

use ab_glyph::{Font, FontVec, PxScale, ScaleFont};

use crate::math::{V3, mix, smooth, v};

/// A colour as people write it (0xRRGGBB), in linear light.
pub fn srgb(hex: u32) -> V3 {
    let part = |shift: u32| {
        let c = (hex >> shift & 255) as f32 / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    v(part(16), part(8), part(0))
}

/// The outline font that letters plates and signs.
pub struct Letters(FontVec);

impl Letters {
    /// Reads a TrueType file.
    ///
    /// # Errors
    /// A sentence naming the file, if it cannot be read or is no font.
    pub fn read(path: &Path) -> Result<Letters, String> {
        let bytes = std::fs::read(path).map_err(|e| format!("read font {}: {e}", path.display()))?;
        FontVec::try_from_vec(bytes).map(Letters).map_err(|e| format!("parse font {}: {e}", path.display()))
    }
}

/// Where and how a line of lettering goes; lengths in millimetres of the canvas.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Middle of the line.
    pub at: (f32, f32),
    /// Height of a capital.
    pub cap: f32,
    /// Width of the letters, 1 as drawn by the font.
    pub squeeze: f32,
    /// Extra room between letters.
    pub gap: f32,
    /// Colour.
    pub ink: V3,
}

/// A picture measured in millimetres.
pub struct Canvas {
    w: usize,
    h: usize,
    per_mm: f32,
    px: Vec<V3>,
}

impl Canvas {
    /// A canvas of one colour.
    pub fn new(width_mm: f32, height_mm: f32, per_mm: f32, paper: V3) -> Canvas {
        let (w, h) = ((width_mm * per_mm).round() as usize, (height_mm * per_mm).round() as usize);
        Canvas { w, h, per_mm, px: vec![paper; w * h] }
    }

    fn dab(&mut self, x: i64, y: i64, ink: V3, cover: f32) {
        if x >= 0 && y >= 0 && (x as usize) < self.w && (y as usize) < self.h {
            let px = &mut self.px[y as usize * self.w + x as usize];
            *px = px.mix(ink, cover.clamp(0.0, 1.0));
        }
    }

    /// Fills where `distance` (millimetres, negative inside) says so, with a soft edge.
    pub fn fill(&mut self, ink: V3, distance: impl Fn(f32, f32) -> f32) {
        for y in 0..self.h {
            for x in 0..self.w {
                let d = distance((x as f32 + 0.5) / self.per_mm, (y as f32 + 0.5) / self.per_mm);
                self.dab(x as i64, y as i64, ink, 0.5 - d * self.per_mm);
            }
        }
    }

    /// A rectangle with rounded corners.
    pub fn rect(&mut self, ink: V3, at: (f32, f32), size: (f32, f32), radius: f32) {
        let (cx, cy) = (at.0 + size.0 / 2.0, at.1 + size.1 / 2.0);
        self.fill(ink, |x, y| rounded(x - cx, y - cy, size.0 / 2.0, size.1 / 2.0, radius));
    }

    /// The outline of such a rectangle.
    pub fn frame(&mut self, ink: V3, at: (f32, f32), size: (f32, f32), radius: f32, stroke: f32) {
        let (cx, cy) = (at.0 + size.0 / 2.0, at.1 + size.1 / 2.0);
        self.fill(ink, |x, y| {
            (rounded(x - cx, y - cy, size.0 / 2.0, size.1 / 2.0, radius) + stroke / 2.0).abs() - stroke / 2.0
        });
    }

    /// A disc.
    pub fn disc(&mut self, ink: V3, at: (f32, f32), radius: f32) {
        self.fill(ink, |x, y| ((x - at.0).powi(2) + (y - at.1).powi(2)).sqrt() - radius);
    }

    /// Width of a line of lettering in millimetres.
    pub fn width(font: &Letters, text: &str, line: &Line) -> f32 {
        let em = line.cap / 0.729 * font.0.height_unscaled() / font.0.units_per_em().unwrap_or(2048.0);
        let scaled = font.0.as_scaled(PxScale { x: em * line.squeeze, y: em });
        text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c)) + line.gap).sum::<f32>() - line.gap
    }

    /// A line of lettering about its middle.
    pub fn text(&mut self, font: &Letters, text: &str, line: &Line) {
        let k = self.per_mm;
        let em = k * line.cap / 0.729 * font.0.height_unscaled() / font.0.units_per_em().unwrap_or(2048.0);
        let scaled = font.0.as_scaled(PxScale { x: em * line.squeeze, y: em });
        let mut pen = (line.at.0 - Canvas::width(font, text, line) / 2.0) * k;
        let base = (line.at.1 + line.cap / 2.0) * k;
        for c in text.chars() {
            let glyph = scaled.glyph_id(c);
            let mut scale = scaled.scale;
            if c == 'J' {
                // DejaVu's J hangs below the line; plates have none that does.
                scale.y *= 0.79;
            }
            let lift = if c == 'J' { line.cap * k * 0.205 } else { 0.0 };
            let placed = glyph.with_scale_and_position(scale, ab_glyph::point(pen, base - lift));
            if let Some(outline) = font.0.outline_glyph(placed) {
                let b = outline.px_bounds();
                outline.draw(|x, y, cover| {
                    self.dab(b.min.x as i64 + x as i64, b.min.y as i64 + y as i64, line.ink, cover);
                });
            }
            pen += scaled.h_advance(glyph) + line.gap * k;
        }
    }

    /// Copies another canvas of the same scale into this one.
    pub fn put(&mut self, other: &Canvas, at: (f32, f32)) {
        let (x0, y0) = ((at.0 * self.per_mm) as i64, (at.1 * self.per_mm) as i64);
        for y in 0..other.h {
            for x in 0..other.w {
                self.dab(x0 + x as i64, y0 + y as i64, other.px[y * other.w + x], 1.0);
            }
        }
    }

    /// Changes every point by its place in millimetres.
    pub fn each(&mut self, change: impl Fn(f32, f32, V3) -> V3) {
        for (i, px) in self.px.iter_mut().enumerate() {
            *px = change((i % self.w) as f32 / self.per_mm, (i / self.w) as f32 / self.per_mm, *px);
        }
    }

    /// Makes a texture that can be looked at from any distance.
    pub fn texture(self) -> Texture {
        let mut levels = vec![(self.w, self.h, self.px)];
        while let Some((w, h, px)) = levels.last().filter(|l| l.0 > 4 && l.1 > 4) {
            let (nw, nh) = (w / 2, h / 2);
            let at = |x: usize, y: usize| px[y * w + x];
            let half = (0..nw * nh)
                .map(|i| {
                    let (x, y) = (i % nw * 2, i / nw * 2);
                    (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) * 0.25
                })
                .collect();
            levels.push((nw, nh, half));
        }
        Texture { levels }
    }
}

/// A picture with its halvings.
pub struct Texture {
    levels: Vec<(usize, usize, Vec<V3>)>,
}

impl Texture {
    /// The colour at `u`, `v` (0 to 1) where one pixel of the film covers `span` of the width.
    pub fn at(&self, u: f32, v: f32, span: f32) -> V3 {
        let texels = span * self.levels[0].0 as f32 * 0.7;
        let level = texels.max(1.0).log2().floor().min(self.levels.len() as f32 - 1.0) as usize;
        let (w, h, px) = &self.levels[level];
        let x = (u * *w as f32 - 0.5).clamp(0.0, *w as f32 - 1.001);
        let y = (v * *h as f32 - 0.5).clamp(0.0, *h as f32 - 1.001);
        let (xi, yi) = (x as usize, y as usize);
        let (tx, ty) = (x.fract(), y.fract());
        let at = |dx: usize, dy: usize| px[(yi + dy) * w + xi + dx];
        at(0, 0).mix(at(1, 0), tx).mix(at(0, 1).mix(at(1, 1), tx), ty)
    }
}

/// Signed distance to a rectangle with rounded corners about the origin, negative inside.
pub fn rounded(x: f32, y: f32, half_w: f32, half_h: f32, radius: f32) -> f32 {
    let (dx, dy) = (x.abs() - half_w + radius, y.abs() - half_h + radius);
    (dx.max(0.0).powi(2) + dy.max(0.0).powi(2)).sqrt() + dx.max(dy).min(0.0) - radius
}

/// 1 inside a shape, 0 outside, from its signed distance.
pub fn inside(distance: f32, edge: f32) -> f32 {
    1.0 - smooth(-edge, edge, distance)
}

/// A bright-to-dark ramp over a plate, as dirt and the sky leave it.
pub fn weather(c: V3, down: f32) -> V3 {
    c * mix(1.04, 0.92, down)
}

//! Triangle meshes of the few shapes the scenes are built from.

use crate::math::{V3, v};

/// One triangle: three vertex numbers and the part of the object it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Tri {
    /// Vertices.
    pub v: [u32; 3],
    /// Part, for the skin.
    pub part: u8,
}

/// A mesh with one normal a vertex.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// Points in the object's axes.
    pub points: Vec<V3>,
    /// Normals, one a point.
    pub normals: Vec<V3>,
    /// Faces.
    pub tris: Vec<Tri>,
}

impl Mesh {
    /// Joins rings of equally many points into a closed tube; with `caps`, its ends are closed by fans.
    pub fn loft(&mut self, rings: &[Vec<V3>], part: u8, caps: bool) {
        let first = self.points.len();
        let n = rings.first().map_or(0, Vec::len);
        for ring in rings {
            self.points.extend_from_slice(ring);
        }
        let at = |ring: usize, i: usize| (first + ring * n + i % n) as u32;
        for r in 1..rings.len() {
            for i in 0..n {
                self.tris.push(Tri { v: [at(r - 1, i), at(r, i), at(r, i + 1)], part });
                self.tris.push(Tri { v: [at(r - 1, i), at(r, i + 1), at(r - 1, i + 1)], part });
            }
        }
        self.finish(first);
        if caps {
            for ring in [rings.first(), rings.last()].into_iter().flatten() {
                let middle = ring.iter().fold(V3::default(), |a, p| a + *p) * (1.0 / n as f32);
                for i in 0..n {
                    self.face([middle, ring[i], ring[(i + 1) % n]], part);
                }
            }
        }
    }

    /// One flat triangle with points of its own.
    pub fn face(&mut self, p: [V3; 3], part: u8) {
        let first = self.points.len() as u32;
        let n = (p[1] - p[0]).cross(p[2] - p[0]).unit();
        self.points.extend(p);
        self.normals.extend([n; 3]);
        self.tris.push(Tri { v: [first, first + 1, first + 2], part });
    }

    /// A flat quadrilateral.
    pub fn quad(&mut self, p: [V3; 4], part: u8) {
        self.face([p[0], p[1], p[2]], part);
        self.face([p[0], p[2], p[3]], part);
    }

    /// An upright box between two corners, its faces cut into pieces no longer than about `cell`.
    pub fn cuboid(&mut self, a: V3, b: V3, cell: f32, part: u8) {
        let d = b - a;
        let sides = [
            (a, v(d.x, 0.0, 0.0), v(0.0, 0.0, d.z)),
            (a + v(0.0, d.y, 0.0), v(d.x, 0.0, 0.0), v(0.0, 0.0, d.z)),
            (a, v(0.0, d.y, 0.0), v(0.0, 0.0, d.z)),
            (a + v(d.x, 0.0, 0.0), v(0.0, d.y, 0.0), v(0.0, 0.0, d.z)),
            (a, v(d.x, 0.0, 0.0), v(0.0, d.y, 0.0)),
            (a + v(0.0, 0.0, d.z), v(d.x, 0.0, 0.0), v(0.0, d.y, 0.0)),
        ];
        for (o, e, f) in sides {
            let (m, n) = ((e.len() / cell).ceil().max(1.0), (f.len() / cell).ceil().max(1.0));
            for i in 0..m as usize {
                for j in 0..n as usize {
                    let at = |i: usize, j: usize| o + e * (i as f32 / m) + f * (j as f32 / n);
                    self.quad([at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)], part);
                }
            }
        }
    }

    /// An ellipsoid.
    pub fn ball(&mut self, at: V3, half: V3, part: u8) {
        let rings: Vec<Vec<V3>> = (0..=10)
            .map(|i| {
                let a = std::f32::consts::PI * i as f32 / 10.0;
                ring(14, |c, s| at + v(half.x * a.sin() * c, half.y * a.sin() * s, half.z * a.cos()))
            })
            .collect();
        self.loft(&rings, part, false);
    }

    /// A straight rod from `a` to `b` whose radius runs from `ra` to `rb`.
    pub fn rod(&mut self, a: V3, b: V3, ra: f32, rb: f32, part: u8) {
        let axis = (b - a).unit();
        let side =
            if axis.z.abs() < 0.9 { axis.cross(v(0.0, 0.0, 1.0)) } else { axis.cross(v(1.0, 0.0, 0.0)) };
        let (e, f) = (side.unit(), side.cross(axis).unit());
        let steps = ((b - a).len() / 0.5).ceil().max(1.0);
        let rings: Vec<Vec<V3>> = (0..=steps as usize)
            .map(|i| {
                let t = i as f32 / steps;
                let r = ra + (rb - ra) * t;
                ring(16, |c, s| a.mix(b, t) + e * (r * c) + f * (r * s))
            })
            .collect();
        self.loft(&rings, part, true);
    }

    fn finish(&mut self, first: usize) {
        self.normals.resize(self.points.len(), V3::default());
        for tri in &self.tris {
            let [a, b, c] = tri.v.map(|i| i as usize);
            if a < first {
                continue;
            }
            let n = (self.points[b] - self.points[a]).cross(self.points[c] - self.points[a]);
            for i in [a, b, c] {
                self.normals[i] += n;
            }
        }
        for n in &mut self.normals[first..] {
            *n = n.unit();
        }
    }
}

/// Points of a closed ring, from the cosine and sine of `n` equal steps.
pub fn ring(n: usize, point: impl Fn(f32, f32) -> V3) -> Vec<V3> {
    (0..n)
        .map(|i| {
            let (s, c) = (std::f32::consts::TAU * i as f32 / n as f32).sin_cos();
            point(c, s)
        })
        .collect()
}

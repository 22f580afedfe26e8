//! Vectors, poses, the pinhole camera, and the project's own seeded noise.
//!
//! World axes: x to the right, y ahead, z up, in metres. A vehicle's own axes: x to its front, y to its left, z up.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A point, a direction or a linear RGB colour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct V3 {
    /// First component.
    pub x: f32,
    /// Second component.
    pub y: f32,
    /// Third component.
    pub z: f32,
}

/// Short for a vector literal.
pub const fn v(x: f32, y: f32, z: f32) -> V3 {
    V3 { x, y, z }
}

/// A grey of the given linear level.
pub const fn grey(level: f32) -> V3 {
    v(level, level, level)
}

impl Add for V3 {
    type Output = V3;
    fn add(self, o: V3) -> V3 {
        v(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}
impl AddAssign for V3 {
    fn add_assign(&mut self, o: V3) {
        *self = *self + o;
    }
}
impl Sub for V3 {
    type Output = V3;
    fn sub(self, o: V3) -> V3 {
        v(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Neg for V3 {
    type Output = V3;
    fn neg(self) -> V3 {
        v(-self.x, -self.y, -self.z)
    }
}
impl Mul<f32> for V3 {
    type Output = V3;
    fn mul(self, k: f32) -> V3 {
        v(self.x * k, self.y * k, self.z * k)
    }
}
impl Mul for V3 {
    type Output = V3;
    fn mul(self, o: V3) -> V3 {
        v(self.x * o.x, self.y * o.y, self.z * o.z)
    }
}

impl V3 {
    /// Scalar product.
    pub fn dot(self, o: V3) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }
    /// Vector product.
    pub fn cross(self, o: V3) -> V3 {
        v(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }
    /// Euclidean length.
    pub fn len(self) -> f32 {
        self.dot(self).sqrt()
    }
    /// The same direction with length one; the zero vector stays zero.
    pub fn unit(self) -> V3 {
        let l = self.len();
        if l > 1e-12 { self * (1.0 / l) } else { self }
    }
    /// The way from `self` to `o`, `t` from 0 to 1.
    pub fn mix(self, o: V3, t: f32) -> V3 {
        self * (1.0 - t) + o * t
    }
    /// Brightness of a linear RGB colour (Rec. 709 weights).
    pub fn luma(self) -> f32 {
        0.2126 * self.x + 0.7152 * self.y + 0.0722 * self.z
    }
}

/// The way from `a` to `b`.
pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `a`, 1 above `b`, a smooth ramp between.
pub fn smooth(a: f32, b: f32, x: f32) -> f32 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Where an object stands and how it is turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Origin of the object in the world.
    pub at: V3,
    /// Heading: the angle from world x to the object's x, about z, in radians.
    pub yaw: f32,
    /// Sine and cosine of the heading, and of the tilt about the object's own x axis.
    turn: [f32; 4],
}

impl Pose {
    /// A pose on its feet.
    pub fn new(at: V3, yaw: f32) -> Pose {
        Pose::tilted(at, yaw, 0.0)
    }
    /// A pose tilted about the object's own x axis by `roll` radians, as a barrier's arm.
    pub fn tilted(at: V3, yaw: f32, roll: f32) -> Pose {
        let ((s, c), (sr, cr)) = (yaw.sin_cos(), roll.sin_cos());
        Pose { at, yaw, turn: [s, c, sr, cr] }
    }
    /// Turns a direction from the object's axes into the world's.
    pub fn turn(&self, p: V3) -> V3 {
        let [s, c, sr, cr] = self.turn;
        let p = v(p.x, p.y * cr - p.z * sr, p.y * sr + p.z * cr);
        v(p.x * c - p.y * s, p.x * s + p.y * c, p.z)
    }
    /// Moves a point from the object's axes into the world's.
    pub fn place(&self, p: V3) -> V3 {
        self.turn(p) + self.at
    }
    /// The inverse of [`Pose::place`] for an untilted pose, on the ground plane.
    pub fn local(&self, x: f32, y: f32) -> (f32, f32) {
        let [s, c, ..] = self.turn;
        let (dx, dy) = (x - self.at.x, y - self.at.y);
        (dx * c + dy * s, dy * c - dx * s)
    }
}

/// A pinhole camera.
#[derive(Clone, Copy, Debug)]
pub struct Camera {
    /// Picture width in pixels.
    pub w: usize,
    /// Picture height in pixels.
    pub h: usize,
    /// Focal length in pixels.
    pub f: f32,
    /// Where it hangs.
    pub at: V3,
    right: V3,
    up: V3,
    ahead: V3,
    /// Shift of the picture in pixels, for sampling within a pixel.
    pub jitter: (f32, f32),
}

impl Camera {
    /// A camera turned right by `yaw` and down by `pitch` (radians) from world y.
    pub fn new(size: (usize, usize), f: f32, at: V3, yaw: f32, pitch: f32) -> Camera {
        let ahead = v(yaw.sin() * pitch.cos(), yaw.cos() * pitch.cos(), -pitch.sin());
        let right = v(yaw.cos(), -yaw.sin(), 0.0);
        Camera { w: size.0, h: size.1, f, at, right, up: right.cross(ahead), ahead, jitter: (0.0, 0.0) }
    }
    /// A world point as seen: right, up, distance along the axis.
    pub fn view(&self, p: V3) -> V3 {
        let d = p - self.at;
        v(d.dot(self.right), d.dot(self.up), d.dot(self.ahead))
    }
    /// A point from [`Camera::view`] in pixels.
    pub fn screen(&self, q: V3) -> (f32, f32) {
        (
            self.w as f32 / 2.0 + self.f * q.x / q.z + self.jitter.0,
            self.h as f32 / 2.0 - self.f * q.y / q.z + self.jitter.1,
        )
    }
    /// A world point in pixels, or nothing if it lies behind the camera.
    pub fn project(&self, p: V3) -> Option<(f32, f32)> {
        let q = self.view(p);
        (q.z > 0.1).then(|| self.screen(q))
    }
    /// Direction of the ray through a pixel's middle.
    pub fn ray(&self, px: usize, py: usize) -> V3 {
        let x = (px as f32 + 0.5 - self.jitter.0 - self.w as f32 / 2.0) / self.f;
        let y = (self.h as f32 / 2.0 - (py as f32 + 0.5 - self.jitter.1)) / self.f;
        (self.ahead + self.right * x + self.up * y).unit()
    }
}

/// A small seeded generator (xorshift64*, Vigna 2016): the same seed gives the same film everywhere.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Starts from a seed; any value will do.
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    /// Uniform in 0 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }
    /// Uniform between two values.
    pub fn between(&mut self, a: f32, b: f32) -> f32 {
        mix(a, b, self.unit())
    }
    /// Roughly normal with variance one: a sum of four uniforms out of one draw.
    pub fn normal(&mut self) -> f32 {
        let b = self.bits();
        let sum = (b & 0xffff) + (b >> 16 & 0xffff) + (b >> 32 & 0xffff) + (b >> 48);
        (sum as f32 / 65536.0 - 2.0) * 1.732
    }
}

fn lattice(x: i32, y: i32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) & 0xffff) as f32 / 65535.0
}

/// Smooth value noise in the plane, 0 to 1, with features of size one.
pub fn noise(x: f32, y: f32) -> f32 {
    let (xf, yf) = (x.floor(), y.floor());
    let (xi, yi) = (xf as i32, yf as i32);
    let (tx, ty) = (smooth(0.0, 1.0, x - xf), smooth(0.0, 1.0, y - yf));
    let a = mix(lattice(xi, yi), lattice(xi + 1, yi), tx);
    let b = mix(lattice(xi, yi + 1), lattice(xi + 1, yi + 1), tx);
    mix(a, b, ty)
}

/// Value noise summed over `octaves`, 0 to 1.
pub fn fbm(x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut gain, mut total, mut scale) = (0.0, 0.5, 0.0, 1.0);
    for _ in 0..octaves {
        sum += gain * noise(x * scale, y * scale);
        total += gain;
        gain *= 0.5;
        scale *= 2.03;
    }
    sum / total
}

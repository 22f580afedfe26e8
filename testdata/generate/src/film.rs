//! From linear light to files: exposure, sensor noise, rain, and the `ffmpeg` command as the encoder.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::math::{Camera, Rng, V3, mix, noise, v};

/// What the camera does to the light.
#[derive(Clone, Copy, Debug)]
pub struct Sensor {
    /// Factor before the curve.
    pub exposure: f32,
    /// Strength of the noise that changes from frame to frame, in steps of 256.
    pub grain: f32,
    /// Sees only brightness, as under an infrared lamp.
    pub monochrome: bool,
    /// Drops in the air, 0 for none.
    pub rain: f32,
}

/// A lamp that dazzles: where in the picture, how strong, how wide in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Glare {
    /// Pixel position.
    pub at: (f32, f32),
    /// Strength at its middle.
    pub power: f32,
    /// Radius in pixels.
    pub radius: f32,
}

/// One picture, 24-bit RGB, row by row.
pub type Picture = Vec<u8>;

/// Adds the halo of a lamp.
pub fn dazzle(cam: &Camera, light: &mut [V3], glare: &Glare) {
    let reach = glare.radius * 5.0;
    let lo = |c: f32| (c - reach).max(0.0) as usize;
    let (x1, y1) = ((glare.at.0 + reach).min(cam.w as f32), (glare.at.1 + reach).min(cam.h as f32));
    for y in lo(glare.at.1)..y1.max(0.0) as usize {
        for x in lo(glare.at.0)..x1.max(0.0) as usize {
            let (dx, dy) = (x as f32 - glare.at.0, y as f32 - glare.at.1);
            let d = (dx * dx + dy * dy).sqrt() / glare.radius;
            let streak = (-(dy * dy) / 6.0).exp() * (-dx.abs() / (glare.radius * 2.0)).exp() * 0.25;
            let k = ((-d * d * 2.2).exp() + 0.16 * (-d * 1.3).exp() - 0.0003).max(0.0) + streak;
            light[y * cam.w + x] += v(1.0, 0.95, 0.86) * (glare.power * k);
        }
    }
}

fn curve(x: f32) -> f32 {
    let x = if x > 0.65 { 0.65 + 0.35 * (1.0 - (-(x - 0.65) / 0.35).exp()) } else { x.max(0.0) };
    if x < 0.003_130_8 { x * 12.92 } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 }
}

/// Turns linear light into a picture; `frame` seeds noise and rain.
pub fn develop(cam: &Camera, light: &[V3], sensor: &Sensor, frame: u64) -> Picture {
    let table: Vec<f32> = (0..=8192).map(|i| curve(i as f32 / 2048.0) * 255.0).collect();
    let look = |x: f32| table[((x * 2048.0) as usize).min(8192)];
    let mut rng = Rng::new(frame.wrapping_mul(7919) + 17);
    let rain = streaks(cam, sensor.rain, &mut rng);
    let mut out = Vec::with_capacity(light.len() * 3);
    for (i, c) in light.iter().enumerate() {
        let (x, y) = ((i % cam.w) as f32 / cam.w as f32 - 0.5, (i / cam.w) as f32 / cam.h as f32 - 0.5);
        let k = sensor.exposure * (1.0 - 0.45 * (x * x + y * y));
        let mut c = *c * k;
        if sensor.rain > 0.0 {
            c = c.mix(v(0.55, 0.57, 0.6), rain[i].min(0.5));
        }
        if sensor.monochrome {
            let l = c.luma();
            c = v(l * 0.98, l, l * 0.99);
        }
        let shared = rng.normal() * sensor.grain;
        for part in [c.x, c.y, c.z] {
            let level = look(part.max(0.0));
            let strength = mix(1.0, 0.55, level / 255.0);
            out.push((level + shared * strength + 0.5).clamp(0.0, 255.0) as u8);
        }
    }
    out
}

fn streaks(cam: &Camera, strength: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = vec![0.0; if strength > 0.0 { cam.w * cam.h } else { 0 }];
    for _ in 0..(strength * 420.0) as usize {
        let (x, y) = (rng.between(0.0, cam.w as f32), rng.between(-40.0, cam.h as f32));
        let near = rng.unit().powi(2);
        let (length, tone) = (mix(9.0, 46.0, near), mix(0.1, 0.26, near));
        let slant = rng.between(0.06, 0.12);
        for step in 0..length as usize {
            let (px, py) = (x + step as f32 * slant, y + step as f32);
            if px >= 0.0 && py >= 0.0 && px < cam.w as f32 && py < cam.h as f32 {
                let i = py as usize * cam.w + px as usize;
                out[i] += tone * (0.6 + 0.4 * noise(py * 0.3, x));
            }
        }
    }
    out
}

/// An H.264 film on its way through `ffmpeg`.
pub struct Film {
    child: Child,
}

impl Film {
    /// Starts encoding to `path`; `crf` is x264's quality, lower is better.
    ///
    /// # Errors
    /// A sentence, if `ffmpeg` cannot be started.
    pub fn create(path: &Path, cam: &Camera, fps: u32, crf: u32) -> Result<Film, String> {
        let size = format!("{}x{}", cam.w, cam.h);
        let (fps, crf, gop) = (fps.to_string(), crf.to_string(), (fps * 5).to_string());
        let child = Command::new("ffmpeg")
            .args([
                "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-r", &fps, "-i",
                "-",
            ])
            .args([
                "-c:v", "libx264", "-preset", "slow", "-crf", &crf, "-bf", "0", "-g", &gop, "-threads", "1",
            ])
            .args(["-pix_fmt", "yuv420p", "-flags:v", "+bitexact", "-fflags", "+bitexact"])
            .args(["-map_metadata", "-1", "-movflags", "+faststart"])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|e| format!("start ffmpeg for {}: {e}", path.display()))?;
        Ok(Film { child })
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// A sentence, if `ffmpeg` went away.
    pub fn push(&mut self, picture: &[u8]) -> Result<(), String> {
        let pipe = self.child.stdin.as_mut().ok_or("write to ffmpeg: no pipe")?;
        pipe.write_all(picture).map_err(|e| format!("write to ffmpeg: {e}"))
    }

    /// Ends the film.
    ///
    /// # Errors
    /// A sentence, if `ffmpeg` failed.
    pub fn finish(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|e| format!("wait for ffmpeg: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("ffmpeg ended with {status}")) }
    }
}

/// Writes one picture as a JPEG.
///
/// # Errors
/// A sentence, if `ffmpeg` fails.
pub fn still(path: &Path, cam: &Camera, picture: &[u8]) -> Result<(), String> {
    let size = format!("{}x{}", cam.w, cam.h);
    let child = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-i", "-"])
        .args(["-frames:v", "1", "-update", "1", "-pix_fmt", "yuvj420p", "-q:v", "4"])
        .args(["-flags:v", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1", "-f", "image2"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|e| format!("start ffmpeg for {}: {e}", path.display()))?;
    let mut film = Film { child };
    film.push(picture)?;
    film.finish()
}

/// Renders `count` frames on all processors, and hands them on in order.
///
/// # Errors
/// The first error of `take`.
pub fn in_order(
    count: usize,
    make: impl Fn(usize) -> Picture + Sync,
    mut take: impl FnMut(usize, Picture) -> Result<(), String>,
) -> Result<(), String> {
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    for start in (0..count).step_by(lanes) {
        let done: Vec<Picture> = std::thread::scope(|scope| {
            let jobs: Vec<_> = (start..count.min(start + lanes))
                .map(|i| {
                    scope.spawn({
                        let make = &make;
                        move || make(i)
                    })
                })
                .collect();
            jobs.into_iter().map(|job| job.join().expect("a renderer does not panic")).collect()
        });
        for (i, picture) in done.into_iter().enumerate() {
            take(start + i, picture)?;
        }
    }
    Ok(())
}

/// The number of pictures in an MP4 file, from its sample size table (`stsz`, ISO/IEC 14496-12).
pub fn count_frames(mp4: &[u8]) -> Option<usize> {
    let at = mp4.windows(4).position(|w| w == b"stsz")?;
    let count = mp4.get(at + 12..at + 16)?;
    Some(u32::from_be_bytes(count.try_into().ok()?) as usize)
}

//! Licence plates in a frame, found and read.
//!
//! A network (`models/plates`) finds plates with their four corners ([`detector`]), and each is laid upright ([`rectify`]); one that
//! cannot be read so is looked at as it stands.
//! Character-like components on a straight line ([`lines`]) are then straightened into strips of one size ([`strip`]), and
//! a second network (`models/plate-characters`) says for each column of a strip which character it shows, if any. From
//! that come the likeliest texts ([`decode`]), and the one that a country's plates may bear ([`regions`]).

mod components;
mod decode;
mod detector;
mod lines;
mod reader;
mod rectify;
mod regions;
mod strip;
mod strips;

#[cfg(test)]
mod tests;

pub use lines::Line;
pub use reader::{Networks, Options, PlateRead, PlateReader};
pub use regions::Region;
pub use strip::Frame;
pub use strips::{Strip, strips};

/// Four corners of a plate in pixels, clockwise from its own top left.
pub type Corners = [[f64; 2]; 4];

/// The upright box around corners: left, top, right, bottom.
fn bounds(corners: &Corners) -> [f64; 4] {
    let [xs, ys] = [0, 1].map(|axis| corners.map(|corner| corner[axis]));
    let least = |side: [f64; 4]| side.into_iter().fold(f64::INFINITY, f64::min);
    let most = |side: [f64; 4]| side.into_iter().fold(f64::NEG_INFINITY, f64::max);
    [least(xs), least(ys), most(xs), most(ys)]
}

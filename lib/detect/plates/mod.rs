//! Licence plates in a frame, found and read.
//!
//! A network finds plates with their four corners ([`detector`]); each is laid upright ([`rectify`]), and a second one says
//! what each column of its one or two lines shows (`models/plates` has both). From that come the likeliest texts
//! ([`decode`]), weighed with what a country's plates may bear ([`prior`], [`regions`], [`syntax`]).

mod decode;
mod detector;
mod prior;
mod reader;
mod rectify;
mod regions;
mod syntax;

#[cfg(test)]
mod tests;

pub use reader::{Networks, Options, PlateRead, PlateReader};
pub use regions::Region;

/// Four corners of a plate in pixels, clockwise from its own top left.
pub type Corners = [[f64; 2]; 4];

/// The upright box around corners: left, top, right, bottom.
fn bounds(corners: &Corners) -> [f64; 4] {
    let [xs, ys] = [0, 1].map(|axis| corners.map(|corner| corner[axis]));
    let least = |side: [f64; 4]| side.into_iter().fold(f64::INFINITY, f64::min);
    let most = |side: [f64; 4]| side.into_iter().fold(f64::NEG_INFINITY, f64::max);
    [least(xs), least(ys), most(xs), most(ys)]
}

//! Licence plates in a frame, found and read.
//!
//! Character-like components on a straight line ([`lines`]) are straightened into strips of one size ([`strip`]); a
//! small network (`models/plate-characters`) says for each column of a strip which character it shows, if any. What
//! it reads decides whether a line is a plate and where it ends.

mod components;
mod decode;
mod lines;
mod reader;
mod strip;
mod strips;

#[cfg(test)]
mod tests;

pub use lines::Line;
pub use reader::{Options, PlateRead, PlateReader};
pub use strip::Frame;
pub use strips::{Strip, strips};

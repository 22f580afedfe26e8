//! How a slot map is made: drawn by its corners, taken from other formats, proposed from where vehicles stand.
//!
//! * [`grid`]: rows and grids of slots by four corners, in perspective.
//! * [`import`]: PKLot, CNRPark, COCO, CSV, our own maps.
//! * [`propose`]: slots from arrivals and departures in a video.
//! * [`draw`]: a map over a picture.
//! * `command`: `park-detect map`.
//!
//! The map itself and its check are in [`crate::slots::map`].

mod command;
pub mod draw;
pub mod grid;
pub mod import;
pub mod propose;

pub(crate) use command::{MAKING, MapArgs, run};

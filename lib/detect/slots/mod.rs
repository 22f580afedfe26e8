//! Parking slots in a frame: which are occupied.
//!
//! * [`map`]: where the slots lie in the picture, read from JSON and checked.
//! * [`reader`]: the state of every mapped slot in a frame: [`SlotReader`].
//! * [`view`]: a map bound to a frame size; each slot's upright patch.
//! * [`features`]: the few numbers a patch is judged by.
//! * [`judge`]: from those numbers to a state and its probability; all parameters stand there.
//! * `geometry`: polygons.

pub mod features;
pub(crate) mod geometry;
pub mod judge;
pub mod map;
pub mod reader;
pub mod view;

pub use map::{Slot, SlotMap};
pub use reader::SlotReader;

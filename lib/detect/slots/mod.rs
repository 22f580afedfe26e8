//! Parking slots in a frame: which are occupied.
//!
//! * [`map`]: where the slots lie in the picture, read from JSON and checked.
//! * [`reader`]: the state of every mapped slot in a frame: [`SlotReader`].
//! * [`view`]: a map bound to a frame size; each slot's upright [`patch`].
//! * [`patch`]: a slot seen upright, and the bare ground that it is compared with.
//! * [`classifier`]: how likely a vehicle stands in it, by a small network.
//! * [`memory`]: what the camera has seen of its lot so far, which corrects the network and notices a moved or blocked camera.
//! * [`judge`]: from odds to a state and its probability.
//! * `geometry`: polygons.

pub mod classifier;
pub(crate) mod geometry;
pub mod judge;
pub mod map;
pub mod memory;
pub mod patch;
pub mod reader;
pub mod view;

pub use map::{Slot, SlotMap};
pub use memory::Memory;
pub use reader::SlotReader;

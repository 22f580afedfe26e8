//! park-capture: cameras and recordings to frames.

//! Renders `testdata/`: recordings of a gate and of a lot, serial transcripts, and the truth about them.
//!
//! * [`math`], [`mesh`], [`light`], [`render`]: a small renderer
//! * [`paint`], [`plate`], [`car`], [`person`]: what it shows
//! * [`yard`], [`gate`]: the gate's recordings; [`deck`], [`lot`]: the lot's; [`shows`]: the programme of both;
//!   [`invented`]: as many passages more as are wanted
//! * [`expected`]: what pipelines should find in them; [`serial`]: transcripts of serial lines
//! * [`film`], [`files`]: how they are written

pub mod car;
pub mod deck;
pub mod expected;
pub mod files;
pub mod film;
pub mod gate;
pub mod invented;
pub mod light;
pub mod lot;
pub mod math;
pub mod mesh;
pub mod paint;
pub mod person;
pub mod plate;
pub mod render;
pub mod serial;
pub mod shows;
pub mod yard;

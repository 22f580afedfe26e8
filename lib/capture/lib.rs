//! `park-capture`: cameras and recordings to frames.
//!
//! * [`source`]: what a user names as a source, and what it is called.
//! * [`recording`]: videos and folders of pictures, frame by frame, with their own clock.
//! * [`replay`]: recorded streams of records, passed on as they are.
//! * [`live`]: cameras: threads that keep the newest frame and open a lost camera again.
//! * [`pace`]: which frames are wanted, and when they are due.
//! * [`idle`]: whether anything moves in a view.
//! * [`frames`]: pixels to `frame` records, inline or in shared memory, and to a still.
//! * [`faults`]: inputs that are bad: reported, counted, and the stream goes on.
//! * [`play`]: recordings one after the other.
//! * [`cli`]: the command.

mod cli;
mod faults;
mod frames;
mod idle;
mod live;
mod pace;
mod play;
mod recording;
mod replay;
mod source;
mod vision;

pub use cli::Capture;

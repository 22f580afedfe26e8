//! `park-detect`: frames to licence plates and slot states. It alone runs models.
//!
//! * [`frames`]: from `frame` records to pictures, inline or by reference; [`jpeg`] looks before the decoder leaps.
//! * [`plates`]: licence plates in a picture.
//! * [`slots`]: which parking slots of a map are occupied in a picture.
//! * [`map`]: how a slot map is made.
//! * [`score`]: how right records are, held against the truth.
//! * [`engine`]: runs a network.
//! * [`heap`]: how the process keeps its memory.
//! * [`error`]: what can go wrong, by kind.
//! * [`cli`]: the command; [`filter`] its stream, [`jobs`] what is looked for in it.

mod cli;
pub mod engine;
pub mod error;
mod filter;
pub mod frames;
mod heap;
mod jobs;
pub mod jpeg;
pub mod map;
pub mod plates;
pub mod score;
pub mod slots;

pub use cli::Detect;

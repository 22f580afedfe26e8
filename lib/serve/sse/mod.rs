//! Dialect B: Server-Sent Events at `/api/sse/dashboard`.
//!
//! * [`event`]: events against records. Pure.
//! * `stream`: one client's stream. `gzip`: compressed, at one compression for all.
//! * [`answer`]: from request to stream. `ping`: a sign of life to all.

mod answer;
pub mod event;
mod gzip;
mod ping;
mod stream;

pub use answer::{Asked, PATH, answer};
pub use ping::ping;

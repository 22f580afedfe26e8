//! Dialect B: Server-Sent Events at `/api/sse/dashboard`.
//!
//! * [`event`]: events against records. Pure.
//! * `stream`: one client's stream.
//! * [`answer`]: from request to stream.

mod answer;
pub mod event;
mod stream;

pub use answer::{Asked, PATH, answer};

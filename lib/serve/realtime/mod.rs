//! Dialect C's questions: what is free, what became of a booking, how things go. Socket.IO and REST answer from here.
//!
//! * [`availability`]: what is free, lot by lot. Pure.
//! * [`bookings`]: bookings and what happens to them, from the log.
//! * [`stats`]: numbers for the admins' screen.
//! * [`rest`]: the paths `/realtime/…`.

pub mod availability;
pub mod bookings;
pub mod rest;
pub mod stats;

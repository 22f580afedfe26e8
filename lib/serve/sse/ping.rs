//! A sign of life, every 30 s.

use super::event::{self, COMPRESSED, FORM};
use super::gzip;
use crate::server::Server;

/// Tells every client that the server is there.
pub fn ping(server: &Server) {
    let ping = event::ping(server.now());
    server.hub.ping(&FORM, &ping);
    server.hub.ping(&COMPRESSED, &gzip::block(&ping));
}

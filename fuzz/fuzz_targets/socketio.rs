//! Any text as a payload of Engine.IO: packets or an error, and those of Socket.IO within likewise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use park_serve::socketio::engine::packet::Packet;
use park_serve::socketio::packet::{self, What};

fuzz_target!(|payload: &str| {
    for packet in Packet::of_payload(payload).map_while(Result::ok) {
        let Packet::Message(text) = packet else { continue };
        let Ok(packet) = packet::Packet::read(text) else { continue };
        assert!(packet.attachments <= 10);
        assert!(packet.namespace.starts_with('/'));
        if let What::Event(_, arguments, id) = packet.what {
            assert!(arguments.len() <= 16);
            assert!(id.is_none_or(|id| id < 1 << 53));
        }
    }
});

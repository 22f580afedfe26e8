//! A line of anything: an error or a record, and a record's payload likewise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use park_core::record::{Envelope, camera, command, gate, lot, vision};

fuzz_target!(|line: &[u8]| {
    let Ok(record) = Envelope::parse(line) else { return };
    let _ = record.payload::<camera::Frame>();
    let _ = record.payload::<vision::Plates>();
    let _ = record.payload::<vision::Slots>();
    let _ = record.payload::<gate::ParkingExit>();
    let _ = record.payload::<lot::Violation>();
    let _ = record.payload::<command::GateControl>();
    if let Some(time) = record.timestamp {
        assert!(time.to_string().parse::<park_core::record::Time>().is_ok());
    }
});

//! A message of a detection back end, whoever made it: an error, or whole lines that are records and no commands.
#![no_main]

use libfuzzer_sys::fuzz_target;
use park_core::record::{Envelope, Time};
use park_serve::monitors::foreign::{Heard, Place, Translator};

fuzz_target!(|messages: Vec<&str>| {
    for place in [Place::Gate("g".into()), Place::Lot("l".into())] {
        let mut translator = Translator::new(place, "camera".into());
        for message in &messages {
            let Ok(heard) = translator.read(message, Time::from_millis(1)) else { continue };
            let (Heard::Ours(lines) | Heard::Frame(lines) | Heard::Foreign(lines)) = heard;
            assert_eq!(lines.last(), Some(&b'\n'));
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let record = Envelope::parse(line).expect("it is a record");
                assert!(record.id.is_some() && !record.kind.as_str().contains("control"));
            }
        }
    }
});

//! Measures how many small records a second the log makes durable: `cargo run --release -p park-store --example durable FILE`.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use park_core::record::Time;
use park_store::{Record, Store};

const RECORDS: usize = 100_000;

fn main() {
    let path = std::env::args().nth(1).expect("the name of a database that does not exist yet");
    let mut store = Store::open(path).unwrap();
    for batch in [1, 10, 100, 1000] {
        let lines: Vec<String> = (0..RECORDS)
            .map(|n| {
                format!(
                    r#"{{"type":"slot_changed","v":1,"id":"{batch:05}{n:021}","timestamp":"2026-01-20T10:00:00.000Z","source":"cam","gate_id":"g","lot_id":"l","payload":{{"slot_id":"A{n}","state":"occupied","confidence":0.93}}}}"#
                )
            })
            .collect();
        let begin = Instant::now();
        let count = if batch == 1 { RECORDS / 5 } else { RECORDS };
        for chunk in lines[..count].chunks(batch) {
            let records: Vec<Record> =
                chunk.iter().map(|line| Record::parse(line.as_bytes(), Time::default()).unwrap()).collect();
            assert_eq!(store.append(&records).unwrap().stored, chunk.len());
        }
        println!("batches of {batch}: {:.0} records a second", count as f64 / begin.elapsed().as_secs_f64());
    }
}

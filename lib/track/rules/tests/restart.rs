//! What a restart must not do.

use super::*;

const SITE: &str = "
[lots.l]
capacity = 2
[contractors.acme]
lot = 'l'
capacity = 1
plates = ['P1', 'P2']
";

#[test]
fn nothing_is_said_again() {
    let mut bench = Bench::new(quick(), SITE);
    bench.show("c", "A1=o A2=o", 0..=9).at(10, entry(10, "s1", "P1")).at(11, entry(11, "s2", "P2"));
    assert_eq!(bench.violations().len(), 1);
    bench.said.clear();
    bench.restart();
    bench.show("c", "A1=o A2=o", 12..=20).at(21, What::Tick);
    assert_eq!(bench.said, []);
    bench.at(22, exit(22, Some("s2"), "P2"));
    assert_eq!(bench.violations().len(), 1, "and what was open is resolved");
}

#[test]
fn what_was_counted_is_not_counted_twice() {
    let mut bench = Bench::new(quick(), SITE);
    let first = happen(10, entry(10, "s1", "P1"));
    let out = happen(20, exit(20, Some("s1"), "P1"));
    bench.take(&first);
    bench.restart();
    bench.said.clear();
    bench.take(&first);
    assert_eq!(bench.said, []);
    bench.take(&out);
    bench.restart();
    bench.said.clear();
    bench.take(&first);
    bench.take(&out);
    assert_eq!((bench.said.len(), bench.tracker.state().lots["l"].gates.inside), (0, 0));
}

#[test]
fn the_time_between_two_runs_is_no_silence() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=o")).at(100, slots("d", "B1=f"));
    bench.said.clear();
    bench.restart();
    bench.at(10_000, slots("d", "B1=f"));
    assert_eq!(bench.said, [], "c had no chance to be heard yet");
    bench.at(10_199, slots("d", "B1=f"));
    assert_eq!(bench.alerts(), []);
    bench.at(10_201, slots("d", "B1=f"));
    assert_eq!(bench.alerts().len(), 1, "200 s more after the 100 s before the end");
}

#[test]
fn a_state_across_the_pause_is_no_confirmation() {
    let mut bench = Bench::plain();
    bench.show("c", "A1=f", 0..=5).at(6, slots("c", "A1=o"));
    bench.said.clear();
    bench.restart();
    bench.at(10_000, slots("c", "A1=o"));
    assert_eq!(bench.said, []);
    bench.show("c", "A1=o", 10_001..=10_003);
    assert_eq!(bench.slot_changes()[0].1.since, at(10_000));
}

#[test]
fn other_settings_count_from_the_next_record_on() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(10, entry(10, "s1", "X1"));
    bench.said.clear();
    bench.site = SITE.replace("capacity = 2", "capacity = 8");
    bench.restart();
    bench.at(11, What::Tick);
    assert_eq!(bench.capacity()[0].1.total, 8);
}

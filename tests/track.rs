//! `park-track` on its real binary: pipes, a site, a restart, signals.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Running, of_type, records, run, shell, stderr};

/// A record at a second past ten o'clock in lot `lot_1`.
fn line(kind: &str, second: u64, id: &str, payload: Value) -> String {
    let time = format!("2026-01-20T10:{:02}:{:02}.000Z", second / 60, second % 60);
    let record =
        json!({ "type": kind, "v": 1, "id": id, "timestamp": time, "lot_id": "lot_1", "payload": payload });
    format!("{record}\n")
}

/// A frame of `cam`: `o`, `f`, `u` for the slots A1, A2, …
fn frame(second: u64, states: &str) -> String {
    let state = |letter| match letter {
        'o' => "occupied",
        'f' => "free",
        _ => "unknown",
    };
    let slots: Vec<Value> = states
        .chars()
        .enumerate()
        .map(|(at, letter)| json!({ "slot_id": format!("A{}", at + 1), "state": state(letter), "confidence": 0.9 }))
        .collect();
    line("slots", second, &format!("f{second}"), json!({ "camera_id": "cam", "seq": second, "slots": slots }))
}

fn film(from: u64, states: &str, frames: u64) -> String {
    (from..from + frames).map(|second| frame(second, states)).collect()
}

fn entry(second: u64, session: &str, plate: &str) -> String {
    let payload = json!({ "session_id": session, "plate": plate, "entered_at": format!("2026-01-20T10:{:02}:{:02}Z", second / 60, second % 60) });
    line("parking_entry", second, &format!("e{session}"), payload)
}

fn exit(second: u64, session: &str, plate: &str) -> String {
    let time = format!("2026-01-20T10:{:02}:{:02}Z", second / 60, second % 60);
    let payload = json!({ "session_id": session, "plate": plate, "exited_at": time, "matched": "plate" });
    line("parking_exit", second, &format!("x{session}"), payload)
}

/// What the command added to what it was given.
fn added(output: &[Value], input: &str) -> Vec<Value> {
    let given: Vec<Value> = input.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    output.iter().filter(|record| !given.contains(record)).cloned().collect()
}

#[test]
fn slots_become_changes_counts_and_alerts_in_a_pipe() {
    let input =
        film(0, "ff", 3) + &film(3, "of", 4) + &film(7, "oo", 1) + &film(8, "of", 4) + &film(12, "oo", 5);
    let output = run("park-track", &["--lot", "lot_1", "--occupied-after", "3"], input.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let all = records(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    let is_frame = |line: &&str| line.starts_with("{\"type\":\"slots\"");
    let passed: String = text.split_inclusive('\n').filter(is_frame).collect();
    assert_eq!(passed, input, "every frame is passed on as it was");
    let changes: Vec<_> = of_type(&all, "slot_changed")
        .into_iter()
        .map(|change| {
            format!(
                "{} {} {}",
                change["payload"]["slot_id"], change["payload"]["state"], change["payload"]["since"]
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            "\"A1\" \"free\" \"2026-01-20T10:00:00.000Z\"",
            "\"A2\" \"free\" \"2026-01-20T10:00:00.000Z\"",
            "\"A1\" \"occupied\" \"2026-01-20T10:00:03.000Z\"",
            "\"A2\" \"occupied\" \"2026-01-20T10:00:12.000Z\"",
        ],
        "the flicker at second 7 gives nothing"
    );
    let occupied: Vec<_> =
        of_type(&all, "capacity_update").iter().map(|update| update["payload"]["occupied"].clone()).collect();
    assert_eq!(occupied, [0, 1, 2]);
    let alerts = of_type(&all, "alert");
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["payload"]["alert_type"], "capacity_warning");
    assert!(all.iter().all(|record| record["lot_id"] == "lot_1" && record["id"].is_string()));
}

#[test]
fn a_first_state_may_have_to_be_confirmed_also_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("track.json");
    let args = ["--lot", "lot_1", "--confirm-first", "--state", state.to_str().unwrap()];
    // Somebody stands before A2 as the camera starts.
    let output = run("park-track", &args, (film(0, "fo", 2) + &film(2, "ff", 2)).as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let started = records(&output);
    assert!(started.iter().all(|record| record["type"] == "slots"), "{started:?}");
    let all = records(&run("park-track", &args, film(4, "ff", 6).as_bytes()));
    let said: Vec<_> = of_type(&all, "slot_changed")
        .iter()
        .map(|change| {
            let payload = &change["payload"];
            assert!(payload["previous"].is_null(), "{change}");
            format!("{} {} {}", payload["slot_id"], payload["state"], change["timestamp"])
        })
        .collect();
    assert_eq!(
        said,
        ["\"A1\" \"free\" \"2026-01-20T10:00:05.000Z\"", "\"A2\" \"free\" \"2026-01-20T10:00:07.000Z\""]
    );
    let unknown: Vec<_> =
        of_type(&all, "capacity_update").iter().map(|update| update["payload"]["unknown"].clone()).collect();
    assert_eq!(unknown, [1, 0]);
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let input = film(0, "ffo", 5) + &entry(5, "s1", "AB 1") + &film(6, "oou", 9) + &exit(20, "s1", "AB1");
    let once = run("park-track", &["--lot", "lot_1", "--capacity", "5"], input.as_bytes());
    let again = run("park-track", &["--lot", "lot_1", "--capacity", "5"], input.as_bytes());
    assert!(once.status.success() && !once.stdout.is_empty());
    assert_eq!(once.stdout, again.stdout);
}

#[test]
fn a_restart_goes_on_where_the_last_run_ended() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("track.json");
    let state = state.to_str().unwrap();
    let args =
        ["--lot", "lot_1", "--occupied-after=3", "--free-after=3", "--warn-at", "0.6", "--state", state];
    let story = [
        entry(1, "s1", "P1"),
        film(2, "fof", 4),
        entry(6, "s2", "P2"),
        film(7, "oof", 2),
        // The change of A1 is on its way here.
        film(9, "oof", 4),
        exit(20, "s1", "P1"),
        film(21, "fof", 5),
    ];
    let whole = run("park-track", &args[..6], story.concat().as_bytes());
    let mut parts = Vec::new();
    for part in &story {
        let output = run("park-track", &args, part.as_bytes());
        assert!(output.status.success(), "{}", stderr(&output));
        parts.extend(output.stdout);
    }
    assert_eq!(String::from_utf8_lossy(&parts), String::from_utf8_lossy(&whole.stdout));

    let again = run("park-track", &args, story.concat().as_bytes());
    assert_eq!(added(&records(&again), &story.concat()), Vec::<Value>::new(), "all of it was counted before");
    let files: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "the state and its lock, nothing half written: {files:?}");
}

#[test]
fn what_was_said_is_kept_even_if_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("track.json");
    let args = ["--lot", "lot_1", "--state", state.to_str().unwrap()];
    let mut running = Running::start("park-track", &args);
    running.send(&entry(1, "s1", "P1"));
    assert_eq!(running.next_of("capacity_update")["payload"]["by_gates"], 1);
    // The state follows the record; a second record's answer shows that the first one's burst is over.
    running.send("{\"type\":\"note\"}\n");
    running.next_of("note");
    running.signal(libc::SIGKILL);
    running.child.wait().unwrap();
    let output = run("park-track", &args, (entry(1, "s1", "P1") + &entry(2, "s2", "P2")).as_bytes());
    let counts: Vec<_> = of_type(&records(&output), "capacity_update")
        .iter()
        .map(|update| update["payload"]["by_gates"].clone())
        .collect();
    assert_eq!(counts, [2]);
}

#[test]
fn one_state_is_for_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("track.json");
    let args = ["--lot", "lot_1", "--state", state.to_str().unwrap()];
    let mut first = Running::start("park-track", &args);
    first.send("{\"type\":\"note\"}\n");
    first.next_of("note");
    let second = run("park-track", &args, b"");
    assert_eq!(second.status.code(), Some(75), "{}", stderr(&second));
    assert!(stderr(&second).contains("in use by another process"));
    let (status, _) = first.end();
    assert!(status.success());
    std::fs::write(&state, "{}").unwrap();
    let broken = run("park-track", &args, b"");
    assert_eq!(broken.status.code(), Some(78), "{}", stderr(&broken));
    assert!(stderr(&broken).contains("remove it to begin anew"));
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "{}");
}

fn site(dir: &Path) -> String {
    std::fs::write(dir.join("acme.txt"), "ACM-1 # the boss\nACM 2\n").unwrap();
    std::fs::write(dir.join("deny.txt"), "").unwrap();
    let path = dir.join("park.toml");
    let text = "[lots.lot_1]\ncapacity = 4\n[lots.lot_1.levels.L1]\nname = 'Ground'\nslots = ['A1', 'A2']\n\
                [gates.g]\nlot = 'lot_1'\n\
                [contractors.acme]\nlot = 'lot_1'\ncapacity = 1\nlist = 'acme.txt'\npenalty = 25.0\n\
                [lists]\ndeny = ['deny.txt']\n[track]\noccupied_after = 0\n";
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_site_says_levels_contractors_and_lists() {
    let dir = tempfile::tempdir().unwrap();
    let config = site(dir.path());
    let input = film(0, "ff", 2)
        + &frame(2, "of")
        + &entry(3, "s1", "ACM1")
        + &entry(4, "s2", "acm 2")
        + &exit(64, "s2", "ACM2");
    let output = run("park-track", &["--config", &config], input.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let all = records(&output);
    let level = &of_type(&all, "parking_update")[1]["payload"];
    assert_eq!(
        (&level["level_id"], &level["name"], &level["occupied"]),
        (&json!("L1"), &json!("Ground"), &json!(1))
    );
    let said: Vec<_> =
        of_type(&all, "violation").into_iter().map(|violation| violation["payload"].clone()).collect();
    assert_eq!(said.len(), 2);
    assert_eq!((&said[0]["status"], &said[1]["status"]), (&json!("pending"), &json!("resolved")));
    assert_eq!(said[0]["violation_id"], said[1]["violation_id"]);
    assert_eq!((&said[1]["duration"], &said[1]["penalty"]), (&json!(60.0), &json!(25.0)));
    let passage = of_type(&all, "capacity_update")
        .into_iter()
        .find(|it| it["payload"]["event"] == "vehicle_exit")
        .unwrap();
    assert_eq!(passage["payload"]["duration"], 60.0);
}

#[test]
fn hup_reads_the_lists_again_and_keeps_the_old_ones_if_it_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let config = site(dir.path());
    let mut running = Running::start("park-track", &["--config", &config, "--log", "info"]);
    running.send(&entry(1, "s1", "XY 1"));
    running.next_of("capacity_update");
    std::fs::write(dir.path().join("deny.txt"), "---\n").unwrap();
    running.signal(libc::SIGHUP);
    let message = running.says("the old ones stay");
    assert!(message.contains("deny.txt") && message.contains("line 1"), "{message}");
    std::fs::write(dir.path().join("deny.txt"), "xy-1\n").unwrap();
    running.signal(libc::SIGHUP);
    running.says("read again");
    running.send(&line("tick", 2, "t", json!({})));
    let violation = running.next_of("violation");
    assert_eq!(violation["payload"]["violation_type"], "unauthorized_vehicle");
    assert_eq!(violation["payload"]["plate"], "XY 1");
}

#[test]
fn a_site_that_is_wrong_is_refused_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("park.toml");
    std::fs::write(&path, "[gates.g]\nlot = 'nowhere'\n").unwrap();
    let output = run("park-track", &["--config", path.to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("gates.g.lot: there is no lot \"nowhere\""), "{}", stderr(&output));
}

#[test]
fn bad_payloads_are_reported_and_the_rest_goes_on() {
    let bad = "{\"type\":\"slots\",\"timestamp\":\"2026-01-20T10:00:00Z\",\"payload\":{\"camera_id\":7}}\n\
               {\"type\":\"parking_entry\",\"payload\":{}}\n";
    let input = bad.to_owned() + &entry(1, "s1", "P1");
    let output = run("park-track", &["--lot", "lot_1"], input.as_bytes());
    assert_eq!(output.status.code(), Some(65));
    let all = records(&output);
    assert_eq!(of_type(&all, "error").len(), 2);
    assert_eq!(of_type(&all, "capacity_update").len(), 1);
    assert!(stderr(&output).contains("a parking_entry record without a timestamp"), "{}", stderr(&output));
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    for args in [["--warn-at", "1.5"], ["--warn-at", "0"], ["--capacity", "0"], ["--occupied-after", "-1"]] {
        let output = run("park-track", &args, b"");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn the_report_says_how_every_lot_stands_on_stderr() {
    let input = film(0, "ffo", 2) + &entry(5, "s1", "P1");
    let output = run("park-track", &["--lot", "lot_1", "--report"], input.as_bytes());
    assert!(output.status.success());
    let said = stderr(&output);
    let row: Vec<_> = said.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[row.len() - 9..], ["lot_1", "3", "1", "2", "0", "1", "0", "0", "slots"], "{said}");
}

#[test]
fn two_trackers_in_a_pipe_do_not_count_each_other() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("log"), film(0, "fo", 6)).unwrap();
    let output = shell(
        "park-track --lot lot_1 < log | park-track --lot lot_1 | sort | uniq -c | sort -rn | head -1",
        dir.path(),
    );
    let most = String::from_utf8_lossy(&output.stdout).trim().split(' ').next().unwrap().to_owned();
    assert_eq!(most, "2", "the second says the same records with the same ids, which a store takes once");
}

//! `park-capture` on recordings, folders, recorded streams and cameras.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use park_core::stream::spool::{SpoolReader, Take};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::camera::{MjpegCamera, Mood, RtspCamera, pty, until_hangup};
use crate::support::{Running, lines, of_type, park, records, run, shell, stderr, testdata};

fn video() -> String {
    testdata("gate/gate-day.mp4").display().to_string()
}

fn temp() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes the first frame of the gate's recording as a picture.
fn picture(path: &Path, size: &str) {
    let path = path.to_str().unwrap();
    let output = run("park-capture", &[&*video(), "--size", size, "--still", path], b"");
    assert!(output.status.success(), "{}", stderr(&output));
    let captured = &records(&output)[0];
    assert_eq!((&captured["type"], &captured["payload"]["path"]), (&"image_captured".into(), &path.into()));
}

fn jpeg() -> Vec<u8> {
    let dir = temp();
    picture(&dir.path().join("one.jpg"), "320x180");
    fs::read(dir.path().join("one.jpg")).unwrap()
}

fn states(records: &[Value]) -> Vec<&str> {
    of_type(records, "camera_status")
        .iter()
        .map(|status| status["payload"]["state"].as_str().unwrap())
        .collect()
}

#[test]
fn an_idle_view_gives_few_frames_and_no_plate_is_lost() {
    let dir = temp();
    // Five seconds in which nothing happens, then a vehicle comes.
    let film = format!(
        "ffmpeg -loglevel error -i {} -vf tpad=start_mode=clone:start_duration=5 -t 14 idle.mp4",
        video()
    );
    assert!(shell(&film, dir.path()).status.success());
    let passed = |flags: &str| {
        let line = format!(
            "park-capture idle.mp4 --camera cam {flags} | tee seen | park-detect plates | park-gate --gate gate_in --default allow"
        );
        let said = records(&shell(&line, dir.path()));
        let plates: Vec<Value> =
            of_type(&said, "plate_detected").iter().map(|said| said["payload"]["plate"].clone()).collect();
        let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
        (seen.lines().filter(|line| line.contains("\"type\":\"frame\"")).count(), plates)
    };
    let (every, some) = (passed(""), passed("--idle-fps 2"));
    assert_eq!((every.0, &every.1), (14 * 12, &vec![Value::from("AZJ6991")]));
    // Three seconds of the five are thinned out from twelve frames to two.
    assert!((every.0 - some.0).abs_diff(3 * 10) <= 2, "{} of {}", some.0, every.0);
    assert_eq!(some.1, every.1);
}

#[test]
fn a_video_gives_frames_stamped_by_its_own_clock_and_the_same_bytes_twice() {
    let args = [
        &*video(),
        "--fps",
        "2",
        "--size",
        "160x90",
        "--start",
        "2026-01-20T08:00:00Z",
        "--camera",
        "cam_in",
    ];
    let output = run("park-capture", &args, b"");
    assert!(output.status.success(), "{}", stderr(&output));
    let all = records(&output);
    assert_eq!(states(&all), ["online", "offline"]);
    let frames = of_type(&all, "frame");
    assert!(frames.len() > 10);
    assert_eq!(frames[0]["timestamp"], "2026-01-20T08:00:00.000Z");
    for (seq, frame) in frames.iter().enumerate() {
        assert_eq!(frame["source"], "cam_in");
        let payload = &frame["payload"];
        assert_eq!(
            (payload["seq"].as_u64(), payload["width"].as_u64(), payload["height"].as_u64()),
            (Some(seq as u64), Some(160), Some(90))
        );
        assert!(payload["data"].as_str().unwrap().starts_with("/9j/"), "a JPEG in base64");
    }
    let times: Vec<&str> = frames.iter().map(|frame| frame["timestamp"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(times[2], "2026-01-20T08:00:01.000Z");
    assert!(run("park-capture", &args, b"").stdout == output.stdout, "the same input gave other bytes");
}

#[test]
fn recordings_follow_one_another_on_one_clock() {
    let output =
        run("park-capture", &[&*video(), &*video(), "--camera", "cam", "--fps", "1", "--size", "64x36"], b"");
    let all = records(&output);
    assert_eq!(states(&all), ["online", "offline", "online", "offline"]);
    let frames = of_type(&all, "frame");
    let seqs: Vec<u64> = frames.iter().map(|frame| frame["payload"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (0..frames.len() as u64).collect::<Vec<_>>());
    let times: Vec<&str> = all.iter().map(|record| record["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let mut ids: Vec<&str> = all.iter().map(|record| record["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "an id was given twice");
}

#[test]
fn a_folder_goes_on_past_what_is_no_picture() {
    let dir = temp();
    for name in ["a.jpg", "c.png", "e.jpg"] {
        picture(&dir.path().join(name), "320x180");
    }
    fs::write(dir.path().join("b.txt"), "not a picture").unwrap();
    let whole = fs::read(dir.path().join("a.jpg")).unwrap();
    fs::write(dir.path().join("d.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(dir.path().join("f.jpg"), b"").unwrap();
    fs::write(dir.path().join(".hidden"), b"").unwrap();
    fs::create_dir(dir.path().join("folder.jpg")).unwrap();

    let folder = dir.path().to_str().unwrap();
    let output = run("park-capture", &[folder, "--fps", "2"], b"");
    assert_eq!(output.status.code(), Some(65));
    let all = records(&output);
    let frames = of_type(&all, "frame");
    let told: Vec<(&str, u64, &str)> = frames
        .iter()
        .map(|frame| {
            let payload = &frame["payload"];
            let text = |value: &'static str| frame.pointer(value).unwrap().as_str().unwrap();
            (text("/payload/file"), payload["seq"].as_u64().unwrap(), text("/timestamp"))
        })
        .collect();
    let at = |second: &str| format!("1970-01-01T00:00:0{second}Z");
    let (first, third, fifth) = (at("0.000"), at("1.000"), at("2.000"));
    assert_eq!(told, [("a.jpg", 0, &*first), ("c.png", 2, &*third), ("e.jpg", 4, &*fifth)]);
    // A JPEG passes as it is: not coded anew, so not a byte longer or shorter.
    let data = frames[0]["payload"]["data"].as_str().unwrap();
    assert_eq!(data.len(), whole.len().div_ceil(3) * 4);

    let faults = of_type(&all, "error");
    let inputs: Vec<&str> = faults.iter().map(|fault| fault["payload"]["input"].as_str().unwrap()).collect();
    assert_eq!(inputs, ["b.txt", "d.jpg", "f.jpg"]);
    for input in inputs {
        assert!(stderr(&output).contains(input), "{}", stderr(&output));
    }
    let strict = run("park-capture", &[folder, "--strict"], b"");
    assert_eq!((strict.status.code(), of_type(&records(&strict), "frame").len()), (Some(65), 1));
}

#[test]
fn a_list_of_pictures_keeps_its_order() {
    let dir = temp();
    let names = ["2.jpg", "1.jpg"].map(|name| dir.path().join(name));
    names.iter().for_each(|name| picture(name, "64x36"));
    let names = names.map(|name| name.display().to_string());
    let all = records(&run("park-capture", &names, b""));
    let files: Vec<&Value> = of_type(&all, "frame").iter().map(|frame| &frame["payload"]["file"]).collect();
    assert_eq!(files, ["2.jpg", "1.jpg"]);
    assert_eq!(all[0]["source"], dir.path().file_name().unwrap().to_str().unwrap());
}

#[test]
fn a_truncated_video_says_so_after_its_frames() {
    let dir = temp();
    let cut = dir.path().join("cut.mp4");
    let whole = fs::read(video()).unwrap();
    fs::write(&cut, &whole[..whole.len() / 3]).unwrap();
    let output = run("park-capture", &[cut.to_str().unwrap(), "--size", "64x36"], b"");
    assert_eq!(output.status.code(), Some(65));
    let all = records(&output);
    assert!(of_type(&all, "frame").len() > 10);
    assert_eq!(of_type(&all, "error").len(), 1);
    let last = all.last().unwrap();
    assert_eq!(last["payload"]["state"], "offline");
    assert!(last["payload"]["cause"].as_str().unwrap().contains("truncated"), "{last}");
    assert!(stderr(&output).contains("cut.mp4"), "{}", stderr(&output));
}

#[test]
fn what_cannot_be_opened_is_named() {
    let dir = temp();
    let text = dir.path().join("text.mp4");
    fs::write(&text, "no video").unwrap();
    for (source, code) in [("no-such-file.mp4", 74), (text.to_str().unwrap(), 65)] {
        let output = run("park-capture", &[source], b"");
        assert_eq!(output.status.code(), Some(code), "{source}");
        assert!(stderr(&output).contains(source), "{}", stderr(&output));
    }
    let video = video();
    for wrong in [&["--size", "0x5"][..], &["--fps", "0"], &["http://127.0.0.1:1/x"], &["--input", "-"]] {
        let args = [&[&*video], wrong].concat();
        assert_eq!(run("park-capture", &args, b"").status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn its_own_output_replays_to_the_same_bytes() {
    let dir = temp();
    let file = dir.path().join("lane.ndjson");
    let recorded = run("park-capture", &[&*video(), "--fps", "4", "--size", "160x90"], b"").stdout;
    fs::write(&file, &recorded).unwrap();
    let name = file.to_str().unwrap();
    assert!(run("park-capture", &[name], b"").stdout == recorded);
    assert!(run("park-capture", &["-"], &recorded).stdout == recorded);

    let mut bad = b"not a record\n".to_vec();
    bad.extend(&recorded);
    let output = run("park-capture", &["-"], &bad);
    assert_eq!(output.status.code(), Some(65));
    let fault = lines(output.stdout.split_inclusive(|byte| *byte == b'\n').next().unwrap()).remove(0);
    assert_eq!((&fault["type"], &fault["payload"]["line"]), (&"error".into(), &1.into()));
    assert!(output.stdout.ends_with(&recorded));
}

#[test]
fn pipes_heads_fifos_and_a_closed_stdin_are_no_trouble() {
    let dir = temp();
    let video = video();
    let script = format!(
        r#"
        park-capture {video} --size 64x36 | head -1 > head.ndjson
        park-capture {video} --size 64x36 --spool spool | head -1 >> head.ndjson
        ls spool
        park-capture {video} --size 64x36 --count 3 <&- > closed.ndjson
        mkfifo pipe.ndjson
        park-capture {video} --size 64x36 --count 3 > pipe.ndjson &
        park-capture pipe.ndjson > through.ndjson
        wait $!
        cmp closed.ndjson through.ndjson
        "#
    );
    let output = shell(&script, dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!((stderr(&output), String::from_utf8_lossy(&output.stdout)), (String::new(), "".into()));
    let read = |name: &str| lines(&fs::read(dir.path().join(name)).unwrap());
    assert_eq!((read("head.ndjson").len(), read("closed.ndjson").len()), (2, 3));
}

#[test]
fn term_and_int_end_a_recording_between_records() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let running = Running::start("park-capture", &[&*video(), "--realtime", "--size", "64x36"]);
        running.next_of("frame");
        running.signal(libc::SIGHUP);
        running.signal(libc::SIGUSR1);
        running.says("written");
        running.next_of("frame");
        running.signal(signal);
        // Running::end reads every line that is left as JSON.
        let (status, _) = running.end();
        match signal {
            libc::SIGTERM => assert_eq!(status.code(), Some(0)),
            _ => assert_eq!(status.signal(), Some(libc::SIGINT)),
        }
    }
}

#[test]
fn a_bar_shows_on_a_terminal_and_nothing_in_a_pipe() {
    let args = [&*video(), "--size", "64x36"];
    let piped = run("park-capture", &args, b"");
    assert_eq!(stderr(&piped), "");

    let (terminal, screen) = pty();
    let mut command = park("park-capture");
    command.args(args).env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::null()).stderr(screen);
    let mut child = command.spawn().unwrap();
    drop(command);
    let shown = until_hangup(terminal);
    assert!(child.wait().unwrap().success());
    assert!(shown.contains("gate-day.mp4") && shown.contains("eta"), "{shown:?}");
}

#[test]
fn frames_by_reference_all_arrive_and_leave_nothing_behind() {
    let dir = temp();
    let spool = dir.path().join("spool");
    let args = [
        &*video(),
        "--fps",
        "6",
        "--size",
        "160x90",
        "--spool",
        spool.to_str().unwrap(),
        "--spool-frames",
        "2",
    ];
    let running = Running::start("park-capture", &args);
    let mut reader = SpoolReader::new();
    let (mut pixels, mut sums) = (vec![0; 160 * 90 * 3], Vec::new());
    for record in std::iter::from_fn(|| Some(running.next()).filter(|r| r["payload"]["state"] != "offline")) {
        if record["type"] != "frame" {
            continue;
        }
        assert_eq!(record["payload"]["encoding"], "bgr24");
        let path = PathBuf::from(record["payload"]["path"].as_str().unwrap());
        assert_eq!(reader.take(&path, &mut pixels).unwrap(), Take::Done, "a recording loses nothing");
        sums.push(pixels.iter().map(|byte| u64::from(*byte)).sum::<u64>());
    }
    assert!(running.end().0.success());
    drop(reader);
    assert!(sums.len() > 30);
    sums.dedup();
    assert!(sums.len() > 10, "the same pixels again and again");
    assert_eq!(fs::read_dir(&spool).unwrap().count(), 0);
}

const IMPATIENT: [&str; 8] =
    ["--read-timeout", "1", "--open-timeout", "2", "--reconnect-delay", "0.05", "--reconnect-max", "0.3"];

/// The next status with this state, and what came before it.
fn until(running: &Running, state: &str) -> (Value, Vec<Value>) {
    let mut before = Vec::new();
    loop {
        let record = running.next();
        if record["type"] == "camera_status" && record["payload"]["state"] == state {
            return (record, before);
        }
        before.push(record);
    }
}

#[test]
fn a_camera_that_hangs_dies_and_comes_back_is_told_of_and_reopened() {
    let camera = MjpegCamera::start(jpeg());
    let url = camera.url();
    let running = Running::start("park-capture", &[&[&*url, "--camera", "cam_in"], &IMPATIENT[..]].concat());
    let (online, before) = until(&running, "online");
    assert_eq!((before.is_empty(), &online["source"]), (true, &"cam_in".into()));
    let first = running.next_of("frame");
    assert_eq!((first["payload"]["seq"].as_u64(), first["payload"]["width"].as_u64()), (Some(0), Some(320)));

    camera.becomes(Mood::Hung);
    let (hung, _) = until(&running, "reconnecting");
    assert!(hung["payload"]["cause"].as_str().unwrap().contains("no frame for 1 s"), "{hung}");
    camera.becomes(Mood::Well);
    until(&running, "online");
    running.next_of("frame");

    camera.becomes(Mood::Dead);
    until(&running, "reconnecting");
    let refused = until(&running, "reconnecting").0;
    assert!(refused["payload"]["cause"].as_str().unwrap().contains("cannot be reached"), "{refused}");
    running.next_of("tick");
    camera.becomes(Mood::Well);
    let (_, before) = until(&running, "online");
    assert!(of_type(&before, "frame").is_empty(), "a frame of a camera that is not there");
    let frame = running.next_of("frame");
    assert!(frame["payload"]["seq"].as_u64() > first["payload"]["seq"].as_u64());

    running.signal(libc::SIGTERM);
    let (status, rest) = running.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(rest.last().unwrap()["payload"]["state"], "offline");
}

#[test]
fn a_slow_reader_gets_the_newest_frame_and_the_number_of_lost_ones() {
    use std::io::{BufRead, BufReader};
    let camera = MjpegCamera::start(jpeg());
    let mut command = park("park-capture");
    command.args([&*camera.url(), "--status-every", "0.5", "--size", "640x360"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = loop {
        let record = next();
        if record["type"] == "frame" {
            break record;
        }
    };
    // Nothing is read while the camera goes on: the pipe fills, and frames must be dropped.
    camera.sends(100);
    let mut seqs = vec![first["payload"]["seq"].as_u64().unwrap()];
    let dropped = loop {
        let record = next();
        if record["type"] == "frame" {
            seqs.push(record["payload"]["seq"].as_u64().unwrap());
        }
        match record["payload"]["dropped"].as_u64() {
            Some(dropped @ 1..) => break dropped,
            _ => assert!(seqs.len() < 100, "no drop was told"),
        }
    };
    let gap = seqs.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap();
    assert!(gap > 20 && dropped >= gap, "{dropped} told, {seqs:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn rtsp_with_an_account_is_opened_lost_and_opened_again() {
    let dir = temp();
    let credentials = dir.path().join("camera.txt");
    fs::write(&credentials, "me:p@ss word\n").unwrap();
    let camera = RtspCamera::start(0, Some("me:p@ss word"));
    let (url, port) = (camera.url(), camera.port);
    let args = [&*url, "--credentials", credentials.to_str().unwrap(), "--reconnect-delay", "0.1"];
    let running = Running::start("park-capture", &args);
    until(&running, "online");
    for _ in 0..3 {
        assert_eq!(running.next_of("frame")["payload"]["width"], 320);
    }
    drop(camera);
    until(&running, "reconnecting");
    let _camera = RtspCamera::start(port, Some("me:p@ss word"));
    until(&running, "online");
    running.next_of("frame");
    running.signal(libc::SIGTERM);
    assert_eq!(running.end().0.code(), Some(0));
}

#[test]
fn a_camera_that_never_comes_is_given_up_when_told_so_and_no_password_is_printed() {
    for source in ["rtsp://admin:s3cret@127.0.0.1:9/stream?token=s3cret", "v4l2:987"] {
        let args = [source, "--reconnect-tries", "2", "--reconnect-delay", "0.05", "--log", "debug"];
        let output = run("park-capture", &args, b"");
        assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
        let all = records(&output);
        assert_eq!(states(&all), ["reconnecting", "offline"]);
        let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("s3cret"), "{said}");
    }
}

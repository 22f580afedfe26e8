//! Unix manners, the same for every command.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::support::{Running, binary, of_type, park, records, run, shell, stderr, testdata};

const ALL: [&str; 5] = ["park-capture", "park-detect", "park-gate", "park-serve", "park-track"];

/// The commands that are filters, each with the arguments it needs at least.
fn filters() -> Vec<(&'static str, Vec<String>)> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let map = testdata("lot/lot.json");
    vec![
        ("park-detect", words("plates")),
        ("park-detect", vec!["slots".into(), "--map".into(), map.display().to_string()]),
        ("park-gate", words("--gate gate_in")),
        ("park-track", words("--lot lot_1")),
    ]
}

fn with(args: &[String], more: &[&str]) -> Vec<String> {
    args.iter().cloned().chain(more.iter().map(|arg| (*arg).to_owned())).collect()
}

#[test]
fn help_version_man_schema_and_completions_need_nothing() {
    for command in ALL {
        for args in [
            &["--help"][..],
            &["-h"],
            &["--version"],
            &["--man"],
            &["--schema"],
            &["--completions", "bash"],
            &["--completions", "zsh"],
            &["--completions", "fish"],
        ] {
            let output =
                Command::new(binary(command)).args(args).env_clear().stdin(Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{command} {args:?}: {}", stderr(&output));
            assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{command} {args:?}");
        }
        let version = Command::new(binary(command)).arg("--version").output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&version.stdout),
            format!("{command} {}\n", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn what_is_not_consumed_is_passed_on_unchanged_and_in_order() {
    let mut input = Vec::new();
    for number in 0..2000 {
        input.extend(
            format!("{{\"type\":\"note\" , \"n\":{number},\"payload\":{{ \"text\":\"\\u00e9 é\"}} }}\n")
                .bytes(),
        );
    }
    for (command, args) in filters() {
        let output = run(command, &args, &input);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        let passed: Vec<u8> = output
            .stdout
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| line.starts_with(b"{\"type\":\"note\""))
            .flatten()
            .copied()
            .collect();
        assert!(passed == input, "{command} {args:?} changed what it should pass on");
    }
}

#[test]
fn a_reader_that_has_enough_ends_the_pipeline_quietly() {
    let dir = tempfile::tempdir().unwrap();
    for (command, args) in filters() {
        let script =
            format!("(yes '{{\"type\":\"note\"}}' || true) | {command} {} | head -1", args.join(" "));
        let output = shell(&script, dir.path());
        assert!(output.status.success(), "{script}: {}", stderr(&output));
        assert_eq!(output.stdout, b"{\"type\":\"note\"}\n");
        assert_eq!(stderr(&output), "", "{script}");
    }
}

#[test]
fn a_closed_or_empty_stdin_is_an_empty_stream() {
    let dir = tempfile::tempdir().unwrap();
    for (command, args) in filters() {
        for how in ["<&-", "</dev/null"] {
            let output = shell(&format!("{command} {} {how}", args.join(" ")), dir.path());
            assert!(output.status.success(), "{command} {how}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_fifo_is_an_input() {
    let dir = tempfile::tempdir().unwrap();
    for (command, args) in filters() {
        let script = format!(
            "rm -f fifo; mkfifo fifo; (echo '{{\"type\":\"note\"}}' > fifo) & {command} {} --input fifo | grep note",
            args.join(" ")
        );
        let output = shell(&script, dir.path());
        assert_eq!(output.stdout, b"{\"type\":\"note\"}\n", "{script}: {}", stderr(&output));
    }
}

#[test]
fn a_dash_is_stdin_and_stdout() {
    for (command, args) in filters() {
        let output = run(command, &with(&args, &["--input", "-", "--output", "-"]), b"{\"type\":\"note\"}\n");
        assert!(output.stdout.starts_with(b"{\"type\":\"note\"}\n"), "{command}: {}", stderr(&output));
    }
}

#[test]
fn bad_lines_are_reported_once_and_cost_nothing_else() {
    let mut input = b"{\"type\":\"note\",\"n\":1}\nhello\n{\"type\":\"note\"\n".to_vec();
    input.extend(
        b"{\"type\":\"\xff\"}\n[1,2]\n{\"type\":7}\n{\"n\":1}\n{\"type\":\"note\",\"timestamp\":12}\n",
    );
    input.extend(b"{\"type\":\"");
    input.extend(std::iter::repeat_n(b'x', 100 << 20));
    input.extend(b"\"}\n\r\n{\"type\":\"note\",\"n\":2}\r\n{\"type\":\"tru");
    for (command, args) in filters() {
        let output = run(command, &args, &input);
        assert_eq!(output.status.code(), Some(65), "{command}: {}", stderr(&output));
        let written = records(&output);
        let notes: Vec<_> = of_type(&written, "note").into_iter().map(|note| note["n"].clone()).collect();
        assert_eq!(notes, [1, 2], "{command}");
        let errors = of_type(&written, "error");
        let at: Vec<_> = errors.iter().map(|error| error["payload"]["line"].as_u64().unwrap()).collect();
        assert_eq!(at, [2, 3, 4, 5, 6, 7, 8, 9, 12], "{command}");
        let said = stderr(&output);
        for line in at {
            assert_eq!(said.matches(&format!("stdin:{line}: ")).count(), 1, "{command}: {said}");
        }
        assert!(said.contains("9 of 11 records were bad"), "{command}: {said}");
    }
}

#[test]
fn strict_stops_at_the_first_bad_line() {
    for (command, args) in filters() {
        let input = b"{\"type\":\"note\",\"n\":1}\nhello\n{\"type\":\"note\",\"n\":2}\n";
        let output = run(command, &with(&args, &["--strict"]), input);
        assert_eq!(output.status.code(), Some(65), "{command}");
        assert_eq!(of_type(&records(&output), "note").len(), 1, "{command}");
        assert!(stderr(&output).contains("stopped at line 2 of stdin"), "{command}: {}", stderr(&output));
    }
}

#[test]
fn no_record_waits_in_a_buffer() {
    for (command, args) in filters() {
        let mut running = Running::start(command, &args);
        for number in 0..3 {
            running.send(&format!("{{\"type\":\"note\",\"n\":{number}}}\n"));
            assert_eq!(running.next_of("note")["n"], number, "{command}");
        }
        let (status, _) = running.end();
        assert!(status.success(), "{command}");
    }
}

#[test]
fn term_finishes_and_int_dies_by_the_signal() {
    for (command, args) in filters() {
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let mut running = Running::start(command, &args);
            running.send("{\"type\":\"note\",\"n\":1}\n");
            running.next_of("note");
            // Waiting would close stdin, and the end of the input could come first.
            let stdin = running.child.stdin.take();
            running.signal(signal);
            let status = running.child.wait().unwrap();
            drop(stdin);
            match signal {
                libc::SIGTERM => assert_eq!(status.code(), Some(0), "{command}"),
                _ => assert_eq!(status.signal(), Some(libc::SIGINT), "{command}"),
            }
        }
    }
}

#[test]
fn hup_reads_again_and_usr1_says_the_state() {
    for (command, args) in filters() {
        let mut running = Running::start(command, &with(&args, &["--log", "info"]));
        running.send("{\"type\":\"note\",\"n\":1}\nhello\n");
        running.next_of("error");
        running.signal(libc::SIGHUP);
        running.says("read again");
        running.signal(libc::SIGUSR1);
        running.says("records 1, rejected 1");
        running.send("{\"type\":\"note\",\"n\":2}\n");
        assert_eq!(running.next_of("note")["n"], 2, "{command}");
    }
}

#[test]
fn count_and_timeout_end_early() {
    let input = b"{\"type\":\"note\"}\n".repeat(100);
    for (command, args) in filters() {
        let output = run(command, &with(&args, &["--count", "3"]), &input);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        assert_eq!(records(&output).len(), 3, "{command}");
        let mut running = Running::start(command, &with(&args, &["--timeout", "0.2"]));
        let stdin = running.child.stdin.take();
        assert!(running.child.wait().unwrap().success(), "{command}");
        drop(stdin);
    }
}

#[test]
fn exit_codes_mean_what_the_manual_says() {
    for (command, args) in filters() {
        let code = |more: &[&str], input: &[u8]| run(command, &with(&args, more), input).status.code();
        assert_eq!(code(&["--no-such-flag"], b""), Some(2), "{command}");
        assert_eq!(code(&["--input", "/nonexistent/input"], b""), Some(69), "{command}");
        assert_eq!(code(&["--input", "tcp:nowhere"], b""), Some(2), "{command}");
        assert_eq!(code(&["--output", "unix-listen:/nonexistent/socket"], b""), Some(69), "{command}");
        assert_eq!(code(&["--config", "/nonexistent/park.toml"], b""), Some(78), "{command}");
        assert_eq!(code(&["--output", "/dev/full"], b"{\"type\":\"note\"}\n"), Some(74), "{command}");
        assert_eq!(code(&[], b"hello\n"), Some(65), "{command}");
        assert_eq!(code(&[], b""), Some(0), "{command}");
    }
}

#[test]
fn what_cannot_be_delivered_is_kept_for_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let output = shell(
        "echo '{\"type\":\"note\",\"id\":\"7\"}' | park-track --lot l --output unix:sock --drain 0.1",
        dir.path(),
    );
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let output = shell(
        "park-track --lot l --input unix-listen:sock --count 1 > got & \
         park-track --lot l --output unix:sock < /dev/null; wait; cat got",
        dir.path(),
    );
    assert_eq!(records(&output), [serde_json::json!({"type": "note", "id": "7"})], "{}", stderr(&output));
}

#[test]
fn flags_beat_the_environment_beats_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("park.toml");
    std::fs::write(
        &file,
        "[track]\nlot = \"from_file\"\nmax_line = \"1K\"\nstrict = true\n[gate]\ngate = \"from_file\"\n",
    )
    .unwrap();
    let print = |command: &str, args: &[&str], env: &[(&str, &str)]| {
        let output = park(command)
            .args(args)
            .args(["--print-config", "--config"])
            .arg(&file)
            .envs(env.to_vec())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let settings = print("park-track", &[], &[]);
    for expected in ["[track]\n", "lot = \"from_file\"\n", "max_line = \"1K\"\n", "strict = true\n"] {
        assert!(settings.contains(expected), "{settings}");
    }
    assert!(print("park-track", &["--lot", "from_flag"], &[]).contains("lot = \"from_flag\"\n"));
    assert!(print("park-gate", &[], &[("GATE_ID", "from_env")]).contains("gate = \"from_env\"\n"));
    let both = print("park-gate", &["--gate", "from_flag"], &[("GATE_ID", "from_env")]);
    assert!(both.contains("gate = \"from_flag\"\n"), "{both}");
    std::fs::write(&file, "[track]\nno_such_thing = 1\n").unwrap();
    let output = park("park-track").args(["--lot", "l", "--config"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("no such setting: no_such_thing"), "{}", stderr(&output));
}

#[test]
fn colour_is_for_terminals_and_untrusted_text_is_made_safe() {
    let output = run("park-track", &["--lot", "l"], b"\x1b[31mhello\n");
    assert!(!stderr(&output).contains('\x1b'), "{:?}", stderr(&output));
    let output = run("park-track", &["--lot", "l", "--color", "always"], b"hello\n");
    assert!(stderr(&output).contains("\x1b[31merror: \x1b[0m"), "{:?}", stderr(&output));
}

#[test]
fn processes_without_vision_are_lean() {
    for command in ["park-gate", "park-track", "park-serve"] {
        let libraries = Command::new("ldd").arg(binary(command)).output().unwrap();
        let libraries = String::from_utf8_lossy(&libraries.stdout).into_owned();
        assert!(libraries.contains("libc.so"), "{libraries}");
        assert!(!libraries.contains("opencv"), "{command} links OpenCV:\n{libraries}");
        let time = || {
            let start = std::time::Instant::now();
            assert!(
                Command::new(binary(command))
                    .arg("--version")
                    .stdout(Stdio::null())
                    .status()
                    .unwrap()
                    .success()
            );
            start.elapsed()
        };
        // The best of a few: a busy machine must not fail what a quiet one shows.
        let best = (0..10).map(|_| time()).min().unwrap();
        assert!(best.as_millis() < 20, "{command} --version took {best:?}");
    }
}

#[test]
fn a_socket_carries_records_and_acks() {
    for scheme in ["unix", "tcp", "ws"] {
        let dir = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (listen, connect) = match scheme {
            "unix" => ("unix-listen:sock".to_owned(), "unix:sock".to_owned()),
            "tcp" => (format!("tcp-listen:127.0.0.1:{port}"), format!("tcp:127.0.0.1:{port}")),
            _ => (format!("ws-listen:127.0.0.1:{port}"), format!("ws://127.0.0.1:{port}/")),
        };
        let script = format!(
            "park-track --lot l --input {listen} --count 3 > got & \
             printf '{{\"type\":\"note\",\"id\":\"%s\"}}\\n' 1 2 3 | park-track --lot l --output {connect} --drain 20; wait; cat got"
        );
        let output = shell(&script, dir.path());
        let ids: Vec<_> = records(&output).iter().map(|record| record["id"].clone()).collect();
        assert_eq!(ids, ["1", "2", "3"], "{scheme}: {}", stderr(&output));
        // All was acknowledged, so nothing waits for a next run.
        let mut left = String::new();
        for file in std::fs::read_dir(dir.path().join("state/queue")).unwrap() {
            std::fs::File::open(file.unwrap().path()).unwrap().read_to_string(&mut left).unwrap();
        }
        assert_eq!(left, "", "{scheme}");
    }
}

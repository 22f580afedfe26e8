//! The manual pages: made from the flags, complete, clean.

use std::path::Path;
use std::process::Command;

use crate::records::assert_same;
use crate::support::run;

const ALL: [&str; 5] = ["park-capture", "park-detect", "park-gate", "park-serve", "park-track"];

#[test]
fn the_pages_of_the_commands_are_made_from_their_flags() {
    for command in ALL {
        let output = run(command, &["--man"], b"");
        assert_same(&format!("man/{command}.1"), &String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn every_flag_stands_in_the_manual_and_in_the_help() {
    for command in ALL {
        let text = |args: &[&str]| String::from_utf8(run(command, args, b"").stdout).unwrap();
        let page = text(&["--man"]).replace("\\-", "-");
        let help = text(&["--help"]);
        let flags = help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
            .map(|word| word.trim_end_matches([',', ':', '.', ';', ')']));
        let mut seen = 0;
        for flag in flags {
            assert!(page.contains(flag), "{command}: {flag} is not in the manual");
            seen += 1;
        }
        assert!(seen > 5, "{command} --help shows no flags");
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "RECORDS",
            "SIGNALS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "EXAMPLES",
            "SEE ALSO",
        ] {
            assert!(page.contains(&format!(".SH {section}\n")), "{command}: no section {section}");
        }
    }
}

#[test]
fn mandoc_finds_nothing_to_say() {
    let man = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages: Vec<_> = std::fs::read_dir(man).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() >= 8, "{pages:?}");
    let output = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).args(&pages).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

//! Every command of the README, run as it stands there but for the places where a camera, a device or a port would be.

use std::path::Path;

use crate::support::{shell, stderr, testdata};

/// How a recipe is run here, and what it must show.
struct Recipe {
    /// What tells it from the others.
    words: &'static str,
    /// What stands for cameras, devices and ports, and ends what would go on for ever.
    instead: &'static [(&'static str, &'static str)],
    /// Commands after it, whose output counts too.
    then: &'static str,
    /// What its output must contain.
    shows: &'static str,
}

const SERVE: (&str, &str) = ("park-serve --db", "park-serve --listen 127.0.0.1:0 --once --db");
/// Two serial lines: at the far end of one a barrier that does as it is told, of the other a reader without cards.
const SERIAL_LINES: &str = r"socat PTY,link=barrier,rawer PTY,link=far,rawer > socat.log 2>&1 &
socat PTY,link=reader,rawer PTY,link=card,rawer > socat.log 2>&1 &
until [ -e card ] && [ -e far ]; do sleep 0.05; done
while IFS=$' \r' read -r word first second; do
    case $word in
    HB) echo HB ;;
    OPEN) printf 'OK %s\nSTATE open\n' $second ;;
    CLOSE) printf 'OK %s\nSTATE closed\n' $first ;;
    esac
done < far > far &
park-capture rtsp";

/// A certificate that the gate trusts stands where a bought one would.
const CERTIFIED: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE 2> openssl.log
export SSL_CERT_FILE=cert.pem
park-serve --db";

const LOGGED: &str = "sqlite3 park.db 'select type from records'";

const RECIPES: &[Recipe] = &[
    Recipe { words: "sort | uniq -c", instead: &[], then: "", shows: "7KPL382" },
    Recipe {
        words: "--camera cam_in | park-detect plates | park-gate --gate gate_in --allow allow.txt --db park.db\n",
        instead: &[],
        then: "",
        shows: "parking_entry",
    },
    Recipe {
        words: "--barrier serial:",
        instead: &[
            ("park-capture rtsp", SERIAL_LINES),
            ("rtsp://camera.example/1", "gate.mp4 --fps 5"),
            ("/dev/serial/by-id/", ""),
            ("--reader", "--timeout 15 --reader"),
            SERVE,
        ],
        then: "sqlite3 park.db 'select type from records'",
        shows: "parking_entry",
    },
    Recipe {
        words: "--map lot.json | park-track --lot lot_1 | park-serve",
        instead: &[SERVE],
        then: LOGGED,
        shows: "slot_changed",
    },
    Recipe {
        words: "--input unix-listen:park.sock &",
        instead: &[
            ("park-serve --db", "park-serve --listen 127.0.0.1:0 --db"),
            ("--output unix:park.sock &", "--output unix:park.sock --drain 60 & gate=$!"),
            ("lot_1 --output unix:park.sock", "lot_1 --output unix:park.sock --drain 60"),
        ],
        then: "wait $gate; kill %1; wait %1; sqlite3 park.db 'select type from records'",
        shows: "parking_entry",
    },
    Recipe {
        words: "--jwt-secret secret",
        instead: &[
            ("park-serve --db", CERTIFIED),
            ("0.0.0.0:8443", "127.0.0.1:18766"),
            ("localhost:8443", "localhost:18766"),
            ("--output wss:", "--drain 60 --output wss:"),
        ],
        then: "kill %1; wait %1; sqlite3 park.db 'select type from records'",
        shows: "plate_detected",
    },
    Recipe {
        words: "cmp first.ndjson",
        instead: &[],
        then: "wc -l < again.ndjson; echo same",
        shows: "same",
    },
    Recipe {
        words: "--spool",
        instead: &[("/dev/shm/park", "spool")],
        then: "ls spool | wc -l",
        shows: "\"type\":\"camera_status\"",
    },
    Recipe {
        words: "--still gate.jpg",
        instead: &[],
        then: "file gate.jpg || ls gate.jpg",
        shows: "gate.jpg",
    },
    Recipe {
        words: "comm -13",
        instead: &[("pkill -HUP park-gate", "pkill -HUP park-gate-of-no-one")],
        then: "",
        shows: "NEW1234",
    },
    Recipe { words: "sqlite3 park.db", instead: &[], then: "", shows: "allow" },
    Recipe { words: "log statistics", instead: &[SERVE], then: "", shows: "records\tplates" },
    Recipe {
        words: "--propose",
        instead: &[("--stay 60", "--stay 2")],
        then: "cat row.json proposed.json; file look.jpg || ls look.jpg",
        shows: "\"slot_id\":\"A6\"",
    },
    Recipe { words: "--fold O0Q,I1", instead: &[], then: "", shows: "exact (anywhere)" },
    Recipe { words: "changes.jsonl", instead: &[], then: "", shows: "true" },
    Recipe {
        words: "curl -sN",
        instead: &[
            (
                "curl -sN",
                "park-serve --listen 127.0.0.1:18765 --db x.db < /dev/null & until curl -so health http://127.0.0.1:18765/healthz; do sleep 0.05; done\ncurl -sN --max-time 1",
            ),
            (":8000", ":18765"),
            ("type=capacity_update'", "type=capacity_update' || true"),
        ],
        then: "true; kill %1",
        shows: "event: connected",
    },
];

/// The shell blocks of the README.
fn blocks() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let after = text.split("```sh\n").skip(1);
    after.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// A folder with what the README's commands name.
fn site() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(testdata(from), dir.path().join(to)).map(drop).unwrap();
    copy("gate/gate-out.mp4", "gate.mp4");
    copy("lot/lot-night.mp4", "lot.mp4");
    copy("lot/lot.json", "lot.json");
    copy("gate/deny.txt", "deny.txt");
    copy("gate/stills/truth.jsonl", "truth.jsonl");
    std::fs::create_dir(dir.path().join("stills")).unwrap();
    for still in ["lane-01.jpg", "lane-02.jpg", "night-01.jpg"] {
        copy(&format!("gate/stills/{still}"), &format!("stills/{still}"));
    }
    std::fs::write(dir.path().join("changes.jsonl"), crate::score::lot_truth("lot-night")).unwrap();
    let allowed = std::fs::read_to_string(testdata("gate/allow.txt")).unwrap();
    std::fs::write(dir.path().join("last-week.txt"), sorted(&allowed)).unwrap();
    std::fs::write(dir.path().join("allow.txt"), allowed + "NEW1234\n7KPL382\n").unwrap();
    dir
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

#[test]
fn every_recipe_of_the_readme_runs() {
    let blocks = blocks();
    assert_eq!(
        blocks.len(),
        RECIPES.len(),
        "a recipe in the README has no entry here, or the other way round"
    );
    for block in blocks {
        let fitting: Vec<&Recipe> = RECIPES.iter().filter(|recipe| block.contains(recipe.words)).collect();
        let [recipe] = fitting[..] else { panic!("{} entries fit this recipe:\n{block}", fitting.len()) };
        let script = recipe.instead.iter().fold(block.clone(), |script, (from, to)| {
            assert!(script.contains(from), "{from:?} is not in the recipe:\n{block}");
            script.replace(from, to)
        });
        let dir = site();
        // What a recipe starts in the background is stopped in its last lines, whatever it says then.
        let output = shell(
            &format!(
                "export LC_ALL=C\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}\nset +e\n{}\ntrue",
                recipe.then
            ),
            dir.path(),
        );
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{script}\n{shown}\n{}", stderr(&output));
        assert!(
            shown.contains(recipe.shows),
            "no {:?} from\n{script}\n{shown}\n{}",
            recipe.shows,
            stderr(&output)
        );
    }
}

#[test]
fn the_demonstration_is_right() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/demo");
    let bin = Path::new(crate::support::binary("park-gate")).parent().unwrap();
    let script = format!("PARK_BIN={} PORT={port} {} --once", bin.display(), demo.display());
    let output = shell(&script, dir.path());
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", stderr(&output));
    assert!(shown.contains(" 0 wrong"), "{shown}");
}

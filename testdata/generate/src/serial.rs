//! Transcripts of a card reader and of a barrier on a serial line, each with what a host should make of it.

use std::path::Path;

use serde_json::{Value, json};

use crate::files;

/// A transcript: `<ms> < <hex>` from the device, `<ms> > <hex>` to it, `<ms> .` quiet until then, `#` comments.
pub struct Transcript {
    /// File name without extension.
    pub name: &'static str,
    log: String,
    chk: String,
    now: u64,
}

/// Milliseconds between two frames of a card that lies on the reader.
const REPEAT: u64 = 50;
/// Card of the datasheet's example.
const CARD: &str = "100086F444";
const OTHER: &str = "3F00A1B2C3";

/// One RDM6300 frame:
///
/// ```text
/// 02 DDDDDDDDDD CC 03     D: five bytes as ten hex digits, C: their XOR as two
/// ```
///
/// The ID-12 puts 0D 0A before the 03.
pub fn frame(card: &str, newline: bool) -> Vec<u8> {
    let byte = |i: usize| u8::from_str_radix(&card[i..i + 2], 16).unwrap_or(0);
    let sum = (0..card.len()).step_by(2).map(byte).fold(0, |a, b| a ^ b);
    let mut out = vec![2];
    out.extend(card.bytes());
    out.extend(format!("{sum:02X}").bytes());
    if newline {
        out.extend(b"\r\n");
    }
    out.push(3);
    out
}

impl Transcript {
    fn new(name: &'static str, about: &str) -> Transcript {
        Transcript { name, log: format!("# {about}\n"), chk: String::new(), now: 0 }
    }
    fn note(&mut self, text: &str) {
        self.log += &format!("# {text}\n");
    }
    fn wait(&mut self, ms: u64) {
        self.now += ms;
    }
    fn chunk(&mut self, way: char, bytes: &[u8]) {
        let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
        self.log += &format!("{} {way} {}\n", self.now, hex.join(" "));
    }
    fn quiet(&mut self, ms: u64) {
        self.now += ms;
        self.log += &format!("{} .\n", self.now);
    }
    fn expect(&mut self, mut record: Value) {
        record["at_ms"] = json!(self.now);
        self.chk += &format!("{record}\n");
    }
    fn card(&mut self, card: &str, state: &str) {
        self.expect(json!({"type": "card_detected", "card": card, "state": state}));
    }
    fn reject(&mut self, reason: &str) {
        self.expect(json!({"type": "reject", "reason": reason}));
    }

    /// A card lies on the reader for `times` frames; then it is taken away.
    fn hold(&mut self, card: &str, times: usize, newline: bool) {
        for i in 0..times {
            self.chunk('<', &frame(card, newline));
            if i == 0 {
                self.card(card, "present");
            }
            if i + 1 < times {
                self.wait(REPEAT);
            }
        }
        self.card(card, "absent");
    }

    fn line(&mut self, way: char, text: &str) {
        self.note(text);
        self.chunk(way, format!("{text}\n").as_bytes());
    }
    fn says(&mut self, text: &str) {
        self.line('<', text);
        let mut words = text.split(' ');
        match words.next() {
            Some("STATE") => {
                let state = words.next().unwrap_or_default();
                let vehicle = words.next() == Some("loop");
                self.expect(json!({"type": "gate_status", "confirmed": state, "vehicle": vehicle}));
            }
            Some("HELLO") => self.expect(json!({"type": "hardware_status", "state": "online"})),
            _ => {}
        }
    }
    fn result(&mut self, command: &str, nonce: &str, result: &str) {
        self.expect(json!({"type": "command", "command": command, "nonce": nonce, "result": result}));
    }
}

fn readers() -> Vec<Transcript> {
    let mut all = Vec::new();
    let mut t = Transcript::new("rdm6300-good", "RDM6300: a card, then another, each held for a while");
    t.wait(400);
    t.hold(CARD, 20, false);
    t.quiet(3000);
    t.hold(OTHER, 12, false);
    t.quiet(3000);
    all.push(t);

    let mut t =
        Transcript::new("rdm6300-checksum", "RDM6300: three frames with a wrong checksum, then a good one");
    for _ in 0..3 {
        t.wait(REPEAT);
        let mut bad = frame(CARD, false);
        bad[12] = b'7';
        t.chunk('<', &bad);
        t.reject("checksum");
    }
    t.wait(REPEAT);
    t.hold(CARD, 4, false);
    t.quiet(3000);
    all.push(t);

    let mut t =
        Transcript::new("rdm6300-noise", "RDM6300: noise before, between and after frames; frames in pieces");
    t.wait(100);
    t.chunk('<', &[0x00, 0xff, 0x7e, 0x03, 0x31]);
    t.wait(30);
    let whole = frame(CARD, false);
    t.chunk('<', &whole[..5]);
    t.wait(8);
    t.chunk('<', &whole[5..]);
    t.card(CARD, "present");
    t.wait(20);
    t.chunk('<', &[0xf0, 0x0d, 0x0a]);
    t.wait(30);
    let mut two = whole.clone();
    two.extend(&whole);
    t.note("two frames in one chunk");
    t.chunk('<', &two);
    t.card(CARD, "absent");
    t.wait(15);
    t.chunk('<', &[0x80, 0x80]);
    t.quiet(3000);
    all.push(t);

    let mut t = Transcript::new("rdm6300-truncated", "RDM6300: a frame breaks off; the next one starts over");
    t.wait(100);
    t.chunk('<', &frame(OTHER, false)[..7]);
    t.wait(800);
    t.reject("truncated");
    t.hold(CARD, 6, false);
    t.quiet(3000);
    all.push(t);

    let mut t = Transcript::new(
        "rdm6300-zero",
        "RDM6300: the all-zero card of a failing coil; its checksum is right",
    );
    for _ in 0..5 {
        t.wait(REPEAT);
        t.chunk('<', &frame("0000000000", false));
        t.reject("zero_card");
    }
    t.quiet(3000);
    all.push(t);

    let mut t = Transcript::new(
        "rdm6300-return",
        "RDM6300: present, a short gap that is none, absent, present again",
    );
    t.wait(200);
    t.hold(CARD, 5, false);
    t.chk.truncate(t.chk.trim_end().rfind('\n').map_or(0, |i| i + 1));
    t.note("four frames lost: the card has not left");
    t.wait(4 * REPEAT);
    for i in 0..5 {
        t.chunk('<', &frame(CARD, false));
        if i < 4 {
            t.wait(REPEAT);
        }
    }
    t.card(CARD, "absent");
    t.note("gone for five seconds");
    t.wait(5000);
    t.hold(CARD, 8, false);
    t.quiet(3000);
    all.push(t);

    let mut t =
        Transcript::new("id12-good", "ID-12: carriage return and line feed before the end of the frame");
    t.wait(300);
    t.hold(OTHER, 1, true);
    t.quiet(3000);
    t.hold(CARD, 1, true);
    t.quiet(3000);
    all.push(t);
    all
}

fn beats(t: &mut Transcript, count: usize) {
    for _ in 0..count {
        t.wait(1000);
        t.chunk('>', b"HB\n");
    }
}

fn boot(t: &mut Transcript) {
    t.wait(50);
    t.says("HELLO park-barrier 1");
    t.wait(5);
    t.says("STATE closed");
}

fn open(t: &mut Transcript, nonce: &str) {
    t.wait(200);
    t.line('>', &format!("OPEN 5000 {nonce}"));
    t.wait(12);
    t.says(&format!("OK {nonce}"));
    t.result("open", nonce, "ok");
    t.wait(10);
    t.says("STATE opening");
}

fn barriers() -> Vec<Transcript> {
    let mut all = Vec::new();
    let mut t =
        Transcript::new("barrier-good", "A barrier opens for five seconds, lets a car through and closes");
    boot(&mut t);
    beats(&mut t, 2);
    open(&mut t, "a1");
    t.wait(1400);
    t.says("STATE open");
    t.wait(600);
    t.says("STATE open loop");
    beats(&mut t, 2);
    t.says("STATE open");
    t.wait(1500);
    t.says("STATE closing");
    t.wait(1500);
    t.says("STATE closed");
    beats(&mut t, 2);
    all.push(t);

    let mut t = Transcript::new("barrier-no-answer", "A barrier that does not answer OPEN");
    boot(&mut t);
    t.wait(200);
    t.line('>', "OPEN 5000 b1");
    t.quiet(3000);
    t.result("open", "b1", "timeout");
    all.push(t);

    let mut t =
        Transcript::new("barrier-wrong-nonce", "An answer to a question that was not asked is no answer");
    boot(&mut t);
    t.wait(200);
    t.line('>', "OPEN 5000 c1");
    t.wait(10);
    t.says("OK zz");
    t.quiet(3000);
    t.result("open", "c1", "timeout");
    all.push(t);

    let mut t =
        Transcript::new("barrier-fault", "The arm jams: the command is refused, the fault shows, and goes");
    boot(&mut t);
    t.wait(200);
    t.line('>', "OPEN 5000 d1");
    t.wait(10);
    t.says("ERR d1 fault");
    t.result("open", "d1", "fault");
    t.wait(5);
    t.says("STATE fault");
    beats(&mut t, 3);
    t.says("STATE closed");
    open(&mut t, "d2");
    all.push(t);

    let mut t =
        Transcript::new("barrier-garbage", "Garbage between lines, a line in pieces, an unknown word");
    boot(&mut t);
    t.wait(100);
    t.note("noise that ends in a line feed");
    t.chunk('<', &[0xff, 0x00, 0x1b, 0x5b, 0x41, 0x0a]);
    t.reject("garbage");
    t.wait(100);
    t.line('<', "SING a song");
    t.reject("garbage");
    t.wait(100);
    t.note("STATE open, in two pieces");
    t.chunk('<', b"STA");
    t.wait(20);
    t.chunk('<', b"TE open\r\n");
    t.expect(json!({"type": "gate_status", "confirmed": "open", "vehicle": false}));
    t.wait(500);
    t.says("STATE closed");
    all.push(t);

    let mut t =
        Transcript::new("barrier-reboot", "The barrier restarts with its arm up: it comes back closed");
    boot(&mut t);
    open(&mut t, "e1");
    t.wait(1400);
    t.says("STATE open");
    t.wait(700);
    t.note("power fails for a moment; a torn line, then the greeting");
    t.chunk('<', b"STATE op");
    t.wait(900);
    t.chunk('<', b"\n");
    t.reject("garbage");
    boot(&mut t);
    beats(&mut t, 1);
    all.push(t);

    let mut t = Transcript::new(
        "barrier-vehicle",
        "It never closes on a vehicle: CLOSE is refused while the loop is held",
    );
    boot(&mut t);
    open(&mut t, "f1");
    t.wait(1400);
    t.says("STATE open loop");
    t.wait(300);
    t.line('>', "CLOSE f2");
    t.wait(10);
    t.says("ERR f2 loop");
    t.result("close", "f2", "loop");
    beats(&mut t, 2);
    t.says("STATE open");
    t.wait(300);
    t.line('>', "CLOSE f3");
    t.wait(10);
    t.says("OK f3");
    t.result("close", "f3", "ok");
    t.wait(10);
    t.says("STATE closing");
    t.wait(1500);
    t.says("STATE closed");
    all.push(t);
    all
}

/// Writes all transcripts into `folder`.
///
/// # Errors
/// A sentence naming the file.
pub fn write(folder: &Path) -> Result<(), String> {
    for t in readers().iter().chain(&barriers()) {
        files::write(&folder.join(format!("{}.log", t.name)), t.log.as_bytes())?;
        files::write(&folder.join(format!("{}.chk", t.name)), t.chk.as_bytes())?;
    }
    Ok(())
}

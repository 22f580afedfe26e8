//! Messages to the person, on stderr, one line each.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use clap::ValueEnum;

use super::make_safe;

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    /// What went wrong.
    Error,
    /// And what may.
    Warn,
    /// And what is being done.
    Info,
    /// And every detail.
    Debug,
}

/// When colour is used; only ever on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The longest message, in characters: what comes from outside must not fill a disk.
const LONGEST: usize = 2000;

/// A message on one line, safe for a terminal and of bounded length.
fn one_line(message: &str) -> String {
    let cut = message.char_indices().nth(LONGEST);
    let (message, more) = cut.map_or((message, ""), |(end, _)| (&message[..end], " …"));
    make_safe(message).replace('\n', " ") + more
}

/// Writes messages to stderr; a clone writes to the same place.
#[derive(Debug, Clone)]
pub struct Log(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    command: &'static str,
    level: Level,
    colour: bool,
    journal: bool,
}

impl Log {
    /// A log of `command` that says what is at `level` or graver. With `journal`, each line begins with its priority
    /// (`sd-daemon(3)`).
    pub fn new(command: &'static str, level: Level, colour: Colour, no_color: bool, journal: bool) -> Self {
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !no_color && io::stderr().is_terminal(),
        };
        Log(Arc::new(Settings { command, level, colour, journal }))
    }

    /// Something went wrong.
    pub fn error(&self, message: &str) {
        self.say(Level::Error, "error: ", "31", 3, message);
    }

    /// Something may go wrong.
    pub fn warn(&self, message: &str) {
        self.say(Level::Warn, "warning: ", "33", 4, message);
    }

    /// Something was asked for and is said whatever the level.
    pub fn notice(&self, message: &str) {
        self.say(Level::Error, "", "", 5, message);
    }

    /// Something is being done.
    pub fn info(&self, message: &str) {
        self.say(Level::Info, "", "", 6, message);
    }

    /// A detail.
    pub fn debug(&self, message: &str) {
        self.say(Level::Debug, "debug: ", "2", 7, message);
    }

    fn say(&self, level: Level, label: &str, colour: &str, priority: u8, message: &str) {
        let settings = &*self.0;
        if level > settings.level {
            return;
        }
        let message = one_line(message);
        let label = match settings.colour && !colour.is_empty() {
            true => format!("\u{1b}[{colour}m{label}\u{1b}[0m"),
            false => label.to_owned(),
        };
        let priority = if settings.journal { format!("<{priority}>") } else { String::new() };
        // A closed stderr must not end the work.
        let _ = writeln!(io::stderr().lock(), "{priority}{}: {label}{message}", settings.command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_short_line() {
        assert_eq!(one_line("a\nb\u{1b}c"), "a b\\u001Bc");
        let long = one_line(&"ä\n".repeat(5000));
        assert!(long.ends_with(" …") && long.chars().count() == LONGEST + 2 && !long.contains('\n'));
    }
}

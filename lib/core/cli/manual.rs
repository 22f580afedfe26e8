//! A command's manual page, made from its flags and its own words.

use std::fmt::Write;

use crate::error::Kind;

/// A command's own words for its manual page, beyond what its flags say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manual {
    /// What the command does, in paragraphs divided by empty lines.
    pub description: &'static str,
    /// Further sections: a title and paragraphs. A paragraph whose lines begin with four spaces is shown as it is.
    pub sections: &'static [(&'static str, &'static str)],
    /// Examples: what each does, and the command.
    pub examples: &'static [(&'static str, &'static str)],
    /// Environment variables beyond those of flags: the name, and what it does.
    pub environment: &'static [(&'static str, &'static str)],
    /// Files: the path, and what it is for.
    pub files: &'static [(&'static str, &'static str)],
}

/// The date on the pages: when their form last changed.
pub(crate) const DATE: &str = "2026-11-21";

/// The page of `command` in roff's `man` macros.
pub fn page(command: &clap::Command, manual: &Manual, reads: &[&str], writes: &[&str]) -> String {
    let mut command = command.clone();
    command.build();
    let name = command.get_name().to_owned();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut page = format!(
        ".TH {} 1 {DATE} \"park {}\" \"park manual\"\n.SH NAME\n{} \\- {}\n",
        name.to_uppercase(),
        command.get_version().unwrap_or(""),
        escape(&name),
        escape(about.trim_end_matches('.'))
    );
    synopsis(&mut page, &command);
    page.push_str(".SH DESCRIPTION\n");
    paragraphs(&mut page, if manual.description.is_empty() { &about } else { manual.description });
    page.push_str(".SH OPTIONS\n");
    options(&mut page, &command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let _ = writeln!(page, ".SH \"{} {}\"", name.to_uppercase(), sub.get_name().to_uppercase());
        paragraphs(&mut page, &sub.get_about().map(ToString::to_string).unwrap_or_default());
        options(&mut page, sub);
    }
    for (title, text) in manual.sections {
        let _ = writeln!(page, ".SH \"{}\"", title.to_uppercase());
        paragraphs(&mut page, text);
    }
    page.push_str(".SH RECORDS\n");
    for (verb, kinds) in [("Reads", reads), ("Writes", writes)] {
        let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
        let _ = writeln!(page, ".TP\n{verb}\n{}", escape(&kinds));
    }
    page.push_str(".PP\nSee\n.BR park-records (5).\n.SH SIGNALS\n");
    signals(&mut page);
    page.push_str(".SH EXIT STATUS\n.TP\n.B 0\ndone\n");
    for kind in Kind::ALL {
        let _ = writeln!(page, ".TP\n.B {}\n{}", kind.exit_code(), escape(kind.meaning()));
    }
    table(&mut page, "ENVIRONMENT", &environment(&command, manual));
    table(&mut page, "FILES", manual.files);
    if !manual.examples.is_empty() {
        page.push_str(".SH EXAMPLES\n");
        for (at, (what, example)) in manual.examples.iter().enumerate() {
            page.push_str(if at > 0 { ".PP\n" } else { "" });
            let _ = writeln!(page, "{}\n.PP\n.nf\n.RS 4\n{}\n.RE\n.fi", escape(what), escape(example));
        }
    }
    see_also(&mut page, &name);
    page
}

fn synopsis(page: &mut String, command: &clap::Command) {
    let usage = command.clone().render_usage().to_string();
    page.push_str(".SH SYNOPSIS\n.nf\n");
    for line in usage.trim_start_matches("Usage:").lines() {
        let _ = writeln!(page, "{}", escape(line.trim()));
    }
    page.push_str(".fi\n");
}

fn options(page: &mut String, command: &clap::Command) {
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let mut names = Vec::new();
        if let Some(short) = arg.get_short() {
            names.push(format!("-{short}"));
        }
        if let Some(long) = arg.get_long() {
            names.push(format!("--{long}"));
        }
        let takes_value = arg.get_action().takes_values();
        let value = arg
            .get_value_names()
            .filter(|_| takes_value)
            .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        let head = match (names.is_empty(), value) {
            (true, value) => {
                format!("\\fI{}\\fR", escape(&value.unwrap_or_else(|| arg.get_id().to_string())))
            }
            (false, Some(value)) => {
                format!("\\fB{}\\fR \\fI{}\\fR", escape(&names.join(", ")), escape(&value))
            }
            (false, None) => format!("\\fB{}\\fR", escape(&names.join(", "))),
        };
        let mut help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if takes_value && !defaults.is_empty() {
            let _ = write!(help, " [default: {}]", defaults.join(", "));
        }
        if takes_value && !arg.get_possible_values().is_empty() {
            let values: Vec<_> =
                arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            let _ = write!(help, " [one of: {}]", values.join(", "));
        }
        let _ = writeln!(page, ".TP\n{head}\n{}", escape(&help.replace('\n', " ")));
    }
}

fn environment<'a>(command: &'a clap::Command, manual: &Manual) -> Vec<(String, String)> {
    let of_flags = |command: &'a clap::Command| {
        command.get_arguments().filter_map(|arg| {
            let name = arg.get_env()?.to_string_lossy().into_owned();
            Some((name, format!("The default of --{}.", arg.get_long().unwrap_or(arg.get_id().as_str()))))
        })
    };
    let mut all: Vec<_> = of_flags(command).chain(command.get_subcommands().flat_map(of_flags)).collect();
    all.push(("NO_COLOR".into(), "If set, stderr is not coloured.".into()));
    all.extend(manual.environment.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())));
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(name, _)| seen.insert(name.clone()));
    all
}

fn table(page: &mut String, title: &str, rows: &[(impl AsRef<str>, impl AsRef<str>)]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, ".SH {title}");
    for (name, what) in rows {
        let _ = writeln!(page, ".TP\n\\fB{}\\fR\n{}", escape(name.as_ref()), escape(what.as_ref()));
    }
}

fn signals(page: &mut String) {
    for (signal, what) in [
        ("TERM", "finish what is at hand, flush, stop"),
        ("INT", "the same, then die by the signal; a second one ends the process at once"),
        ("HUP", "read lists and configuration again"),
        ("USR1", "say the state on stderr"),
        ("PIPE", "a reader that has had enough is no error: stop quietly, exit 0"),
    ] {
        let _ = writeln!(page, ".TP\n.B {signal}\n{what}");
    }
}

fn see_also(page: &mut String, name: &str) {
    let mut others: Vec<String> = ["park-capture", "park-detect", "park-gate", "park-serve", "park-track"]
        .iter()
        .filter(|other| **other != name)
        .map(|other| format!(".BR {} (1)", escape(other)))
        .collect();
    others.extend([".BR park\\-records (5)".into(), ".BR park.toml (5)".into(), ".BR park (7)".into()]);
    let _ = writeln!(page, ".SH SEE ALSO\n{}", others.join(",\n"));
}

fn paragraphs(page: &mut String, text: &str) {
    for (at, paragraph) in text.trim().split("\n\n").enumerate() {
        if at > 0 {
            page.push_str(".PP\n");
        }
        if paragraph.lines().all(|line| line.starts_with("    ")) {
            let _ = writeln!(page, ".nf\n.RS 4");
            for line in paragraph.lines() {
                let _ = writeln!(page, "{}", escape(&line[4..]));
            }
            let _ = writeln!(page, ".RE\n.fi");
        } else {
            for line in paragraph.lines() {
                let _ = writeln!(page, "{}", escape(line.trim()));
            }
        }
    }
}

/// Text that roff shows as it is.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '…' => escaped.push_str("..."),
            '–' => escaped.push_str("\\(en"),
            '×' => escaped.push_str("\\(mu"),
            '≥' => escaped.push_str("\\(>="),
            char => escaped.push(char),
        }
    }
    // A full stop or a quote at the start of a line would be a request.
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

//! The flags that every command has.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::log::{Colour, Level};
use crate::stream::Endpoint;

/// Where records come from and go to, and when to end.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Streams")]
pub struct IoArgs {
    /// Read records from ENDPOINT (repeatable): `-`, a file, unix:PATH, tcp:HOST:PORT, ws://…, wss://…, unix-listen:PATH,
    /// tcp-listen:HOST:PORT, ws-listen:HOST:PORT. Standard input by default.
    #[arg(long, value_name = "ENDPOINT")]
    pub input: Vec<Endpoint>,

    /// Write records to ENDPOINT (repeatable), named as for --input. Standard output by default.
    #[arg(long, value_name = "ENDPOINT")]
    pub output: Vec<Endpoint>,

    /// Show the token in FILE to the servers of ws:// and wss:// endpoints. The file is read at each connection.
    #[arg(long, value_name = "FILE", env = "PARK_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,

    /// Stop at the first bad record instead of reporting it and going on.
    #[arg(long)]
    pub strict: bool,

    /// Refuse lines of more than BYTES; K and M may follow the number.
    #[arg(long, value_name = "BYTES", default_value = "16M")]
    pub max_line: Length,

    /// End after writing N records.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,

    /// End after SECONDS of wall-clock time.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<Seconds>,

    /// At the end, wait up to SECONDS for output sockets to take what is left.
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    pub drain: Seconds,
}

/// What every command can say of itself, and how much it says.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub struct CommonArgs {
    /// Read settings from FILE instead of $XDG_CONFIG_HOME/park/park.toml or /etc/park/park.toml.
    #[arg(long, value_name = "FILE", env = "PARK_CONFIG", global = true)]
    pub config: Option<PathBuf>,

    /// Print the settings in force as TOML and exit.
    #[arg(long, global = true)]
    pub print_config: bool,

    /// Print the JSON Schema of the records read and written and exit.
    #[arg(long, global = true)]
    pub schema: bool,

    /// Print the manual page (roff) and exit.
    #[arg(long, global = true)]
    pub man: bool,

    /// Print completions for SHELL and exit.
    #[arg(long, value_name = "SHELL", global = true)]
    pub completions: Option<clap_complete::Shell>,

    /// Say on stderr what is at LEVEL or graver.
    #[arg(long, value_name = "LEVEL", env = "PARK_LOG", default_value = "warn", global = true)]
    pub log: Level,

    /// Colour stderr.
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Colour,
}

/// A time span given in seconds, such as `2` or `0.5`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds(pub Duration);

impl FromStr for Seconds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of seconds"))?;
        Duration::try_from_secs_f64(seconds)
            .map(Seconds)
            .map_err(|_| format!("{text} seconds cannot be waited"))
    }
}

/// A number of bytes, such as `4096`, `64K`, `16M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub usize);

impl FromStr for Length {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, unit) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (&text[..text.len() - 1], 1 << 10),
            Some(b'm' | b'M') => (&text[..text.len() - 1], 1 << 20),
            _ => (text, 1),
        };
        let bytes = digits
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
            .filter(|bytes| *bytes > 0);
        bytes.map(Length).ok_or_else(|| format!("{text:?} is not a number of bytes"))
    }
}

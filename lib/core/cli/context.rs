//! What a command may know of the world around it.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::log::Log;
use super::progress::Progress;
use crate::record::Time;

/// The world around a command: its name, its log, the clock, the environment. Rules never see it.
#[derive(Debug, Clone)]
pub struct Context {
    command: &'static str,
    version: &'static str,
    log: Log,
    config: Option<PathBuf>,
}

impl Context {
    pub(super) fn new(
        command: &'static str,
        version: &'static str,
        log: Log,
        config: Option<PathBuf>,
    ) -> Self {
        Context { command, version, log, config }
    }

    /// The command's name, such as `park-gate`.
    pub fn command(&self) -> &'static str {
        self.command
    }

    /// The command's version.
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Where messages go.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The `park.toml` in force, if there is one; it describes the site too, see [`crate::site`].
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The wall clock, for a live edge only.
    pub fn now(&self) -> Time {
        Time::from(SystemTime::now())
    }

    /// An environment variable, if it is set, not empty and UTF-8.
    pub fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Where state that outlives a run is kept: `$PARK_STATE_DIR`, `$STATE_DIRECTORY` (systemd), `/var/lib/park` for
    /// root, else `$XDG_STATE_HOME/park` or `~/.local/state/park`.
    pub fn state_dir(&self) -> PathBuf {
        // SAFETY: geteuid takes nothing, touches no memory and cannot fail.
        let root = unsafe { libc::geteuid() } == 0;
        let set = |name: &str| self.env(name).map(PathBuf::from);
        set("PARK_STATE_DIR")
            .or_else(|| set("STATE_DIRECTORY"))
            .or_else(|| root.then(|| PathBuf::from("/var/lib/park")))
            .or_else(|| set("XDG_STATE_HOME").map(|dir| dir.join("park")))
            .or_else(|| set("HOME").map(|dir| dir.join(".local/state/park")))
            .unwrap_or_else(|| PathBuf::from("/tmp/park"))
    }

    /// Where another command of the toolkit is: beside this one, or else wherever PATH finds it.
    pub fn program(&self, name: &str) -> PathBuf {
        let beside = std::env::current_exe().ok().map(|own| own.with_file_name(name));
        beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
    }

    /// Whether standard input is a terminal.
    pub fn stdin_is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// A progress bar over `total` steps on stderr; it shows only on a terminal.
    pub fn progress(&self, total: u64, what: &str) -> Progress {
        Progress::new(total, what, io::stderr().is_terminal())
    }
}

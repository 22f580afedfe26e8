//! What every command does before and after its own work.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Args, FromArgMatches};

use super::config;
use super::context::Context;
use super::flags::CommonArgs;
use super::log::{Colour, Level, Log};
use super::manual::{self, Manual};
use crate::error::{Error, Kind, Result};
use crate::record::schema;
use crate::stream::{End, Signal};

/// A command of the toolkit.
pub trait Command {
    /// Its name, such as `park-gate`.
    const NAME: &'static str;
    /// Its version.
    const VERSION: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// The types of records it reads.
    const READS: &'static [&'static str];
    /// The types of records it writes, `error` and what it passes on aside.
    const WRITES: &'static [&'static str];
    /// Its own words for the manual page.
    const MANUAL: Manual;
    /// Its flags, the common ones aside.
    type Args: Args;

    /// Does its work.
    fn run(args: Self::Args, context: &Context) -> Result<End>;
}

/// Runs the command `C` on the process's arguments: parses, configures, runs, reports, and gives the exit code.
///
/// `--help`, `--version`, `--man`, `--completions` and `--schema` touch neither configuration nor devices.
pub fn main<C: Command>() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let mut log = Log::new(C::NAME, Level::Warn, Colour::Auto, no_color(), is_journal());
    match run::<C>(&arguments, &mut log) {
        Ok(End::Signal(Signal::Interrupt)) => {
            // The shell must see that the command died of the signal, or it goes on with its script.
            let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
            ExitCode::from(130)
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            log.error(&error.to_string());
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn is_journal() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some()
}

/// The whole command line of `C`, as help, manual and completions show it.
pub(super) fn command<C: Command>() -> clap::Command {
    // Deriving `Args` also brings its doc comment as the description: ours comes last.
    CommonArgs::augment_args(C::Args::augment_args(clap::Command::new(C::NAME)))
        .version(C::VERSION)
        .about(C::ABOUT)
        .long_about(None)
}

fn run<C: Command>(arguments: &[OsString], log: &mut Log) -> Result<End> {
    if let Some(text) = description::<C>(arguments)? {
        return print(&text);
    }
    let probe = command::<C>().mut_args(|arg| arg.required(false)).mut_subcommands(relaxed);
    let given = match probe.try_get_matches_from(arguments) {
        Ok(given) => given,
        Err(error) => return refuse(&error),
    };
    let common = CommonArgs::from_arg_matches(&given).map_err(|error| usage(&error))?;
    *log = Log::new(C::NAME, common.log, common.color, no_color(), is_journal());

    let config = config::find(common.config);
    let merged = match &config {
        None => arguments.to_vec(),
        Some(path) => {
            let table = config::table(path, C::NAME)?;
            config::merge(&command::<C>(), &given, &table, arguments)
                .map_err(|error| Error::new(Kind::Config, format!("in {}", path.display())).because(error))?
        }
    };
    let matches = match command::<C>().try_get_matches_from(merged) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error),
    };
    let common = CommonArgs::from_arg_matches(&matches).map_err(|error| usage(&error))?;
    *log = Log::new(C::NAME, common.log, common.color, no_color(), is_journal());
    if common.print_config {
        return print(&config::print(&command::<C>(), &matches, C::NAME));
    }
    let args = C::Args::from_arg_matches(&matches).map_err(|error| usage(&error))?;
    C::run(args, &Context::new(C::NAME, C::VERSION, log.clone(), config))
}

fn relaxed(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.required(false))
}

fn usage(error: &clap::Error) -> Error {
    Error::new(Kind::Usage, error.to_string())
}

/// Help and version go to stdout and are a success; anything else is wrong usage, in clap's own words.
fn refuse(error: &clap::Error) -> Result<End> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    let text = error.render();
    match error.kind() {
        DisplayHelp | DisplayVersion => print(&text.to_string()),
        DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(Error::new(Kind::Usage, "a subcommand is needed; see --help"))
        }
        _ => {
            let text = text.to_string();
            let message = text.trim().trim_start_matches("error: ").split("\n\n").next().unwrap_or_default();
            Err(Error::new(Kind::Usage, format!("{message} (see --help)")))
        }
    }
}

/// What `--man`, `--schema` or `--completions` print, if one of them is asked for.
fn description<C: Command>(arguments: &[OsString]) -> Result<Option<String>> {
    for (at, argument) in arguments.iter().enumerate().skip(1) {
        match argument.to_str() {
            Some("--") => break,
            Some("--man") => return Ok(Some(manual::page(&command::<C>(), &C::MANUAL, C::READS, C::WRITES))),
            Some("--schema") => {
                let mut kinds = [C::READS, C::WRITES].concat();
                kinds.push("error");
                let schema = serde_json::to_string_pretty(&schema(C::NAME, &kinds));
                return Ok(Some(schema.unwrap_or_default() + "\n"));
            }
            Some("--completions") => {
                let shell = arguments.get(at + 1).and_then(|shell| shell.to_str()).unwrap_or("");
                return completions::<C>(shell).map(Some);
            }
            Some(text) if text.starts_with("--completions=") => {
                return completions::<C>(&text["--completions=".len()..]).map(Some);
            }
            _ => {}
        }
    }
    Ok(None)
}

fn completions<C: Command>(shell: &str) -> Result<String> {
    let shell: clap_complete::Shell = shell.parse().map_err(|_| {
        Error::new(Kind::Usage, format!("no completions for {shell:?}: bash, elvish, fish, powershell, zsh"))
    })?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command::<C>(), C::NAME, &mut text);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn print(text: &str) -> Result<End> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::new(Kind::Io, "writing to standard output").because(error))?;
    Ok(End::Input)
}

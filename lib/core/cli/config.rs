//! Settings from `park.toml`, under the flags and the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use toml::{Table, Value};

use crate::error::{Error, Kind, Result};

/// The settings file that counts: `named`, else the first of the usual places that exists.
pub(super) fn find(named: Option<PathBuf>) -> Option<PathBuf> {
    let user = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    named.or_else(|| {
        [user.map(|dir| dir.join("park/park.toml")), Some(PathBuf::from("/etc/park/park.toml"))]
            .into_iter()
            .flatten()
            .find(|path| path.exists())
    })
}

/// The table of `park.toml` that is for `command`: `[track]` for `park-track`.
pub(super) fn table(path: &Path, command: &str) -> Result<Table> {
    let doing = || format!("reading {}", path.display());
    let text =
        std::fs::read_to_string(path).map_err(|error| Error::new(Kind::Config, doing()).because(error))?;
    let mut file: Table =
        text.parse().map_err(|error: toml::de::Error| Error::new(Kind::Config, doing()).because(error))?;
    let name = command.strip_prefix("park-").unwrap_or(command);
    match file.remove(name) {
        None => Ok(Table::new()),
        Some(Value::Table(table)) => Ok(table),
        Some(_) => Err(Error::new(Kind::Config, format!("{}: [{name}] must be a table", doing()))),
    }
}

/// The command line with the settings of `table` put before what the user said, where they said nothing.
///
/// Keys are the long flags; a key that no flag has is an error. A subcommand has a table of its own.
pub(super) fn merge(
    command: &clap::Command,
    matches: &ArgMatches,
    table: &Table,
    arguments: &[OsString],
) -> Result<Vec<OsString>> {
    let mut merged: Vec<OsString> = arguments.iter().take(1).cloned().collect();
    let mut rest = arguments.get(1..).unwrap_or(&[]);
    let mut table = table.clone();
    let sub = matches.subcommand().and_then(|(name, sub)| Some((name, sub, command.find_subcommand(name)?)));
    let sub_table = sub.as_ref().and_then(|(name, ..)| table.remove(*name));
    table.retain(|key, _| command.find_subcommand(key).is_none());
    let mut inherited = Table::new();
    for (key, value) in table {
        let owner =
            [Some((command, matches)), sub.as_ref().map(|(_, matches, command)| (*command, *matches))];
        let found =
            owner.into_iter().flatten().find_map(|(command, matches)| Some((flag(command, &key)?, matches)));
        match found {
            None if sub.is_none() && command.has_subcommands() => {}
            None => return Err(Error::new(Kind::Config, format!("no such setting: {key}"))),
            Some((arg, matches)) if !is_given(matches, arg) => {
                if flag(command, &key).is_some() {
                    push(&mut merged, arg, &key, &value)?;
                } else {
                    inherited.insert(key, value);
                }
            }
            Some(_) => {}
        }
    }
    if let Some((name, sub_matches, sub)) = sub {
        let at = rest.iter().position(|argument| argument == name).map_or(rest.len(), |at| at + 1);
        merged.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(Value::Table(table)) = sub_table {
            inherited.extend(table);
        }
        for (key, value) in inherited {
            let arg = flag(sub, &key)
                .ok_or_else(|| Error::new(Kind::Config, format!("no such setting: {name}.{key}")))?;
            if !is_given(sub_matches, arg) {
                push(&mut merged, arg, &key, &value)?;
            }
        }
    }
    merged.extend_from_slice(rest);
    Ok(merged)
}

fn flag<'a>(command: &'a clap::Command, key: &str) -> Option<&'a Arg> {
    let long = key.replace('_', "-");
    command.get_arguments().find(|arg| arg.get_long() == Some(long.as_str()))
}

fn is_given(matches: &ArgMatches, arg: &Arg) -> bool {
    let source = matches
        .try_contains_id(arg.get_id().as_str())
        .ok()
        .and_then(|_| matches.value_source(arg.get_id().as_str()));
    matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

fn push(to: &mut Vec<OsString>, arg: &Arg, key: &str, value: &Value) -> Result<()> {
    let long = format!("--{}", arg.get_long().unwrap_or(key));
    let bad = || Error::new(Kind::Config, format!("setting {key}: {value} does not fit"));
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        match value {
            Value::Boolean(true) => to.push(long.into()),
            Value::Boolean(false) => {}
            _ => return Err(bad()),
        }
        return Ok(());
    }
    let values = match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    for value in values {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(_) | Value::Float(_) | Value::Datetime(_) => value.to_string(),
            _ => return Err(bad()),
        };
        to.push(format!("{long}={text}").into());
    }
    Ok(())
}

/// The settings in force as TOML, under the table that `park.toml` has for the command.
pub(super) fn print(command: &clap::Command, matches: &ArgMatches, name: &str) -> String {
    let name = name.strip_prefix("park-").unwrap_or(name);
    let mut text = format!("[{name}]\n");
    text.push_str(&settings(command, matches));
    if let Some((sub_name, sub)) = matches.subcommand()
        && let Some(sub_command) = command.find_subcommand(sub_name)
    {
        text.push_str(&format!("\n[{name}.{sub_name}]\n"));
        text.push_str(&settings(sub_command, sub));
    }
    text
}

fn settings(command: &clap::Command, matches: &ArgMatches) -> String {
    let mut text = String::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let Some(long) = arg.get_long() else { continue };
        if matches!(long, "help" | "version" | "man" | "schema" | "completions" | "print-config" | "config") {
            continue;
        }
        let Ok(Some(raw)) = matches.try_get_raw(id) else { continue };
        let values: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
        let value = match (arg.get_action(), values.as_slice()) {
            (ArgAction::SetTrue, [value]) => value.clone(),
            (ArgAction::Append, values) => {
                Value::Array(values.iter().cloned().map(Value::String).collect()).to_string()
            }
            (_, [value]) => Value::String(value.clone()).to_string(),
            _ => continue,
        };
        text.push_str(&format!("{} = {value}\n", long.replace('-', "_")));
    }
    text
}

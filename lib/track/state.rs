//! The state, kept in a file over a restart.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use park_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

use crate::rules::State;

/// The version of the file's form.
const VERSION: u32 = 1;

/// A state file, held by this process alone.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    _lock: File,
}

#[derive(Serialize)]
struct Kept<'a> {
    version: u32,
    state: &'a State,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Found {
    state: State,
}

impl StateFile {
    /// Takes hold of the file at `path` and reads what it has; a file that is not there has nothing.
    ///
    /// # Errors
    ///
    /// [`Kind::TryAgain`] if another process holds it, [`Kind::Config`] if it is no state file or one of a newer
    /// version, [`Kind::Io`] if it cannot be read.
    pub fn open(path: &Path) -> Result<(StateFile, State)> {
        let lock_path = beside(path, ".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| Error::io(format!("opening {}", lock_path.display()), error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("the state {} is in use by another process", path.display());
                return Err(Error::new(Kind::TryAgain, message));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::io(format!("locking {}", lock_path.display()), error));
            }
        }
        let file = StateFile { path: path.to_owned(), _lock: lock };
        let state = match std::fs::read(path) {
            Ok(bytes) => read(path, &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(Error::io(format!("reading the state {}", path.display()), error)),
        };
        Ok((file, state))
    }

    /// Keeps `state`: after this, a crash loses nothing of it. Whoever reads the file sees the old state or the new one.
    ///
    /// # Errors
    ///
    /// [`Kind::Io`].
    pub fn save(&self, state: &State) -> Result<()> {
        let doing = |error| Error::io(format!("writing the state {}", self.path.display()), error);
        let kept = Kept { version: VERSION, state };
        let mut bytes = serde_json::to_vec(&kept).map_err(|error| doing(error.into()))?;
        bytes.push(b'\n');
        let aside = beside(&self.path, ".new");
        let mut file = File::create(&aside).map_err(doing)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(doing)?;
        std::fs::rename(&aside, &self.path).map_err(doing)
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn read(path: &Path, bytes: &[u8]) -> Result<State> {
    let wrong = |error: serde_json::Error| {
        let what = format!("reading the state {} (remove it to begin anew)", path.display());
        Error::new(Kind::Config, what).because(error)
    };
    let Version { version } = serde_json::from_slice(bytes).map_err(wrong)?;
    if version != VERSION {
        let message =
            format!("the state {} has version {version}; this park-track reads {VERSION}", path.display());
        return Err(Error::new(Kind::Config, message));
    }
    let Found { state } = serde_json::from_slice(bytes).map_err(wrong)?;
    Ok(state)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use park_core::record::Time;

    use super::*;

    #[test]
    fn what_is_saved_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("track.json");
        let (file, mut state) = StateFile::open(&path).unwrap();
        assert_eq!(state, State::default());
        state.clock = Time::from_millis(1_768_905_000_120);
        state.lots.entry("lot_1".into()).or_default().gates.inside = 7;
        file.save(&state).unwrap();
        drop(file);
        assert_eq!(StateFile::open(&path).unwrap().1, state);
        assert!(!beside(&path, ".new").exists());
    }

    #[test]
    fn one_process_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("track.json");
        let held = StateFile::open(&path).unwrap();
        assert_eq!(StateFile::open(&path).unwrap_err().kind(), Kind::TryAgain);
        drop(held);
        assert!(StateFile::open(&path).is_ok());
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("track.json");
        for (text, expected) in [
            ("", "remove it to begin anew"),
            ("{\"version\":1}", "missing field `state`"),
            ("{\"version\":2,\"state\":{}}", "has version 2; this park-track reads 1"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = StateFile::open(&path).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}

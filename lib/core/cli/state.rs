//! What a command knows, kept in a file over a restart.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, Kind, Result};

/// A state file, held by this process alone.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    version: u32,
    _lock: File,
}

#[derive(Serialize)]
struct Kept<'a, S> {
    version: u32,
    state: &'a S,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Found<S> {
    state: S,
}

impl StateFile {
    /// Takes hold of the file at `path` and reads what it has, in the form `version`; a file that is not there has the default.
    ///
    /// # Errors
    ///
    /// [`Kind::TryAgain`] if another process holds it, [`Kind::Config`] if it is no state file or one of another
    /// version, [`Kind::Io`] if it cannot be read.
    pub fn open<S: DeserializeOwned + Default>(path: &Path, version: u32) -> Result<(StateFile, S)> {
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
        let file = StateFile { path: path.to_owned(), version, _lock: lock };
        let state = match std::fs::read(path) {
            Ok(bytes) => read(path, version, &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => S::default(),
            Err(error) => return Err(Error::io(format!("reading the state {}", path.display()), error)),
        };
        Ok((file, state))
    }

    /// Keeps `state`: after this, a crash loses nothing of it. Whoever reads the file sees the old state or the new one.
    ///
    /// # Errors
    ///
    /// [`Kind::Io`].
    pub fn save<S: Serialize>(&self, state: &S) -> Result<()> {
        let doing = |error| Error::io(format!("writing the state {}", self.path.display()), error);
        let kept = Kept { version: self.version, state };
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

fn read<S: DeserializeOwned>(path: &Path, known: u32, bytes: &[u8]) -> Result<S> {
    let wrong = |error: serde_json::Error| {
        let what = format!("reading the state {} (remove it to begin anew)", path.display());
        Error::new(Kind::Config, what).because(error)
    };
    let Version { version } = serde_json::from_slice(bytes).map_err(wrong)?;
    if version != known {
        let message =
            format!("the state {} has version {version}; this program reads {known}", path.display());
        return Err(Error::new(Kind::Config, message));
    }
    let Found { state } = serde_json::from_slice(bytes).map_err(wrong)?;
    Ok(state)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Counts = BTreeMap<String, u32>;

    #[test]
    fn what_is_saved_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let (file, mut state) = StateFile::open::<Counts>(&path, 1).unwrap();
        assert_eq!(state, Counts::default());
        state.insert("lot_1".into(), 7);
        file.save(&state).unwrap();
        drop(file);
        assert_eq!(StateFile::open::<Counts>(&path, 1).unwrap().1, state);
        assert!(!beside(&path, ".new").exists());
    }

    #[test]
    fn one_process_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let held = StateFile::open::<Counts>(&path, 1).unwrap();
        assert_eq!(StateFile::open::<Counts>(&path, 1).unwrap_err().kind(), Kind::TryAgain);
        drop(held);
        assert!(StateFile::open::<Counts>(&path, 1).is_ok());
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for (text, expected) in [
            ("", "remove it to begin anew"),
            ("{\"version\":1}", "missing field `state`"),
            ("{\"version\":2,\"state\":{}}", "has version 2; this program reads 1"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = StateFile::open::<Counts>(&path, 1).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}

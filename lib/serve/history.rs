//! The log, read beside the thread that writes it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use park_core::{Error, Kind, Result};
use park_store::{Query, Store};
use tokio::task::spawn_blocking;

use crate::hub::Event;

/// The log of records for those who resume. One page is read at a time, so that a crowd that comes back at once
/// waits its turn instead of holding up the rest.
#[derive(Clone)]
pub struct History {
    store: Arc<Mutex<Option<Store>>>,
    path: PathBuf,
}

/// Records read at a time.
pub const PAGE: usize = 500;

impl History {
    /// The log in the database at `path`, opened when it is first read.
    pub fn new(path: PathBuf) -> History {
        History { store: Arc::default(), path }
    }

    /// The place in the log of the record with this id, if it is (still) there. `0` is the place before the first.
    pub async fn find(&self, id: &str) -> Result<Option<i64>> {
        if id == "0" {
            return Ok(Some(0));
        }
        let id = id.to_owned();
        self.read(move |store| store.seq_of(&id)).await
    }

    /// Up to [`PAGE`] records after `seq`.
    pub async fn page(&self, seq: i64) -> Result<Vec<Event>> {
        let page = self.read(move |store| store.since(seq, &Query::default(), PAGE)).await?;
        Ok(page.into_iter().map(Event::logged).collect())
    }

    /// Asks the log something, on a thread that may wait.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        let read = spawn_blocking(move || {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            if store.is_none() {
                *store = Some(Store::open(&path)?);
            }
            // Opened just above.
            store.as_ref().map(read).unwrap_or_else(|| Err(Error::new(Kind::Io, "reading the log")))
        });
        read.await.map_err(|error| Error::new(Kind::Io, "reading the log").because(error))?
    }
}

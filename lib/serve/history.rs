//! The log, read beside the thread that writes it.

use std::path::PathBuf;
use std::sync::Arc;

use park_core::{Error, Kind, Result};
use park_store::{Query, Store};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::hub::Event;
use crate::random;

/// The log of records for those who resume. One page is read at a time, so that a crowd that comes back at once
/// waits its turn instead of holding up the rest.
#[derive(Clone)]
pub struct History {
    store: Arc<Mutex<Option<Store>>>,
    path: PathBuf,
    epoch: Arc<str>,
}

/// The last record that a client has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// The log in which it saw it, if it says so. The same record may stand in another log, with others around it.
    pub epoch: Option<String>,
}

impl Seen {
    /// What `{lastEventId, epoch}` says, if it says anything.
    pub fn named(fields: &Map<String, Value>) -> Option<Seen> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = text("lastEventId").filter(|id| (1..=128).contains(&id.len()))?;
        Some(Seen { id, epoch: text("epoch") })
    }
}

/// Records read at a time.
pub const PAGE: usize = 500;

impl History {
    /// The log in the database at `path`, opened when it is first read. `store` is the same one, open.
    pub fn new(path: PathBuf, store: &Store) -> Result<History> {
        Ok(History { store: Arc::default(), path, epoch: epoch(store)?.into() })
    }

    /// The name of this log, which no other has, and which stays as long as it does.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The place in the log of the record that a client has seen, if it is (still) there. `0` is the place before the
    /// first.
    pub async fn find(&self, seen: &Seen) -> Result<Option<i64>> {
        if seen.epoch.as_deref().is_some_and(|epoch| epoch != self.epoch()) {
            return Ok(None);
        }
        if seen.id == "0" {
            return Ok(Some(0));
        }
        let id = seen.id.clone();
        self.read(move |store| store.seq_of(&id)).await
    }

    /// Up to [`PAGE`] records after `seq`.
    pub async fn page(&self, seq: i64) -> Result<Vec<Event>> {
        let page = self.read(move |store| store.since(seq, &Query::default(), PAGE)).await?;
        Ok(page.into_iter().map(Event::logged).collect())
    }

    /// Asks the log something, on a thread that may wait. Who waits for a turn takes no thread.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (mut store, path) = (Arc::clone(&self.store).lock_owned().await, self.path.clone());
        let read = spawn_blocking(move || {
            if store.is_none() {
                *store = Some(Store::open(&path)?);
            }
            // Opened just above.
            store.as_ref().map(read).unwrap_or_else(|| Err(Error::new(Kind::Io, "reading the log")))
        });
        read.await.map_err(|error| Error::new(Kind::Io, "reading the log").because(error))?
    }
}

/// The name under which the log's own name is kept, among the snapshots.
const EPOCH: &str = "epoch";

fn epoch(store: &Store) -> Result<String> {
    if let Some((_, epoch)) = store.snapshot(EPOCH)? {
        return Ok(epoch);
    }
    let epoch = random::hex::<8>().map_err(|error| Error::new(Kind::Io, "naming the log").because(error))?;
    store.save_snapshot(EPOCH, 0, &epoch)?;
    Ok(epoch)
}

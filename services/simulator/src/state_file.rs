//! The state file: one JSON snapshot, replaced as a whole. Requests that wait at the same time share one write.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{SimulatorError, world::World};

/// What the file holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Ids, secret and signing key follow from it.
    pub seed: u64,
    /// Where the clock stands, in milliseconds from wall time.
    pub offset_ms: i64,
    /// Everything else.
    pub world: World,
}

impl Snapshot {
    /// Nothing has happened yet.
    pub fn empty(seed: u64) -> Self {
        Self {
            seed,
            offset_ms: 0,
            world: World::default(),
        }
    }

    /// As it is written.
    pub fn bytes(seed: u64, offset_ms: i64, world: &World) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Borrowed<'a> {
            seed: u64,
            offset_ms: i64,
            world: &'a World,
        }
        serde_json::to_vec(&Borrowed {
            seed,
            offset_ms,
            world,
        })
    }
}

/// Where it is, and what has been written.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// The revision on disk.
    written: AtomicU64,
    /// One writer at a time.
    writing: Mutex<()>,
}

impl StateFile {
    /// Nothing is read or written yet.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            written: AtomicU64::new(0),
            writing: Mutex::new(()),
        }
    }

    /// The snapshot, when there is one.
    pub fn load(&self) -> Result<Option<Snapshot>, SimulatorError> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read
                .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?))
                .map(Some)
                .map_err(|error| SimulatorError::State(self.path.clone(), error)),
        }
    }

    /// Writes a revision now.
    pub fn write(&self, revision: u64, bytes: &[u8]) -> Result<(), SimulatorError> {
        replace(&self.path, bytes)
            .map_err(|error| SimulatorError::State(self.path.clone(), error))?;
        self.written.store(revision, Ordering::Release);
        Ok(())
    }

    /// Returns when this revision or a later one is on disk.
    pub async fn reach(
        &self,
        revision: u64,
        snapshot: impl FnOnce() -> Result<(u64, Vec<u8>), SimulatorError>,
    ) -> Result<(), SimulatorError> {
        if self.written.load(Ordering::Acquire) >= revision {
            return Ok(());
        }
        let _one_at_a_time = self.writing.lock().await;
        if self.written.load(Ordering::Acquire) >= revision {
            return Ok(());
        }
        let (taken, bytes) = snapshot()?;
        let path = self.path.clone();
        let replaced = tokio::task::spawn_blocking(move || replace(&path, &bytes)).await;
        replaced
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| SimulatorError::State(self.path.clone(), error))?;
        self.written.store(taken, Ordering::Release);
        Ok(())
    }
}

/// Written beside and renamed, so that a crash leaves the old world or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        // It holds join links, and the seed from which the client secret follows.
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&beside, path)?;
    // The new name lasts once its directory is on disk.
    match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => File::open(parent)?.sync_data(),
        None => Ok(()),
    }
}

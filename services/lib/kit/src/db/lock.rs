//! One process per SQLite file.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use crate::error::{Error, Result};

/// Held as long as the database is open; the kernel lets go of it when the process dies.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Refuses at once when another process holds it.
    pub fn acquire(path: &Path) -> Result<Self> {
        let failed = |what: String| {
            Error::unavailable("DATA_FOLDER_LOCKED", format!("{}: {what}", path.display()))
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|error| failed(error.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(failed(
                "another process uses this data folder; stop it, or name another folder with --data"
                    .into(),
            )),
            Err(TryLockError::Error(error)) => Err(failed(error.to_string())),
        }
    }
}

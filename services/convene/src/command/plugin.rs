//! `convene plugin`.

pub mod fixture;
pub mod local;
pub mod new;
pub mod remote;

use std::path::Path;

use convene_kit::{Error, Result};

/// `name=value`.
pub fn setting(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

async fn read(path: &Path) -> Result<Vec<u8>> {
    tokio::fs::read(path).await.map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Error::invalid("file", "CANNOT_READ", message)
    })
}

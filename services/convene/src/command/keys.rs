//! `convene keys`.

use std::{collections::BTreeSet, path::Path};

use convene_kit::{
    Clock, Error, Result,
    db::snapshot,
    keys::{KeyFile, Use},
};
use convene_meeting_broker as meeting_broker;
use convene_webhooks as webhooks;

use super::print;
use crate::{
    config::Config,
    roles::{RoleName, spec},
};

/// Makes the key file of a new installation.
pub fn make(config: &Config) -> Result<()> {
    let path = config.key_file();
    if path.exists() {
        return Err(Error::refused(
            "KEY_FILE_EXISTS",
            format!(
                "{} is there already; `convene keys rotate` makes new keys and keeps the old ones",
                path.display()
            ),
        ));
    }
    KeyFile::new(Clock::default().unmoved())?.write(&path)?;
    print(&format!("{} holds new keys\n", path.display()));
    Ok(())
}

/// Prints ids, uses and beginnings; never a key.
pub fn list(config: &Config) -> Result<()> {
    let now = Clock::default().unmoved();
    for key in KeyFile::read(&config.key_file())?.list(now) {
        let state = match (key.current, key.from > now) {
            (true, _) => "signs and seals",
            (false, true) => "begins later",
            (false, false) => "verifies and opens",
        };
        print(&format!(
            "{:<20} {:<14} since {}  {state}\n",
            key.id,
            key.what.to_string(),
            key.from
        ));
    }
    Ok(())
}

/// Writes a key file with only what these roles need, to standard output or to a file.
pub fn export(config: &Config, roles: &[RoleName], out: Option<&Path>) -> Result<()> {
    let uses: BTreeSet<Use> = roles
        .iter()
        .flat_map(|role| spec(*role).keys.iter().copied())
        .collect();
    let file = KeyFile::read(&config.key_file())?.only(&uses)?;
    match out {
        Some(out) => file.write(out),
        None => {
            print(&file.text()?);
            Ok(())
        }
    }
}

/// New keys for these uses, or for all when none is named. They begin in a while, when every process has read the file.
pub fn rotate(config: &Config, uses: &[Use], begin_ms: i64) -> Result<()> {
    let path = config.key_file();
    let mut file = KeyFile::read(&path)?;
    let from = Clock::default().unmoved().plus_millis(begin_ms);
    let uses = if uses.is_empty() {
        &Use::SECRET[..]
    } else {
        uses
    };
    let mut made = Vec::new();
    for what in uses {
        made.push(file.rotate(*what, from)?);
    }
    file.write(&path)?;
    print(&format!(
        "{} begin at {from}; export the file anew for processes with a key file of their own before that\n",
        made.join(", ")
    ));
    Ok(())
}

/// Takes a key out of the file; refused while something sealed with it is left.
pub async fn retire(config: &Config, id: &str) -> Result<()> {
    let path = config.key_file();
    let mut file = KeyFile::read(&path)?;
    let role = match file.retire(id, Clock::default().unmoved())? {
        Use::JoinDetails => Some(meeting_broker::NAME),
        Use::Webhooks => Some(webhooks::NAME),
        _ => None,
    };
    if let Some(role) = role {
        let left = sealed_with(config, role, id).await?;
        if left > 0 {
            return Err(Error::refused(
                "KEY_IN_USE",
                format!(
                    "{left} rows are still sealed with {id}; the running {role} seals them anew, try again in a moment"
                ),
            ));
        }
    }
    file.write(&path)?;
    print(&format!("{id} is retired\n"));
    Ok(())
}

async fn sealed_with(config: &Config, role: &'static str, id: &str) -> Result<u64> {
    let Some(rows) = snapshot(&config.database(), role).await? else {
        return Err(Error::invalid(
            "--data",
            "NO_DATABASES",
            format!(
                "the configuration does not lead to the database of {role}, which tells whether {id} is still needed; name it with --config or --data"
            ),
        ));
    };
    match role {
        webhooks::NAME => webhooks::sealed_with(&rows, id).await,
        _ => meeting_broker::sealed_with(&rows, id).await,
    }
}

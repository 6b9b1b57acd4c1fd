//! Offline verification of what happened, over the databases of all services.

use std::collections::BTreeMap;

use convene_domain::{BookingId, Timestamp};
use convene_kit::{
    Database, Result, Tx,
    db::snapshot,
    event::{self, Filter, GENESIS, Model},
};
use sea_orm::{
    ConnectionTrait as _,
    sea_query::{Alias, Expr, ExprTrait as _, Query},
};

use crate::node::DATABASES;

/// Events that are read at once.
const PAGE: u64 = 1_000;

/// The log of one service.
pub struct Log {
    /// The service.
    pub source: &'static str,
    /// Its events in order.
    pub events: Vec<Model>,
    /// Everything is read as it was at one moment, while the node may go on.
    snapshot: Tx,
}

/// Something that cannot be if nobody tampered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which service.
    pub source: &'static str,
    /// Which object, as `kind id`.
    pub object: String,
    /// What is wrong.
    pub what: String,
}

/// Reads the logs of all services; of one booking when named.
pub async fn read(database: &Database, booking: Option<BookingId>) -> Result<Vec<Log>> {
    let mut logs = Vec::new();
    for source in DATABASES {
        let Some(snapshot) = snapshot(database, source).await? else {
            continue;
        };
        let filter = Filter {
            tenant: None,
            booking,
        };
        let mut events: Vec<Model> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.position);
            let page = event::page(&snapshot, after, PAGE, filter).await?;
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        events.extend(event::unplaced(&snapshot, filter).await?);
        logs.push(Log {
            source,
            events,
            snapshot,
        });
    }
    Ok(logs)
}

/// Checks every chain of a log, and its end against the object's row.
pub async fn verify(log: &Log) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut chains: BTreeMap<(String, uuid::Uuid), Vec<&Model>> = BTreeMap::new();
    for event in &log.events {
        let object = (event.object_kind.clone(), event.object_id);
        chains.entry(object).or_default().push(event);
    }
    for ((kind, id), mut chain) in chains {
        chain.sort_by_key(|event| event.seq);
        let problem = match broken(&chain) {
            Some(what) => Some(what),
            None => match chain.last() {
                Some(last) => cut_off(&log.snapshot, &kind, last).await?,
                None => None,
            },
        };
        problems.extend(problem.map(|what| Problem {
            source: log.source,
            object: format!("{kind} {id}"),
            what,
        }));
    }
    Ok(problems)
}

/// The first thing that is wrong within a chain.
pub fn broken(chain: &[&Model]) -> Option<String> {
    let mut previous = GENESIS.to_vec();
    for (place, event) in (1i64..).zip(chain) {
        if event.seq != place {
            return Some(format!("event {place} is missing"));
        }
        if event.previous_hash != previous {
            return Some(format!("event {place} does not follow the one before it"));
        }
        if event.hash != event.expected_hash() {
            return Some(format!("event {place} was changed"));
        }
        previous.clone_from(&event.hash);
    }
    None
}

/// Whether the object's row knows of a later event than the chain has, or of another one.
async fn cut_off(snapshot: &Tx, kind: &str, last: &Model) -> Result<Option<String>> {
    let statement = Query::select()
        .columns(["version", "head_hash"].map(Alias::new))
        .from(Alias::new(kind))
        .and_where(Expr::col(Alias::new("tenant_id")).eq(last.tenant_id))
        .and_where(Expr::col(Alias::new("id")).eq(last.object_id))
        .to_owned();
    let Some(row) = snapshot.query_one(&statement).await? else {
        return Ok(Some("its row is missing".into()));
    };
    let version: i64 = row.try_get("", "version")?;
    let head: Vec<u8> = row.try_get("", "head_hash")?;
    Ok((version != last.seq || head != last.hash).then(|| {
        format!(
            "its row is at version {version}, the chain ends at {}",
            last.seq
        )
    }))
}

/// One line for people.
pub fn line(source: &str, event: &Model) -> String {
    format!(
        "{}  {source:<21}  {:<9} {:>2}  {:<20}  {}",
        Timestamp::from(event),
        event.object_kind,
        event.seq,
        event.kind,
        event.actor,
    )
}

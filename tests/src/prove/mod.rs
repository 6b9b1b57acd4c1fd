//! Seeded random histories against the real thing, with faults, kills and clock moves; what they promise is checked from outside.

mod actor;
mod batch;
pub mod check;
mod cloud;
mod dice;
mod follow;
mod house;
mod plan;
pub mod plant;
mod play;
mod sandbox;
pub mod tape;

use std::{fmt, panic::AssertUnwindSafe, path::PathBuf, str::FromStr, sync::Arc, time::Instant};

use convene_domain::TenantId;
use convene_gateway::{KeyRole, NewApiKey, create_api_key};
use convene_kit::{Clock, Db, Origin, ids};
use convene_migrations::gateway::Migrator;
use convene_scratch::Place;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use secrecy::ExposeSecret as _;

pub use batch::Batch;
use house::House;
pub use sandbox::{Tried, sandbox};
use tape::Tape;

/// Histories that share a stretch of business time.
const BATCH: u64 = 100;
/// Tenants that are made at the same time.
const TENANTS_AT_ONCE: usize = 64;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// No overbooking.
    I1,
    /// One meeting per booking.
    I2,
    /// No admission without a permit.
    I3,
    /// Every waiter is told.
    I4,
    /// No recording without the required consent.
    I5,
    /// Timers fire once and never early.
    I6,
    /// Events are complete and ordered.
    I7,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::I1,
        Self::I2,
        Self::I3,
        Self::I4,
        Self::I5,
        Self::I6,
        Self::I7,
    ];
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Promise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.to_string() == text);
        found.ok_or_else(|| format!("{text} is no promise; there are I1 to I7, and all"))
    }
}

/// What is to be played.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which promises.
    pub promises: Vec<Promise>,
    /// The first seed.
    pub from: u64,
    /// How many seeds of each promise.
    pub seeds: u64,
    /// How many of a hundred histories strike the house.
    pub strike_percent: u64,
    /// Where the product keeps its rows, and so what it is spread over.
    pub store: Store,
    /// Where configurations and logs are kept; nowhere when left out.
    pub logs: Option<PathBuf>,
    /// The product.
    pub binary: PathBuf,
}

/// Where the product keeps its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// In files: the house is one process.
    #[default]
    Sqlite,
    /// On a PostgreSQL server: every role has two replicas, each a process of its own.
    Postgres,
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            _ => Err("there are sqlite and postgres".to_owned()),
        }
    }
}

/// What came of a promise.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub promise: Promise,
    /// Histories played.
    pub seeds: u64,
    /// Faults scripted at the provider.
    pub faults: usize,
    /// Kills of a process.
    pub kills: usize,
    /// Processes that were cut off from the others or from the database.
    pub cuts: usize,
    /// Seeds with what went wrong.
    pub violations: Vec<(u64, String)>,
    /// How long it took, in milliseconds.
    pub millis: u128,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} seeds={} faults={} kills={} cuts={} violations={}",
            self.promise,
            self.seeds,
            self.faults,
            self.kills,
            self.cuts,
            self.violations.len()
        )
    }
}

/// Plays and checks; `progress` is told a line now and then. `Err` when the world does not even start.
pub async fn prove(wanted: &Wanted, progress: impl Fn(&str)) -> Result<Vec<Row>, String> {
    let (house, mut keys) = begin(wanted).await?;
    let playing = async {
        let mut rows = Vec::new();
        for promise in &wanted.promises {
            rows.push(row(wanted, *promise, &house, &mut keys, &progress).await);
        }
        rows
    };
    ended(&house, playing).await
}

/// Plays one batch of each promise and answers what was seen, unchecked.
pub async fn tapes(wanted: &Wanted) -> Result<Vec<(Promise, Vec<Tape>)>, String> {
    let (house, mut keys) = begin(wanted).await?;
    let playing = async {
        let mut seen = Vec::new();
        for promise in &wanted.promises {
            let own = keys.split_off(keys.len() - wanted.seeds as usize);
            let batch = Batch::new(&house, *promise, wanted.from, own, wanted.strike_percent);
            seen.push((*promise, batch.await.play().await));
        }
        seen
    };
    ended(&house, playing).await
}

/// The house, and a tenant with the key of its admin for each history.
async fn begin(wanted: &Wanted) -> Result<(Arc<House>, Vec<(String, String)>), String> {
    let mut keys = Vec::new();
    let tenants = wanted.promises.len() as u64 * wanted.seeds;
    let house = House::start(wanted, async |place| {
        keys = tenants_of(place, tenants).await
    });
    Ok((house.await?, keys))
}

/// Ends the house, however playing ends.
async fn ended<T>(house: &House, playing: impl Future<Output = T>) -> Result<T, String> {
    let played = AssertUnwindSafe(playing).catch_unwind().await;
    house.end().await;
    played.map_err(|panicked| std::panic::resume_unwind(panicked))
}

async fn row(
    wanted: &Wanted,
    promise: Promise,
    house: &Arc<House>,
    keys: &mut Vec<(String, String)>,
    progress: &impl Fn(&str),
) -> Row {
    let begun = Instant::now();
    let (kills, cuts) = house.strikes();
    let mut row = Row {
        promise,
        seeds: wanted.seeds,
        faults: 0,
        kills: 0,
        cuts: 0,
        violations: Vec::new(),
        millis: 0,
    };
    let mut from = wanted.from;
    let end = wanted.from + wanted.seeds;
    while from < end {
        let size = BATCH.min(end - from) as usize;
        let own = keys.split_off(keys.len() - size);
        let batch = Batch::new(house, promise, from, own, wanted.strike_percent).await;
        row.faults += batch.faults();
        let tapes = batch.play().await;
        row.violations.extend(violations(promise, &tapes));
        from += size as u64;
        progress(&format!(
            "{promise}: {} of {} seeds, {} violations, {} s",
            from - wanted.from,
            wanted.seeds,
            row.violations.len(),
            begun.elapsed().as_secs()
        ));
    }
    if let Err(why) = house.verify() {
        row.violations
            .push((0, format!("the audit does not verify: {why}")));
    }
    for name in house.fallen().await {
        row.violations
            .push((0, format!("{name} ended although nobody killed it")));
    }
    if let Some(line) = leak(house) {
        row.violations
            .push((0, format!("a log line holds a join link: {line}")));
    }
    let (kills_now, cuts_now) = house.strikes();
    (row.kills, row.cuts) = (kills_now - kills, cuts_now - cuts);
    row.millis = begun.elapsed().as_millis();
    row
}

/// What a promise's checker says of the tapes.
pub fn violations(promise: Promise, tapes: &[Tape]) -> Vec<(u64, String)> {
    let of = |tape: &Tape| {
        let seed = tape.seed;
        let said = check::check(promise, tape);
        said.into_iter().map(move |what| (seed, what))
    };
    tapes.iter().flat_map(of).collect()
}

/// The place of a log line that holds what no log may hold.
fn leak(house: &House) -> Option<String> {
    house.logs().find_map(|(name, log)| {
        let log = std::fs::read(log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let line = log.lines().position(|line| line.contains("meetup-join"))?;
        Some(format!("{name}, line {}", line + 1))
    })
}

/// Tenants with the key of their admin, made before the house owns the database.
async fn tenants_of(place: &Place, count: u64) -> Vec<(String, String)> {
    let db = Db::open::<Migrator>(place.database(), "gateway")
        .await
        .unwrap();
    let made = stream::iter(0..count).map(|_| async {
        let tenant = TenantId::from_uuid(ids::new());
        let new = NewApiKey::new("prove", KeyRole::Admin);
        let origin = Origin {
            tenant,
            actor: "operator:prove".into(),
            now: Clock::default().now(),
            traceparent: String::new(),
        };
        let key = create_api_key(&db, origin, new).await;
        let (_, secret) = key.unwrap();
        (tenant.to_string(), secret.expose_secret().to_owned())
    });
    let made = made.buffer_unordered(TENANTS_AT_ONCE).collect().await;
    drop(db);
    if place.server().is_none() {
        // The writer's task lets go of the file a moment later.
        let lock = place.folder().join("gateway.lock");
        crate::until("the gateway's database is let go", || async {
            let lock = std::fs::File::open(&lock).unwrap();
            lock.try_lock().is_ok().then_some(())
        })
        .await;
    }
    made
}

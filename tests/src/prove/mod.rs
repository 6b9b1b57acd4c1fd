//! Seeded random histories against the real thing, with faults, kills and clock moves; what they promise is checked from outside.

mod actor;
mod batch;
pub mod check;
mod dice;
mod follow;
mod house;
mod plan;
pub mod plant;
mod play;
pub mod tape;

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Instant};

use convene_domain::TenantId;
use convene_gateway::{KeyRole, NewApiKey, create_api_key};
use convene_kit::{Clock, Db, Origin, ids};
use convene_migrations::gateway::Migrator;
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;

pub use batch::Batch;
use house::House;
use tape::Tape;

/// Histories that share a stretch of business time.
const BATCH: u64 = 100;

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
    /// How many of a hundred histories kill the node.
    pub kill_percent: u64,
    /// The product.
    pub binary: PathBuf,
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
    /// Kills of the node.
    pub kills: usize,
    /// Seeds with what went wrong.
    pub violations: Vec<(u64, String)>,
    /// How long it took, in milliseconds.
    pub millis: u128,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} seeds={} faults={} kills={} violations={}",
            self.promise,
            self.seeds,
            self.faults,
            self.kills,
            self.violations.len()
        )
    }
}

/// Plays and checks; `progress` is told a line now and then. `Err` when the world does not even start.
pub async fn prove(wanted: &Wanted, progress: impl Fn(&str)) -> Result<Vec<Row>, String> {
    let mut keys = Vec::new();
    let tenants = wanted.promises.len() as u64 * wanted.seeds;
    let house = House::start(&wanted.binary, async |data| {
        keys = tenants_of(data, tenants).await
    });
    let house = house.await?;
    let mut rows = Vec::new();
    for promise in &wanted.promises {
        let begun = Instant::now();
        let kills = house.kills();
        let mut row = Row {
            promise: *promise,
            seeds: wanted.seeds,
            faults: 0,
            kills: 0,
            violations: Vec::new(),
            millis: 0,
        };
        let mut from = wanted.from;
        let end = wanted.from + wanted.seeds;
        while from < end {
            let size = BATCH.min(end - from) as usize;
            let own = keys.split_off(keys.len() - size);
            let batch = Batch::new(&house, *promise, from, own, wanted.kill_percent).await;
            row.faults += batch.faults();
            let tapes = batch.play().await;
            row.violations.extend(violations(*promise, &tapes));
            from += size as u64;
            progress(&format!(
                "{promise}: {} of {} seeds, {} violations",
                from - wanted.from,
                wanted.seeds,
                row.violations.len()
            ));
        }
        if let Err(why) = house.verify() {
            row.violations
                .push((0, format!("the audit does not verify offline: {why}")));
        }
        if let Some(line) = leak(&house) {
            row.violations
                .push((0, format!("a log line holds a join link: {line}")));
        }
        row.kills = house.kills() - kills;
        row.millis = begun.elapsed().as_millis();
        rows.push(row);
    }
    Ok(rows)
}

/// Plays one batch of each promise and answers what was seen, unchecked.
pub async fn tapes(wanted: &Wanted) -> Result<Vec<(Promise, Vec<Tape>)>, String> {
    let mut keys = Vec::new();
    let tenants = wanted.promises.len() as u64 * wanted.seeds;
    let house = House::start(&wanted.binary, async |data| {
        keys = tenants_of(data, tenants).await
    });
    let house = house.await?;
    let mut seen = Vec::new();
    for promise in &wanted.promises {
        let own = keys.split_off(keys.len() - wanted.seeds as usize);
        let batch = Batch::new(&house, *promise, wanted.from, own, wanted.kill_percent);
        seen.push((*promise, batch.await.play().await));
    }
    Ok(seen)
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
fn leak(house: &Arc<House>) -> Option<usize> {
    let log = std::fs::read(house.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    log.lines().position(|line| line.contains("meetup-join"))
}

/// Tenants with the key of their admin, made in the data folder before the node owns it.
async fn tenants_of(data: &std::path::Path, count: u64) -> Vec<(String, String)> {
    let db = Db::open_sqlite::<Migrator>(data, "gateway").await.unwrap();
    let made = join_all((0..count).map(|_| async {
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
    }));
    let made = made.await;
    drop(db);
    // The writer's task lets go of the file a moment later.
    let lock = data.join("gateway.lock");
    crate::until("the gateway's database is let go", || async {
        let lock = std::fs::File::open(&lock).unwrap();
        lock.try_lock().is_ok().then_some(())
    })
    .await;
    made
}

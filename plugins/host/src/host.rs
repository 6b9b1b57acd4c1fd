//! The host: checks, compiles, calls, replays.

use std::{path::PathBuf, sync::Arc, time::Instant};

use tokio::{sync::Semaphore, task, time::timeout_at};
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

use crate::{
    Bounds, CONTRACT, Capacity, Grants, Limits, RUNTIME,
    cache::Cache,
    capability::Ports,
    check,
    engine::{Ticker, engine},
    hook::Hook,
    plugin::{Plugin, agree, linker},
    reason::{Fault, Reason},
    record::{Context, Outcome, Record},
    refusal::Refusal,
    session::{Session, Spent},
    state::{State, Tape},
};

/// What a host is told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What all calls together may use.
    pub capacity: Capacity,
    /// What a module may be.
    pub bounds: Bounds,
    /// A folder for compiled modules; none keeps none.
    pub cache: Option<PathBuf>,
}

/// Runs plugins. One a process; cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<State>,
    ticker: Ticker,
    bounds: Bounds,
    capacity: Capacity,
    cache: Option<Cache>,
    /// Calls that may run.
    places: Semaphore,
    /// Compiling takes a whole core; one at a time leaves the others to the calls.
    compiling: Semaphore,
}

/// A host that cannot be made: the machine gives no memory, no thread, or no cache.
#[derive(Debug, thiserror::Error)]
#[error("plugins cannot be run here: {0}")]
pub struct Unable(String);

/// How a call ended, and its record.
#[derive(Debug)]
pub struct Done<V> {
    /// The verdict, or why there is none.
    pub outcome: Result<V, Fault>,
    /// For the journal.
    pub record: Record,
}

/// What a call is about.
#[derive(Debug)]
pub struct Call<'a, H: Hook> {
    /// What every call is told.
    pub context: &'a Context,
    /// What this hook is told.
    pub input: &'a H::Input,
    /// What it is allowed.
    pub grants: &'a Grants,
    /// What it may cost.
    pub limits: &'a Limits,
}

/// What a replay found.
#[derive(Debug)]
pub enum Replay {
    /// It ran; the parts of the record that differ, none when it is the same bit by bit.
    Ran {
        /// Names of the parts that differ.
        differences: Vec<&'static str>,
        /// What the replay did.
        record: Box<Record>,
    },
    /// The record ended for a reason of its moment (time, place, outage). It is read, not run.
    Read(Fault),
}

/// A replay runs as long as this at the most: time is not part of the record.
const REPLAY_MS: u64 = 30_000;

impl Host {
    /// A host.
    ///
    /// # Errors
    ///
    /// [`Unable`] when the machine gives no memory or thread, or the cache's folder cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Unable> {
        let unable = |error: wasmtime::Error| Unable(format!("{error:#}"));
        let engine = engine(&settings.capacity).map_err(unable)?;
        let cache = settings.cache.as_deref().map(Cache::open).transpose();
        Ok(Self(Arc::new(Inner {
            linker: linker(&engine).map_err(unable)?,
            ticker: Ticker::start(&engine).map_err(|error| Unable(error.to_string()))?,
            engine,
            cache: cache.map_err(|error| Unable(error.to_string()))?,
            places: Semaphore::new(settings.capacity.calls),
            compiling: Semaphore::new(1),
            bounds: settings.bounds,
            capacity: settings.capacity,
        })))
    }

    /// Checks a module, compiles it or takes it from the cache, and links it.
    ///
    /// # Errors
    ///
    /// [`Refusal`], which names what to change.
    pub async fn load(&self, module: Vec<u8>, grants: &Grants) -> Result<Plugin, Refusal> {
        let (inner, grants) = (Arc::clone(&self.0), grants.clone());
        let place = self.0.compiling.acquire().await;
        let loaded = task::spawn_blocking(move || inner.load(&module, &grants)).await;
        drop(place);
        loaded.unwrap_or_else(|stopped| {
            let text = format!("the compiler stopped: {stopped}");
            Err(Refusal::Malformed(text))
        })
    }

    /// Loads a module and starts it once: what a module that is uploaded has to stand.
    ///
    /// # Errors
    ///
    /// [`Refusal`], which names what to change.
    pub async fn validate(
        &self,
        module: Vec<u8>,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Plugin, Refusal> {
        let plugin = self.load(module, grants).await?;
        let tape = Tape::Recording(Vec::new());
        let state = State::new(limits.clone(), grants.clone(), Ports::default(), tape);
        let mut session = Session::new(&self.0.engine, state, limits.time_ms);
        let started = match session.enter(&self.0.places, &self.0.ticker).await {
            Ok(()) => {
                let deadline = session.deadline();
                let starting = plugin.start(&mut session.store);
                let ended = timeout_at(deadline, starting).await;
                session.judge(ended)
            }
            Err(fault) => Err(fault),
        };
        match started {
            Ok(()) => Ok(plugin),
            // Nothing of the guest's came back yet: what does not fit is a type.
            Err(fault) if fault.reason == Reason::BadOutput => {
                Err(Refusal::WrongType(fault.detail))
            }
            Err(fault) => Err(Refusal::StartFailed(fault)),
        }
    }

    /// Asks a plugin, in a fresh instance.
    pub async fn call<H: Hook>(
        &self,
        plugin: &Plugin,
        call: Call<'_, H>,
        ports: Ports,
    ) -> Done<H::Verdict> {
        let tape = Tape::Recording(Vec::new());
        self.record(plugin, call, ports, tape).await
    }

    /// Makes a recorded call again. No port is asked: the answers are those of the record.
    ///
    /// # Errors
    ///
    /// `DIVERGED` when the record is not one of this module and hook.
    pub async fn replay<H: Hook>(&self, plugin: &Plugin, record: &Record) -> Result<Replay, Fault> {
        let diverged = |text: &str| Fault::new(Reason::Diverged, text);
        if record.digest != plugin.digest() {
            return Err(diverged("the record is of another module"));
        }
        if let Outcome::Fault(fault) = &record.outcome
            && !fault.reason.is_deterministic()
        {
            return Ok(Replay::Read(fault.clone()));
        }
        let replay = self.again::<H>(plugin, record).await?;
        Ok(Replay::Ran {
            differences: record.differences(&replay),
            record: Box::new(replay),
        })
    }

    /// Asks a module what it would have said to a recorded call: the module of the record, or another version. Where another version asks capabilities
    /// something else, it diverges: their answers are not known.
    ///
    /// # Errors
    ///
    /// `DIVERGED` when the record is not one of this hook.
    pub async fn again<H: Hook>(&self, plugin: &Plugin, record: &Record) -> Result<Record, Fault> {
        let input: H::Input = serde_json::from_value(record.input.clone()).map_err(|error| {
            Fault::new(Reason::Diverged, format!("the record's input: {error}"))
        })?;
        let limits = Limits {
            time_ms: REPLAY_MS,
            ..record.limits.clone()
        };
        let tape = Tape::Playing {
            calls: record.host_calls.clone(),
            at: 0,
        };
        let call = Call::<H> {
            context: &record.context,
            input: &input,
            grants: &record.grants,
            limits: &limits,
        };
        let mut done = self.record(plugin, call, Ports::default(), tape).await;
        done.record.limits = record.limits.clone();
        Ok(done.record)
    }

    async fn record<H: Hook>(
        &self,
        plugin: &Plugin,
        call: Call<'_, H>,
        ports: Ports,
        tape: Tape,
    ) -> Done<H::Verdict> {
        let begun = Instant::now();
        let (limits, grants) = (call.limits, call.grants);
        let state = State::new(limits.clone(), grants.clone(), ports, tape);
        let (outcome, spent) = self.run::<H>(plugin, &call, state).await;
        let json = |value: Result<serde_json::Value, serde_json::Error>| value.unwrap_or_default();
        let record = Record {
            digest: plugin.digest().to_owned(),
            contract: CONTRACT.to_owned(),
            runtime: RUNTIME.to_owned(),
            hook: H::NAME.to_owned(),
            context: call.context.clone(),
            input: json(serde_json::to_value(call.input)),
            grants: grants.clone(),
            limits: limits.clone(),
            host_calls: spent.host_calls,
            logs: spent.state.logs,
            because: spent.state.because,
            writes: if outcome.is_ok() {
                spent.state.kv.writes()
            } else {
                Vec::new()
            },
            fuel: spent.fuel,
            memory_bytes: spent.state.meter.memory_peak as u64,
            duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            outcome: match &outcome {
                Ok(verdict) => Outcome::Verdict(json(serde_json::to_value(verdict))),
                Err(fault) => Outcome::Fault(fault.clone()),
            },
        };
        Done { outcome, record }
    }

    async fn run<H: Hook>(
        &self,
        plugin: &Plugin,
        call: &Call<'_, H>,
        state: State,
    ) -> (Result<H::Verdict, Fault>, Spent) {
        let mut session = Session::new(&self.0.engine, state, call.limits.time_ms);
        let outcome = match session.enter(&self.0.places, &self.0.ticker).await {
            Ok(()) => {
                let deadline = session.deadline();
                let asked = H::call(plugin, &mut session.store, call.context, call.input);
                let ended = timeout_at(deadline, asked).await;
                session.judge(ended)
            }
            Err(fault) => Err(fault),
        };
        (outcome, session.spent())
    }
}

impl Inner {
    /// Blocks: reading takes milliseconds, compiling up to seconds.
    fn load(&self, module: &[u8], grants: &Grants) -> Result<Plugin, Refusal> {
        let most = Limits {
            memory_bytes: self.capacity.memory_bytes,
            table_elements: self.capacity.table_elements,
            ..Limits::default()
        };
        let outline = check::check(module, &self.bounds, &most)?;
        let hooks = agree(&outline, grants)?;
        let digest = crate::digest(module);
        let kept = self.cache.as_ref();
        let component = match kept.and_then(|cache| cache.load(&self.engine, &digest)) {
            Some(component) => component,
            None => {
                let compiled = Component::from_binary(&self.engine, module);
                let compiled = compiled.map_err(|error| {
                    Refusal::Malformed(crate::reason::short(&format!("{error:#}")))
                })?;
                if let Some(cache) = kept {
                    cache.keep(&self.engine, &digest, &compiled);
                }
                compiled
            }
        };
        Plugin::link(digest, hooks, outline, &self.linker, &component)
    }
}

//! One call's instance, from the place that it waits for to what it has used.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::{
    engine::{Running, Ticker},
    reason::{Fault, Reason, classify},
    record::HostCall,
    state::{State, Tape},
};

/// An instance's store and its deadline. The store goes before the place, so that the pool never has fewer slots than there are places.
pub struct Session<'a> {
    pub store: Store<State>,
    deadline: Instant,
    time_ms: u64,
    fuel: u64,
    running: Option<Running>,
    place: Option<SemaphorePermit<'a>>,
}

/// What a call has used and left.
pub struct Spent {
    pub state: State,
    pub host_calls: Vec<HostCall>,
    pub fuel: u64,
}

impl<'a> Session<'a> {
    /// A session that has to be over in `time_ms`.
    pub fn new(engine: &Engine, state: State, time_ms: u64) -> Self {
        let deadline = Instant::now() + Duration::from_millis(time_ms);
        let fuel = state.limits.fuel;
        let crossing = state.limits.crossing_bytes;
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(crossing);
        // Fails only where fuel is not counted, and `spent` would say 0 then.
        let _ = store.set_fuel(fuel);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if Instant::now() >= deadline {
                return Err(late(time_ms).into());
            }
            // The runtime's other tasks get their turn.
            Ok(UpdateDeadline::YieldCustom(
                1,
                Box::pin(tokio::task::yield_now()),
            ))
        });
        Self {
            store,
            deadline,
            time_ms,
            fuel,
            running: None,
            place: None,
        }
    }

    /// Waits for a place, as long as the call may take.
    pub async fn enter(&mut self, places: &'a Semaphore, ticker: &Ticker) -> Result<(), Fault> {
        let busy = || Fault::new(Reason::Busy, "no place was free within the call's time");
        let place = timeout_at(self.deadline, places.acquire()).await;
        self.place = Some(place.map_err(|_| busy())?.map_err(|_| busy())?);
        self.running = Some(ticker.running());
        Ok(())
    }

    /// From then on nothing is waited for any more.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How it ended; the outer error is the deadline's.
    pub fn judge<T, E>(&self, ended: Result<wasmtime::Result<T>, E>) -> Result<T, Fault> {
        match ended {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(late(self.time_ms)),
        }
    }

    /// Ends it: memory goes back to the pool, then the place is free.
    pub fn spent(self) -> Spent {
        let left = self.store.get_fuel().unwrap_or(0);
        let mut state = self.store.into_data();
        let tape = std::mem::replace(&mut state.tape, Tape::Recording(Vec::new()));
        let host_calls = match tape {
            Tape::Recording(calls) => calls,
            Tape::Playing { mut calls, at } => {
                calls.truncate(at);
                calls
            }
        };
        Spent {
            state,
            host_calls,
            fuel: self.fuel.saturating_sub(left),
        }
    }
}

fn late(time_ms: u64) -> Fault {
    Fault::new(
        Reason::Timeout,
        format!("no verdict within {time_ms} milliseconds"),
    )
}

//! The runtime's settings, and the thread that lets it look at the clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::Capacity;

/// A running plugin gives way to others, and is asked for its deadline, this often.
pub const TICK: Duration = Duration::from_millis(1);
/// Stack of the WebAssembly code of a call, in bytes.
const WASM_STACK: usize = 512 << 10;
/// Stack of a call with the host's functions on top, in bytes.
const STACK: usize = 2 << 20;
/// Core modules that one component may link together when it runs.
const CORE_INSTANCES: u32 = 128;
/// Memories and tables that one component may have when it runs.
const MEMORIES: u32 = 8;
const TABLES: u32 = 8;
/// Memory that a slot keeps between calls, in bytes: cheaper than giving it back and asking for it anew.
const KEPT: usize = 1 << 20;

/// An engine for calls within `capacity`.
pub fn engine(capacity: &Capacity) -> wasmtime::Result<Engine> {
    let calls = u32::try_from(capacity.calls).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .total_memories(calls.saturating_mul(MEMORIES))
        .total_tables(calls.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_memory_size(capacity.memory_bytes)
        .table_elements(capacity.table_elements)
        .linear_memory_keep_resident(KEPT)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(STACK)
        // The same inputs give the same bits: no threads, one NaN, one meaning of every vector instruction.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        // For the runtime's own glue only, which copies from one part of a component to another: what a guest may have is judged before (`check`).
        .wasm_multi_memory(true);
    Engine::new(&config)
}

/// Moves the engine's epoch while calls run; sleeps while none does.
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    running: AtomicUsize,
    stop: AtomicBool,
}

/// One call runs; the ticker ticks until all of these are dropped.
pub struct Running(Arc<Shared>);

impl Ticker {
    /// Starts the thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            running: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let (inside, engine) = (Arc::clone(&shared), engine.clone());
        let thread = thread::Builder::new().name("plugin-ticker".into());
        let thread = thread.spawn(move || {
            while !inside.stop.load(Ordering::Acquire) {
                if inside.running.load(Ordering::Acquire) == 0 {
                    thread::park();
                } else {
                    thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self {
            shared,
            thread: thread.thread().clone(),
        })
    }

    /// To be held while a call runs.
    pub fn running(&self) -> Running {
        if self.shared.running.fetch_add(1, Ordering::AcqRel) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.shared))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

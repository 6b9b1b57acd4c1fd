//! What a call costs against a bare instance of the same module in the same engine settings, in one run: `cargo bench -p convene-plugin-host`.
//!
//! Ratios are medians over rounds, with their range; absolute figures depend on the machine and its neighbours.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::time::{Duration, Instant};

use convene_plugin_fixtures::{Lobby as Guest, case};
use convene_plugin_host::{
    Call, Context, Grants, Host, Limits, Plugin, Settings,
    capability::Ports,
    hook::lobby::{Arrival, Lobby, Party},
};
use wasmtime::{Config, Engine, Linker, Module, PoolingAllocationConfig, Store};

const ROUNDS: usize = 7;
const CALLS: usize = 2_000;

fn context() -> Context {
    Context {
        tenant: "0195c1f0-0000-7000-8000-000000000001".into(),
        invocation: "0195c1f0-0000-7000-8000-000000000002".into(),
        now_ms: 1_700_000_000_000,
        seed: 42,
        attempt: 1,
        attributes: vec![],
    }
}

fn arrival() -> Arrival {
    Arrival {
        lobby: "0195c1f0-0000-7000-8000-000000000003".into(),
        visit: "0195c1f0-0000-7000-8000-000000000004".into(),
        booking: "0195c1f0-0000-7000-8000-000000000005".into(),
        guest: Party {
            id: "0195c1f0-0000-7000-8000-000000000006".into(),
            kind: "guest".into(),
            display_name: None,
            address: None,
            external: true,
            attributes: vec![],
        },
        arrived_at_ms: 1_700_000_000_000,
        closes_at_ms: 1_700_003_600_000,
        position: 1,
        waiting: 1,
        attributes: vec![],
    }
}

/// The limit: the core module itself, pooled, with an epoch, a fresh instance a call.
struct Bare {
    engine: Engine,
    linked: wasmtime::InstancePre<()>,
}

impl Bare {
    fn new(core: &str) -> Self {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(16)
            .total_memories(16)
            .linear_memory_keep_resident(1 << 20);
        let mut config = Config::new();
        config.allocation_strategy(pool).epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, convene_plugin_fixtures::text(core)).unwrap();
        let linked = Linker::new(&engine).instantiate_pre(&module).unwrap();
        Self { engine, linked }
    }

    fn call(&self) -> Duration {
        let begun = Instant::now();
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1_000_000);
        let instance = self.linked.instantiate(&mut store).unwrap();
        let name = "convene:plugin/lobby@0.1.0#on-lobby-arrival";
        let decide = instance
            .get_typed_func::<i32, i32>(&mut store, name)
            .unwrap();
        assert_eq!(decide.call(&mut store, 4096).unwrap(), 1024);
        drop(store);
        begun.elapsed()
    }
}

async fn asked(host: &Host, plugin: &Plugin, limits: &Limits) -> Duration {
    let (context, input, grants) = (context(), arrival(), Grants::default());
    let call = Call::<Lobby> {
        context: &context,
        input: &input,
        grants: &grants,
        limits,
    };
    let begun = Instant::now();
    let done = host.call(plugin, call, Ports::default()).await;
    let took = begun.elapsed();
    std::hint::black_box(done);
    took
}

fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values[values.len() / 2]
}

fn ratio(what: &str, ratios: &[f64]) {
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    println!(
        "{what}: {:.2} ({low:.2}..{high:.2})",
        median(ratios.to_vec())
    );
}

fn resident_kib() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let guest = Guest::always(case::ADMIT, "VIP");
    let (bare, host, limits) = (
        Bare::new(&guest.core()),
        Host::new(Settings::default()).unwrap(),
        Limits::default(),
    );
    let begun = Instant::now();
    let plugin = host.load(guest.build(), &Grants::default()).await.unwrap();
    println!("check, compile, link: {:?}", begun.elapsed());

    let (mut ratios, mut fresh, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..CALLS {
            ours.push(asked(&host, &plugin, &limits).await);
            theirs.push(bare.call());
        }
        let (ours, theirs) = (median(ours), median(theirs));
        ratios.push(ours.as_secs_f64() / theirs.as_secs_f64());
        fresh.push(ours);
        floor.push(theirs);
    }
    println!(
        "call, p50: {:?}; bare fresh instance, p50: {:?}",
        median(fresh),
        median(floor)
    );
    ratio("call over bare fresh instance (goal <= 4)", &ratios);

    let forever = Guest::does("(loop $again (br $again)) (unreachable)");
    let forever = host
        .load(forever.build(), &Grants::default())
        .await
        .unwrap();
    let budget = Limits {
        fuel: u64::MAX,
        time_ms: 50,
        ..Limits::default()
    };
    let mut over = Vec::new();
    for _ in 0..ROUNDS {
        over.push(asked(&host, &forever, &budget).await.as_secs_f64() / 0.05);
    }
    ratio("a loop's time over its 50 ms (goal <= 1.5)", &over);

    let (before, mut idle) = (resident_kib(), Vec::new());
    for n in 0..1_000 {
        let module = Guest::always(case::ADMIT, &format!("VIP_{n}")).build();
        idle.push(host.load(module, &Grants::default()).await.unwrap());
    }
    let grown = resident_kib().saturating_sub(before);
    println!(
        "1,000 loaded and idle plugins: {} KiB, {} KiB each",
        grown,
        grown / 1_000
    );
    drop(idle);
}

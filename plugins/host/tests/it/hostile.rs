//! Modules that are taken, and stopped when they are called: each with its own reason.

use convene_plugin_fixtures::{
    Lobby as Guest,
    hostile::{FOREVER, stopped},
};
use convene_plugin_host::{Grants, Limits, Reason, capability::Ports};

use crate::world::{ask, fault, host, load, unhurried};

#[tokio::test]
async fn an_endless_loop_runs_out_of_fuel_exactly() {
    for fuel in [1, 10_000, 1_000_000] {
        let (host, grants) = (host(), Grants::default());
        let plugin = load(&host, &Guest::does(FOREVER), &grants).await;
        let limits = Limits {
            fuel,
            ..unhurried()
        };
        let done = ask(&host, &plugin, &grants, &limits, Ports::default()).await;
        fault(&done, Reason::OutOfFuel);
        assert_eq!(done.record.fuel, fuel);
    }
}

#[tokio::test]
async fn an_endless_loop_with_fuel_runs_out_of_time() {
    let (host, grants) = (host(), Grants::default());
    let plugin = load(&host, &Guest::does(FOREVER), &grants).await;
    let limits = Limits {
        fuel: u64::MAX,
        time_ms: 50,
        ..Limits::default()
    };
    let done = ask(&host, &plugin, &grants, &limits, Ports::default()).await;
    let fault = fault(&done, Reason::Timeout);
    assert_eq!(fault.detail, "no verdict within 50 milliseconds");
}

#[tokio::test]
async fn each_is_stopped_for_its_own_reason() {
    let (host, grants, limits) = (host(), Grants::default(), unhurried());
    for (what, guest, reason) in stopped() {
        let plugin = load(&host, &guest, &grants).await;
        let done = ask(&host, &plugin, &grants, &limits, Ports::default()).await;
        let fault = done.outcome.as_ref().expect_err(what);
        assert_eq!(fault.reason.name(), reason, "{what}: {fault}");
        assert!(fault.detail.len() <= 500, "{what}");
        assert!(done.record.writes.is_empty(), "{what}");
        assert!(done.record.fuel <= unhurried().fuel, "{what}");
    }
}

/// Linux tells how much memory a process holds.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_comes_back() {
    let touch = "(local.set $i (i32.const 65536))
        (loop $more
          (drop (memory.grow (i32.const 1)))
          (memory.fill (local.get $i) (i32.const 7) (i32.const 65536))
          (local.set $i (i32.add (local.get $i) (i32.const 65536)))
          (br $more))
        (unreachable)";
    let (host, grants, limits) = (host(), Grants::default(), unhurried());
    let plugin = load(&host, &Guest::does(touch), &grants).await;
    let mut before = 0;
    for round in 0..40 {
        let done = ask(&host, &plugin, &grants, &limits, Ports::default()).await;
        fault(&done, Reason::OutOfMemory);
        assert!(done.record.memory_bytes > 30 << 20);
        if round == 4 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes after 35 bombs of 32 MiB");
}

//! Modules that are taken, and stopped when they are called: each with its own reason.

use convene_plugin_fixtures::{Lobby as Guest, case};
use convene_plugin_host::{Grants, Limits, Reason, capability::Ports};

use crate::world::{ask, fault, host, load, unhurried};

const LOG: &str = r#"(import "convene:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;
const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

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

/// What a guest does, and the reason that it is stopped with.
fn corpus() -> Vec<(&'static str, Guest, Reason)> {
    let overlong = (400 << 10).to_string();
    vec![
        (
            "recursion",
            Guest::does("(call $down) (unreachable)")
                .items("(func $down (call $down) (call $down))"),
            Reason::StackOverflow,
        ),
        (
            "memory grown page by page",
            Guest::does("(loop $more (drop (memory.grow (i32.const 1))) (br $more)) (unreachable)"),
            Reason::OutOfMemory,
        ),
        (
            "memory grown at once",
            Guest::does("(drop (memory.grow (i32.const 60000))) (unreachable)"),
            Reason::OutOfMemory,
        ),
        (
            "a table grown",
            Guest::does("(drop (table.grow $t (ref.null func) (i32.const 1000000))) (unreachable)")
                .items("(table $t 1 funcref)"),
            Reason::OutOfTable,
        ),
        (
            "a huge answer",
            Guest::does(&format!(
                "(call $decide (i32.const 0) (i32.const 0) (i32.const {overlong}))"
            )),
            Reason::TooMuchData,
        ),
        (
            "an answer out of its memory",
            Guest::does("(call $decide (i32.const 0) (i32.const -16) (i32.const 100))"),
            Reason::BadOutput,
        ),
        (
            "an answer at an odd address",
            Guest::does(
                "(drop (call $decide (i32.const 0) (i32.const 16) (i32.const 2))) (i32.const 1025)",
            ),
            Reason::BadOutput,
        ),
        (
            "an address out of its memory",
            Guest::does("(i32.const -4)"),
            Reason::BadOutput,
        ),
        (
            "text that is no UTF-8",
            Guest::does(
                "(i32.store8 (i32.const 4096) (i32.const 255))
                 (call $decide (i32.const 0) (i32.const 4096) (i32.const 1))",
            ),
            Reason::BadOutput,
        ),
        (
            "a case that does not exist",
            Guest::always(9, "OK"),
            Reason::BadOutput,
        ),
        (
            "a reason that is a sentence",
            Guest::always(case::ADMIT, "because I like them"),
            Reason::BadOutput,
        ),
        (
            "no reason",
            Guest::always(case::DENY, ""),
            Reason::BadOutput,
        ),
        (
            "a queue with a name that is none",
            Guest::always(case::ROUTE, "../../etc"),
            Reason::BadOutput,
        ),
        (
            "a flood of log lines",
            Guest::does(
                "(loop $again
                   (call $log (i32.const 1) (global.get $text) (i32.const 0)) (br $again))
                 (unreachable)",
            )
            .imports(LOG),
            Reason::TooManyHostCalls,
        ),
        (
            "long log lines",
            Guest::does(
                "(loop $again
                   (call $log (i32.const 1) (i32.const 0) (i32.const 4000)) (br $again))
                 (unreachable)",
            )
            .imports(LOG),
            Reason::TooMuchLogged,
        ),
        (
            "one endless log line",
            Guest::does(&format!(
                "(call $log (i32.const 1) (i32.const 0) (i32.const {overlong})) (unreachable)"
            ))
            .imports(LOG),
            Reason::TooMuchData,
        ),
        (
            "a log line that is no UTF-8",
            Guest::does(
                "(i32.store8 (i32.const 4096) (i32.const 255))
                 (call $log (i32.const 1) (i32.const 4096) (i32.const 1)) (unreachable)",
            )
            .imports(LOG),
            Reason::BadOutput,
        ),
        (
            "a level that does not exist",
            Guest::does("(call $log (i32.const 77) (i32.const 0) (i32.const 0)) (unreachable)")
                .imports(LOG),
            Reason::BadOutput,
        ),
        ("a panic", Guest::does("(unreachable)"), Reason::Trap),
        (
            "a division by zero",
            Guest::does("(i32.div_s (i32.const 1) (local.get $i))"),
            Reason::Trap,
        ),
        (
            "a read out of bounds",
            Guest::does("(i32.load (i32.const -4))"),
            Reason::Trap,
        ),
        (
            "a call of nothing",
            Guest::does("(call_indirect (type $f) (i32.const 0)) (unreachable)")
                .items("(type $f (func)) (table 1 funcref)"),
            Reason::Trap,
        ),
        (
            "a call beyond the table",
            Guest::does("(call_indirect (type $f) (i32.const 77)) (unreachable)")
                .items("(type $f (func)) (table 1 funcref)"),
            Reason::Trap,
        ),
        (
            "room for what it is told out of its memory",
            Guest::always(case::ADMIT, "OK").realloc("(i32.const -64)"),
            Reason::BadOutput,
        ),
        (
            "an endless search for room",
            Guest::always(case::ADMIT, "OK").realloc(FOREVER),
            Reason::OutOfFuel,
        ),
        (
            "a panic while room is made",
            Guest::always(case::ADMIT, "OK").realloc("(unreachable)"),
            Reason::Trap,
        ),
    ]
}

#[tokio::test]
async fn each_is_stopped_for_its_own_reason() {
    let (host, grants, limits) = (host(), Grants::default(), unhurried());
    for (what, guest, reason) in corpus() {
        let plugin = load(&host, &guest, &grants).await;
        let done = ask(&host, &plugin, &grants, &limits, Ports::default()).await;
        let fault = done.outcome.as_ref().expect_err(what);
        assert_eq!(fault.reason, reason, "{what}: {fault}");
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

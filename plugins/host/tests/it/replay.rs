//! A recorded call can be made again, bit by bit, and another version can be asked what it would have said.

use std::sync::Arc;

use async_trait::async_trait;
use convene_plugin_fixtures::{Lobby as Guest, case};
use convene_plugin_host::{
    Grants, Host, Limits, Outcome, Reason, Record, Replay, Settings,
    capability::{
        Ports,
        facts::Unavailable,
        kv::{Entry, Store},
    },
    hook::lobby::Lobby,
};

use crate::world::{ask, host, load, unhurried};

struct One;

#[async_trait]
impl Store for One {
    async fn get(&self, _key: &str) -> Result<Option<Entry>, Unavailable> {
        Ok(Some(Entry {
            value: vec![0xff, 0, 7],
            revision: 8,
        }))
    }

    async fn used(&self) -> Result<u64, Unavailable> {
        Ok(3)
    }
}

fn ports() -> Ports {
    Ports {
        kv: Some(Arc::new(One)),
        ..Ports::default()
    }
}

fn grants() -> Grants {
    Grants {
        kv_bytes: 1000,
        ..Grants::default()
    }
}

/// Reads a value, logs, explains, and writes.
fn busy() -> Guest {
    Guest::does(
        "(call $get (global.get $text) (global.get $text_bytes) (i32.const 2048))
         (call $log (i32.const 2) (global.get $text) (global.get $text_bytes))
         (call $because (global.get $text) (global.get $text_bytes) (i32.const 1) (i32.const 0) (i32.const 0))
         (call $put (global.get $text) (global.get $text_bytes) (global.get $text) (global.get $text_bytes)
                    (i32.const 0) (i64.const 0) (i32.const 3072))
         (call $decide (i32.const 0) (global.get $text) (global.get $text_bytes))",
    )
    .imports(
        r#"(import "convene:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))
           (import "convene:plugin/explain@0.1.0" "because" (func $because (param i32 i32 i32 i32 i32)))
           (import "convene:plugin/kv@0.1.0" "get" (func $get (param i32 i32 i32)))
           (import "convene:plugin/kv@0.1.0" "put" (func $put (param i32 i32 i32 i32 i32 i64 i32)))"#,
    )
    .text("VIP")
}

async fn recorded(host: &Host, guest: &Guest, limits: &Limits) -> Record {
    let plugin = load(host, guest, &grants()).await;
    let record = ask(host, &plugin, &grants(), limits, ports()).await.record;
    // As it comes back from a journal.
    serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap()
}

async fn replayed(host: &Host, guest: &Guest, record: &Record) -> Replay {
    let plugin = load(host, guest, &grants()).await;
    host.replay::<Lobby>(&plugin, record).await.unwrap()
}

#[tokio::test]
async fn a_replay_is_the_same_bit_by_bit_in_another_host() {
    let record = recorded(&host(), &busy(), &unhurried()).await;
    assert_eq!(record.host_calls.len(), 2, "{record:?}");
    assert_eq!(
        (record.logs.len(), record.because.len(), record.writes.len()),
        (1, 1, 1)
    );
    let Replay::Ran {
        differences,
        record: again,
    } = replayed(&host(), &busy(), &record).await
    else {
        panic!("it runs");
    };
    assert!(differences.is_empty(), "{differences:?}");
    let same = Record {
        duration_us: record.duration_us,
        ..*again
    };
    assert_eq!(same, record);
}

#[tokio::test]
async fn faults_that_can_be_counted_are_replayed_too() {
    let bomb =
        Guest::does("(loop $more (drop (memory.grow (i32.const 1))) (br $more)) (unreachable)");
    let forever = Guest::does("(loop $again (br $again)) (unreachable)");
    for (guest, reason) in [(bomb, Reason::OutOfMemory), (forever, Reason::OutOfFuel)] {
        let record = recorded(&host(), &guest, &unhurried()).await;
        let Replay::Ran {
            differences,
            record,
        } = replayed(&host(), &guest, &record).await
        else {
            panic!("it runs");
        };
        assert!(differences.is_empty(), "{differences:?}");
        assert!(matches!(&record.outcome, Outcome::Fault(fault) if fault.reason == reason));
    }
}

#[tokio::test]
async fn a_verdict_by_the_time_limit_is_read() {
    let forever = Guest::does("(loop $again (br $again)) (unreachable)");
    let limits = Limits {
        fuel: u64::MAX,
        time_ms: 20,
        ..Limits::default()
    };
    let record = recorded(&host(), &forever, &limits).await;
    let Replay::Read(fault) = replayed(&host(), &forever, &record).await else {
        panic!("it is read");
    };
    assert_eq!(fault.reason, Reason::Timeout);
}

#[tokio::test]
async fn a_changed_record_is_noticed() {
    let record = recorded(&host(), &busy(), &unhurried()).await;
    for (what, change) in [
        (
            "fuel",
            Box::new(|r: &mut Record| r.fuel += 1) as Box<dyn Fn(&mut Record)>,
        ),
        ("logs", Box::new(|r| r.logs.clear())),
        ("writes", Box::new(|r| r.writes[0].over = 1)),
        (
            "host calls",
            Box::new(|r| r.host_calls.push(r.host_calls[0].clone())),
        ),
        (
            "outcome",
            Box::new(|r| r.outcome = Outcome::Verdict(serde_json::json!({ "deny": "VIP" }))),
        ),
    ] {
        let mut changed = record.clone();
        change(&mut changed);
        let Replay::Ran { differences, .. } = replayed(&host(), &busy(), &changed).await else {
            panic!("it runs");
        };
        assert_eq!(differences, [what]);
    }
}

#[tokio::test]
async fn another_version_is_asked_what_it_would_have_said() {
    let host = Host::new(Settings::default()).unwrap();
    let record = recorded(&host, &busy(), &unhurried()).await;
    let stricter = Guest::always(case::DENY, "NOT_TODAY");
    let plugin = load(&host, &stricter, &grants()).await;
    let said = host.again::<Lobby>(&plugin, &record).await.unwrap();
    assert!(record.differences(&said).contains(&"outcome"));
    assert_eq!(
        said.outcome,
        Outcome::Verdict(serde_json::json!({ "deny": "NOT_TODAY" }))
    );
    // It is no replay: that wants the module of the record.
    let refused = host.replay::<Lobby>(&plugin, &record).await.unwrap_err();
    assert_eq!(refused.reason, Reason::Diverged);
    // Where it asks something else, nobody knows the answer.
    let curious = busy().text("OTHER");
    let plugin = load(&host, &curious, &grants()).await;
    let said = host.again::<Lobby>(&plugin, &record).await.unwrap();
    assert!(matches!(said.outcome, Outcome::Fault(fault) if fault.reason == Reason::Diverged));
}

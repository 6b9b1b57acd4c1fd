//! What a plugin can do beside deciding, and where that ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use convene_plugin_fixtures::Lobby as Guest;
use convene_plugin_host::{
    Done, Grants,
    capability::{
        Ports,
        facts::{Source, Unavailable},
        http::{Body, Client, Failure, Request, Response},
        kv::{Entry, Store, Write},
    },
    hook::lobby::Verdict,
};

use crate::world::{ask, host, load, unhurried};

const KV: &str = r#"
    (import "convene:plugin/kv@0.1.0" "get" (func $get (param i32 i32 i32)))
    (import "convene:plugin/kv@0.1.0" "put" (func $put (param i32 i32 i32 i32 i32 i64 i32)))
    (import "convene:plugin/kv@0.1.0" "delete" (func $delete (param i32 i32 i32)))"#;

/// Decides with the number of a case: whatever a result's first byte or a variant's says.
const SAY: &str = "(func $say (param $n i32) (result i32)
    (call $decide (local.get $n) (global.get $text) (global.get $text_bytes)))";

#[derive(Default)]
struct Values(Mutex<BTreeMap<String, Entry>>);

#[async_trait]
impl Store for Values {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Unavailable> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn used(&self) -> Result<u64, Unavailable> {
        let values = self.0.lock().unwrap();
        let sizes = values
            .iter()
            .map(|(key, entry)| key.len() + entry.value.len());
        Ok(sizes.sum::<usize>() as u64)
    }
}

async fn with(guest: &Guest, grants: &Grants, ports: Ports) -> Done<Verdict> {
    let host = host();
    let plugin = load(&host, guest, grants).await;
    ask(&host, &plugin, grants, &unhurried(), ports).await
}

fn keeps(bytes: u64) -> Grants {
    Grants {
        kv_bytes: bytes,
        ..Grants::default()
    }
}

fn stored(key: &str, value: &[u8], revision: u64) -> Ports {
    let values = Values::default();
    let entry = Entry {
        value: value.to_vec(),
        revision,
    };
    values.0.lock().unwrap().insert(key.into(), entry);
    Ports {
        kv: Some(Arc::new(values)),
        ..Ports::default()
    }
}

/// The case of the decision says what came back.
fn said(done: &Done<Verdict>) -> &'static str {
    done.outcome.as_ref().unwrap().word()
}

/// Puts the text as key and value, expecting revision `$expect` when `$some`.
fn puts(some: i32, expect: i64) -> Guest {
    Guest::does(&format!(
        "(call $put (global.get $text) (global.get $text_bytes) (global.get $text) (global.get $text_bytes)
                    (i32.const {some}) (i64.const {expect}) (i32.const 2048))
         ;; result: 0 is Ok -> ADMIT; 1 is Err: its case follows at 8 -> WAIT + case
         (call $say (i32.add (i32.load8_u (i32.const 2048))
                             (i32.mul (i32.load8_u (i32.const 2048)) (i32.load8_u (i32.const 2056)))))"
    ))
    .imports(KV)
    .items(SAY)
    .text("KEY")
}

#[tokio::test]
async fn a_write_comes_out_with_the_verdict() {
    let ports = Ports {
        kv: Some(Arc::new(Values::default())),
        ..Ports::default()
    };
    let done = with(&puts(0, 0), &keeps(100), ports).await;
    assert_eq!(said(&done), "ADMIT");
    let write = Write {
        key: "KEY".into(),
        over: 0,
        entry: Some(Entry {
            value: b"KEY".to_vec(),
            revision: 1,
        }),
    };
    assert_eq!(done.record.writes, [write]);
}

#[tokio::test]
async fn a_write_over_another_revision_is_a_conflict() {
    // ADMIT is Ok; conflict is the error's case 2: 1 + 2 is ROUTE, whose text has to be a queue's name.
    let done = with(&puts(1, 4).text("key"), &keeps(100), stored("key", b"x", 5)).await;
    assert_eq!(said(&done), "ROUTE");
    assert!(done.record.writes.is_empty());
    let done = with(&puts(1, 5), &keeps(100), stored("KEY", b"x", 5)).await;
    assert_eq!(said(&done), "ADMIT");
    assert_eq!(done.record.writes[0].over, 5);
    assert_eq!(done.record.writes[0].entry.as_ref().unwrap().revision, 6);
}

#[tokio::test]
async fn the_quota_holds_over_all_keys() {
    // "KEY" and its value take 6 bytes. quota is the error's case 1: 1 + 1 is DENY.
    let others = || stored("other", b"12345", 1);
    assert_eq!(
        said(&with(&puts(0, 0), &keeps(16), others()).await),
        "ADMIT"
    );
    assert_eq!(said(&with(&puts(0, 0), &keeps(15), others()).await), "DENY");
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable() {
    // unavailable is the error's case 3: 1 + 3 is REQUIRE_STEP.
    let done = with(&puts(0, 0).text("key"), &keeps(100), Ports::default()).await;
    assert_eq!(said(&done), "REQUIRE_STEP");
}

#[tokio::test]
async fn what_was_written_is_read_before_it_is_stored() {
    let guest = Guest::does(
        "(call $put (global.get $text) (global.get $text_bytes) (global.get $text) (global.get $text_bytes)
                    (i32.const 0) (i64.const 0) (i32.const 2048))
         (call $delete (global.get $text) (i32.const 1) (i32.const 2048))
         (call $get (global.get $text) (global.get $text_bytes) (i32.const 3072))
         ;; result 0, option 1 at 8 -> WAIT
         (call $say (i32.load8_u (i32.const 3080)))",
    )
    .imports(KV)
    .items(SAY)
    .text("KEY");
    let done = with(&guest, &keeps(100), stored("K", b"x", 3)).await;
    assert_eq!(said(&done), "WAIT");
    let writes: Vec<_> = done
        .record
        .writes
        .iter()
        .map(|w| (w.key.as_str(), w.over, w.entry.is_some()))
        .collect();
    assert_eq!(writes, [("K", 3, false), ("KEY", 0, true)]);
}

#[tokio::test]
async fn a_call_that_fails_leaves_no_write() {
    let guest = Guest::does(
        "(call $put (global.get $text) (global.get $text_bytes) (global.get $text) (global.get $text_bytes)
                    (i32.const 0) (i64.const 0) (i32.const 2048))
         (unreachable)",
    )
    .imports(KV)
    .text("KEY");
    let done = with(&guest, &keeps(100), stored("x", b"", 1)).await;
    assert!(done.outcome.is_err());
    assert!(done.record.writes.is_empty());
    assert_eq!(
        done.record.host_calls.len(),
        2,
        "looked up and asked for the size"
    );
}

struct Roster;

#[async_trait]
impl Source for Roster {
    async fn look_up(&self, subject: &str) -> Result<Option<String>, Unavailable> {
        match subject {
            "roster" => Ok(Some("{}".into())),
            "slow" => std::future::pending().await,
            _ => Ok(None),
        }
    }
}

#[tokio::test]
async fn facts_are_looked_up_by_subject() {
    let guest = Guest::does(
        "(call $look-up (global.get $text) (global.get $text_bytes) (i32.const 2048))
         ;; Ok(Some) -> 1 WAIT, Ok(None) -> 0 ADMIT
         (call $decide (i32.load8_u (i32.const 2052)) (i32.const 5000) (i32.const 2))",
    )
    .imports(
        r#"(import "convene:plugin/facts@0.1.0" "look-up" (func $look-up (param i32 i32 i32)))"#,
    )
    .items(r#"(data (i32.const 5000) "OK")"#);
    let grants = Grants {
        facts: true,
        ..Grants::default()
    };
    let ports = || Ports {
        facts: Some(Arc::new(Roster)),
        ..Ports::default()
    };
    let done = with(&guest.clone().text("roster"), &grants, ports()).await;
    assert_eq!(said(&done), "WAIT");
    let done = with(&guest.clone().text("weather"), &grants, ports()).await;
    assert_eq!(said(&done), "ADMIT");
    // A port that never answers costs the call its time, no thread.
    let host = host();
    let plugin = load(&host, &guest.text("slow"), &grants).await;
    let limits = convene_plugin_host::Limits {
        time_ms: 20,
        ..unhurried()
    };
    let done = ask(&host, &plugin, &grants, &limits, ports()).await;
    crate::world::fault(&done, convene_plugin_host::Reason::Timeout);
}

#[derive(Default)]
struct Wire(Mutex<Vec<Request>>);

#[async_trait]
impl Client for Wire {
    async fn fetch(&self, request: Request, most: usize) -> Result<Response, Failure> {
        assert!(most > 1000);
        self.0.lock().unwrap().push(request);
        Ok(Response {
            status: 204,
            headers: vec![],
            body: Body::default(),
        })
    }
}

/// Sends a GET to the text with one header, `authorization: top`; ADMIT when there is an answer, WAIT when denied.
fn gets(url: &str) -> Guest {
    Guest::does(
        "(i32.store (i32.const 4096) (i32.const 5010)) (i32.store (i32.const 4100) (i32.const 13))
         (i32.store (i32.const 4104) (i32.const 5030)) (i32.store (i32.const 4108) (i32.const 3))
         (call $fetch (i32.const 5000) (i32.const 3) (global.get $text) (global.get $text_bytes)
                      (i32.const 4096) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
         (call $decide (i32.load8_u (i32.const 2048)) (i32.const 5040) (i32.const 2))",
    )
    .imports(
        r#"(import "convene:plugin/http@0.1.0" "fetch"
             (func $fetch (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
    )
    .items(
        r#"(data (i32.const 5000) "GET") (data (i32.const 5010) "authorization")
           (data (i32.const 5030) "top") (data (i32.const 5040) "OK")"#,
    )
    .text(url)
}

#[tokio::test]
async fn only_granted_origins_are_called() {
    let grants = Grants {
        http: vec!["https://crm.example.test".into()],
        ..Grants::default()
    };
    for (url, sent) in [
        ("https://crm.example.test/vip?id=1", true),
        ("https://CRM.example.test:443/", true),
        ("http://crm.example.test/", false),
        ("https://crm.example.test:8443/", false),
        ("https://crm.example.test.evil.test/", false),
        ("https://crm.example.test@127.0.0.1/", false),
        ("https://127.0.0.1/", false),
        ("/vip", false),
    ] {
        let wire = Arc::new(Wire::default());
        let ports = Ports {
            http: Some(Arc::<Wire>::clone(&wire)),
            ..Ports::default()
        };
        let done = with(&gets(url), &grants, ports).await;
        assert_eq!(said(&done), if sent { "ADMIT" } else { "WAIT" }, "{url}");
        assert_eq!(wire.0.lock().unwrap().len(), usize::from(sent), "{url}");
    }
}

#[tokio::test]
async fn secrets_are_sent_and_not_recorded() {
    let wire = Arc::new(Wire::default());
    let ports = Ports {
        http: Some(Arc::<Wire>::clone(&wire)),
        ..Ports::default()
    };
    let grants = Grants {
        http: vec!["https://crm.example.test".into()],
        ..Grants::default()
    };
    let done = with(&gets("https://crm.example.test/"), &grants, ports).await;
    let sent = wire.0.lock().unwrap()[0].headers.clone();
    assert_eq!(sent, [("authorization".to_owned(), "top".to_owned())]);
    let record = serde_json::to_string(&done.record.host_calls).unwrap();
    assert!(record.contains("sha256:"), "{record}");
    assert!(!record.contains("\"top\""), "{record}");
}

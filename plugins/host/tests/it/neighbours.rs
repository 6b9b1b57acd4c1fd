//! Whoever loops takes nothing from the others.

use std::time::Duration;

use convene_plugin_fixtures::{Lobby as Guest, case};
use convene_plugin_host::{Capacity, Grants, Host, Limits, Reason, Settings, capability::Ports};

use crate::world::{ask, fault, load, unhurried};

/// One thread for everything: a loop that does not give way would stop the clock, the good plugin and this test.
#[tokio::test(flavor = "current_thread")]
async fn others_are_answered_while_some_loop() {
    let host = Host::new(Settings::default()).unwrap();
    let grants = Grants::default();
    let forever = Guest::does("(loop $again (br $again)) (unreachable)");
    let forever = load(&host, &forever, &grants).await;
    let good = load(&host, &Guest::always(case::ADMIT, "OK"), &grants).await;
    let stuck = Limits {
        fuel: u64::MAX,
        time_ms: 60_000,
        ..Limits::default()
    };
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (host, plugin, grants, stuck) =
            (host.clone(), forever.clone(), grants.clone(), stuck.clone());
        loops.spawn(async move { ask(&host, &plugin, &grants, &stuck, Ports::default()).await });
    }
    for _ in 0..20 {
        let done = ask(&host, &good, &grants, &unhurried(), Ports::default()).await;
        assert!(done.outcome.is_ok());
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(loops.try_join_next().is_none(), "they still loop");
    loops.shutdown().await;
}

#[tokio::test]
async fn who_finds_no_place_in_time_is_told_so() {
    let capacity = Capacity {
        calls: 1,
        ..Capacity::default()
    };
    let host = Host::new(Settings {
        capacity,
        ..Settings::default()
    });
    let (host, grants) = (host.unwrap(), Grants::default());
    let forever = Guest::does("(loop $again (br $again)) (unreachable)");
    let forever = load(&host, &forever, &grants).await;
    let stuck = Limits {
        fuel: u64::MAX,
        time_ms: 60_000,
        ..Limits::default()
    };
    let brief = Limits {
        time_ms: 50,
        ..stuck.clone()
    };
    let first = {
        let (host, plugin, grants) = (host.clone(), forever.clone(), grants.clone());
        tokio::spawn(async move { ask(&host, &plugin, &grants, &stuck, Ports::default()).await })
    };
    // Until the first has the place, the second runs out of time in it.
    loop {
        let done = ask(&host, &forever, &grants, &brief, Ports::default()).await;
        if done
            .outcome
            .as_ref()
            .is_err_and(|fault| fault.reason == Reason::Busy)
        {
            break;
        }
        fault(&done, Reason::Timeout);
    }
    first.abort();
    let _ = first.await;
    // An aborted call gives its place back.
    let good = load(&host, &Guest::always(case::ADMIT, "OK"), &grants).await;
    assert!(
        ask(&host, &good, &grants, &unhurried(), Ports::default())
            .await
            .outcome
            .is_ok()
    );
}

//! A host, a case, and short ways to ask.

use convene_plugin_fixtures::Lobby as Guest;
use convene_plugin_host::{
    Call, Context, Done, Fault, Grants, Host, Limits, Plugin, Reason, Settings,
    capability::Ports,
    hook::lobby::{Arrival, Lobby, Party, Verdict},
};

pub fn host() -> Host {
    Host::new(Settings::default()).unwrap()
}

/// The usual budget, but no hurry: whoever is stopped here is stopped by what can be counted.
pub fn unhurried() -> Limits {
    Limits {
        time_ms: 60_000,
        ..Limits::default()
    }
}

pub fn context() -> Context {
    Context {
        tenant: "0195c1f0-0000-7000-8000-000000000001".into(),
        invocation: "0195c1f0-0000-7000-8000-000000000002".into(),
        now_ms: 1_700_000_000_000,
        seed: 42,
        attempt: 1,
        attributes: vec![("mode".into(), "strict".into())],
    }
}

pub fn arrival() -> Arrival {
    Arrival {
        lobby: "l".into(),
        visit: "v".into(),
        booking: "b".into(),
        guest: Party {
            id: "g".into(),
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

pub async fn load(host: &Host, guest: &Guest, grants: &Grants) -> Plugin {
    host.load(guest.build(), grants).await.unwrap()
}

pub async fn ask(
    host: &Host,
    plugin: &Plugin,
    grants: &Grants,
    limits: &Limits,
    ports: Ports,
) -> Done<Verdict> {
    let (context, input) = (context(), arrival());
    let call = Call::<Lobby> {
        context: &context,
        input: &input,
        grants,
        limits,
    };
    host.call(plugin, call, ports).await
}

/// What a guest says that needs nothing.
pub async fn verdict(guest: &Guest) -> Done<Verdict> {
    let host = host();
    let plugin = load(&host, guest, &Grants::default()).await;
    let limits = unhurried();
    ask(
        &host,
        &plugin,
        &Grants::default(),
        &limits,
        Ports::default(),
    )
    .await
}

/// The fault that a guest is stopped with.
#[track_caller]
pub fn fault(done: &Done<Verdict>, reason: Reason) -> &Fault {
    let fault = done.outcome.as_ref().expect_err("a fault");
    assert_eq!(fault.reason, reason, "{fault}");
    fault
}

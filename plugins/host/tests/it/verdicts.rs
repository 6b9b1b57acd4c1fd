//! What a plugin decides comes out as it was meant.

use convene_plugin_fixtures::{Lobby as Guest, case};
use convene_plugin_host::{
    Call, Grants, Outcome, Reason,
    capability::Ports,
    hook::lobby::{Lobby, Verdict},
};

use crate::world::{arrival, context, fault, host, load, unhurried, verdict};

#[tokio::test]
async fn every_case_of_the_decision_comes_out() {
    for (case, text, expected) in [
        (case::ADMIT, "VIP", Verdict::Admit("VIP".into())),
        (case::WAIT, "UNKNOWN", Verdict::Wait("UNKNOWN".into())),
        (case::DENY, "BLOCKED", Verdict::Deny("BLOCKED".into())),
        (case::ROUTE, "sales-2", Verdict::Route("sales-2".into())),
        (
            case::REQUIRE_STEP,
            "id-check",
            Verdict::RequireStep("id-check".into()),
        ),
    ] {
        let done = verdict(&Guest::always(case, text)).await;
        assert_eq!(done.outcome.unwrap(), expected);
        let Outcome::Verdict(json) = done.record.outcome else {
            panic!("a verdict");
        };
        assert_eq!(serde_json::from_value::<Verdict>(json).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_plugin_can_say_that_it_cannot_decide() {
    let guest = Guest::does("(call $fault (global.get $text) (global.get $text_bytes))");
    let done = verdict(&guest.text("CRM_DOWN")).await;
    let fault = fault(&done, Reason::Fault);
    assert_eq!(fault.detail, "CRM_DOWN: CRM_DOWN");
}

/// Admits whoever has a display name (an option whose flag stands 88 bytes behind the first word).
#[tokio::test]
async fn a_plugin_sees_what_it_is_told() {
    let guest = Guest::does(
        "(call $decide (i32.eqz (i32.load8_u offset=88 (local.get $told)))
                       (global.get $text) (global.get $text_bytes))",
    );
    let (host, grants, limits) = (host(), Grants::default(), unhurried());
    let plugin = load(&host, &guest, &grants).await;
    let (context, mut input) = (context(), arrival());
    for (name, expected) in [
        (None, Verdict::Wait("OK".into())),
        (Some("Ada"), Verdict::Admit("OK".into())),
    ] {
        input.guest.display_name = name.map(str::to_owned);
        let call = Call::<Lobby> {
            context: &context,
            input: &input,
            grants: &grants,
            limits: &limits,
        };
        let done = host.call(&plugin, call, Ports::default()).await;
        assert_eq!(done.outcome.unwrap(), expected);
    }
}

/// A counter in its memory never gets beyond one.
#[tokio::test]
async fn nothing_is_left_from_the_call_before() {
    let guest = Guest::does(
        "(i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 1)))
         (call $decide (i32.ne (i32.load (i32.const 4096)) (i32.const 1))
                       (global.get $text) (global.get $text_bytes))",
    );
    let (host, grants, limits) = (host(), Grants::default(), unhurried());
    let plugin = load(&host, &guest, &grants).await;
    for _ in 0..3 {
        let done = crate::world::ask(&host, &plugin, &grants, &limits, Ports::default()).await;
        assert_eq!(done.outcome.unwrap(), Verdict::Admit("OK".into()));
    }
}

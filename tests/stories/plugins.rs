//! Customers' own rules decide about arrivals: uploaded, bound, journalled, replayed, changed and taken back over the public API. I3 holds whatever they do.

use convene_plugin_fixtures::{Lobby as Module, case};
use convene_tests::{Cast, Guest, SetUp, World, reason, until};
use serde_json::{Value, json};

use crate::{DAY_MS, tenancy::other_tenant};

crate::on_every_world!(
    a_plugin_decides_and_the_journal_says_why,
    a_change_is_tried_beside_promoted_and_taken_back,
    nobody_is_let_in_by_a_failure,
    a_plugin_that_keeps_failing_is_left_alone,
    what_a_plugin_keeps_is_there_for_the_next_guest,
    what_a_plugin_keeps_is_its_tenants,
    modules_and_bindings_are_refused_with_the_remedy,
);

crate::on_replicas!(
    a_plugin_decides_and_the_journal_says_why,
    what_a_plugin_keeps_is_there_for_the_next_guest,
);

/// Uploads and publishes; answers the digest.
async fn published(world: &World, module: &Module, version: &str) -> String {
    let digest = world.admin.upload_module(module.build()).await.unwrap();
    let data = publish(world, &digest, version).await;
    assert_eq!(reason(&data, "publishPlugin"), "", "{data}");
    digest
}

async fn publish(world: &World, digest: &str, version: &str) -> Value {
    let query = "mutation($digest: String!, $version: String!) { publishPlugin(input: {
        digest: $digest, name: \"door\", version: $version }) {
        module { name version hooks capabilities sizeBytes } refusal { reason message } } }";
    let variables = json!({ "digest": digest, "version": version });
    world.admin.call(query, variables).await.unwrap()
}

/// Binds for the whole tenant; answers the binding's id.
async fn bound(world: &World, digest: &str, more: Value) -> String {
    let data = bind(world, digest, more).await;
    assert_eq!(reason(&data, "bindPlugin"), "", "{data}");
    let id = data["bindPlugin"]["binding"]["id"].as_str();
    id.unwrap().to_owned()
}

async fn bind(world: &World, digest: &str, more: Value) -> Value {
    let query = "mutation($input: BindPluginInput!) { bindPlugin(input: $input) {
        binding { id scope onFault enabled active { digest version } shadow { digest } } refusal { reason message } } }";
    let mut input = json!({ "scope": "TENANT", "digest": digest, "timeMs": 5000 });
    let fields = more.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(fields);
    world
        .admin
        .call(query, json!({ "input": input }))
        .await
        .unwrap()
}

async fn change(world: &World, mutation: &str, binding: &str) -> String {
    let query = format!(
        "mutation($id: ID!) {{ {mutation}(input: {{ bindingId: $id }}) {{
            binding {{ active {{ digest }} }} refusal {{ reason message }} }} }}"
    );
    let data = world.admin.call(&query, json!({ "id": binding })).await;
    reason(&data.unwrap(), mutation).to_owned()
}

/// What admins read about a visit's calls, once so many are there.
async fn calls(world: &World, guest: &Guest, number: usize) -> Vec<Value> {
    let query = "query($id: ID!) { node(id: $id) { ... on Visit { state decidedBy waitsForQueue waitsForStep
        pluginCalls { id digest shadow acted verdict subject fuel durationUs record } } } }";
    until("the plugin was asked", || async {
        let data = world.admin.call(query, json!({ "id": guest.visit })).await;
        let data = data.unwrap();
        let calls = data["node"]["pluginCalls"].as_array().unwrap();
        (calls.len() == number).then(|| calls.clone())
    })
    .await
}

async fn state(guest: &Guest, wanted: &str) -> Value {
    until(&format!("the guest is {wanted}"), || async {
        let visit = guest.see().await;
        (visit["state"] == wanted).then_some(visit)
    })
    .await
}

async fn arrived(world: &World, cast: &Cast) -> Guest {
    let booked = cast.book(world, DAY_MS, 1).await;
    cast.arrive(&booked, 0).await
}

async fn replayed(world: &World, call: &Value) -> Value {
    let query = "query($id: ID!) { pluginReplay(callId: $id) { ran differences } }";
    let data = world.admin.call(query, json!({ "id": call["id"] })).await;
    data.unwrap()["pluginReplay"].take()
}

async fn a_plugin_decides_and_the_journal_says_why(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 20).await;
    let digest = published(&world, &Module::always(case::ADMIT, "VIP"), "1.0.0").await;
    bound(&world, &digest, json!({})).await;
    let guest = arrived(&world, &cast).await;
    state(&guest, "ADMITTED").await;
    let joined = guest.join_details().await;
    assert!(joined["joinDetails"]["joinUrl"].is_string(), "{joined}");
    let calls = calls(&world, &guest, 1).await;
    let call = &calls[0];
    assert_eq!(call["digest"], digest);
    assert_eq!(
        (&call["verdict"], &call["subject"]),
        (&json!("ADMIT"), &json!("VIP"))
    );
    assert_eq!(
        (&call["acted"], &call["shadow"]),
        (&json!(true), &json!(false))
    );
    assert!(call["fuel"].as_u64().unwrap() > 0, "{call}");
    assert!(call["record"].is_null(), "records are read one by one");
    // The trail of the booking has the plugin's word before the admission that it brought.
    let query = "query($id: ID!) { node(id: $id) { ... on Visit { decidedBy booking { id } } } }";
    let visit = world
        .admin
        .call(query, json!({ "id": guest.visit }))
        .await
        .unwrap();
    assert_eq!(visit["node"]["decidedBy"], "plugin:door@1.0.0");
    let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type actor } } }";
    let booking = &visit["node"]["booking"]["id"];
    let trail = world
        .admin
        .call(query, json!({ "id": booking }))
        .await
        .unwrap();
    let events = trail["auditTrail"]["events"].as_array().unwrap();
    let place = |name| {
        events
            .iter()
            .position(|event| event["type"] == name)
            .unwrap()
    };
    assert!(place("GuestArrived") < place("PluginDecided"), "{events:?}");
    assert!(
        place("PluginDecided") < place("GuestAdmitted"),
        "{events:?}"
    );
    assert_eq!(events[place("GuestAdmitted")]["actor"], "plugin:door@1.0.0");
    // The same again, bit by bit, also after a restart.
    let same = json!({ "ran": true, "differences": [] });
    assert_eq!(replayed(&world, call).await, same);
    let query = "query($id: ID!) { pluginCall(callId: $id) { record } }";
    let record = world
        .admin
        .call(query, json!({ "id": call["id"] }))
        .await
        .unwrap();
    let record = record["pluginCall"]["record"].as_str().unwrap().to_owned();
    assert!(
        !record.contains("Guest 1"),
        "no name without a grant: {record}"
    );
    world.drained().await;
    world.audited().await;
    let world = world.restarted().await;
    assert_eq!(replayed(&world, call).await, same);
    world.stop().await;
}

async fn a_change_is_tried_beside_promoted_and_taken_back(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 20).await;
    let first = published(&world, &Module::always(case::ADMIT, "VIP"), "1").await;
    let second = published(&world, &Module::always(case::DENY, "NOT_TODAY"), "2").await;
    let binding = bound(&world, &first, json!({})).await;
    assert_eq!(change(&world, "promotePlugin", &binding).await, "NO_SHADOW");
    assert_eq!(
        change(&world, "rollBackPlugin", &binding).await,
        "NOTHING_BEFORE"
    );
    bound(&world, &second, json!({ "shadow": true })).await;

    let guest = arrived(&world, &cast).await;
    state(&guest, "ADMITTED").await;
    let calls = calls(&world, &guest, 2).await;
    let shadow = calls.iter().find(|call| call["shadow"] == true).unwrap();
    assert_eq!(
        (&shadow["verdict"], &shadow["acted"]),
        (&json!("DENY"), &json!(false))
    );

    let query = "query($id: ID!, $digest: String!) { pluginComparison(bindingId: $id, digest: $digest, last: 1000) {
        compared changes { visitId wasVerdict wasSubject isVerdict isSubject } } }";
    let compare = async |digest: &str| {
        let variables = json!({ "id": binding, "digest": digest });
        let data = world.admin.call(query, variables).await.unwrap();
        data["pluginComparison"].clone()
    };
    let none = json!({ "compared": 1, "changes": [] });
    assert_eq!(compare(&first).await, none);
    let change_found = json!({ "compared": 1, "changes": [{
        "visitId": guest.visit, "wasVerdict": "ADMIT", "wasSubject": "VIP",
        "isVerdict": "DENY", "isSubject": "NOT_TODAY" }] });
    assert_eq!(compare(&second).await, change_found);

    assert_eq!(change(&world, "promotePlugin", &binding).await, "");
    let denied = arrived(&world, &cast).await;
    let seen = state(&denied, "DENIED").await;
    assert_eq!(seen["reason"], "NOT_TODAY");
    assert_eq!(change(&world, "rollBackPlugin", &binding).await, "");
    let again = arrived(&world, &cast).await;
    state(&again, "ADMITTED").await;

    let query = "mutation($id: ID!) { switchPlugin(input: { bindingId: $id, enabled: false }) { binding { enabled } refusal { reason } } }";
    let data = world
        .admin
        .call(query, json!({ "id": binding }))
        .await
        .unwrap();
    assert_eq!(data["switchPlugin"]["binding"]["enabled"], false);
    let alone = arrived(&world, &cast).await;
    world.drained().await;
    assert_eq!(alone.see().await["state"], "WAITING", "a host decides");
    world.stop().await;
}

async fn nobody_is_let_in_by_a_failure(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 20).await;
    let forever = Module::does("(loop $again (br $again)) (unreachable)");
    let digest = published(&world, &forever, "loops").await;
    let broken = published(&world, &Module::does("(unreachable)"), "panics").await;
    for (digest, policy, end, subject, queue) in [
        (&digest, "wait", "WAITING", "OUT_OF_FUEL", Value::Null),
        (&broken, "deny", "DENIED", "TRAP", Value::Null),
        (&broken, "route:desk", "WAITING", "TRAP", json!("desk")),
    ] {
        bound(
            &world,
            digest,
            json!({ "onFault": policy, "fuel": 1_000_000 }),
        )
        .await;
        let guest = arrived(&world, &cast).await;
        let calls = calls(&world, &guest, 1).await;
        assert_eq!(
            (&calls[0]["verdict"], &calls[0]["subject"]),
            (&json!("FAULT"), &json!(subject))
        );
        state(&guest, end).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Visit { waitsForQueue reason } } }";
        let seen = world
            .admin
            .call(query, json!({ "id": guest.visit }))
            .await
            .unwrap();
        assert_eq!(seen["node"]["waitsForQueue"], queue);
        let joined = guest.join_details().await;
        assert!(joined["joinDetails"].is_null(), "I3: {joined}");
        assert_eq!(
            replayed(&world, &calls[0]).await,
            json!({ "ran": true, "differences": [] })
        );
        if end == "WAITING" {
            // The host still can.
            let data = cast.decide("admitVisit", &guest).await;
            assert_eq!(data["admitVisit"]["visit"]["state"], "ADMITTED");
        }
    }
    let refused = bind(&world, &broken, json!({ "onFault": "admit" })).await;
    assert_eq!(reason(&refused, "bindPlugin"), "POLICY_UNKNOWN");
    world.stop().await;
}

/// How often it has failed, and until when it is left alone.
async fn breaker(world: &World) -> (Value, Value) {
    let query = "{ pluginBindings { activeBreaker { faults notBefore } } }";
    let data = world.admin.call(query, json!({})).await.unwrap();
    let breaker = &data["pluginBindings"][0]["activeBreaker"];
    (breaker["faults"].clone(), breaker["notBefore"].clone())
}

async fn a_plugin_that_keeps_failing_is_left_alone(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 20).await;
    let broken = published(&world, &Module::does("(unreachable)"), "1").await;
    let binding = bound(&world, &broken, json!({})).await;
    let asked = async || {
        let guest = arrived(&world, &cast).await;
        let call = calls(&world, &guest, 1).await.remove(0);
        assert_eq!(call["verdict"], "FAULT");
        assert_eq!(guest.see().await["state"], "WAITING", "I3");
        (call["subject"].as_str().unwrap().to_owned(), guest)
    };
    for faults in 1..5 {
        assert_eq!(asked().await.0, "TRAP");
        assert_eq!(breaker(&world).await, (json!(faults), Value::Null));
    }
    let (_, last) = asked().await;
    let (faults, until) = breaker(&world).await;
    assert_eq!(faults, 5);
    assert!(until.is_string(), "tripped: {until}");
    // The visit's trail says what happened to the plugin.
    let query = "query($id: ID!) { node(id: $id) { ... on Visit { booking { id } } } }";
    let visit = world.admin.call(query, json!({ "id": last.visit })).await;
    let booking = &visit.unwrap()["node"]["booking"]["id"];
    let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type data } } }";
    let trail = world.admin.call(query, json!({ "id": booking })).await;
    let trail = trail.unwrap()["auditTrail"]["events"].to_string();
    assert!(trail.contains("tripped_until"), "{trail}");
    // Now guests wait for a host at once, and the journal says why.
    let (subject, guest) = asked().await;
    assert_eq!(subject, "TRIPPED");
    let replay = calls(&world, &guest, 1).await.remove(0);
    let read = json!({ "ran": false, "differences": [] });
    assert_eq!(replayed(&world, &replay).await, read);
    // A minute later one more try is made; it fails, and the pause is longer.
    world.advance(60_000).await;
    assert_eq!(asked().await.0, "TRAP");
    assert_eq!(asked().await.0, "TRIPPED");
    world.advance(60_000).await;
    assert_eq!(asked().await.0, "TRIPPED", "two minutes this time");
    // A mended one is asked at once, and the pauses are forgotten.
    let mended = published(&world, &Module::always(case::ADMIT, "VIP"), "2").await;
    assert_eq!(bound(&world, &mended, json!({})).await, binding);
    let guest = arrived(&world, &cast).await;
    state(&guest, "ADMITTED").await;
    assert_eq!(breaker(&world).await, (json!(0), Value::Null));
    // Taken back by hand, the broken one begins afresh.
    assert_eq!(change(&world, "rollBackPlugin", &binding).await, "");
    assert_eq!(asked().await.0, "TRAP");
    world.drained().await;
    world.audited().await;
    world.stop().await;
}

/// Admits whoever comes first and denies the others: it keeps that somebody came.
fn first_only() -> Module {
    Module::does(
        "(call $get (global.get $text) (global.get $text_bytes) (i32.const 2048))
         (call $put (global.get $text) (global.get $text_bytes) (global.get $text) (global.get $text_bytes)
                    (i32.const 0) (i64.const 0) (i32.const 3072))
         ;; result 0, option at 8: 0 none -> ADMIT 0, 1 some -> DENY 2
         (call $decide (i32.shl (i32.load8_u (i32.const 2056)) (i32.const 1))
                       (global.get $text) (global.get $text_bytes))",
    )
    .imports(
        r#"(import "convene:plugin/kv@0.1.0" "get" (func $get (param i32 i32 i32)))
           (import "convene:plugin/kv@0.1.0" "put" (func $put (param i32 i32 i32 i32 i32 i64 i32)))"#,
    )
    .text("FIRST")
}

async fn what_a_plugin_keeps_is_there_for_the_next_guest(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 20).await;
    let digest = published(&world, &first_only(), "1").await;
    let refused = bind(&world, &digest, json!({})).await;
    assert_eq!(reason(&refused, "bindPlugin"), "CAPABILITY_NOT_GRANTED");
    bound(&world, &digest, json!({ "kvBytes": 1000 })).await;
    let first = arrived(&world, &cast).await;
    state(&first, "ADMITTED").await;
    let second = arrived(&world, &cast).await;
    state(&second, "DENIED").await;
    let calls = calls(&world, &second, 1).await;
    assert_eq!(
        replayed(&world, &calls[0]).await,
        json!({ "ran": true, "differences": [] })
    );
    world.stop().await;
}

async fn what_a_plugin_keeps_is_its_tenants(set_up: SetUp) {
    let world = World::open(set_up).await.reopened(other_tenant).await;
    // The same bytes under the same name: each tenant's first guest is its first.
    for admin in [&world.admin, world.other.as_ref().unwrap()] {
        let cast = Cast::of(&world, admin, 20).await;
        let digest = admin.upload_module(first_only().build()).await.unwrap();
        let query = "mutation($digest: String!) {
            publishPlugin(input: { digest: $digest, name: \"door\", version: \"1\" }) { refusal { reason } }
            bindPlugin(input: { scope: TENANT, digest: $digest, kvBytes: 1000, timeMs: 5000 }) { refusal { reason } } }";
        let data = admin.call(query, json!({ "digest": digest })).await;
        assert_eq!(reason(&data.unwrap(), "bindPlugin"), "");
        let first = arrived(&world, &cast).await;
        state(&first, "ADMITTED").await;
        let second = arrived(&world, &cast).await;
        state(&second, "DENIED").await;
    }
    world.stop().await;
}

async fn modules_and_bindings_are_refused_with_the_remedy(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let uploaded = |bytes: Vec<u8>| world.admin.upload_module(bytes);
    // Only admins, and not more than the bound.
    let refused = cast.app.upload_module(vec![0; 10]).await.unwrap_err();
    assert_eq!(refused.reason, "FORBIDDEN");
    let refused = uploaded(vec![0; 5 << 20]).await.unwrap_err();
    assert_eq!(refused.reason, "MODULE_TOO_LARGE");
    let other = "0".repeat(64);
    let refused = world.admin.put_module(&other, vec![0; 10]).await;
    assert_eq!(refused.unwrap_err().reason, "DIGEST_MISMATCH");
    let text = uploaded(b"let me in".to_vec()).await.unwrap();
    let data = publish(&world, &text, "1").await;
    assert_eq!(reason(&data, "publishPlugin"), "NOT_A_COMPONENT");
    let digest = published(&world, &Module::always(case::ADMIT, "VIP"), "1").await;
    // The same again is the same; another module is not version 1, and this one has no second name.
    assert_eq!(
        reason(&publish(&world, &digest, "1").await, "publishPlugin"),
        ""
    );
    assert_eq!(
        reason(&publish(&world, &digest, "2").await, "publishPlugin"),
        "MODULE_PUBLISHED"
    );
    let other = uploaded(Module::always(case::DENY, "NO").build())
        .await
        .unwrap();
    assert_eq!(
        reason(&publish(&world, &other, "1").await, "publishPlugin"),
        "VERSION_TAKEN"
    );
    let data = bind(&world, &other, json!({})).await;
    assert_eq!(reason(&data, "bindPlugin"), "MODULE_NOT_PUBLISHED");
    let data = bind(&world, &digest, json!({ "fields": ["salary"] })).await;
    assert_eq!(reason(&data, "bindPlugin"), "FIELD_UNKNOWN");
    let missing = "0".repeat(64);
    let data = publish(&world, &missing, "1").await;
    assert_eq!(reason(&data, "publishPlugin"), "NOT_FOUND");
    world.stop().await;
}

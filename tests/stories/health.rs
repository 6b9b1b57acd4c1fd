//! What an admin is told about the provider, and what mends it.

use convene::doctor::{Scope, examine};
use convene_tests::{SetUp, World, fault, until};
use serde_json::{Value, json};

crate::on_every_world!(the_provider_s_faults_are_named_with_their_remedy);

const QUERY: &str = "query($hosts: [ID!]) { providerHealth(hostIds: $hosts) { severity findings { code severity about subject says remedy } } }";

async fn health(admin: &convene_tests::Caller, hosts: Value) -> Value {
    let mut data = admin.call(QUERY, json!({ "hosts": hosts })).await.unwrap();
    data["providerHealth"].take()
}

fn of<'a>(health: &'a Value, code: &str) -> Vec<&'a Value> {
    let findings = health["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["code"] == code).collect()
}

async fn the_provider_s_faults_are_named_with_their_remedy(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let needed = [
        "Calendars.ReadWrite",
        "OnlineMeetings.ReadWrite.All",
        "Calls.JoinGroupCall.All",
        "Calls.Initiate.All",
        "OnlineMeetingRecording.Read.All",
    ];
    let grant = |names: &[&str]| json!({ "granted": names });
    world.provider.put("permissions", grant(&needed)).await;
    let good = health(&world.admin, Value::Null).await;
    assert_eq!(good["severity"], "OK", "{good}");
    assert_eq!(of(&good, "POLICY_GRANTED")[0]["subject"], world.user());
    assert!(of(&good, "POLICY_GRANTED")[0]["remedy"].is_null());

    // The policy is taken from the host's organizer: its meeting fails, and the admin is told what to run.
    let policy = json!({ world.user(): false });
    world.provider.put("policies", policy).await;
    world.provider.put("permissions", grant(&needed[..4])).await;
    let bad = health(&world.admin, json!([cast.host_id])).await;
    assert_eq!(bad["severity"], "FAILURE", "{bad}");
    let missing = of(&bad, "POLICY_MISSING")[0];
    assert_eq!(
        (&missing["about"], &missing["severity"]),
        (&json!("USER"), &json!("FAILURE"))
    );
    let remedy = missing["remedy"].as_str().unwrap();
    assert!(remedy.contains("Grant-CsApplicationAccessPolicy") && remedy.contains(world.user()));
    let permission = of(&bad, "RECORDING_PERMISSION_MISSING")[0];
    assert_eq!(permission["subject"], needed[4]);

    // Who may not ask, and for whom.
    for caller in [&cast.app, &cast.host] {
        let answer = caller.answer(QUERY, json!({})).await.unwrap();
        assert_eq!(fault(&answer), "FORBIDDEN", "{answer}");
    }
    let nobody = json!({ "hosts": [cast.service] });
    let answer = world.admin.answer(QUERY, nobody).await.unwrap();
    assert_eq!(fault(&answer), "WRONG_ID_TYPE", "{answer}");
    world.stop().await;
}

/// The doctor tells a silent address from one where another role answers.
#[tokio::test(flavor = "multi_thread")]
async fn another_role_at_an_address_is_told() {
    let world = World::split().await;
    let roles = world.roles();
    let at = |name: &str| {
        let (_, url) = roles.iter().find(|(role, _)| role == name).unwrap();
        url.trim_start_matches("http://").to_owned()
    };
    let file = world.data().join("gateway.toml");
    let text = format!(
        "data = {:?}\n[simulator]\nurl = \"{}\"\n[peers]\nscheduler = [\"{}\"]\nmeeting-broker = [\"{}\"]\nlobby-manager = [\"127.0.0.1:9\"]\n",
        world.data(),
        world.provider.base(),
        at("scheduler"),
        at("webhooks"),
    );
    std::fs::write(&file, text).unwrap();
    let found = until("the roles serve", || async {
        let scope = Scope {
            file: Some(file.clone()),
            ..Scope::default()
        };
        let findings = examine(scope).await.into_iter();
        let roles = findings.filter(|finding| finding.about == "ROLE");
        let found: Vec<_> = roles
            .map(|finding| (finding.code, finding.subject))
            .collect();
        found
            .iter()
            .any(|(code, _)| *code == "ROLE_SERVES")
            .then_some(found)
    })
    .await;
    let told = |code, role: &str| (code, role.to_owned());
    let wanted = [
        told("ROLE_OTHER", "meeting-broker"),
        told("ROLE_SILENT", "lobby-manager"),
        told("ROLE_SERVES", "scheduler"),
    ];
    for one in &wanted {
        assert!(found.contains(one), "{one:?}: {found:?}");
    }
    assert_eq!(found.len(), wanted.len());
    world.stop().await;
}

//! What an examination finds at the provider: each fault is put there, and named.

use convene_kit::{Code, Error, Scope};
use convene_meeting_broker::{NEEDS, Part};
use convene_proto::meeting::v1 as wire;
use serde_json::{Value, json};

use crate::world::{HOST, TENANT, World, answered};

/// All that the broker needs.
fn needed() -> Vec<&'static str> {
    NEEDS.iter().map(|need| need.permission).collect()
}

impl World {
    async fn examined(&self, users: &[&str]) -> Vec<wire::Finding> {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        let request = self.of(TENANT, Scope::Admin, wire::ProviderHealthRequest { users });
        let answer = self.client().provider_health(request).await;
        let findings = answer.unwrap().into_inner().findings;
        for finding in &findings {
            let text = format!("{finding:?}");
            let secret = self.provider.env().graph_client_secret;
            assert!(
                !text.contains(&secret) && !finding.says.contains('{'),
                "{text}"
            );
        }
        findings
    }

    /// `(code, subject)` of what is not as it should be.
    async fn wrong(&self, users: &[&str]) -> Vec<(String, String)> {
        let findings = self.examined(users).await.into_iter();
        let wrong = findings.filter(|f| f.severity() != wire::FindingSeverity::Ok);
        wrong.map(|f| (f.code, f.subject)).collect()
    }

    /// An organizer whom the policy covers.
    fn organizer(&self) -> String {
        self.provider.env().graph_user
    }

    /// One who lacks nothing but what the test takes.
    async fn wrong_for_organizer(&self) -> Vec<String> {
        let wrong = self.wrong(&[&self.organizer()]).await;
        wrong.into_iter().map(|(code, _)| code).collect()
    }
}

/// With what the broker says that it needs, and no more.
async fn world() -> World {
    let world = World::start().await;
    world.provider.grant(&needed()).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_with_exactly_what_is_needed() {
    let world = world().await;
    let findings = world.examined(&[&world.organizer()]).await;
    let ok = |f: &wire::Finding| f.severity() == wire::FindingSeverity::Ok && f.remedy.is_empty();
    assert!(findings.iter().all(ok), "{findings:#?}");
    let codes: Vec<_> = findings.iter().map(|f| f.code.as_str()).collect();
    for code in [
        "TOKEN_GRANTED",
        "CLOCK_AGREES",
        "BETA_ANSWERS",
        "CALENDAR_OPEN",
        "POLICY_GRANTED",
    ] {
        assert!(codes.contains(&code), "{code}");
    }
    // Nothing was made, and nothing but reads was asked for.
    assert_eq!(world.provider.created().await, 0);
    for method in ["POST", "PATCH", "DELETE", "PUT"] {
        let asked = world.provider.requests(method, "").await;
        let token = |r: &Value| r["path"].as_str().unwrap().ends_with("/token");
        assert!(asked.iter().all(token), "{asked:?}");
    }
    world.end().await;
}

/// The list is true: with these permissions a meeting is made, recorded and fetched; without one of them something is refused.
#[tokio::test(flavor = "multi_thread")]
async fn the_needed_permissions_suffice() {
    let world = world().await;
    let asked = world.ready().await;
    let segment = crate::world::recording();
    world.start_capture(asked, segment, 1).await.unwrap();
    world.until_capture(asked, wire::CaptureState::On).await;
    world.stop_capture(asked, segment, 1).await;
    world.until_capture(asked, wire::CaptureState::Off).await;
    crate::world::until(async || (world.told(asked, "ArtefactReady").await == 1).then_some(()))
        .await;
    world.cancel(asked).await;
    world
        .until_phase(asked, wire::MeetingPhase::Cancelled)
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_permission_is_named() {
    let world = world().await;
    for need in NEEDS {
        let rest: Vec<_> = needed()
            .into_iter()
            .filter(|one| *one != need.permission)
            .collect();
        world.provider.grant(&rest).await;
        let code = match need.part {
            Part::Meetings => "PERMISSION_MISSING",
            Part::Recording => "RECORDING_PERMISSION_MISSING",
        };
        let expected = vec![(code.to_owned(), need.permission.to_owned())];
        assert_eq!(world.wrong(&[&world.organizer()]).await, expected);
    }
    let much = [needed(), vec!["User.Read.All"]].concat();
    world.provider.grant(&much).await;
    let excess = world.wrong(&[&world.organizer()]).await;
    assert_eq!(
        excess,
        [("PERMISSION_IN_EXCESS".into(), "User.Read.All".into())]
    );
    world.end().await;
}

/// What an administrator mends counts at once: the broker does not go on with the token of before.
#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_granted_counts_after_the_examination() {
    let world = World::start().await;
    world.provider.grant(&["Calendars.Read"]).await;
    let failed = world.ask().await;
    let failed = world.until_phase(failed, wire::MeetingPhase::Failed).await;
    assert_eq!(failed.reason, "PROVIDER_REFUSED");
    world.provider.grant(&needed()).await;
    assert_eq!(world.wrong_for_organizer().await, Vec::<String>::new());
    world.ready().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_organizer_is_looked_at() {
    let world = world().await;
    let env = world.provider.env();
    let stranger = "99999999-9999-4999-8999-999999999999";
    let users = [env.graph_user.as_str(), &env.graph_denied_user, stranger];
    let found = world.wrong(&users).await;
    let of = |code: &str, user: &str| (code.to_owned(), user.to_owned());
    let expected = [
        of("POLICY_MISSING", &env.graph_denied_user),
        of("USER_UNKNOWN", stranger),
    ];
    assert_eq!(found, expected);
    let policy = world.examined(&[&env.graph_denied_user]).await;
    let policy = policy.iter().find(|f| f.code == "POLICY_MISSING").unwrap();
    let grant = format!(
        "Grant-CsApplicationAccessPolicy -PolicyName Convene -Identity '{}'",
        env.graph_denied_user
    );
    assert!(policy.remedy.contains(&grant) && policy.remedy.contains(&env.graph_client_id));
    world.provider.cover(&env.graph_denied_user, true).await;
    assert_eq!(world.wrong(&[&env.graph_denied_user]).await, []);
    assert_eq!(world.wrong(&[]).await[0].0, "NO_USERS");
    let many: Vec<_> = (0..25).map(|n| format!("nobody-{n}@example.org")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let found = world.wrong(&many).await;
    let unknown = found
        .iter()
        .filter(|(code, _)| code == "USER_UNKNOWN")
        .count();
    assert_eq!(
        (unknown, found.last().unwrap().0.as_str()),
        (20, "USERS_LEFT_OUT")
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_secret_is_named() {
    let world = World::start_with(|config| config.client_secret = "wrong".to_owned().into()).await;
    let wrong = world.wrong_for_organizer().await;
    assert_eq!(wrong, ["TOKEN_SECRET_WRONG"]);
    world.end().await;
    let world = World::start_with(|config| config.client_id = "unknown".into()).await;
    assert_eq!(
        world.wrong_for_organizer().await,
        ["TOKEN_APPLICATION_UNKNOWN"]
    );
    world.end().await;
    let nobody = "http://127.0.0.1:9/t/oauth2/v2.0/token";
    let world = World::start_with(|config| config.token_url = nobody.into()).await;
    assert_eq!(world.wrong_for_organizer().await, ["PROVIDER_UNREACHABLE"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told() {
    let world = world().await;
    for (offset, code, text) in [
        (30_000, "CLOCK_OFF", "s behind"),
        (3_600_000, "CLOCK_WRONG", "s behind"),
    ] {
        world
            .provider
            .put("clock", json!({ "offsetMs": offset }))
            .await;
        let findings = world.examined(&[&world.organizer()]).await;
        let clock = findings.iter().find(|f| f.about == "CLOCK").unwrap();
        assert!(clock.code == code && clock.says.contains(text), "{clock:?}");
    }
    // Both move together in development.
    world.advance(3_600_000);
    assert_eq!(world.wrong_for_organizer().await, Vec::<String>::new());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_throttles_or_fails_is_told_once() {
    let world = world().await;
    let throttle = json!({"throttle": {"retryAfter": 7}});
    world
        .provider
        .fault("GET", "/users/", 0, throttle.clone())
        .await;
    let wrong = world.wrong_for_organizer().await;
    assert_eq!(wrong, ["USER_NOT_EXAMINED", "PROVIDER_THROTTLED"]);
    world.provider.heal().await;
    world.provider.fault("POST", "/token", 0, throttle).await;
    let findings = world.examined(&[]).await;
    let throttled = findings
        .iter()
        .find(|f| f.code == "PROVIDER_THROTTLED")
        .unwrap();
    assert!(throttled.says.contains("7 s"), "{throttled:?}");
    world.provider.heal().await;
    let error = json!({"errorBefore": {"status": 503}});
    world.provider.fault("POST", "/token", 0, error).await;
    assert_eq!(world.wrong_for_organizer().await, ["PROVIDER_FAILS"]);
    world.provider.heal().await;
    world
        .provider
        .fault("GET", "/beta/", 0, json!("dropBefore"))
        .await;
    assert_eq!(world.wrong_for_organizer().await, ["BETA_UNAVAILABLE"]);
    world.end().await;
}

/// A provider that never answers keeps nobody waiting, and a second examination does not queue up behind the first.
#[tokio::test(flavor = "multi_thread")]
async fn an_examination_is_bounded_and_alone() {
    let world = world().await;
    let slow = json!({"delayBefore": {"ms": 60_000}});
    world.provider.fault("POST", "/token", 0, slow).await;
    let began = tokio::time::Instant::now();
    let request = || {
        let message = wire::ProviderHealthRequest::default();
        world.of(TENANT, Scope::Admin, message)
    };
    let (mut one, mut two) = (world.client(), world.client());
    let (one, two) = tokio::join!(
        one.provider_health(request()),
        two.provider_health(request())
    );
    let (done, busy): (Vec<_>, Vec<_>) = [answered(one), answered(two)]
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!(
        done[0].as_ref().unwrap().findings[0].code,
        "PROVIDER_UNREACHABLE"
    );
    assert_eq!(busy[0].as_ref().unwrap_err().reason, "EXAMINATION_RUNNING");
    assert!(began.elapsed() < std::time::Duration::from_secs(9));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_examine() {
    let world = world().await;
    for scope in [Scope::BookingApp, Scope::Host(HOST)] {
        let request = world.of(TENANT, scope, wire::ProviderHealthRequest::default());
        let refused: Error = answered(world.client().provider_health(request).await).unwrap_err();
        assert_eq!(refused.code, Code::Forbidden);
    }
    for (users, reason) in [
        (vec!["x".to_owned(); 101], "TOO_MANY_USERS"),
        (vec!["a\nb".to_owned()], "CONTROL_CHARACTER"),
    ] {
        let request = world.of(TENANT, Scope::Admin, wire::ProviderHealthRequest { users });
        let refused = answered(world.client().provider_health(request).await).unwrap_err();
        assert_eq!(refused.reason, reason);
    }
    world.end().await;
}

//! I3: nobody receives join details without a journalled decision.

use convene::graphql::Client;
use convene_tests::{SetUp, World, reason};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    only_the_admitted_hold_join_details,
    admins_and_apps_never_get_join_details,
    join_details_are_sealed_at_rest,
);

/// A small generator, so that a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

/// Everything that a caller can read of a booking and of itself.
const EVERYTHING: &str = "query($id: ID!) { viewer { principal } visit { id state booking { id meeting { id state } } }
    booking(id: $id) { id state guests { id name visit { id state decidedBy } } meeting { id state provider lobbyBypassEffective }
      lobby { id state visits { id state reason } } recordings { id state artefacts { sha256 downloadUrl } } }
    auditTrail(bookingId: $id) { events { type data actor hash } } meetingProviders { name } }";

async fn everything(client: &Client, booking: &str) -> String {
    let answer = client.answer(EVERYTHING, json!({ "id": booking })).await;
    answer.unwrap().to_string()
}

/// The secrets of a meeting, as the host holds them.
async fn secrets(cast: &convene_tests::Cast, booked: &convene_tests::Booked) -> Vec<String> {
    let query = "mutation($id: ID!) { hostJoinDetails(input: { bookingId: $id }) { joinDetails { joinUrl joinMeetingId passcode } } }";
    let data = cast
        .host
        .call(query, json!({"id": booked.id}))
        .await
        .unwrap();
    let details = &data["hostJoinDetails"]["joinDetails"];
    ["joinUrl", "joinMeetingId", "passcode"]
        .iter()
        .map(|name| details[name].as_str().unwrap().to_owned())
        .collect()
}

async fn only_the_admitted_hold_join_details(set_up: SetUp) {
    let world = World::open(set_up).await;
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let cast = world.cast().await;
        let count = 4;
        let booked = cast.book(&world, DAY_MS, count).await;
        let secrets = secrets(&cast, &booked).await;
        let leaks = |answer: &str| secrets.iter().any(|secret| answer.contains(secret));
        let mut guests = Vec::new();
        for nth in 0..count {
            guests.push(cast.invite(&booked, nth).await);
        }
        let mut admitted = vec![false; count];
        for _ in 0..24 {
            let nth = dice.roll(count as u64) as usize;
            let guest = &guests[nth];
            match dice.roll(5) {
                0 => drop(guest.enter().await),
                1 => {
                    let data = cast.decide("admitVisit", guest).await;
                    admitted[nth] |= reason(&data, "admitVisit").is_empty();
                }
                2 => drop(cast.decide("denyVisit", guest).await),
                _ => {
                    let payload = guest.join_details().await;
                    let got = leaks(&payload.to_string());
                    assert_eq!(
                        got, admitted[nth],
                        "I3, seed {seed}: {:?}",
                        payload["refusal"]
                    );
                }
            }
            // Whoever asks for whatever: reading never shows a secret.
            for client in [&guest.client, &cast.app, &cast.host, &world.admin] {
                let answer = everything(client, &booked.id).await;
                assert!(
                    !leaks(&answer),
                    "I3, seed {seed}: a query showed join details"
                );
            }
        }
        journalled(&world, &booked.id).await;
    }
    world.audited().await;
    world.stop().await;
}

/// Every release stands behind a permit, and every permit behind a decision of its host.
async fn journalled(world: &World, booking: &str) {
    let query =
        "query($id: ID!) { auditTrail(bookingId: $id) { events { type actor objectId data } } }";
    let trail = world
        .admin
        .call(query, json!({ "id": booking }))
        .await
        .unwrap();
    let events = trail["auditTrail"]["events"].as_array().unwrap();
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let data =
        |event: &Value| -> Value { serde_json::from_str(event["data"].as_str().unwrap()).unwrap() };
    for released in of("JoinDetailsReleased") {
        let permit = data(released)["permit"].clone();
        let issued = of("PermitIssued").find(|issued| issued["objectId"] == permit);
        let issued = issued.expect("I3: a release without a permit");
        assert_eq!(data(issued)["audience"], data(released)["audience"]);
        assert!(issued["actor"].as_str().unwrap().starts_with("host:"));
    }
}

async fn admins_and_apps_never_get_join_details(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let host = "mutation($id: ID!) { hostJoinDetails(input: { bookingId: $id }) { joinDetails { joinUrl } refusal { reason } } }";
    let own = "mutation { joinDetails { joinDetails { joinUrl } refusal { reason } } }";
    for client in [&cast.app, &world.admin, &guest.client] {
        let answer = client.answer(host, json!({"id": booked.id})).await.unwrap();
        assert_eq!(convene_tests::fault(&answer), "HOST_REQUIRED", "{answer}");
    }
    for client in [&cast.app, &world.admin, &cast.host] {
        let answer = client.answer(own, json!({})).await.unwrap();
        assert_eq!(convene_tests::fault(&answer), "TICKET_REQUIRED", "{answer}");
    }
    // Another host of the same tenant does not even see the booking.
    let other = world.cast().await;
    let data = other
        .host
        .call(host, json!({"id": booked.id}))
        .await
        .unwrap();
    assert_eq!(reason(&data, "hostJoinDetails"), "NOT_FOUND");
    world.stop().await;
}

async fn join_details_are_sealed_at_rest(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    // The passcode is too short to be looked for in bytes that are random.
    let secrets = secrets(&cast, &booked).await.into_iter().take(2);
    let secrets: Vec<_> = secrets.collect();
    let guest = cast.arrive(&booked, 0).await;
    let folder = world.stop().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        // The simulator is the provider: it knows its own links.
        if path.is_dir() || path.ends_with("simulator.json") {
            continue;
        }
        // SQLite removes its side files when the last connection closes, which may be now.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        for (kind, secret) in ["link", "id", "ticket"]
            .iter()
            .zip(secrets.iter().chain([&guest.ticket]))
        {
            assert!(!holds(secret), "{} holds a {kind}", path.display());
        }
    }
}

//! Who takes a booking when several could.

use std::collections::BTreeMap;

use convene_tests::{Cast, SetUp, World, fault, reason};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DAY_MS;

crate::on_every_world!(
    equal_hosts_share_evenly_under_a_rush,
    a_collective_takes_all_or_nobody,
    skills_tiers_and_known_hosts_are_minded,
    who_is_named_takes_it,
);
crate::on_replicas!(
    equal_hosts_share_evenly_under_a_rush,
    a_collective_takes_all_or_nobody
);

const HALF_HOUR_MS: i64 = 30 * 60_000;

/// A cast with more hosts.
struct Team {
    cast: Cast,
    hosts: Vec<String>,
}

impl Team {
    async fn new(world: &World, hosts: usize, capacity: u32) -> Self {
        let cast = Cast::new(world, capacity).await;
        let mut ids = vec![cast.host_id.clone()];
        for nth in 1..hosts {
            let query = "mutation($key: String!, $name: String!, $user: String!, $capacity: Int!) {
                createHost(input: { idempotencyKey: $key, name: $name, providerUser: $user, capacity: $capacity }) { host { id } } }";
            let input = json!({ "key": Uuid::now_v7(), "name": format!("Host {nth}"), "user": world.user(), "capacity": capacity });
            let made = world.admin.call(query, input).await.unwrap();
            ids.push(
                made["createHost"]["host"]["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        Self { cast, hosts: ids }
    }

    async fn assign(&self, world: &World, assignment: Value) {
        let query = "mutation($id: ID!, $a: AssignmentInput) { setServiceAssignment(input: { serviceId: $id, assignment: $a }) { service { assignment { mode members { hostId weight } } } refusal { reason message } } }";
        let set = world
            .admin
            .call(query, json!({ "id": self.cast.service, "a": assignment }))
            .await;
        assert_eq!(reason(&set.unwrap(), "setServiceAssignment"), "");
    }

    fn equal(&self) -> Vec<Value> {
        self.hosts
            .iter()
            .map(|host| json!({ "hostId": host }))
            .collect()
    }

    /// Books with more or other fields in the wish.
    async fn book(&self, world: &World, ahead_ms: i64, with: Value) -> Value {
        let mut wish = self.cast.wish(world, ahead_ms, 1).await;
        let input = wish["input"].as_object_mut().unwrap();
        input.remove("hostId");
        input.extend(with.as_object().unwrap().clone());
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) {
            booking { id host { id } coHosts { id } } refusal { reason field } alternatives(first: 1) { hostIds } } }";
        self.cast.app.call(query, wish).await.unwrap()["bookMeeting"].take()
    }
}

fn host(answer: &Value) -> String {
    let id = answer["booking"]["host"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn equal_hosts_share_evenly_under_a_rush(set_up: SetUp) {
    let world = World::open(set_up).await;
    let team = Team::new(&world, 4, 1_000).await;
    team.assign(
        &world,
        json!({ "mode": "ROUND_ROBIN", "members": team.equal() }),
    )
    .await;
    let wishes = (0..41).map(|n| team.book(&world, DAY_MS + n * 60_000, json!({})));
    let answers = join_all(wishes).await;
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for answer in &answers {
        *taken.entry(host(answer)).or_default() += 1;
    }
    let (most, least) = (taken.values().max().unwrap(), taken.values().min().unwrap());
    assert!(taken.len() == 4 && most - least <= 1, "{taken:?}");

    // Who loses a booking is asked next, and a repeat of the cancellation changes nothing.
    let lost = answers
        .iter()
        .find(|answer| taken[&host(answer)] == *least)
        .unwrap();
    for key in ["a", "b"] {
        let cancel = "mutation($id: ID!, $key: String!) { cancelBooking(input: { bookingId: $id, idempotencyKey: $key, reason: \"X\" }) { refusal { reason } } }";
        let id = lost["booking"]["id"].clone();
        team.cast
            .app
            .call(cancel, json!({ "id": id, "key": key }))
            .await
            .unwrap();
    }
    let next = team.book(&world, DAY_MS, json!({})).await;
    assert_eq!(host(&next), host(lost));
    world.stop().await;
}

async fn a_collective_takes_all_or_nobody(set_up: SetUp) {
    let world = World::open(set_up).await;
    let team = Team::new(&world, 3, 1).await;
    team.assign(
        &world,
        json!({ "mode": "COLLECTIVE", "members": team.equal() }),
    )
    .await;
    let booked = team.book(&world, DAY_MS, json!({})).await;
    assert_eq!(host(&booked), team.hosts[0], "the first one organises it");
    let others: Vec<_> = team.hosts[1..]
        .iter()
        .map(|id| json!({ "id": id }))
        .collect();
    assert_eq!(booked["booking"]["coHosts"], json!(others));
    // Each of them is taken, by themselves and together, and one who is taken stops all.
    for hosts in [&team.hosts[2..], &team.hosts[1..], &team.hosts[..]] {
        let with = json!({ "hostIds": hosts, "allHosts": true });
        let refused = team.book(&world, DAY_MS + HALF_HOUR_MS / 2, with).await;
        assert_eq!(refused["refusal"]["reason"], "SLOT_TAKEN");
        assert_eq!(refused["alternatives"][0]["hostIds"], json!(hosts));
    }
    let rush = join_all(
        (0..30).map(|n| team.book(&world, 2 * DAY_MS + n % 3 * HALF_HOUR_MS / 3, json!({}))),
    )
    .await;
    let given = rush
        .iter()
        .filter(|answer| answer["refusal"].is_null())
        .count();
    assert_eq!(given, 1, "overlapping wishes for all of them: one gets it");

    // A co-host sees the booking; another host does not.
    let query = "mutation($host: ID!) { createApiKey(input: { name: \"co\", role: HOST, hostId: $host }) { secret } }";
    let key = world
        .admin
        .call(query, json!({ "host": team.hosts[1] }))
        .await
        .unwrap();
    let co_host = world.client(&format!(
        "Bearer {}",
        key["createApiKey"]["secret"].as_str().unwrap()
    ));
    let see = "query($id: ID!) { booking(id: $id) { id } bookings { edges { node { id } } } }";
    let seen = co_host
        .call(see, json!({ "id": booked["booking"]["id"] }))
        .await
        .unwrap();
    assert_eq!(seen["booking"]["id"], booked["booking"]["id"]);
    assert_eq!(seen["bookings"]["edges"].as_array().unwrap().len(), 2);
    let alone = team
        .book(&world, 3 * DAY_MS, json!({ "hostId": team.hosts[2] }))
        .await;
    let unseen = co_host
        .answer(see, json!({ "id": alone["booking"]["id"] }))
        .await
        .unwrap();
    assert_eq!(fault(&unseen), "NOT_FOUND");

    // Called off, all of them are free again.
    let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id, idempotencyKey: \"c\", reason: \"X\" }) { refusal { reason } } }";
    team.cast
        .app
        .call(cancel, json!({ "id": booked["booking"]["id"] }))
        .await
        .unwrap();
    let again = team.book(&world, DAY_MS, json!({})).await;
    assert_eq!(again["booking"]["coHosts"], json!(others));
    world.drained().await;
    world.stop().await;
}

async fn skills_tiers_and_known_hosts_are_minded(set_up: SetUp) {
    let world = World::open(set_up).await;
    let team = Team::new(&world, 3, 1).await;
    let members = json!([
        { "hostId": team.hosts[0], "skills": ["french"] },
        { "hostId": team.hosts[1], "skills": ["french", "law"], "tier": 1 },
        { "hostId": team.hosts[2], "tier": 2 },
    ]);
    team.assign(
        &world,
        json!({ "mode": "ROUND_ROBIN", "sticky": true, "members": members }),
    )
    .await;
    let person = |email: &str| json!({ "guests": [{ "name": "G", "email": email }] });
    let law = team
        .book(
            &world,
            DAY_MS,
            json!({ "skills": ["law"], "guests": person("ada@guest.example")["guests"] }),
        )
        .await;
    assert_eq!(host(&law), team.hosts[1]);
    let chess = team
        .book(&world, DAY_MS, json!({ "skills": ["chess"] }))
        .await;
    assert_eq!(chess["refusal"]["reason"], "NO_HOST_WITH_SKILLS");
    // Tiers in order, as they are taken; then nobody is left.
    let tiers = [Some(0), Some(2), None];
    for wanted in tiers {
        let answer = team.book(&world, DAY_MS, person("new@guest.example")).await;
        match wanted {
            Some(nth) => assert_eq!(host(&answer), team.hosts[nth]),
            None => assert_eq!(answer["refusal"]["reason"], "SLOT_TAKEN"),
        }
    }
    // Ada meets whom she knows, though that host is of a later tier; others do not.
    let again = team
        .book(&world, 2 * DAY_MS, person("ada@guest.example"))
        .await;
    assert_eq!(host(&again), team.hosts[1]);
    let other = team
        .book(&world, 2 * DAY_MS, person("bob@guest.example"))
        .await;
    assert_eq!(host(&other), team.hosts[0]);
    world.stop().await;
}

async fn who_is_named_takes_it(set_up: SetUp) {
    let world = World::open(set_up).await;
    let team = Team::new(&world, 3, 1).await;
    // Without an assignment hosts are named, and the next one helps out.
    let nobody = team.book(&world, DAY_MS, json!({})).await;
    assert_eq!(
        (&nobody["refusal"]["reason"], &nobody["refusal"]["field"]),
        (&json!("HOST_MISSING"), &json!("hostId"))
    );
    let pair = json!({ "hostIds": team.hosts[..2] });
    let [one, two, none] = [
        team.book(&world, DAY_MS, pair.clone()).await,
        team.book(&world, DAY_MS, pair.clone()).await,
        team.book(&world, DAY_MS, pair).await,
    ];
    assert_eq!(
        (host(&one), host(&two)),
        (team.hosts[0].clone(), team.hosts[1].clone())
    );
    assert_eq!(none["refusal"]["reason"], "SLOT_TAKEN");
    // With one, whoever is not a member takes nothing.
    team.assign(
        &world,
        json!({ "mode": "SINGLE", "members": [{ "hostId": team.hosts[2] }] }),
    )
    .await;
    assert_eq!(
        host(&team.book(&world, DAY_MS, json!({})).await),
        team.hosts[2]
    );
    let stranger = team
        .book(&world, 2 * DAY_MS, json!({ "hostId": team.hosts[0] }))
        .await;
    assert_eq!(stranger["refusal"]["reason"], "HOST_NOT_ASSIGNED");
    let set = "mutation($id: ID!, $a: AssignmentInput) { set: setServiceAssignment(input: { serviceId: $id, assignment: $a }) { refusal { reason field } } }";
    for (assignment, reason) in [
        (
            json!({ "mode": "SINGLE", "members": team.equal() }),
            "MEMBERS_OUT_OF_RANGE",
        ),
        (
            json!({ "mode": "COLLECTIVE", "members": [{ "hostId": team.hosts[0], "weight": 101 }] }),
            "SHARE_OUT_OF_RANGE",
        ),
        (
            json!({ "mode": "COLLECTIVE", "members": [{ "hostId": team.cast.service }] }),
            "WRONG_ID_TYPE",
        ),
    ] {
        let answer = world
            .admin
            .call(set, json!({ "id": team.cast.service, "a": assignment }))
            .await
            .unwrap();
        assert_eq!(answer["set"]["refusal"]["reason"], reason);
    }
    world.stop().await;
}

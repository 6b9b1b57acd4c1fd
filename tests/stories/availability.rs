//! What can be booked, said before, explained, and held to when it is booked.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use convene_tests::{Caller, Cast, SetUp, World, fault, reason};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

crate::on_every_world!(
    slots_are_listed_explained_and_booked_by_the_same_rules,
    hours_may_be_shared_and_changed,
    caps_hold_however_many_ask,
    what_makes_no_sense_is_refused_with_its_field,
);
crate::on_replicas!(caps_hold_however_many_ask);

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A service of half an hour with limits, and hosts of one meeting at a time with hours.
struct Practice {
    cast: Cast,
    hosts: Vec<String>,
    /// A Monday, midnight in Berlin, more than a week ahead.
    monday: DateTime<Utc>,
}

async fn schedule(admin: &Caller, hours: Value) -> String {
    let query = "mutation($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } refusal { reason message } } }";
    let input =
        json!({ "input": { "idempotencyKey": Uuid::now_v7(), "name": "Hours", "hours": hours } });
    let made = admin.call(query, input).await.unwrap();
    made["createSchedule"]["schedule"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{made}"))
        .to_owned()
}

/// Monday to Friday, nine to twelve and one to five, in Berlin.
fn office() -> Value {
    let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"];
    let weekly = days.iter().flat_map(|day| {
        [("09:00", "12:00"), ("13:00", "17:00")]
            .map(|(from, to)| json!({ "day": day, "from": from, "to": to }))
    });
    json!({ "zone": "W. Europe Standard Time", "weekly": weekly.collect::<Vec<_>>() })
}

impl Practice {
    async fn new(world: &World, hosts: usize, limits: Value) -> Self {
        let cast = world.cast().await;
        let hours = schedule(&world.admin, office()).await;
        let mut ids = vec![cast.host_id.clone()];
        for nth in 1..hosts {
            let query = "mutation($key: String!, $name: String!) { createHost(input: { idempotencyKey: $key, name: $name, providerUser: \"host@clinic.example\" }) { host { id } } }";
            let input = json!({ "key": Uuid::now_v7(), "name": format!("Host {nth}") });
            let made = world.admin.call(query, input).await.unwrap();
            ids.push(
                made["createHost"]["host"]["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        for host in &ids {
            let query = "mutation($host: ID!, $hours: ID!) { setHostAvailability(input: { hostId: $host, availability: { scheduleIds: [$hours] } }) { host { availability { scheduleIds } } refusal { reason } } }";
            let set = world
                .admin
                .call(query, json!({ "host": host, "hours": hours }))
                .await
                .unwrap();
            assert_eq!(
                set["setHostAvailability"]["host"]["availability"]["scheduleIds"],
                json!([hours])
            );
        }
        let practice = Self {
            monday: monday(world.now().await),
            hosts: ids,
            cast,
        };
        practice.limit(&world.admin, limits).await;
        practice
    }

    async fn limit(&self, admin: &Caller, limits: Value) {
        let query = "mutation($id: ID!, $limits: ServiceAvailabilityInput!) { setServiceAvailability(input: { serviceId: $id, availability: $limits }) { service { id } refusal { reason message } } }";
        let set = admin
            .call(query, json!({ "id": self.cast.service, "limits": limits }))
            .await;
        assert_eq!(reason(&set.unwrap(), "setServiceAvailability"), "");
    }

    async fn slots(&self, hosts: &[String], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Value> {
        let query = "query($service: ID!, $hosts: [ID!]!, $from: DateTime!, $to: DateTime!) {
            availableSlots(serviceId: $service, hostIds: $hosts, from: $from, to: $to, zone: \"Europe/Berlin\", first: 5000) {
              zone hasMore slots { start end localStart hostIds } } }";
        let variables =
            json!({ "service": self.cast.service, "hosts": hosts, "from": from, "to": to });
        let mut data = self.cast.app.call(query, variables).await.unwrap();
        assert_eq!(data["availableSlots"]["hasMore"], false);
        let slots = data["availableSlots"]["slots"].take();
        serde_json::from_value(slots).unwrap()
    }

    async fn explain(&self, hosts: &[String], start: DateTime<Utc>) -> Value {
        let query = "query($service: ID!, $hosts: [ID!]!, $start: DateTime!) {
            explainSlot(serviceId: $service, hostIds: $hosts, start: $start) { offered
              verdicts { rule holds says } hosts { hostId free verdicts { rule holds says scheduleIds bookingIds } } } }";
        let variables = json!({ "service": self.cast.service, "hosts": hosts, "start": start });
        self.cast.app.call(query, variables).await.unwrap()["explainSlot"].take()
    }

    async fn book(&self, host: &str, start: DateTime<Utc>) -> Value {
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) {
            booking { id state } refusal { reason field } alternatives(first: 2, zone: \"Europe/Berlin\") { localStart } } }";
        let input = json!({ "input": {
            "idempotencyKey": Uuid::now_v7(), "serviceId": self.cast.service, "hostId": host, "start": start,
            "guests": [{ "name": "Guest", "email": "guest@guest.example" }],
        } });
        self.cast.app.call(query, input).await.unwrap()["bookMeeting"].take()
    }
}

/// The second Monday from now, midnight in Berlin: far from a change of the clock or not, the wall decides.
fn monday(now: DateTime<Utc>) -> DateTime<Utc> {
    use chrono::Datelike as _;
    let berlin = convene_domain::availability::Zone::named("Europe/Berlin").unwrap();
    let date =
        now.date_naive() + Duration::days(14 - i64::from(now.weekday().num_days_from_monday()));
    let at = berlin.first_from(date.and_hms_opt(0, 0, 0).unwrap());
    DateTime::from_timestamp_millis(at.as_millis()).unwrap()
}

fn start(slot: &Value) -> DateTime<Utc> {
    slot["start"].as_str().unwrap().parse().unwrap()
}

fn broken(verdicts: &Value) -> Vec<&str> {
    let all = verdicts.as_array().unwrap().iter();
    let broken = all.filter(|one| one["holds"] == false);
    broken.map(|one| one["rule"].as_str().unwrap()).collect()
}

async fn slots_are_listed_explained_and_booked_by_the_same_rules(set_up: SetUp) {
    let world = World::open(set_up).await;
    let limits = json!({ "zone": "Europe/Berlin", "stepMs": 30 * MINUTE_MS, "minimumNoticeMs": 24 * HOUR_MS, "horizonMs": 30 * 24 * HOUR_MS });
    let practice = Practice::new(&world, 2, limits).await;
    let (monday, hosts) = (practice.monday, &practice.hosts);
    let day = monday + Duration::hours(24);

    // Seven hours of half-hours, none over lunch, none at night.
    let slots = practice.slots(hosts, monday, day).await;
    let clock: Vec<_> = slots
        .iter()
        .map(|slot| slot["localStart"].as_str().unwrap()[11..16].to_owned())
        .collect();
    assert_eq!(clock.len(), 14, "{clock:?}");
    assert_eq!(
        (&*clock[0], &*clock[5], &*clock[6], &*clock[13]),
        ("09:00", "11:30", "13:00", "16:30")
    );
    assert_eq!(slots[0]["hostIds"], json!(hosts));

    // One of the two is taken at nine: the other one is left, and the booking is the reason.
    let nine = start(&slots[0]);
    let booked = practice.book(&hosts[0], nine).await;
    assert_eq!(booked["booking"]["state"], "CONFIRMED", "{booked}");
    assert_eq!(
        practice.slots(hosts, monday, day).await[0]["hostIds"],
        json!([hosts[1]])
    );
    let taken = practice.explain(hosts, nine).await;
    assert_eq!(taken["offered"], true);
    assert_eq!(broken(&taken["hosts"][0]["verdicts"]), ["CAPACITY"]);
    let capacity = &taken["hosts"][0]["verdicts"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()["bookingIds"];
    assert_eq!(capacity, &json!([booked["booking"]["id"]]));

    // What is listed can be booked, and what is not is refused for the rule that the explanation names.
    let offered: Vec<_> = practice
        .slots(&hosts[..1], monday, day)
        .await
        .iter()
        .map(start)
        .collect();
    let rules: BTreeMap<_, _> = [
        ("STEP", "OFF_STEP"),
        ("NOTICE", "NOTICE_TOO_SHORT"),
        ("HORIZON", "BEYOND_HORIZON"),
        ("HOST_HOURS", "OUTSIDE_HOURS"),
        ("CAPACITY", "SLOT_TAKEN"),
    ]
    .into_iter()
    .collect();
    let soon = world.now().await + Duration::hours(3);
    let half_hour = Duration::minutes(30);
    let soon = chrono::DurationRound::duration_trunc(soon, half_hour).unwrap();
    let mut seen = Vec::new();
    for wish in [
        nine,
        nine + Duration::minutes(30),
        nine + Duration::minutes(15),
        monday + Duration::hours(12),
        monday,
        monday + Duration::days(42) + Duration::hours(9),
        soon,
    ] {
        let explained = practice.explain(&hosts[..1], wish).await;
        let says = [
            broken(&explained["verdicts"]),
            broken(&explained["hosts"][0]["verdicts"]),
        ]
        .concat();
        assert_eq!(explained["offered"] == true, says.is_empty());
        if wish >= monday && wish < day {
            assert_eq!(
                offered.contains(&wish),
                says.is_empty(),
                "{wish} {explained}"
            );
        }
        let answer = practice.book(&hosts[0], wish).await;
        match says.first() {
            None => assert_eq!(answer["booking"]["state"], "CONFIRMED", "{answer}"),
            Some(rule) => {
                assert_eq!(answer["refusal"]["reason"], rules[rule], "{answer}");
                assert_eq!(answer["refusal"]["field"], "start");
                seen.push(*rules.get(rule).unwrap());
            }
        }
    }
    for reason in [
        "SLOT_TAKEN",
        "OFF_STEP",
        "OUTSIDE_HOURS",
        "NOTICE_TOO_SHORT",
        "BEYOND_HORIZON",
    ] {
        assert!(seen.contains(&reason), "{reason} of {seen:?}");
    }

    // Who comes too late hears what is left: nine and half past are gone.
    let late = practice.book(&hosts[0], nine).await;
    assert_eq!(late["refusal"]["reason"], "SLOT_TAKEN");
    let left = late["alternatives"].as_array().unwrap().iter();
    let left: Vec<_> = left
        .map(|one| one["localStart"].as_str().unwrap()[11..16].to_owned())
        .collect();
    assert_eq!(left, ["10:00", "10:30"]);

    // A host sees its own slots and nobody else's.
    let query = "query($service: ID!, $hosts: [ID!]!, $from: DateTime!, $to: DateTime!) { availableSlots(serviceId: $service, hostIds: $hosts, from: $from, to: $to) { slots { hostIds } } }";
    let asked = |hosts: &[String]| json!({ "service": practice.cast.service, "hosts": hosts, "from": monday, "to": day });
    let own = practice.cast.host.call(query, asked(&[])).await.unwrap();
    assert_eq!(
        own["availableSlots"]["slots"][0]["hostIds"],
        json!([hosts[0]])
    );
    let others = practice
        .cast
        .host
        .answer(query, asked(&hosts[1..]))
        .await
        .unwrap();
    assert_eq!(fault(&others), "NOT_FOUND");
    world.stop().await;
}

async fn hours_may_be_shared_and_changed(set_up: SetUp) {
    let world = World::open(set_up).await;
    let practice = Practice::new(&world, 2, json!({ "stepMs": 30 * MINUTE_MS })).await;
    let (monday, hosts) = (practice.monday, &practice.hosts);
    let week = monday + Duration::days(7);
    assert_eq!(practice.slots(hosts, monday, week).await.len(), 5 * 14);

    // The practice itself is open on Mondays only, but for one hour of it.
    let blackout =
        json!([{ "start": monday + Duration::hours(9), "end": monday + Duration::hours(10) }]);
    let hours = json!({ "zone": "Europe/Berlin", "weekly": [{ "day": "MONDAY", "from": "00:00", "to": "24:00" }], "blackouts": blackout });
    let own = schedule(&world.admin, hours).await;
    practice
        .limit(
            &world.admin,
            json!({ "stepMs": 30 * MINUTE_MS, "scheduleIds": [own] }),
        )
        .await;
    assert_eq!(practice.slots(hosts, monday, week).await.len(), 12);
    let closed = practice.explain(hosts, monday + Duration::hours(33)).await;
    assert_eq!(broken(&closed["verdicts"]), ["SERVICE_HOURS"]);

    // The hours that both hosts share change for both; who stands stays.
    let stands = practice.book(&hosts[0], monday + Duration::hours(16)).await;
    assert_eq!(stands["booking"]["state"], "CONFIRMED");
    let shared = "query($id: ID!) { host(id: $id) { availability { scheduleIds } } }";
    let shared = practice
        .cast
        .app
        .call(shared, json!({ "id": hosts[1] }))
        .await
        .unwrap();
    let shared = shared["host"]["availability"]["scheduleIds"][0].clone();
    let query = "mutation($id: ID!, $hours: HoursInput!) { updateSchedule(input: { scheduleId: $id, name: \"Short\", hours: $hours }) { schedule { name zone weekly { day from to } overrides { date windows { from to } } } refusal { reason } } }";
    let date = (monday + Duration::hours(12)).date_naive();
    let hours = json!({ "zone": "Europe/Berlin", "weekly": [], "overrides": [{ "date": date, "windows": [{ "from": "10:00", "to": "11:00" }] }] });
    let updated = world
        .admin
        .call(query, json!({ "id": shared, "hours": hours }))
        .await
        .unwrap();
    let updated = &updated["updateSchedule"]["schedule"];
    assert_eq!(
        (&updated["name"], &updated["weekly"]),
        (&json!("Short"), &json!([]))
    );
    assert_eq!(
        updated["overrides"][0]["windows"],
        json!([{ "from": "10:00", "to": "11:00" }])
    );
    let left = practice.slots(hosts, monday, week).await;
    assert_eq!(left.len(), 2);
    assert_eq!(left[0]["hostIds"], json!(hosts));
    let see = "query($id: ID!) { booking(id: $id) { state } }";
    let seen = practice
        .cast
        .app
        .call(see, json!({ "id": stands["booking"]["id"] }))
        .await
        .unwrap();
    assert_eq!(seen["booking"]["state"], "CONFIRMED");
    world.stop().await;
}

async fn caps_hold_however_many_ask(set_up: SetUp) {
    let world = World::open(set_up).await;
    let limits = json!({ "zone": "Europe/Berlin", "stepMs": 30 * MINUTE_MS, "maxPerDay": 3, "maxPerWeek": 5 });
    let practice = Practice::new(&world, 1, limits).await;
    let (monday, host) = (practice.monday, practice.hosts[0].clone());
    let slots = practice
        .slots(&practice.hosts, monday, monday + Duration::days(7))
        .await;
    let wishes: Vec<_> = slots.iter().map(start).collect();
    let answers = join_all(wishes.iter().map(|wish| practice.book(&host, *wish))).await;
    let mut days: BTreeMap<_, usize> = BTreeMap::new();
    for (wish, answer) in wishes.iter().zip(&answers) {
        match answer["refusal"]["reason"].as_str() {
            None => *days.entry(wish.date_naive()).or_default() += 1,
            Some(reason) => assert!(["DAY_FULL", "WEEK_FULL"].contains(&reason), "{answer}"),
        }
    }
    assert_eq!(
        days.values().sum::<usize>(),
        5,
        "as many as a week may hold: {days:?}"
    );
    assert!(days.values().all(|count| *count <= 3), "{days:?}");
    assert!(
        practice
            .slots(&practice.hosts, monday, monday + Duration::days(7))
            .await
            .is_empty()
    );
    // The week after is another one, and who cancels makes room.
    assert!(
        !practice
            .slots(
                &practice.hosts,
                monday + Duration::days(7),
                monday + Duration::days(8)
            )
            .await
            .is_empty()
    );
    let booked = answers
        .iter()
        .find_map(|answer| answer["booking"]["id"].as_str())
        .unwrap();
    let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id, idempotencyKey: \"c\", reason: \"X\" }) { refusal { reason } } }";
    practice
        .cast
        .app
        .call(cancel, json!({ "id": booked }))
        .await
        .unwrap();
    assert!(
        !practice
            .slots(&practice.hosts, monday, monday + Duration::days(7))
            .await
            .is_empty()
    );
    world.stop().await;
}

async fn what_makes_no_sense_is_refused_with_its_field(set_up: SetUp) {
    let world = World::open(set_up).await;
    let practice = Practice::new(&world, 1, json!({})).await;
    let set = "mutation($id: ID!, $limits: ServiceAvailabilityInput!) { set: setServiceAvailability(input: { serviceId: $id, availability: $limits }) { refusal { reason field } } }";
    let hours = "mutation($id: ID!, $limits: HoursInput!) { set: createSchedule(input: { idempotencyKey: $id, name: \"x\", hours: $limits }) { refusal { reason field } } }";
    let window =
        |from: &str, to: &str| json!({ "weekly": [{ "day": "MONDAY", "from": from, "to": to }] });
    for (query, value, reason, field) in [
        (
            set,
            json!({ "zone": "Middle Earth Time" }),
            "ZONE_UNKNOWN",
            json!("zone"),
        ),
        (
            set,
            json!({ "stepMs": 1 }),
            "STEP_OUT_OF_RANGE",
            json!(null),
        ),
        (set, json!({ "stepMs": 0 }), "OUT_OF_RANGE", json!("stepMs")),
        (
            set,
            json!({ "horizonMs": 400 * 366 * 24 * HOUR_MS }),
            "AHEAD_OUT_OF_RANGE",
            json!(null),
        ),
        (
            set,
            json!({ "scheduleIds": [practice.cast.service] }),
            "WRONG_ID_TYPE",
            json!("scheduleIds"),
        ),
        (
            hours,
            json!({ "zone": "x".repeat(10_000) }),
            "ZONE_UNKNOWN",
            json!("zone"),
        ),
        (
            hours,
            window("9", "17:00"),
            "TIME_OF_DAY_MALFORMED",
            json!("weekly[0]"),
        ),
        (
            hours,
            window("22:00", "06:00"),
            "WINDOW_EMPTY",
            json!("weekly[0]"),
        ),
        (
            hours,
            json!({ "overrides": [{ "date": "2031-02-30", "windows": [] }] }),
            "DATE_MALFORMED",
            json!("overrides[0].date"),
        ),
    ] {
        let answer = world
            .admin
            .call(
                query,
                json!({ "id": practice.cast.service, "limits": value }),
            )
            .await
            .unwrap();
        assert_eq!(
            answer["set"]["refusal"]["reason"], reason,
            "{value}: {answer}"
        );
        assert_eq!(answer["set"]["refusal"]["field"], field, "{answer}");
    }
    // Questions have bounds too.
    let query = "query($service: ID!, $to: DateTime!, $first: Int!) { availableSlots(serviceId: $service, from: \"2031-01-01T00:00:00Z\", to: $to, first: $first) { slots { start } } }";
    for (to, first, reason) in [
        ("2031-01-01T00:00:00Z", 1, "SPAN_EMPTY"),
        ("2031-06-01T00:00:00Z", 1, "WINDOW_TOO_LONG"),
        ("2031-01-02T00:00:00Z", 5_001, "OUT_OF_RANGE"),
        ("2031-01-02T00:00:00Z", 0, "OUT_OF_RANGE"),
    ] {
        let variables = json!({ "service": practice.cast.service, "to": to, "first": first });
        let answer = practice.cast.app.answer(query, variables).await.unwrap();
        assert_eq!(fault(&answer), reason, "{answer}");
    }
    for client in [&practice.cast.app, &practice.cast.host] {
        let answer = client
            .answer(set, json!({ "id": practice.cast.service, "limits": {} }))
            .await
            .unwrap();
        assert_eq!(fault(&answer), "FORBIDDEN");
    }
    world.stop().await;
}

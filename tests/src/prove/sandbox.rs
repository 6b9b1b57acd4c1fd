//! The sandbox under fire: modules that mean harm are brought to the real thing, one after the other; a tenant beside goes on letting its guests in by a
//! plugin of its own, while the house compiles and runs them.

use std::{
    fmt,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use convene::graphql::Client;
use convene_plugin_fixtures::{
    Lobby as Module, case,
    hostile::{refused, stopped},
};
use serde_json::{Value, json};

use super::{Wanted, ended, house::House, tenants_of};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(50);
/// More than this, in MiB, the house may not hold afterwards than before: 28 bombs of 32 MiB and all that was compiled would show.
const GROWN_MIB_MAX: u64 = 512;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Modules that were not taken, each under its own name.
    pub refused: usize,
    /// Modules that were taken, and stopped each for its own reason; nobody was let in.
    pub stopped: usize,
    /// Guests of the tenant beside who were let in meanwhile.
    pub neighbours: usize,
    /// What the house holds more than before, in MiB; 0 where the system does not tell.
    pub grown_mib: u64,
    /// What went wrong.
    pub violations: Vec<String>,
    /// How long it took, in milliseconds.
    pub millis: u128,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SANDBOX hostile={} refused={} stopped={} neighbours={} grown_mib={} violations={}",
            self.refused + self.stopped,
            self.refused,
            self.stopped,
            self.neighbours,
            self.grown_mib,
            self.violations.len()
        )
    }
}

/// Brings every hostile module there is. `Err` when the world does not even start.
pub async fn sandbox(wanted: &Wanted, progress: impl Fn(&str)) -> Result<Tried, String> {
    let begun = Instant::now();
    let mut keys = Vec::new();
    let house = House::start(wanted, async |place| keys = tenants_of(place, 2).await);
    let house = house.await?;
    let playing = async {
        let mut tried = Tried::default();
        if let Err(why) = play(&house, &keys, &mut tried, &progress).await {
            tried.violations.push(why);
        }
        for name in house.fallen().await {
            let what = format!("{name} ended although nobody killed it");
            tried.violations.push(what);
        }
        if let Err(why) = house.verify() {
            let what = format!("the audit does not verify: {why}");
            tried.violations.push(what);
        }
        tried
    };
    let mut tried = ended(&house, playing).await?;
    tried.millis = begun.elapsed().as_millis();
    Ok(tried)
}

async fn play(
    house: &House,
    keys: &[(String, String)],
    tried: &mut Tried,
    progress: &impl Fn(&str),
) -> Result<(), String> {
    let stopped = stopped();
    let (attacker, neighbour) = (&keys[0].1, &keys[1].1);
    let attacker = Tenant::new(house, attacker, stopped.len()).await?;
    let neighbour = Tenant::new(house, neighbour, stopped.len()).await?;
    let good = neighbour.take(Module::always(case::ADMIT, "VIP").build(), "good");
    good.await?;
    let before = house.resident().await;
    for (what, module, name) in refused() {
        match attacker.take(module, "refused").await {
            Err(reason) if reason == name => tried.refused += 1,
            other => {
                let what = format!("{what}: {other:?} instead of {name}");
                tried.violations.push(what);
            }
        }
    }
    progress(&format!("sandbox: {} modules refused", tried.refused));
    for (nth, (what, module, reason)) in stopped.into_iter().enumerate() {
        let (stop, admit) = futures_util::future::join(
            attacker.stops(nth, module.build(), reason),
            neighbour.admits(nth),
        )
        .await;
        match stop {
            Ok(()) => tried.stopped += 1,
            Err(why) => tried.violations.push(format!("{what}: {why}")),
        }
        match admit {
            Ok(()) => tried.neighbours += 1,
            Err(why) => tried.violations.push(format!("beside {what}: {why}")),
        }
    }
    progress(&format!("sandbox: {} modules stopped", tried.stopped));
    tried.grown_mib = house.resident().await.saturating_sub(before) >> 20;
    if tried.grown_mib > GROWN_MIB_MAX {
        let what = format!("the house holds {} MiB more than before", tried.grown_mib);
        tried.violations.push(what);
    }
    Ok(())
}

/// A tenant with one lobby and guests who are about to arrive.
struct Tenant {
    admin: Client,
    guests: Vec<Guest>,
}

struct Guest {
    client: Client,
    visit: String,
}

fn at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Tenant {
    async fn new(house: &House, key: &str, guests: usize) -> Result<Self, String> {
        let open = |authorization: &str| {
            Client::new(&house.door(0), authorization).map_err(|error| error.to_string())
        };
        let admin = open(&format!("Bearer {key}"))?;
        let query = "mutation($user: String!) {
            createService(input: { idempotencyKey: \"s\", name: \"First visit\", durationMs: 1800000 }) { service { id } }
            createHost(input: { idempotencyKey: \"h\", name: \"Front desk\", providerUser: $user, capacity: 1 }) { host { id } } }";
        let user = json!({ "user": house.cloud.organizer().await });
        let made = asked(&admin, query, user).await?;
        let clock = asked(&admin, "{ clock { businessTime } }", json!({})).await?;
        let now: DateTime<Utc> = at(&clock, "/clock/businessTime")
            .parse()
            .map_err(|error| format!("no clock: {error}"))?;
        let names: Vec<_> = (0..guests)
            .map(
                |n| json!({ "name": format!("Guest {n}"), "email": format!("g{n}@guest.example") }),
            )
            .collect();
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) {
            booking { id guests { id } } refusal { message } } }";
        let input = json!({ "input": {
            "idempotencyKey": "b", "serviceId": at(&made, "/createService/service/id"), "hostId": at(&made, "/createHost/host/id"),
            "start": (now + TimeDelta::days(1)).to_rfc3339(), "guests": names, "waitForMeetingMs": 10_000,
        } });
        let booked = asked(&admin, query, input).await?;
        let booking = at(&booked, "/bookMeeting/booking/id").to_owned();
        if booking.is_empty() {
            return Err(format!("no booking: {booked}"));
        }
        let query = "query($id: ID!) { booking(id: $id) { lobby { state } } }";
        eventually("the lobby opens", async || {
            let seen = asked(&admin, query, json!({ "id": booking })).await?;
            Ok((at(&seen, "/booking/lobby/state") == "OPEN").then_some(()))
        })
        .await?;
        let ids = booked.pointer("/bookMeeting/booking/guests");
        let mut invited = Vec::new();
        for guest in ids.and_then(Value::as_array).into_iter().flatten() {
            let query = "mutation($b: ID!, $g: ID!) { issueTicket(input: { bookingId: $b, guestId: $g }) { ticket visitId } }";
            let issued = asked(&admin, query, json!({ "b": booking, "g": guest["id"] })).await?;
            invited.push(Guest {
                client: open(&format!("Ticket {}", at(&issued, "/issueTicket/ticket")))?,
                visit: at(&issued, "/issueTicket/visitId").to_owned(),
            });
        }
        Ok(Self {
            admin,
            guests: invited,
        })
    }

    /// Uploads, publishes and binds a module for all arrivals; `Err` is the reason of the refusal.
    async fn take(&self, module: Vec<u8>, version: &str) -> Result<(), String> {
        let digest = self.admin.upload_module(module).await;
        let digest = digest.map_err(|error| error.reason.to_string())?;
        let query = "mutation($digest: String!, $version: String!) {
            publishPlugin(input: { digest: $digest, name: \"door\", version: $version }) { refusal { reason } } }";
        let variables = json!({ "digest": digest, "version": version });
        let published = asked(&self.admin, query, variables).await?;
        let query = "mutation($digest: String!) {
            bindPlugin(input: { scope: TENANT, digest: $digest, timeMs: 5000 }) { refusal { reason } } }";
        for (mutation, answer) in [
            ("publishPlugin", published),
            (
                "bindPlugin",
                asked(&self.admin, query, json!({ "digest": digest })).await?,
            ),
        ] {
            match at(&answer, &format!("/{mutation}/refusal/reason")) {
                "" => {}
                reason => return Err(reason.to_owned()),
            }
        }
        Ok(())
    }

    /// A module is taken and asked about a guest; it brings no verdict, and the guest waits for a host.
    async fn stops(&self, nth: usize, module: Vec<u8>, reason: &str) -> Result<(), String> {
        self.take(module, &format!("{nth}")).await?;
        let guest = &self.guests[nth];
        guest.enter().await?;
        let query = "query($id: ID!) { node(id: $id) { ... on Visit { state pluginCalls { verdict subject } } } }";
        let seen = eventually("the plugin is asked", async || {
            let seen = asked(&self.admin, query, json!({ "id": guest.visit })).await?;
            let asked = seen["node"]["pluginCalls"][0].is_object();
            Ok(asked.then_some(seen))
        })
        .await?;
        let call = &seen["node"]["pluginCalls"][0];
        if (at(call, "/verdict"), at(call, "/subject")) != ("FAULT", reason) {
            return Err(format!("{call} instead of {reason}"));
        }
        let query = "mutation { joinDetails { joinDetails { joinUrl } } }";
        let joined = guest.client.answer(query, json!({})).await;
        let joined = joined.map_err(|error| error.to_string())?;
        let waits = at(&seen, "/node/state") == "WAITING";
        match waits && joined["data"]["joinDetails"]["joinDetails"].is_null() {
            true => Ok(()),
            false => Err(format!("somebody was let in: {seen} {joined}")),
        }
    }

    /// A guest arrives, and the good plugin lets the guest in.
    async fn admits(&self, nth: usize) -> Result<(), String> {
        let guest = &self.guests[nth];
        guest.enter().await?;
        eventually("the guest beside is let in", async || {
            let seen = asked(&guest.client, "{ visit { state } }", json!({})).await?;
            Ok((at(&seen, "/visit/state") == "ADMITTED").then_some(()))
        })
        .await
    }
}

impl Guest {
    async fn enter(&self) -> Result<(), String> {
        let query = "mutation { enterLobby { refusal { reason } } }";
        let entered = asked(&self.client, query, json!({})).await?;
        match at(&entered, "/enterLobby/refusal/reason") {
            "" => Ok(()),
            reason => Err(format!("the guest cannot enter: {reason}")),
        }
    }
}

async fn asked(client: &Client, query: &str, variables: Value) -> Result<Value, String> {
    let answer = client.call(query, variables).await;
    answer.map_err(|error| format!("{}: {}", error.reason, error.message))
}

async fn eventually<T>(
    what: &str,
    look: impl AsyncFn() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(format!("{what}: not within {} s", PATIENCE.as_secs()))
}

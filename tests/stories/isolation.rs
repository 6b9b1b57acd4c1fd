//! Every field of the public API, asked by one tenant's callers with another tenant's ids: nothing is told, nothing changes.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use convene_plugin_fixtures::{Lobby as Module, case};
use convene_tests::{Booked, Caller, Cast, Guest, SetUp, Values, World, fault, schema::Schema};
use serde_json::{Value, json};

use crate::{DAY_MS, tenancy::other_tenant};

crate::on_every_world!(no_field_tells_or_changes_what_is_anothers);

/// Rounds over all fields.
const ROUNDS: u64 = 3;
/// Rounds at the most, for the questions that a chance id seldom fits.
const ROUNDS_MAX: u64 = 40;
/// They name no object, and a development node has one clock for all tenants.
const CLOCK: [&str; 2] = ["advanceClock", "resetClock"];

/// Reasons that would mean that a question was no question, or that something of ours broke.
const BROKEN: [&str; 6] = [
    "INTERNAL",
    "INVALID_DOCUMENT",
    "DOCUMENT_TOO_LARGE",
    "QUERY_TOO_COMPLEX",
    "QUERY_TOO_DEEP",
    "TOO_MANY_SELECTIONS",
];

/// A tenant in the middle of an appointment.
pub struct Tenant {
    admin: Caller,
    pub cast: Cast,
    pub booked: Booked,
    waiting: Guest,
    /// Global id of a webhook endpoint; nobody listens there.
    endpoint: String,
    /// Global id of a plugin binding.
    binding: String,
}

/// A plugin of the tenant's own, asked about its guests, and only written down.
async fn shadow(admin: &Caller, host: &str) -> String {
    let own = format!(r#"(data (i32.const 4096) "{host}")"#);
    let module = Module::always(case::WAIT, "WELCOME").items(&own).build();
    let digest = admin.upload_module(module).await.unwrap();
    let query = "mutation($digest: String!) {
        publishPlugin(input: { digest: $digest, name: \"door\", version: \"1\" }) { refusal { reason } }
        bindPlugin(input: { scope: TENANT, digest: $digest, shadow: true }) { binding { id } } }";
    let bound = admin
        .call(query, json!({ "digest": digest }))
        .await
        .unwrap();
    let id = bound["bindPlugin"]["binding"]["id"].as_str();
    id.unwrap().to_owned()
}

impl Tenant {
    pub async fn new(world: &World, admin: &Caller) -> Self {
        let cast = Cast::of(world, admin, 1).await;
        let query = "mutation { createWebhookEndpoint(input: { idempotencyKey: \"w\", url: \"http://127.0.0.1:9999/\" }) { endpoint { id } } }";
        let made = admin.call(query, json!({})).await.unwrap();
        let endpoint = made["createWebhookEndpoint"]["endpoint"]["id"].as_str();
        let query = "mutation { createSchedule(input: { idempotencyKey: \"s\", name: \"Hours\", hours: {} }) { schedule { id } } }";
        admin.call(query, json!({})).await.unwrap();
        let binding = shadow(admin, &cast.host_id).await;
        let booked = cast.book(world, DAY_MS, 2).await;
        let inside = cast.arrive(&booked, 0).await;
        cast.decide("admitVisit", &inside).await;
        inside.join_details().await;
        let waiting = cast.arrive(&booked, 1).await;
        Self {
            admin: admin.clone(),
            cast,
            booked,
            waiting,
            endpoint: endpoint.unwrap().to_owned(),
            binding,
        }
    }

    /// All that an admin can see.
    pub async fn dump(&self) -> Value {
        let query = "query($id: ID!, $hooks: ID!, $plugin: ID!) {
            pluginModules { digest name version } pluginCalls(bindingId: $plugin, first: 3) { id verdict }
            pluginBindings { id enabled onFault active { digest } previous { digest } shadow { digest } }
            webhookEndpoints { id url enabled overlapUntil } webhookDeliveries(endpointId: $hooks, first: 2) { edges { node { id } } }
            services { edges { node { id name availability { stepMs scheduleIds } } } }
            hosts { edges { node { id name availability { scheduleIds } } } }
            schedules { edges { node { id name zone weekly { day from to } blackouts { start } } } }
            bookings { edges { node { id state version } } }
            booking(id: $id) { id state version guests { id } meeting { id state holders } recordings { id }
                lobby { id state visits { id state position } } }
            auditTrail(bookingId: $id) { events { objectId type seq actor hash } } }";
        let variables =
            json!({ "id": self.booked.id, "hooks": self.endpoint, "plugin": self.binding });
        self.admin.call(query, variables).await.unwrap()
    }

    /// The keys and whether they hold. Asked for apart: who plays with a tenant's own ids would lose its keys.
    async fn keys(&self) -> Value {
        let query = "{ apiKeys(first: 100) { edges { node { id name revokedAt } } } }";
        self.admin.call(query, json!({})).await.unwrap()
    }

    fn callers(&self) -> [&Caller; 4] {
        let (app, host) = (&self.cast.app, &self.cast.host);
        [&self.admin, app, host, &self.waiting.client]
    }
}

/// All global ids in a value.
pub fn ids(value: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found.into_iter().collect()
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(id) if name == "id" => {
                        found.insert(id.clone());
                    }
                    member => collect(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Digests of a dump's modules.
fn digests(dump: &Value) -> Vec<String> {
    let modules = dump["pluginModules"].as_array().into_iter().flatten();
    let digests = modules.filter_map(|module| module["digest"].as_str());
    digests.map(str::to_owned).collect()
}

/// Ids of a stranger, now and then one of the caller's own; by a seed.
pub struct Mixed<'a> {
    pub seed: u64,
    pub foreign: &'a [String],
    pub own: &'a [String],
    /// The stranger's modules.
    pub digests: &'a [String],
}

impl Mixed<'_> {
    /// xorshift64: the same seed asks the same.
    fn next(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        usize::try_from(self.seed % below as u64).unwrap()
    }
}

impl Values for Mixed<'_> {
    fn id(&mut self, _name: &str) -> String {
        let of = match self.next(4) {
            0 => self.own,
            _ => self.foreign,
        };
        of[self.next(of.len())].clone()
    }

    fn text(&mut self, name: &str) -> String {
        match name {
            "idempotencyKey" => format!("key-{}", self.seed),
            "email" => "a@b.example".into(),
            "url" => "https://hooks.example/convene".into(),
            "zone" => "UTC".into(),
            "from" => "09:00".into(),
            "to" => "17:00".into(),
            "date" => "2099-01-01".into(),
            "digest" => self.digests[self.next(self.digests.len())].clone(),
            _ => "x".into(),
        }
    }
}

/// Asks every field, until these have told something; answers how much was asked and the fields that told an id of `foreign` or the link.
async fn play(
    callers: [&Caller; 4],
    (foreign, own, digests): (&[String], &[String], &[String]),
    link: &str,
    until: &[&str],
) -> (u64, BTreeSet<String>) {
    let schema = Schema::of_gateway();
    let (mut asked, mut told) = (0, BTreeSet::<String>::new());
    for round in 1..=ROUNDS_MAX {
        if round > ROUNDS && until.iter().all(|field| told.contains(*field)) {
            break;
        }
        for (root, field) in ["Query", "Mutation"]
            .into_iter()
            .flat_map(|root| schema.fields(root).into_iter().map(move |one| (root, one)))
            .filter(|(_, field)| !CLOCK.contains(&field.as_str()))
        {
            for (nth, caller) in (1u64..).zip(callers) {
                let mut values = Mixed {
                    seed: round * 1_000_003 + nth * 7_919 + asked,
                    foreign,
                    own,
                    digests,
                };
                let query = schema.ask(root, &field, &mut values);
                let answer = caller.answer(&query, json!({})).await.unwrap();
                asked += 1;
                let reason = fault(&answer);
                assert!(!BROKEN.contains(&reason), "{query}: {answer}");
                let data = answer.to_string();
                let mut strange = foreign.iter().chain(digests);
                if data.contains(link) || strange.any(|it| data.contains(it.as_str())) {
                    told.insert(field.clone());
                }
            }
        }
    }
    (asked, told)
}

async fn no_field_tells_or_changes_what_is_anothers(set_up: SetUp) {
    let world = World::open(set_up).await.reopened(other_tenant).await;
    let theirs = Tenant::new(&world, &world.admin).await;
    let ours = Tenant::new(&world, world.other.as_ref().unwrap()).await;
    let link = theirs.cast.host_link(&theirs.booked).await;
    world.drained().await;
    let before = theirs.dump().await;
    let (foreign, own) = (ids(&before), ids(&ours.dump().await));
    let digests = digests(&before);
    assert!(foreign.len() > 8, "objects of every kind: {foreign:?}");
    assert_eq!(digests.len(), 1, "a module of their own");

    let keys = theirs.keys().await;
    let strange = [foreign.clone(), ids(&keys)].concat();
    let (asked, told) = play(ours.callers(), (&strange, &own, &digests), &link, &[]).await;
    assert!(asked > 300, "{asked}");
    assert!(told.is_empty(), "told by {told:?}");
    world.drained().await;
    assert_eq!(theirs.dump().await, before, "nothing of theirs changed");
    assert_eq!(theirs.keys().await, keys, "their keys hold");

    // The questions are good ones: their owner gets answers, and things change.
    // The more ids to choose from, the fewer questions meet the object that they are about: those of webhooks are left out.
    let of_webhooks = |id: &String| BASE64.decode(id).unwrap().starts_with(b"Webhook");
    let few: Vec<_> = foreign.into_iter().filter(|id| !of_webhooks(id)).collect();
    let open = [
        "node",
        "nodes",
        "booking",
        "bookings",
        "host",
        "service",
        "pluginModules",
        "pluginBindings",
    ];
    let (_, told) = play(theirs.callers(), (&few, &few, &digests), &link, &open).await;
    for field in open {
        assert!(told.contains(field), "{field} told its owner nothing");
    }
    assert_ne!(theirs.dump().await, before);
    world.stop().await;
}

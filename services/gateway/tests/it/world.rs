//! A gateway in front of real services. The broker and the recording coordinator serve their feed and clock only.

use convene_domain::TenantId;
use convene_gateway::{Config, Door, KeyRole, NewApiKey, Peers, create_api_key, made_by};
use convene_kit::{
    Clock, Db, Deps, Error, Result, Role,
    caller::Callers,
    keys::Keys,
    local::{self, Incoming},
};
use convene_migrations as migrations;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub struct World {
    pub url: String,
    pub admin: String,
    /// An admin of another tenant.
    pub stranger: String,
    pub peers: Peers,
    pub callers: Callers,
    pub folder: TempDir,
    stop: CancellationToken,
    gateway: JoinHandle<Result<()>>,
}

/// A service, a host, their callers, a booking with two guests, the lobby open.
pub struct Booked {
    pub id: String,
    pub guests: Vec<String>,
    pub app: String,
    pub host: String,
    pub host_id: String,
}

pub fn config(keys: &Keys) -> Config {
    Config {
        allow_clock: true,
        link_keys: keys.link().unwrap(),
        simulator_control: None,
    }
}

pub async fn deps<M: sea_orm_migration::MigratorTrait>(
    folder: &TempDir,
    name: &str,
    keys: &Keys,
) -> Deps {
    let clock = Clock::default();
    Deps {
        db: Db::open_sqlite::<M>(folder.path(), name).await.unwrap(),
        callers: Callers::new(keys.caller().unwrap(), clock.clone()),
        clock,
    }
}

impl World {
    pub async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::ephemeral().unwrap();
        let stop = CancellationToken::new();
        let (broker, broker_in) = local::pipe();
        let (lobby, lobby_in) = local::pipe();
        let (scheduler, scheduler_in) = local::pipe();
        let (recording, recording_in) = local::pipe();
        let serve = |role: Role, incoming: Incoming| {
            tokio::spawn(role.run(incoming, stop.clone()));
        };

        let of = deps::<migrations::meeting_broker::Migrator>(&folder, "meeting-broker", &keys);
        serve(
            Role::new("meeting-broker", of.await).await.unwrap(),
            broker_in,
        );
        let of = deps::<migrations::recording_coordinator::Migrator>(&folder, "recording", &keys);
        serve(
            Role::new("recording-coordinator", of.await).await.unwrap(),
            recording_in,
        );
        let of = deps::<migrations::lobby_manager::Migrator>(&folder, "lobby-manager", &keys);
        let permit_keys = keys.permit().unwrap();
        let role = convene_lobby_manager::role(
            of.await,
            convene_lobby_manager::Config {
                permit_keys,
                plugins_dir: folder.path().join("plugins"),
            },
            convene_lobby_manager::Peers {
                broker: broker.clone(),
            },
        );
        serve(role.await.unwrap(), lobby_in);
        let of = deps::<migrations::scheduler::Migrator>(&folder, "scheduler", &keys);
        let role = convene_scheduler::role(
            of.await,
            convene_scheduler::Peers {
                broker: broker.clone(),
                lobby: lobby.clone(),
            },
        );
        serve(role.await.unwrap(), scheduler_in);

        let peers = Peers {
            clocks: [&scheduler, &broker, &lobby, &recording]
                .map(Clone::clone)
                .to_vec(),
            scheduler,
            broker,
            lobby,
            recording,
            // Nobody is asked.
            webhooks: local::pipe().0,
            workflows: local::pipe().0,
        };
        let own = deps::<migrations::gateway::Migrator>(&folder, "gateway", &keys).await;
        let callers = own.callers.clone();
        let admin = async || {
            let tenant = TenantId::from_uuid(Uuid::now_v7());
            let origin = made_by("system:test", tenant, &own.clock);
            let new = NewApiKey::new("admin", KeyRole::Admin);
            let (_, secret) = create_api_key(&own.db, origin, new).await.unwrap();
            format!("Bearer {}", secret.expose_secret())
        };
        let (admin, stranger) = (admin().await, admin().await);
        let door = Door::bind("127.0.0.1:0".parse().unwrap(), false);
        let door = door.await.unwrap();
        let url = format!("http://{}", door.address());
        let gateway = convene_gateway::role(own, config(&keys), door, peers.clone());
        let gateway = gateway.await.unwrap();
        let (_nobody, gateway_in) = local::pipe();
        Self {
            url,
            admin,
            stranger,
            gateway: tokio::spawn(gateway.run(gateway_in, stop.clone())),
            peers,
            callers,
            folder,
            stop,
        }
    }

    pub fn http(&self) -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    /// Status and body of whatever is posted.
    pub async fn post(&self, credential: Option<&str>, body: String) -> (u16, Value) {
        let mut request = self.http().post(format!("{}/graphql", self.url)).body(body);
        if let Some(credential) = credential {
            request = request.header("authorization", credential);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The whole answer to an operation.
    pub async fn ask(&self, credential: &str, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string();
        self.post(Some(credential), body).await.1
    }

    /// The data of an operation that must succeed.
    pub async fn data(&self, credential: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(credential, query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].take()
    }

    pub async fn booked(&self) -> Booked {
        let query = "mutation {
          createService(input: { idempotencyKey: \"s\", name: \"First visit\", durationMs: 1800000 }) { service { id } }
          createHost(input: { idempotencyKey: \"h\", name: \"Front desk\", providerUser: \"desk@example.com\" }) { host { id } }
        }";
        let made = self.data(&self.admin, query, json!({})).await;
        let host_id = text(&made, "/createHost/host/id");
        let query = "mutation($host: ID!) {
          app: createApiKey(input: { name: \"app\", role: BOOKING_APP }) { secret }
          desk: createApiKey(input: { name: \"desk\", role: HOST, hostId: $host }) { secret }
        }";
        let keys = self.data(&self.admin, query, json!({ "host": host_id }));
        let keys = keys.await;
        let app = format!("Bearer {}", text(&keys, "/app/secret"));
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id guests { id } } refusal { reason } } }";
        let guest = |n| json!({"name": format!("Guest {n}"), "email": "guest@guest.example"});
        let wish = json!({"input": {
            "idempotencyKey": "b", "serviceId": text(&made, "/createService/service/id"), "hostId": host_id,
            "start": "2199-01-01T09:00:00Z", "guests": [guest(1), guest(2)],
        }});
        let booking = self.data(&app, query, wish).await["bookMeeting"].take();
        let id = text(&booking, "/booking/id");
        let query = "query($id: ID!) { booking(id: $id) { lobby { state } } }";
        let patience = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        while self.data(&app, query, json!({ "id": id })).await["booking"]["lobby"].is_null() {
            assert!(tokio::time::Instant::now() < patience, "no lobby");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let guests = booking["booking"]["guests"].as_array().unwrap().iter();
        Booked {
            guests: guests.map(|guest| text(guest, "/id")).collect(),
            host: format!("Bearer {}", text(&keys, "/desk/secret")),
            id,
            app,
            host_id,
        }
    }

    /// A ticket for a guest, as a credential.
    pub async fn ticket(&self, booked: &Booked, nth: usize) -> String {
        let query = "mutation($b: ID!, $g: ID!) { issueTicket(input: { bookingId: $b, guestId: $g }) { ticket } }";
        let variables = json!({"b": booked.id, "g": booked.guests[nth]});
        let issued = self.data(&booked.app, query, variables).await;
        format!("Ticket {}", text(&issued, "/issueTicket/ticket"))
    }

    pub async fn enter(&self, ticket: &str) {
        let query = "mutation { enterLobby { visit { state } refusal { reason } } }";
        let entered = self.data(ticket, query, json!({})).await;
        assert_eq!(entered["enterLobby"]["visit"]["state"], "WAITING");
    }

    /// Stops everything; answers what the gateway ended with.
    pub async fn stop(self) -> (Result<()>, TempDir) {
        self.stop.cancel();
        let ended = self.gateway.await;
        let died = |error: tokio::task::JoinError| Err(Error::internal(error.to_string()));
        (ended.unwrap_or_else(died), self.folder)
    }
}

pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
        .to_owned()
}

/// The reason of the first error.
pub fn reason(answer: &Value) -> &str {
    let error = &answer["errors"][0]["extensions"];
    error["reason"].as_str().unwrap_or_default()
}

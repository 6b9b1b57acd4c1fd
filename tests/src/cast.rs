//! Who plays: a booking app, a host, guests.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Caller, World, caller::Gateways, reason, until, world::text};

/// A service and a host with their callers.
pub struct Cast {
    /// Booking app.
    pub app: Caller,
    /// The host.
    pub host: Caller,
    /// Global id of the service.
    pub service: String,
    /// Global id of the host.
    pub host_id: String,
    gateways: Gateways,
    patient: bool,
}

/// A booking.
#[derive(Clone, Debug)]
pub struct Booked {
    /// Global id.
    pub id: String,
    /// Global ids of its guests.
    pub guests: Vec<String>,
}

/// A guest with a ticket.
pub struct Guest {
    /// The guest's own client.
    pub client: Caller,
    /// The ticket.
    pub ticket: String,
    /// Global id of the visit.
    pub visit: String,
}

/// How long the service lasts, in milliseconds.
const VISIT_MS: i64 = 30 * 60_000;

impl Cast {
    /// A host of this capacity.
    pub async fn new(world: &World, capacity: u32) -> Self {
        Self::of(world, &world.admin, capacity).await
    }

    /// A host of this capacity in the tenant of an admin.
    pub async fn of(world: &World, admin: &Caller, capacity: u32) -> Self {
        let query = "mutation($user: String!, $duration: Int!, $capacity: Int!, $a: String!, $b: String!) {
          createService(input: { idempotencyKey: $a, name: \"First visit\", durationMs: $duration }) { service { id } refusal { reason } }
          createHost(input: { idempotencyKey: $b, name: \"Front desk\", providerUser: $user, capacity: $capacity }) { host { id } refusal { reason } }
        }";
        let variables = json!({
            "user": world.user(), "duration": VISIT_MS, "capacity": capacity,
            "a": Uuid::now_v7(), "b": Uuid::now_v7(),
        });
        let made = admin.call(query, variables).await.unwrap();
        let host_id = text(&made, "/createHost/host/id");
        let query = "mutation($host: ID!) {
          app: createApiKey(input: { name: \"app\", role: BOOKING_APP }) { secret }
          desk: createApiKey(input: { name: \"desk\", role: HOST, hostId: $host }) { secret }
        }";
        let keys = admin.call(query, json!({ "host": host_id })).await;
        let keys = keys.unwrap();
        Self {
            app: world.client(&format!("Bearer {}", text(&keys, "/app/secret"))),
            host: world.client(&format!("Bearer {}", text(&keys, "/desk/secret"))),
            service: text(&made, "/createService/service/id"),
            host_id,
            gateways: world.gateways.clone(),
            patient: world.is_disturbed(),
        }
    }

    /// The variables of a booking `ahead_ms` from now with so many guests.
    pub async fn wish(&self, world: &World, ahead_ms: i64, guests: usize) -> Value {
        let start = world.now().await + chrono::TimeDelta::milliseconds(ahead_ms);
        let guests: Vec<Value> = (1..=guests)
            .map(|n| json!({"name": format!("Guest {n}"), "email": format!("guest{n}@guest.example")}))
            .collect();
        json!({"input": {
            "idempotencyKey": Uuid::now_v7(), "serviceId": self.service, "hostId": self.host_id,
            "start": start.to_rfc3339(), "guests": guests,
        }})
    }

    /// Asks for a booking; answers the payload.
    pub async fn ask(&self, wish: Value) -> Value {
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) {
            booking { id state guests { id } meeting { state } } refusal { reason message field retryable } } }";
        let mut data = self.app.call(query, wish).await.unwrap();
        data["bookMeeting"].take()
    }

    /// Books, and waits until the meeting is there and the lobby open.
    pub async fn book(&self, world: &World, ahead_ms: i64, guests: usize) -> Booked {
        let booked = self.booked(world, ahead_ms, guests).await;
        self.until(&booked, "/booking/meeting/state", "READY").await;
        self.until(&booked, "/booking/lobby/state", "OPEN").await;
        booked
    }

    /// Books without waiting for anything.
    pub async fn booked(&self, world: &World, ahead_ms: i64, guests: usize) -> Booked {
        let payload = self.ask(self.wish(world, ahead_ms, guests).await).await;
        assert!(payload["refusal"].is_null(), "{payload}");
        let guests = payload["booking"]["guests"].as_array().unwrap();
        Booked {
            id: text(&payload, "/booking/id"),
            guests: guests.iter().map(|guest| text(guest, "/id")).collect(),
        }
    }

    /// The booking as the booking app sees it.
    pub async fn see(&self, booked: &Booked) -> Value {
        let query = "query($id: ID!) { booking(id: $id) { id state version cancelReason
            meeting { state reason provider capture holders holdersWithoutConsent lobbyBypassEffective }
            lobby { state waiting visits { id state position reason decidedBy } }
            recordings { id state reason segments artefacts { segment } } } }";
        self.app
            .call(query, json!({"id": booked.id}))
            .await
            .unwrap()
    }

    /// Waits until the booking shows this text.
    pub async fn until(&self, booked: &Booked, pointer: &str, wanted: &str) -> Value {
        until(&format!("{pointer} is {wanted}"), || async {
            let seen = self.see(booked).await;
            let there = seen.pointer(pointer).and_then(Value::as_str) == Some(wanted);
            there.then_some(seen)
        })
        .await
    }

    /// A ticket for the nth guest (from 0), who has not arrived.
    pub async fn invite(&self, booked: &Booked, nth: usize) -> Guest {
        let query = "mutation($b: ID!, $g: ID!) { issueTicket(input: { bookingId: $b, guestId: $g }) { ticket visitId refusal { reason } } }";
        let variables = json!({"b": booked.id, "g": booked.guests[nth]});
        let issued = self.app.call(query, variables).await.unwrap();
        assert_eq!(reason(&issued, "issueTicket"), "");
        let ticket = text(&issued, "/issueTicket/ticket");
        Guest {
            client: Caller::new(
                self.gateways.next(),
                &format!("Ticket {ticket}"),
                self.patient,
            ),
            ticket,
            visit: text(&issued, "/issueTicket/visitId"),
        }
    }

    /// The nth guest, waiting in the lobby.
    pub async fn arrive(&self, booked: &Booked, nth: usize) -> Guest {
        let guest = self.invite(booked, nth).await;
        let data = guest.enter().await;
        assert_eq!(reason(&data, "enterLobby"), "");
        guest
    }

    /// `admitVisit` or `denyVisit`; answers the data.
    pub async fn decide(&self, mutation: &str, guest: &Guest) -> Value {
        let query = format!(
            "mutation($v: ID!) {{ {mutation}(input: {{ visitId: $v }}) {{ visit {{ state decidedBy }} refusal {{ reason message }} }} }}"
        );
        let variables = json!({"v": guest.visit});
        self.host.call(&query, variables).await.unwrap()
    }

    /// The host's join link.
    pub async fn host_link(&self, booked: &Booked) -> String {
        let query = "mutation($id: ID!) { hostJoinDetails(input: { bookingId: $id }) { joinDetails { joinUrl } refusal { reason } } }";
        let data = self
            .host
            .call(query, json!({"id": booked.id}))
            .await
            .unwrap();
        text(&data, "/hostJoinDetails/joinDetails/joinUrl")
    }

    /// A mutation of the host that takes the booking's id; answers the data.
    pub async fn host_does(&self, mutation: &str, booked: &Booked, fields: &str) -> Value {
        let query = format!(
            "mutation($id: ID!) {{ {mutation}(input: {{ bookingId: $id }}) {{ {fields} refusal {{ reason message }} }} }}"
        );
        self.host
            .call(&query, json!({"id": booked.id}))
            .await
            .unwrap()
    }

    /// A mutation of the host that takes a recording's id; answers the data.
    pub async fn on_recording(&self, mutation: &str, recording: &str) -> Value {
        let query = format!(
            "mutation($id: ID!) {{ {mutation}(input: {{ recordingId: $id }}) {{ recording {{ state }} refusal {{ reason }} }} }}"
        );
        self.host
            .call(&query, json!({ "id": recording }))
            .await
            .unwrap()
    }
}

impl Guest {
    /// Enters the lobby; answers the data.
    pub async fn enter(&self) -> Value {
        let query = "mutation { enterLobby { visit { id state position } refusal { reason } } }";
        self.client.call(query, json!({})).await.unwrap()
    }

    /// The guest's own visit.
    pub async fn see(&self) -> Value {
        let query = "{ visit { id state position reason } }";
        self.client.call(query, json!({})).await.unwrap()["visit"].take()
    }

    /// Asks for join details; answers the payload.
    pub async fn join_details(&self) -> Value {
        let query = "mutation { joinDetails { joinDetails { joinUrl joinMeetingId passcode } refusal { reason } } }";
        self.client.call(query, json!({})).await.unwrap()["joinDetails"].take()
    }

    /// `giveConsent` or `withdrawConsent`; answers the data.
    pub async fn consents(&self, given: bool) -> Value {
        let query = if given {
            "mutation { giveConsent(input: { textVersion: \"1\", locale: \"en\" }) { consent { given } refusal { reason } } }"
        } else {
            "mutation { withdrawConsent { consent { given } refusal { reason } } }"
        };
        self.client.call(query, json!({})).await.unwrap()
    }
}

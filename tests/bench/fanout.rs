//! (iii) One change told to many watchers over graphql-transport-ws, against a raw WebSocket broadcast of the same bytes.
//!
//! A change is a guest's entry into the lobby of a booking that all watchers follow. What the change itself costs (measured on a booking that
//! nobody watches, in the same round) is told apart from the deliveries.

use std::{collections::VecDeque, path::Path, time::Duration};

use convene::graphql::Client;
use convene_kit::Clock;
use serde_json::{Value, json};

use crate::{
    Limit, bare,
    figure::{Pair, Rounds, micros, percentile},
    load::{Connection, Target},
    product::{Product, folder},
    watch::{Delivered, Watchers},
};

/// Watchers, and the changes of a round that many see.
const SIZES: [(usize, usize); 3] = [(500, 60), (2_000, 30), (5_000, 15)];
/// Guests of a booking at the most: each comes once.
const GUESTS: usize = 350;
/// Changes before anything counts.
const WARM_UP: usize = 5;
const DAY_MS: i64 = 24 * 3_600_000;
const PATIENCE: Duration = Duration::from_secs(30);

const BOOK: &str = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id guests { id } } refusal { reason } } }";
const TICKET: &str = "mutation($b: ID!, $g: ID!) { issueTicket(input: { bookingId: $b, guestId: $g }) { ticket refusal { reason } } }";
const ENTER: &str = "mutation { enterLobby { visit { state } refusal { reason } } }";
const WATCH: &str = "subscription($id: ID!, $after: String) { bookingEvents(bookingId: $id, after: $after) { cursor source type objectId seq occurredAt } }";

/// A booking whose guests have not come yet.
struct Party {
    booking: String,
    guests: VecDeque<Connection>,
}

impl Party {
    async fn invite(product: &Product, service: &str, host: &str, days: i64) -> Self {
        let start = Clock::default()
            .now()
            .plus_millis(days * DAY_MS)
            .as_millis();
        let start = chrono::DateTime::from_timestamp_millis(start).unwrap();
        let guests: Vec<Value> = (0..GUESTS)
            .map(|n| json!({"name": format!("Guest {n}"), "email": format!("guest{n}@guest.example")}))
            .collect();
        let input = json!({
            "idempotencyKey": uuid::Uuid::now_v7(), "serviceId": service, "hostId": host,
            "start": start.to_rfc3339(), "guests": guests,
        });
        let booked = product
            .admin
            .call(BOOK, json!({"input": input}))
            .await
            .unwrap();
        let booking = &booked["bookMeeting"]["booking"];
        let id = booking["id"].as_str().unwrap().to_owned();
        product.drained().await;
        let mut guests = VecDeque::new();
        for guest in booking["guests"].as_array().unwrap() {
            let variables = json!({"b": id, "g": guest["id"]});
            let issued = product.admin.call(TICKET, variables).await.unwrap();
            let ticket = issued["issueTicket"]["ticket"].as_str().unwrap();
            let target = Target {
                authority: product.url.replace("http://", ""),
                path: "/graphql",
                authorization: format!("Ticket {ticket}"),
            };
            guests.push_back(Connection::open(&target).await);
        }
        Self {
            booking: id,
            guests,
        }
    }

    /// One change.
    async fn enter(&mut self) {
        let mut guest = self.guests.pop_front().expect("all guests are there");
        let answer = guest.post(json!({"query": ENTER}).to_string()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let state = &answer["data"]["enterLobby"]["visit"]["state"];
        assert_eq!(state, "WAITING", "{answer}");
    }
}

/// The cursor behind the last of so many events.
async fn cursor(admin: &Client, booking: &str, events: usize) -> String {
    let query = "subscription($id: ID!) { bookingEvents(bookingId: $id) { cursor } }";
    let mut stream = admin
        .subscribe(query, json!({"id": booking}))
        .await
        .unwrap();
    let mut text = String::new();
    let read = async {
        loop {
            let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            let whole = text
                .split("\n\n")
                .filter(|event| event.contains("\"cursor\":"));
            if text.ends_with("\n\n") && whole.clone().count() >= events {
                return whole.last().unwrap().to_owned();
            }
        }
    };
    let last = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("too few events");
    let data = last
        .lines()
        .find_map(|line| line.strip_prefix("data:"))
        .unwrap();
    let data: Value = serde_json::from_str(data.trim()).unwrap();
    data["data"]["bookingEvents"]["cursor"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[derive(Default)]
struct Measured {
    cpu: Pair,
    last: Pair,
    spread: Pair,
    change: Rounds,
}

/// Prints the figures.
pub async fn measure(binary: &Path, rounds: usize) {
    let product = Product::start(binary).await;
    println!("fan-out: product is process {}", product.node.id());
    let (service, hosts) = product.hosts(2).await;
    for (days, (watchers, changes)) in (1..).zip(SIZES) {
        let changes = changes.min((GUESTS - WARM_UP) / rounds);
        let mut party = Party::invite(&product, &service, &hosts[0], days).await;
        let mut unseen = Party::invite(&product, &service, &hosts[1], days).await;
        let measured = of_size(
            &product,
            &mut party,
            &mut unseen,
            [watchers, changes, rounds],
        )
        .await;
        println!(
            "fan-out to {watchers}: {changes} changes a round; a change that nobody watches costs {} us of CPU",
            measured.change
        );
        measured
            .spread
            .print(&format!("fanout.first_to_last.{watchers}"), "us", "none");
        measured
            .last
            .print(&format!("fanout.last.{watchers}"), "us", "<=1.15");
        measured
            .cpu
            .print(&format!("fanout.cpu.{watchers}"), "us", "<=1.10");
    }
}

async fn of_size(
    product: &Product,
    party: &mut Party,
    unseen: &mut Party,
    [watchers, changes, rounds]: [usize; 3],
) -> Measured {
    let audit = "query($id: ID!) { auditTrail(bookingId: $id) { events { seq } } }";
    let trail = product
        .admin
        .call(audit, json!({"id": party.booking}))
        .await
        .unwrap();
    let events = trail["auditTrail"]["events"].as_array().unwrap().len();
    let after = cursor(&product.admin, &party.booking, events).await;
    let hello = [
        json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {}", product.key)}}),
        json!({"id": "1", "type": "subscribe", "payload": {"query": WATCH, "variables": {"id": party.booking, "after": after}}}),
    ]
    .map(|message| message.to_string());
    let url = product.url.replace("http", "ws") + "/graphql/ws";
    let mut ours = Watchers::connect(&url, watchers, &hello).await;
    // The first change takes the last subscription in.
    for _ in 0..WARM_UP {
        ours.deliver(party.enter()).await;
    }

    let limit_folder = folder(&std::env::current_exe().unwrap());
    let limit = bare::start(Limit::Fanout, limit_folder.path());
    let target = bare::target(&limit, "/publish");
    let url = format!("ws://{}/watch", target.authority);
    let mut theirs = Watchers::connect(&url, watchers, &[]).await;
    let mut publisher = Connection::open(&target).await;
    let text = ours.message();
    let mut number = 0;
    let mut publish = || {
        number += 1;
        // As many bytes, and no message like another.
        format!("{number:08}{}", &text[8..])
    };
    for _ in 0..WARM_UP {
        let text = publish();
        theirs
            .deliver(async { drop(publisher.post(text).await) })
            .await;
    }

    let mut measured = Measured::default();
    for _ in 0..rounds {
        let deliveries = (changes * watchers) as f64;
        let cpu = product.node.cpu();
        for _ in 0..changes {
            unseen.enter().await;
        }
        let change = product.node.cpu() - cpu;
        measured.change.push(micros(change) / changes as f64);

        let cpu = product.node.cpu();
        let mut of_product = Vec::new();
        for _ in 0..changes {
            of_product.push(ours.deliver(party.enter()).await);
        }
        let spent = (product.node.cpu() - cpu).saturating_sub(change);

        let cpu = limit.cpu();
        let mut of_limit = Vec::new();
        for _ in 0..changes {
            let text = publish();
            of_limit.push(
                theirs
                    .deliver(async { drop(publisher.post(text).await) })
                    .await,
            );
        }
        let limit_spent = limit.cpu() - cpu;
        measured
            .cpu
            .push(micros(spent) / deliveries, micros(limit_spent) / deliveries);
        push(&mut measured.last, &of_product, &of_limit, |one| one.last);
        push(&mut measured.spread, &of_product, &of_limit, |one| {
            one.last - one.first
        });
    }
    measured
}

fn push(
    pair: &mut Pair,
    product: &[Delivered],
    limit: &[Delivered],
    of: fn(&Delivered) -> Duration,
) {
    let p50 = |side: &[Delivered]| {
        let mut times: Vec<_> = side.iter().map(of).collect();
        micros(percentile(&mut times, 0.5))
    };
    pair.push(p50(product), p50(limit));
}

//! (ii) A read of three fields against async-graphql with kept documents, the same without keeping any, and JSON written by hand.
//!
//! The limits answer from memory; the product asks the scheduler over gRPC, which reads its database with the caller's rights.

use std::path::Path;

use convene_kit::Clock;
use serde_json::json;

use crate::{
    Limit, bare,
    figure::{Pair, micros},
    load::{self, Slice, Target},
    process::Process,
    product::{Product, folder},
};

const CLIENTS: usize = 32;
/// Requests of a slice.
const READS: usize = 10_000;
const DAY_MS: i64 = 24 * 3_600_000;
const READ: &str = "query($id: ID!) { booking(id: $id) { id state version } }";
const BOOK: &str = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id } refusal { reason } } }";
/// Limits by path, with the goal of the CPU ratio.
const LIMITS: [(&str, &str, &str); 3] = [
    ("bare", "/bare", "<=0.80"),
    ("hand", "/hand", "<=1.60"),
    ("kept", "/kept", "<=1.25"),
];

/// Prints the figures.
pub async fn measure(binary: &Path, rounds: usize) {
    let product = Product::start(binary).await;
    println!("queries: product is process {}", product.node.id());
    let limit_folder = folder(binary);
    let limit = bare::start(Limit::Queries, limit_folder.path());
    let (service, hosts) = product.hosts(1).await;
    let start = Clock::default().now().plus_millis(DAY_MS).as_millis();
    let start = chrono::DateTime::from_timestamp_millis(start).unwrap();
    let input = json!({
        "idempotencyKey": uuid::Uuid::now_v7(), "serviceId": service, "hostId": hosts[0], "start": start.to_rfc3339(),
        "guests": [{"name": "Robin Example", "email": "robin@guest.example"}],
    });
    let booked = product
        .admin
        .call(BOOK, json!({"input": input}))
        .await
        .unwrap();
    let id = booked["bookMeeting"]["booking"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    product.drained().await;
    let ours = Target {
        authority: product.url.replace("http://", ""),
        path: "/graphql",
        authorization: format!("Bearer {}", product.key),
    };
    read(&ours, &id, READS / 10).await;
    let mut measured: Vec<(Pair, Pair)> = LIMITS.iter().map(|_| Default::default()).collect();
    for _ in 0..rounds {
        let (rate, cpu) = of(&product.node, &ours, &id).await;
        for ((_, path, _), (rates, cpus)) in LIMITS.iter().zip(&mut measured) {
            let (limit_rate, limit_cpu) = of(&limit, &bare::target(&limit, path), &id).await;
            rates.push(rate, limit_rate);
            cpus.push(cpu, limit_cpu);
        }
    }
    for ((name, _, goal), (rates, cpus)) in LIMITS.iter().zip(&measured) {
        rates.print(&format!("query.rate.{name}"), "per_s", "none");
        cpus.print(&format!("query.cpu.{name}"), "us", goal);
    }
}

/// Rate, and microseconds of CPU a request.
async fn of(process: &Process, target: &Target, id: &str) -> (f64, f64) {
    let cpu = process.cpu();
    let slice = read(target, id, READS).await;
    (slice.rate(), micros(process.cpu() - cpu) / READS as f64)
}

async fn read(target: &Target, id: &str, reads: usize) -> Slice {
    let body = json!({"query": READ, "variables": {"id": id}}).to_string();
    let wanted = format!(r#""id":"{id}""#);
    let good = move |answer: &[u8]| {
        let text = std::str::from_utf8(answer).unwrap_or_default();
        text.contains(&wanted)
            && text.contains(r#""state":"CONFIRMED""#)
            && !text.contains("errors")
    };
    load::drive(target, CLIENTS, reads, move |_, _| body.clone(), good).await
}

//! (i) bookMeeting against a bare pipeline that stores the same rows as durably.
//!
//! The product does its follow-up work meanwhile, as it always does: it tells broker and lobby manager of each booking, and the broker makes
//! meetings at the simulator, which is another process. What is not done by the end of a slice is waited for before the limit has its turn.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use convene_kit::Clock;
use serde_json::json;

use crate::{
    Limit, bare,
    figure::{Pair, Rounds, micros, percentile},
    load::{self, Slice, Target},
    process::Process,
    product::{Product, folder},
};

/// Clients at the same time.
const CLIENTS: usize = 32;
/// Bookings of a slice with all clients, and with one.
const BOOKINGS: (usize, usize) = (1_500, 300);
/// Bookings of a slice before anything counts.
const WARM_UP: usize = 300;
/// A booking's time.
const SLOT_MIN: i64 = 30;

const QUERY: &str = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id state } refusal { reason } } }";

/// Every wish is for a slot of its own.
#[derive(Clone)]
struct Wishes {
    base: DateTime<Utc>,
    taken: Arc<AtomicUsize>,
    service: String,
    hosts: Arc<[String]>,
}

impl Wishes {
    fn new(service: String, hosts: Vec<String>) -> Self {
        let now = Clock::default().now().as_millis();
        let base = DateTime::from_timestamp_millis(now).unwrap() + TimeDelta::days(1);
        Self {
            base,
            taken: Arc::default(),
            service,
            hosts: hosts.into(),
        }
    }

    fn input(&self) -> serde_json::Value {
        let n = self.taken.fetch_add(1, Ordering::Relaxed);
        let host = n % self.hosts.len();
        let slot = i64::try_from(n / self.hosts.len()).unwrap();
        json!({
            "idempotencyKey": uuid::Uuid::now_v7(),
            "serviceId": self.service,
            "hostId": self.hosts[host],
            "start": (self.base + TimeDelta::minutes(slot * SLOT_MIN)).to_rfc3339(),
            "guests": [{"name": "Robin Example", "email": "robin@guest.example"}],
        })
    }
}

struct Side {
    target: Target,
    wishes: Wishes,
    graphql: bool,
}

impl Side {
    async fn slice(&self, clients: usize, bookings: usize) -> Slice {
        let (wishes, graphql) = (self.wishes.clone(), self.graphql);
        let body = move |_client: usize, _number: usize| match graphql {
            true => json!({"query": QUERY, "variables": {"input": wishes.input()}}).to_string(),
            false => wishes.input().to_string(),
        };
        let good = |answer: &[u8]| {
            let text = std::str::from_utf8(answer).unwrap_or_default();
            text.contains(r#""state":"CONFIRMED""#) && text.contains(r#""refusal":null"#)
        };
        load::drive(&self.target, clients, bookings, body, good).await
    }
}

/// What was measured of one number of clients.
#[derive(Default)]
struct Measured {
    rate: Pair,
    p50: Pair,
    p99: Pair,
    cpu: Pair,
    whole: Rounds,
    simulator: Rounds,
    behind: Rounds,
}

/// Prints the figures.
pub async fn measure(binary: &Path, rounds: usize) {
    let product = Product::start(binary).await;
    println!("bookMeeting: product is process {}", product.node.id());
    let limit_folder = folder(binary);
    let limit = bare::start(Limit::Booking, limit_folder.path());
    let (service, hosts) = product.hosts(CLIENTS).await;
    let ours = Side {
        target: Target {
            authority: product.url.replace("http://", ""),
            path: "/graphql",
            authorization: format!("Bearer {}", product.key),
        },
        wishes: Wishes::new(service.clone(), hosts.clone()),
        graphql: true,
    };
    let theirs = Side {
        target: bare::target(&limit, "/book"),
        wishes: Wishes::new(service, hosts),
        graphql: false,
    };
    theirs.slice(CLIENTS, WARM_UP).await;
    ours.slice(CLIENTS, WARM_UP).await;
    product.drained().await;

    let (mut many, mut one) = (Measured::default(), Measured::default());
    for _ in 0..rounds {
        round(
            &product,
            &limit,
            [&ours, &theirs],
            (CLIENTS, BOOKINGS.0),
            &mut many,
        )
        .await;
        round(
            &product,
            &limit,
            [&ours, &theirs],
            (1, BOOKINGS.1),
            &mut one,
        )
        .await;
    }
    for (clients, measured) in [(CLIENTS, &many), (1, &one)] {
        println!(
            "bookMeeting, {clients} clients: {} due jobs left at the end of a slice; CPU a booking with all its follow-up work: node {} us, simulator {} us",
            measured.behind, measured.whole, measured.simulator
        );
    }
    many.p50.print("bookMeeting.p50.32", "us", "none");
    many.p99.print("bookMeeting.p99.32", "us", "none");
    one.rate.print("bookMeeting.rate.1", "per_s", "none");
    one.cpu.print("bookMeeting.cpu.1", "us", "none");
    many.cpu.print("bookMeeting.cpu.32", "us", "none");
    one.p50.print("bookMeeting.p50.1", "us", "<=1.50");
    many.rate
        .print("bookMeeting.rate.32", "per_s", ">=0.60,floor=0.40");
}

async fn round(
    product: &Product,
    limit: &Process,
    [ours, theirs]: [&Side; 2],
    (clients, bookings): (usize, usize),
    measured: &mut Measured,
) {
    let (cpu, simulator) = (product.node.cpu(), product.simulator_cpu());
    let mut of_product = ours.slice(clients, bookings).await;
    let spent = product.node.cpu() - cpu;
    measured.behind.push(product.open_jobs().await as f64);
    product.drained().await;
    let each = |time: Duration| micros(time) / bookings as f64;
    measured.whole.push(each(product.node.cpu() - cpu));
    measured
        .simulator
        .push(each(product.simulator_cpu() - simulator));

    let cpu = limit.cpu();
    let mut of_limit = theirs.slice(clients, bookings).await;
    measured.cpu.push(each(spent), each(limit.cpu() - cpu));
    measured.rate.push(of_product.rate(), of_limit.rate());
    for (pair, share) in [(&mut measured.p50, 0.5), (&mut measured.p99, 0.99)] {
        let product = percentile(&mut of_product.times, share);
        pair.push(
            micros(product),
            micros(percentile(&mut of_limit.times, share)),
        );
    }
}

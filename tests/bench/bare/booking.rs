//! HTTP and JSON in front of one SQLite writer with group commit: it inserts the rows that the product's booking transaction inserts, into
//! the same tables, as durably. It decides nothing, reads nothing back and checks nothing.

use std::{path::Path, thread};

use axum::{Json, Router, extract::State, routing::post};
use chrono::{DateTime, Utc};
use convene_kit::Db;
use convene_migrations::scheduler::Migrator;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// As the product's writer.
const BATCH_MAX: usize = 128;
const QUEUE_MAX: usize = 4_096;
/// Half an hour, in milliseconds.
const SLOT_MS: i64 = 30 * 60_000;
/// As long as the product's.
const HASH: [u8; 32] = [7; 32];
const SALT: [u8; 16] = [7; 16];
const ACTOR: &str = "key:01919191-9191-7191-9191-919191919191";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wish {
    idempotency_key: Uuid,
    service_id: String,
    host_id: String,
    start: DateTime<Utc>,
    guests: Vec<Guest>,
}

#[derive(Deserialize)]
struct Guest {
    name: String,
    email: String,
}

type Queue = mpsc::Sender<(Wish, oneshot::Sender<Uuid>)>;

pub async fn router(data: &Path) -> Router {
    // The product's own tables and indexes.
    drop(
        Db::open_sqlite::<Migrator>(data, "scheduler")
            .await
            .unwrap(),
    );
    let file = data.join("bare.db");
    // What was made may still be in the write-ahead log, so the file itself must not be copied.
    Connection::open(data.join("scheduler.db"))
        .unwrap()
        .execute("VACUUM INTO ?", [file.to_str().unwrap()])
        .unwrap();
    let connection = Connection::open(file).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    let (queue, wishes) = mpsc::channel(QUEUE_MAX);
    thread::spawn(move || write(connection, wishes));
    Router::new().route("/book", post(book)).with_state(queue)
}

async fn book(State(queue): State<Queue>, Json(wish): Json<Wish>) -> Json<Value> {
    let (answer, answered) = oneshot::channel();
    queue.send((wish, answer)).await.unwrap();
    let id = answered.await.unwrap();
    Json(json!({"booking": {"id": id, "state": "CONFIRMED"}, "refusal": null}))
}

fn write(mut connection: Connection, mut wishes: mpsc::Receiver<(Wish, oneshot::Sender<Uuid>)>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut position = 0;
    while wishes.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let mut answers = Vec::with_capacity(batch.len());
        for (wish, answer) in batch.drain(..) {
            position += 1;
            answers.push((answer, insert(&tx, &wish, position)));
        }
        tx.commit().unwrap();
        for (answer, id) in answers {
            let _ = answer.send(id);
        }
    }
}

/// Booking, occupancy, event, three jobs, guest and idempotency row: what one booking with one guest is.
fn insert(tx: &Transaction<'_>, wish: &Wish, position: i64) -> Uuid {
    let (id, tenant) = (Uuid::now_v7(), Uuid::nil());
    let (start, end) = (
        wish.start.timestamp_millis(),
        wish.start.timestamp_millis() + SLOT_MS,
    );
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        tx.prepare_cached(sql).unwrap().execute(values).unwrap();
    };
    let guest = Uuid::now_v7();
    let terms = json!({
        "service": id, "host": guest, "interval": {"start": start, "end": end},
        "buffer_before_ms": 0, "buffer_after_ms": 0, "guests": [guest],
        "meeting": id, "generation": 1, "lobby": id,
    });
    let state =
        json!({"terms": terms, "phase": {"type": "Confirmed"}, "meeting": {"type": "Pending"}})
            .to_string();
    let data = json!({"terms": terms, "guests_digest": "0".repeat(64)}).to_string();
    run(
        "insert into booking (tenant_id, id, version, head_hash, state, created_at_ms, service_id, host_id, phase) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            tenant,
            id,
            1,
            HASH,
            state,
            start,
            id,
            blob(&wish.host_id),
            "CONFIRMED"
        ],
    );
    run(
        "insert into occupancy (tenant_id, booking_id, host_id, start_ms, end_ms) values (?, ?, ?, ?, ?)",
        params![tenant, id, blob(&wish.host_id), start, end],
    );
    run(
        "insert into event (position, tenant_id, booking_id, object_kind, object_id, seq, kind, actor, occurred_at_ms, data, previous_hash, hash, traceparent) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            position, tenant, id, "booking", id, 1, "Booked", ACTOR, start, data, HASH, HASH, TRACE
        ],
    );
    for (effect, due) in [
        (r#"{"type":"EnsureMeeting"}"#, 0),
        (r#"{"type":"OpenLobby"}"#, 0),
        (r#"{"type":"CompleteWhenOver"}"#, end),
    ] {
        run(
            "insert into job (id, tenant_id, queue, object_id, effect, due_at_ms, retry_at_ms, attempts, dead, traceparent) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                Uuid::now_v7(),
                tenant,
                "booking",
                id,
                effect,
                due,
                0,
                0,
                false,
                TRACE
            ],
        );
    }
    for (place, guest) in (0_i64..).zip(&wish.guests) {
        run(
            "insert into guest (tenant_id, id, booking_id, place, name, email, salt) values (?, ?, ?, ?, ?, ?, ?)",
            params![
                tenant,
                Uuid::now_v7(),
                id,
                place,
                guest.name,
                guest.email,
                SALT
            ],
        );
    }
    run(
        "insert into idempotency (tenant_id, principal, operation, key, body_hash, object_id, expires_at_ms) values (?, ?, ?, ?, ?, ?, ?)",
        params![
            tenant,
            ACTOR,
            "BookMeeting",
            wish.idempotency_key.to_string(),
            HASH,
            blob(&wish.service_id),
            end
        ],
    );
    id
}

/// Sixteen bytes of an id, whatever it means.
fn blob(id: &str) -> &[u8] {
    id.as_bytes().get(..16).unwrap()
}

//! I7: a follower whose connection breaks at random is pushed each object's events in order, all of them, once; and the log hashes as it says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::text;
use crate::prove::tape::{Kept, Tape, millis};

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for kept in &tape.bookings {
        if let Some(pushed) = &kept.pushed {
            said.extend(ordered(kept, pushed, "was pushed"));
            let (told, happened) = (keys(pushed), keys(&kept.trail));
            let lost = happened.difference(&told).count();
            let more = told.difference(&happened).count();
            if lost + more > 0 {
                said.push(format!(
                    "{}: {lost} events were lost on the way, {more} never happened",
                    kept.uuid
                ));
            }
        }
        said.extend(ordered(kept, &kept.trail, "is on record"));
        said.extend(chained(tape, kept));
    }
    said
}

fn keys(events: &[Value]) -> BTreeSet<String> {
    let key = |event: &Value| {
        let part = |name: &str| event[name].to_string();
        [
            "source",
            "objectId",
            "seq",
            "type",
            "actor",
            "occurredAt",
            "data",
        ]
        .map(part)
        .join(" ")
    };
    events.iter().map(key).collect()
}

/// 1, 2, 3 … of each object.
fn ordered(kept: &Kept, events: &[Value], how: &str) -> Vec<String> {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut said = Vec::new();
    for event in events {
        let object = text(event, "/objectId");
        let seq = event["seq"].as_u64().unwrap_or(0);
        let before = last.insert(object, seq).unwrap_or(0);
        if seq != before + 1 {
            said.push(format!(
                "{}: event {seq} of {object} {how} behind event {before}",
                kept.uuid
            ));
        }
    }
    said
}

/// The chain of each object, hashed anew as ARCHITECTURE.md says.
fn chained(tape: &Tape, kept: &Kept) -> Vec<String> {
    let mut heads: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut said = Vec::new();
    for event in &kept.trail {
        let object = text(event, "/objectId");
        let previous = heads.remove(object).unwrap_or_else(|| vec![0; 32]);
        let id = |text: &str| {
            uuid::Uuid::try_parse(text)
                .unwrap_or_default()
                .into_bytes()
                .to_vec()
        };
        let seq = event["seq"].as_i64().unwrap_or(0).to_be_bytes().to_vec();
        let at = millis(&event["occurredAt"])
            .unwrap_or(0)
            .to_be_bytes()
            .to_vec();
        let bytes = |pointer: &str| text(event, pointer).as_bytes().to_vec();
        let parts = [
            previous.clone(),
            id(&tape.tenant),
            id(&kept.uuid),
            bytes("/objectKind"),
            id(object),
            seq,
            bytes("/type"),
            bytes("/actor"),
            at,
            bytes("/data"),
        ];
        let mut all = Vec::new();
        for part in parts {
            all.extend((part.len() as u64).to_be_bytes());
            all.extend(part);
        }
        let hash = convene_kit::digest::sha256(&all).to_vec();
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        if text(event, "/previousHash") != hex(&previous) || text(event, "/hash") != hex(&hash) {
            said.push(format!(
                "{}: event {} of {object} does not hash to what it says",
                kept.uuid, event["seq"]
            ));
        }
        heads.insert(object, hash);
    }
    said
}

//! What is generated and checked in must be what the code says. `UPDATE_SCHEMA=1 cargo test -p convene-tests --test schema` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use convene_domain::{
    booking::Booking, call::Call, chart, consent::Consent, delivery::Delivery, leg::Leg,
    lobby::Lobby, meeting::Meeting, participant::Participant, permit::Permit, recording::Recording,
    run::Run, visit::Visit,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn guard(name: &str, now: &str) {
    let path = root().join("schema").join(name);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, now).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "schema/{name} is not what the code says; run UPDATE_SCHEMA=1 cargo test -p convene-tests --test schema and read the difference"
    );
}

#[test]
fn the_graphql_schema() {
    guard("schema.graphql", &convene_gateway::sdl());
}

#[test]
fn the_configuration() {
    guard("config.schema.json", &convene::config::schema().unwrap());
}

#[test]
fn the_state_charts() {
    let mut page = String::from(
        "# State charts\n\nDrawn from the machines themselves by exploring every event from every reachable state; events that change nothing visible are left out.\n",
    );
    for (name, chart) in [
        ("Booking", chart::<Booking>()),
        ("Meeting", chart::<Meeting>()),
        ("Lobby", chart::<Lobby>()),
        ("Visit", chart::<Visit>()),
        ("Permit", chart::<Permit>()),
        ("Consent", chart::<Consent>()),
        ("Call", chart::<Call>()),
        ("Leg", chart::<Leg>()),
        ("Participant", chart::<Participant>()),
        ("Recording", chart::<Recording>()),
        ("Delivery", chart::<Delivery>()),
        ("Run", chart::<Run>()),
    ] {
        page.push_str(&format!("\n## {name}\n\n```mermaid\n{chart}```\n"));
    }
    guard("state-charts.md", &page);
}

#[test]
fn the_workflows() {
    guard(
        "workflow.schema.json",
        &convene_workflows::schema().unwrap(),
    );
}

#[test]
fn the_webhook_events() {
    let mut page = String::from(
        "# Webhook events\n\nA body is `{ type, timestamp, data }`: `timestamp` is when it happened (RFC 3339, business time); `data` holds `bookingId`, `objectKind`, `objectId`, `seq` (rises\nwith every change of the object; not every change is public) and the fields below. Ids are those of the GraphQL API. Of `visitId` and `hostId`, where both stand, one is there: for\nwhom it is. No personal data, no join details. Generated from the source.\n\n| type | what happened | fields of `data` |\n|---|---|---|\n",
    );
    for event in convene_events::EVENT_TYPES {
        let fields = event.fields.iter().map(|field| format!("`{field}`"));
        let fields = fields.collect::<Vec<_>>().join(", ");
        page.push_str(&format!(
            "| `{}` | {} | {fields} |\n",
            event.name, event.says
        ));
    }
    guard("webhook-events.md", &page);
}

#[test]
fn the_health_findings() {
    let mut page = String::from(
        "# Health findings\n\nWhat `convene doctor` and `providerHealth` may say: a closed list. A code has one severity and one kind of subject. `FAILURE`: bookings fail, or the installation is not\nsafe. `WARNING`: it works, and something wants a look. Words in braces are filled in. Generated from the source.\n\n| code | severity | about | what it says | remedy |\n|---|---|---|---|---|\n",
    );
    let kinds = convene::doctor::FINDINGS.iter();
    for kind in kinds.chain(convene_meeting_broker::FINDINGS) {
        page.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            kind.code,
            kind.severity.as_str(),
            kind.about,
            cell(kind.says),
            cell(kind.remedy)
        ));
    }
    page.push_str("\n## Permissions at the provider\n\nApplication permissions of Microsoft Graph that the meeting broker needs; no other role talks to the provider. Others are in excess.\n\n| permission | or instead | for | why |\n|---|---|---|---|\n");
    for need in convene_meeting_broker::NEEDS {
        let part = match need.part {
            convene_meeting_broker::Part::Meetings => "meetings",
            convene_meeting_broker::Part::Recording => "recording",
        };
        let instead = need.instead.map(|name| format!("`{name}`"));
        page.push_str(&format!(
            "| `{}` | {} | {part} | {} |\n",
            need.permission,
            instead.unwrap_or_default(),
            need.why
        ));
    }
    guard("health-findings.md", &page);
}

/// A text in a table; what stands in angle brackets is no markup.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Every reason that can leave the product, with the message that stands beside it in the source.
#[test]
fn the_error_codes() {
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    // The libraries first: what they say of a reason is meant for all.
    let mut open = vec![root().join("services"), root().join("services/lib")];
    while let Some(folder) = open.pop() {
        // In one order on every machine: of two messages of a reason the first stands.
        let entries = fs::read_dir(folder).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.display().to_string();
            if name.contains("services/simulator")
                || name.ends_with("tests")
                || name.ends_with("tests.rs")
            {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs") {
                collect(&fs::read_to_string(&path).unwrap(), &mut reasons);
            }
        }
    }
    assert!(reasons.len() > 50, "reasons were found");
    let mut page = String::from(
        "# Error codes\n\nStable reasons: `refusal.reason` in payloads, `extensions.reason` in errors, `ErrorInfo.reason` over gRPC. Generated from the source.\n\n| reason | what it says |\n|---|---|\n",
    );
    for (reason, message) in reasons {
        page.push_str(&format!("| `{reason}` | {message} |\n"));
    }
    guard("error-codes.md", &page);
}

/// Reasons are SCREAMING_SNAKE literals in the calls that make errors; the next literal behind one is its message.
fn collect(text: &str, reasons: &mut BTreeMap<String, String>) {
    let product = text.split("#[cfg(test)]").next().unwrap_or(text);
    // Reasons that a client of a provider names by a table.
    if let Some((_, table)) = product.split_once("fn reason(&self)") {
        let table = table.split("\n    }").next().unwrap_or_default();
        for reason in table.split('"').skip(1).step_by(2).filter(|l| is_reason(l)) {
            reasons.entry(reason.to_owned()).or_default();
        }
    }
    const MAKERS: [&str; 9] = [
        "Error::invalid(",
        "Error::unauthenticated(",
        "Error::forbidden(",
        "Error::refused(",
        "Error::too_many(",
        "Error::unavailable(",
        "Refused::new(",
        "Self::new(",
        "wrong(",
    ];
    for maker in MAKERS {
        for (at, _) in product.match_indices(maker) {
            let call = &product[at + maker.len()..];
            let call = &call[..call.len().min(600)];
            let mut literals = literals(call);
            let Some(reason) = literals.find(|l| is_reason(l)) else {
                continue;
            };
            let message = literals.find(|l| l.contains(' ')).unwrap_or_default();
            let message = message
                .replace('|', "\\|")
                .replace("{{", "{")
                .replace("}}", "}");
            reasons.entry(reason.to_owned()).or_insert(message);
        }
    }
}

/// The string literals of the call's own arguments, in order.
fn literals(call: &str) -> impl Iterator<Item = &str> {
    let mut depth = 1i32;
    let mut end = call.len();
    let mut quoted = false;
    for (at, c) in call.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            end = at;
            break;
        }
    }
    call[..end].split('"').skip(1).step_by(2)
}

fn is_reason(text: &str) -> bool {
    text.len() > 3
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

//! The part of the story that records.

use convene_kit::{Error, Result, digest};
use serde_json::{Value, json};

use super::{
    cast::{done, refusal, text, until},
    story::{Booked, Cast, REFUSAL},
    timeline::Timeline,
};
use crate::graphql::Client;

/// Consent, a recording with a pause, and its artefacts.
pub async fn record(
    cast: &Cast,
    timeline: &mut Timeline,
    booked: &Booked,
    guests: &[Client],
) -> Result<()> {
    timeline.act("Recording");
    let start = format!(
        "mutation($id: ID!) {{ startRecording(input: {{ bookingId: $id }}) {{ recording {{ id state }} {REFUSAL} }} }}"
    );
    let variables = json!({"id": booked.id});
    let early = cast.host.call(&start, variables.clone()).await?;
    let (reason, _) = refusal(&early["startRecording"])
        .ok_or_else(|| Error::internal("a recording began without consent"))?;
    timeline.step("host", "starts recording too early", &reason);

    let consent = format!(
        "mutation {{ giveConsent(input: {{ textVersion: \"2026-1\", locale: \"en\" }}) {{ consent {{ given }} {REFUSAL} }} }}"
    );
    let guest = guests
        .first()
        .ok_or_else(|| Error::internal("the story has no guests"))?;
    done(&guest.call(&consent, json!({})).await?, "giveConsent")?;
    timeline.step("guest 1", "consents to recording", "GIVEN");

    // The broker hears of the consent through the ledger's job; until then the start is refused.
    let query = "query($id: ID!) { booking(id: $id) { meeting { holdersWithoutConsent state } } }";
    wait_for_consent(cast, query, &variables).await?;
    let started = done(
        &cast.host.call(&start, variables.clone()).await?,
        "startRecording",
    )?;
    let recording = text(&started, "/recording/id")?;
    timeline.step(
        "host",
        "startRecording",
        &text(&started, "/recording/state")?,
    );
    let state = "query($id: ID!) { node(id: $id) { ... on Recording { state reason artefacts { segment contentType sizeBytes sha256 downloadUrl } } } }";
    let commands = [
        (None, "RECORDING"),
        (Some("pauseRecording"), "PAUSED"),
        (Some("resumeRecording"), "RECORDING"),
        (Some("stopRecording"), "STORED"),
    ];
    let mut last = Value::Null;
    for (command, wanted) in commands {
        if let Some(command) = command {
            let query = format!(
                "mutation($id: ID!) {{ {command}(input: {{ recordingId: $id }}) {{ recording {{ state }} {REFUSAL} }} }}"
            );
            let answer = cast.host.call(&query, json!({ "id": recording })).await?;
            let payload = done(&answer, command)?;
            timeline.step("host", command, &text(&payload, "/recording/state")?);
        }
        let variables = json!({ "id": recording });
        last = until(
            &cast.host,
            state,
            variables,
            "/node/state",
            &[wanted, "FAILED"],
        )
        .await?;
        if last["node"]["state"] != wanted {
            return Err(Error::refused(
                text(&last, "/node/reason")?,
                "the recording failed",
            ));
        }
        timeline.step("provider", "confirms", wanted);
    }
    for artefact in last["node"]["artefacts"].as_array().into_iter().flatten() {
        let link = text(artefact, "/downloadUrl")?;
        let link = if link.starts_with('/') {
            format!("{}{link}", cast.url)
        } else {
            link
        };
        let bytes = cast.host.fetch(&link).await?;
        let sha256 = digest::hex(&digest::sha256(&bytes));
        if sha256 != text(artefact, "/sha256")? {
            return Err(Error::internal(
                "an artefact's bytes do not have its checksum",
            ));
        }
        timeline.step(
            "host",
            &format!("downloads segment {}", artefact["segment"]),
            &format!("{} bytes · sha256 {}… verified", bytes.len(), &sha256[..16]),
        );
    }
    Ok(())
}

async fn wait_for_consent(cast: &Cast, query: &str, variables: &Value) -> Result<()> {
    // Counts are numbers; `until` compares texts. The host counts too until it starts the recording.
    for _ in 0..400 {
        let seen = cast.host.call(query, variables.clone()).await?;
        if seen["booking"]["meeting"]["holdersWithoutConsent"].as_u64() <= Some(1) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    Err(Error::timeout("the broker did not hear of the consent"))
}

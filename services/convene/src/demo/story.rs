//! The story.

use std::path::Path;

use convene_domain::BookingId;
use convene_kit::{Database, Error, Result, ids};
use serde_json::json;

use super::{
    cast::{AtProvider, done, refusal, text, until},
    recording,
    timeline::Timeline,
    watcher::Watcher,
};
use crate::{Node, audit, graphql::Client};

/// The service of the story lasts so long, in milliseconds.
const VISIT_MS: i64 = 30 * 60_000;
/// The appointment is a day away, and the clock moves to five minutes before it, in milliseconds.
const AHEAD_MS: i64 = 24 * 3_600_000;
const EARLY_MS: i64 = 5 * 60_000;

pub const REFUSAL: &str = "refusal { reason message }";

pub struct Booked {
    pub id: String,
    guests: Vec<String>,
}

pub struct Cast {
    pub url: String,
    admin: Client,
    app: Client,
    pub host: Client,
    provider: AtProvider,
}

/// Plays it all; the first thing that goes otherwise ends it with an error.
pub async fn play(node: &Node, data: &Path) -> Result<()> {
    let mut timeline = Timeline::default();
    let (cast, service, host) = set_the_stage(node, &mut timeline).await?;
    let booked = book(&cast, &mut timeline, &service, &host).await?;
    let watcher = Watcher::start(&cast.app, &booked.id).await?;
    timeline.step(
        "booking app",
        "subscribes to the booking's events",
        "from the beginning",
    );
    let (guests, visits) = wait_in_the_lobby(&cast, &mut timeline, &booked).await?;
    decide(&cast, &mut timeline, &booked, &visits).await?;
    enter(&cast, &mut timeline, &booked, &guests).await?;
    recording::record(&cast, &mut timeline, &booked, &guests).await?;
    end(&cast, &mut timeline, &booked, &guests).await?;
    let told = watcher.stop()?;
    timeline.step(
        "booking app",
        "was told by its subscription",
        &format!("{told} events, each object's without gap or repeat"),
    );
    look_back(data, &mut timeline, &booked).await
}

async fn set_the_stage(node: &Node, timeline: &mut Timeline) -> Result<(Cast, String, String)> {
    let url = node.url();
    let development = node
        .development()
        .ok_or_else(|| Error::internal("the demo's node has no development key"))?;
    let simulator = node
        .simulator()
        .ok_or_else(|| Error::internal("the demo's node has no simulator"))?;
    let admin = Client::new(&url, &format!("Bearer {}", development.secret()))?;

    timeline.act("Setting the stage");
    timeline.step("node", "all roles in one process, SQLite", &url);
    timeline.step(
        "simulator",
        "Graph and Entra over HTTP",
        &simulator.base_url(),
    );
    let query = format!(
        "mutation($user: String!, $duration: Int!) {{
           createService(input: {{ idempotencyKey: \"service\", name: \"First visit\", durationMs: $duration }}) {{ service {{ id }} {REFUSAL} }}
           createHost(input: {{ idempotencyKey: \"host\", name: \"Front desk\", providerUser: $user }}) {{ host {{ id }} {REFUSAL} }}
         }}"
    );
    let variables = json!({"user": simulator.env().graph_user, "duration": VISIT_MS});
    let made = admin.call(&query, variables).await?;
    let service = text(&done(&made, "createService")?, "/service/id")?;
    let host = text(&done(&made, "createHost")?, "/host/id")?;
    timeline.step(
        "admin",
        "makes a service (30 min) and a host",
        "First visit, Front desk",
    );

    let query = format!(
        "mutation($host: ID!) {{
           app: createApiKey(input: {{ name: \"booking app\", role: BOOKING_APP }}) {{ secret {REFUSAL} }}
           desk: createApiKey(input: {{ name: \"front desk\", role: HOST, hostId: $host }}) {{ secret {REFUSAL} }}
         }}"
    );
    let made = admin.call(&query, json!({ "host": host })).await?;
    let key = |name| Ok::<_, Error>(format!("Bearer {}", text(&done(&made, name)?, "/secret")?));
    timeline.step("admin", "makes keys", "BOOKING_APP, HOST");
    let cast = Cast {
        app: Client::new(&url, &key("app")?)?,
        host: Client::new(&url, &key("desk")?)?,
        provider: AtProvider::new(simulator.base_url())?,
        url,
        admin,
    };
    Ok((cast, service, host))
}

async fn book(cast: &Cast, timeline: &mut Timeline, service: &str, host: &str) -> Result<Booked> {
    timeline.act("Booking");
    let clock = cast
        .admin
        .call("{ clock { businessTime } }", json!({}))
        .await?;
    let now = chrono::DateTime::parse_from_rfc3339(&text(&clock, "/clock/businessTime")?)
        .map_err(|error| Error::internal(error.to_string()))?;
    let start = now + chrono::TimeDelta::milliseconds(AHEAD_MS);
    let query = format!(
        "mutation($input: BookMeetingInput!) {{ bookMeeting(input: $input) {{
           booking {{ id version state start meeting {{ state }} guests {{ id }} }} {REFUSAL} }} }}"
    );
    let input = json!({"input": {
        "idempotencyKey": ids::new().to_string(),
        "serviceId": service,
        "hostId": host,
        "start": start.to_rfc3339(),
        "guests": [
            {"name": "First Guest", "email": "first@guest.example"},
            {"name": "Second Guest", "email": "second@guest.example"},
        ],
    }});
    let booking = done(&cast.app.call(&query, input.clone()).await?, "bookMeeting")?;
    let id = text(&booking, "/booking/id")?;
    timeline.step(
        "booking app",
        "bookMeeting with an idempotency key",
        &format!(
            "{} · meeting {}",
            text(&booking, "/booking/state")?,
            text(&booking, "/booking/meeting/state")?
        ),
    );
    let again = done(&cast.app.call(&query, input.clone()).await?, "bookMeeting")?;
    if text(&again, "/booking/id")? != id {
        return Err(Error::internal(
            "a repeated bookMeeting made a second booking",
        ));
    }
    timeline.step(
        "booking app",
        "the same request once more",
        "the same booking",
    );

    let mut other = input;
    other["input"]["idempotencyKey"] = ids::new().to_string().into();
    let refused = cast.app.call(&query, other).await?;
    let (reason, _) = refusal(&refused["bookMeeting"])
        .ok_or_else(|| Error::internal("a taken slot was given away twice"))?;
    timeline.step("booking app", "the same slot under another key", &reason);

    let query = "query($id: ID!) { booking(id: $id) { state meeting { state provider lobbyBypassEffective } lobby { state } } }";
    let ready = until(
        &cast.app,
        query,
        json!({ "id": id }),
        "/booking/meeting/state",
        &["READY", "FAILED"],
    )
    .await?;
    let meeting = &ready["booking"]["meeting"];
    if meeting["state"] != "READY" {
        return Err(Error::refused(
            "MEETING_FAILED",
            "the simulator refused the meeting",
        ));
    }
    timeline.step(
        "broker",
        "event and online meeting at the provider",
        &format!(
            "{} · lobby bypass {}",
            text(meeting, "/provider")?,
            text(meeting, "/lobbyBypassEffective")?
        ),
    );
    let guests = booking["booking"]["guests"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|guest| text(guest, "/id"))
        .collect::<Result<_>>()?;
    Ok(Booked { id, guests })
}

async fn wait_in_the_lobby(
    cast: &Cast,
    timeline: &mut Timeline,
    booked: &Booked,
) -> Result<(Vec<Client>, Vec<String>)> {
    timeline.act("In the lobby");
    let query = format!(
        "mutation($by: Int!) {{ advanceClock(input: {{ byMs: $by }}) {{ clock {{ businessTime }} {REFUSAL} }} }}"
    );
    let moved = cast
        .admin
        .call(&query, json!({"by": AHEAD_MS - EARLY_MS}))
        .await?;
    let time = text(&done(&moved, "advanceClock")?, "/clock/businessTime")?;
    timeline.step("admin", "moves every clock to five minutes before", &time);

    // The lobby opens as an effect of the booking; it is there long before the guests are.
    let lobby = "query($id: ID!) { booking(id: $id) { lobby { state } } }";
    let variables = json!({"id": booked.id});
    until(
        &cast.app,
        lobby,
        variables,
        "/booking/lobby/state",
        &["OPEN"],
    )
    .await?;

    let (mut guests, mut visits) = (Vec::new(), Vec::new());
    for (place, guest) in (1..).zip(&booked.guests) {
        let query = format!(
            "mutation($booking: ID!, $guest: ID!) {{ issueTicket(input: {{ bookingId: $booking, guestId: $guest }}) {{ ticket {REFUSAL} }} }}"
        );
        let variables = json!({"booking": booked.id, "guest": guest});
        let issued = done(&cast.app.call(&query, variables).await?, "issueTicket")?;
        let client = Client::new(&cast.url, &format!("Ticket {}", text(&issued, "/ticket")?))?;
        let query =
            format!("mutation {{ enterLobby {{ visit {{ id state position }} {REFUSAL} }} }}");
        let entered = done(&client.call(&query, json!({})).await?, "enterLobby")?;
        timeline.step(
            &format!("guest {place}"),
            "enters the lobby with a ticket",
            &format!(
                "{} · position {}",
                text(&entered, "/visit/state")?,
                entered["visit"]["position"]
            ),
        );
        visits.push(text(&entered, "/visit/id")?);
        guests.push(client);
    }
    Ok((guests, visits))
}

async fn decide(
    cast: &Cast,
    timeline: &mut Timeline,
    booked: &Booked,
    visits: &[String],
) -> Result<()> {
    let query =
        "query($id: ID!) { booking(id: $id) { lobby { waiting visits { displayName state } } } }";
    let seen = cast.host.call(query, json!({"id": booked.id})).await?;
    timeline.step(
        "host",
        "looks at the lobby",
        &format!("{} waiting", seen["booking"]["lobby"]["waiting"]),
    );
    for (mutation, visit) in ["admitVisit", "denyVisit"].into_iter().zip(visits) {
        let query = format!(
            "mutation($visit: ID!) {{ {mutation}(input: {{ visitId: $visit }}) {{ visit {{ state decidedBy }} {REFUSAL} }} }}"
        );
        let decided = cast.host.call(&query, json!({ "visit": visit })).await?;
        let decided = done(&decided, mutation)?;
        timeline.step(
            "host",
            mutation,
            &format!(
                "{} · by {}",
                text(&decided, "/visit/state")?,
                text(&decided, "/visit/decidedBy")?
            ),
        );
    }
    Ok(())
}

async fn enter(
    cast: &Cast,
    timeline: &mut Timeline,
    booked: &Booked,
    guests: &[Client],
) -> Result<()> {
    timeline.act("Into the meeting");
    let query = format!("mutation {{ joinDetails {{ joinDetails {{ joinUrl }} {REFUSAL} }} }}");
    for (place, guest) in (1..).zip(guests) {
        let answer = guest.call(&query, json!({})).await?;
        let payload = &answer["joinDetails"];
        let outcome = match (place, refusal(payload)) {
            (1, None) => {
                let link = text(payload, "/joinDetails/joinUrl")?;
                let presence = cast.provider.join(&link, "guest").await?;
                format!("join details by permit · {presence} at the provider")
            }
            (_, Some((reason, _))) if place > 1 => format!("no join details: {reason}"),
            _ => return Err(Error::internal("join details went the wrong way")),
        };
        timeline.step(&format!("guest {place}"), "asks for join details", &outcome);
    }
    let query = format!(
        "mutation($id: ID!) {{ hostJoinDetails(input: {{ bookingId: $id }}) {{ joinDetails {{ joinUrl }} {REFUSAL} }} }}"
    );
    let answer = cast.host.call(&query, json!({"id": booked.id})).await?;
    let link = text(&done(&answer, "hostJoinDetails")?, "/joinDetails/joinUrl")?;
    let presence = cast.provider.join(&link, "organizer").await?;
    timeline.step(
        "host",
        "gets join details by a host permit",
        &format!("{presence} at the provider"),
    );
    Ok(())
}

async fn end(
    cast: &Cast,
    timeline: &mut Timeline,
    booked: &Booked,
    guests: &[Client],
) -> Result<()> {
    timeline.act("The end");
    let query = format!(
        "mutation($id: ID!) {{ endMeeting(input: {{ bookingId: $id }}) {{ booking {{ state }} {REFUSAL} }} }}"
    );
    let variables = json!({"id": booked.id});
    let ended = done(
        &cast.host.call(&query, variables.clone()).await?,
        "endMeeting",
    )?;
    timeline.step("host", "endMeeting", &text(&ended, "/booking/state")?);
    let query = "query($id: ID!) { booking(id: $id) { meeting { state } lobby { state } } }";
    until(
        &cast.app,
        query,
        variables.clone(),
        "/booking/lobby/state",
        &["CLOSED"],
    )
    .await?;
    until(
        &cast.app,
        query,
        variables,
        "/booking/meeting/state",
        &["ENDED"],
    )
    .await?;
    timeline.step("lobby", "closes; the meeting is over", "CLOSED · ENDED");
    for (place, guest) in (1..).zip(guests) {
        let told = guest.call("{ visit { state reason } }", json!({})).await?;
        timeline.step(
            &format!("guest {place}"),
            "is told",
            &text(&told, "/visit/state")?,
        );
    }
    Ok(())
}

async fn look_back(data: &Path, timeline: &mut Timeline, booked: &Booked) -> Result<()> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    timeline.act("The audit trail of the booking");
    let uuid = STANDARD
        .decode(&booked.id)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| Some(text.split_once(':')?.1.to_owned()))
        .ok_or_else(|| Error::internal("the booking's id is not a node id"))?;
    let booking: BookingId = uuid.parse()?;
    let logs = audit::read(&Database::sqlite(data), Some(booking)).await?;
    let mut lines = Vec::new();
    for log in &logs {
        if let Some(problem) = audit::verify(log).await?.first() {
            return Err(Error::refused(
                "AUDIT_BROKEN",
                format!("{}: {}: {}", problem.source, problem.object, problem.what),
            ));
        }
        let events = log.events.iter();
        lines.extend(events.map(|event| {
            let key = (event.occurred_at_ms, log.source, event.position);
            (key, audit::line(log.source, event))
        }));
    }
    lines.sort();
    for (_, line) in &lines {
        timeline.note(line.as_str());
    }
    timeline.step(
        "audit",
        &format!("{} events, every chain recomputed", lines.len()),
        "verified",
    );
    Ok(())
}

//! Rooms and who is invited to them.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Ask, Reply,
    json::Fields,
    link::{after, hexed},
    paged, repeat, unexpected,
};
use crate::{
    Command, NewRoom, Outcome, Port, Problem, Role, RoleChanges, Room, RoomChange, time::rfc3339,
};

/// From this api-version on there are collaborators.
const COLLABORATOR_SINCE: &str = "2025-03-13";

/// `POST /rooms`.
pub async fn create(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let fields = ask.fields()?;
    let new = NewRoom {
        valid_from_ms: fields.time("validFrom")?,
        valid_until_ms: fields.time("validUntil")?,
        pstn_dial_out: fields.boolean("pstnDialOutEnabled")?.unwrap_or(false),
        participants: roles(ask, &fields)?,
    };
    let once = repeat::once(ask)?;
    let repeatable = once.is_some();
    let room = room(port.run(Command::CreateRoom(new), once).await?)?;
    Ok(Reply {
        repeatable,
        ..Reply::of(StatusCode::CREATED, show(&room))
    })
}

/// `GET /rooms`.
pub async fn list(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let after = after(ask)?;
    match port.run(Command::ListRooms { after }, None).await? {
        Outcome::Rooms(page) => Ok(Reply::of(
            StatusCode::OK,
            paged(ask, page, |room| show(&room), hexed),
        )),
        other => Err(unexpected(&other)),
    }
}

/// `GET /rooms/{id}`.
pub async fn read(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let room = room(port.run(Command::ReadRoom(ask.id()), None).await?)?;
    Ok(Reply::of(StatusCode::OK, show(&room)))
}

/// `PATCH /rooms/{id}`: null is unchanged, because official clients send it for what they do not change.
pub async fn update(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let fields = ask.fields()?;
    let change = RoomChange {
        valid_from_ms: fields.time("validFrom")?,
        valid_until_ms: fields.time("validUntil")?,
        pstn_dial_out: fields.boolean("pstnDialOutEnabled")?,
    };
    let command = Command::UpdateRoom(ask.id(), change);
    let room = room(port.run(command, None).await?)?;
    Ok(Reply::of(StatusCode::OK, show(&room)))
}

/// `DELETE /rooms/{id}`.
pub async fn delete(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    port.run(Command::DeleteRoom(ask.id()), None).await?;
    Ok(Reply::empty())
}

/// `GET /rooms/{id}/participants`.
pub async fn participants(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let room = ask.id();
    let after = after(ask)?;
    match port
        .run(Command::ListParticipants { room, after }, None)
        .await?
    {
        Outcome::Participants(page) => {
            let show =
                |(raw_id, role): (String, Role)| json!({"rawId": raw_id, "role": role.name()});
            Ok(Reply::of(StatusCode::OK, paged(ask, page, show, hexed)))
        }
        other => Err(unexpected(&other)),
    }
}

/// `PATCH /rooms/{id}/participants`: here null removes.
pub async fn update_participants(port: &dyn Port, ask: &Ask) -> Result<Reply, Problem> {
    let changes = roles(ask, &ask.fields()?)?;
    let command = Command::UpdateParticipants(ask.id(), changes);
    port.run(command, None).await?;
    Ok(Reply::of(StatusCode::OK, json!({})))
}

fn room(outcome: Outcome) -> Result<Room, Problem> {
    match outcome {
        Outcome::Room(room) => Ok(room),
        other => Err(unexpected(&other)),
    }
}

fn show(room: &Room) -> Value {
    json!({
        "id": room.id,
        "createdAt": rfc3339(room.created_ms),
        "validFrom": rfc3339(room.valid_from_ms),
        "validUntil": rfc3339(room.valid_until_ms),
        "pstnDialOutEnabled": room.pstn_dial_out,
    })
}

fn roles(ask: &Ask, fields: &Fields) -> Result<RoleChanges, Problem> {
    let none = Map::new();
    let given = fields.map("participants")?.unwrap_or(&none);
    let each = given.iter().map(|(raw_id, value)| {
        let at = format!("participants['{raw_id}']");
        let role = match value {
            Value::Null => None,
            other => Some(role(ask, &at, Fields::of(&at, other.clone())?)?),
        };
        Ok((raw_id.clone(), role))
    });
    each.collect()
}

fn role(ask: &Ask, at: &str, fields: Fields) -> Result<Role, Problem> {
    let Some(name) = fields.text("role")? else {
        return Ok(Role::default());
    };
    let role = Role::parse(&name);
    let role = role
        .filter(|role| *role != Role::Collaborator || ask.version.as_str() >= COLLABORATOR_SINCE);
    role.ok_or_else(|| {
        let text = format!(
            "The role is Presenter, Attendee, Consumer, or since api-version {COLLABORATOR_SINCE} Collaborator."
        );
        Problem::bad(format!("{at}.role"), text)
    })
}

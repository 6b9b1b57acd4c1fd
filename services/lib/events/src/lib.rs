//! Which facts are public, under which name, with which fields: what webhooks tell and workflows react to. Names and fields stay; what services call
//! their facts inside may change.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use convene_domain::{
    Audience, Machine as _, booking::Booking, consent::Consent, lobby::Lobby, meeting::Meeting,
    permit::Permit, recording::Recording, visit::Visit,
};
use convene_kit::{Result, feed::Fact};
use serde_json::{Value, json};
use uuid::Uuid;

/// An id as the GraphQL API answers it and takes it.
pub fn global_id(kind: &str, id: Uuid) -> String {
    BASE64.encode(format!("{kind}:{id}"))
}

/// A public event.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// Public name.
    pub name: &'static str,
    /// When it comes.
    pub says: &'static str,
    /// What `data` holds beside `bookingId`, `objectKind`, `objectId` and `seq`.
    pub fields: &'static [&'static str],
}

const fn event(
    name: &'static str,
    says: &'static str,
    fields: &'static [&'static str],
) -> EventType {
    EventType { name, says, fields }
}

/// All public events. One of `visitId` and `hostId` says for whom a permit, details or a consent are.
pub const EVENT_TYPES: [EventType; 33] = [
    event(
        "booking.booked",
        "the slot is taken",
        &["end", "guestIds", "hostId", "pending", "serviceId", "start"],
    ),
    event(
        "booking.confirmed",
        "somebody of the organisation agreed to the appointment",
        &[],
    ),
    event(
        "booking.declined",
        "nobody agreed to the appointment",
        &["reason"],
    ),
    event("booking.no_show", "nobody who was invited came", &[]),
    event(
        "booking.rescheduled",
        "the appointment has another time; it is the same booking",
        &["end", "start"],
    ),
    event(
        "booking.cancelled",
        "the appointment was called off",
        &["reason"],
    ),
    event("booking.completed", "the appointment is over", &[]),
    event("meeting.ready", "the provider has the meeting", &[]),
    event(
        "meeting.failed",
        "the provider refuses to make the meeting",
        &["reason"],
    ),
    event(
        "meeting.cancelled",
        "the provider has the meeting no more",
        &[],
    ),
    event(
        "meeting.moved",
        "the provider has the meeting at its new time; it is the same meeting",
        &[],
    ),
    event("meeting.ended", "the meeting is over", &[]),
    event(
        "meeting.join_details_released",
        "one person was given join details",
        &["visitId", "hostId"],
    ),
    event("lobby.opened", "guests may arrive", &["closesAt", "hostId"]),
    event("lobby.closed", "nobody is let in any more", &["reason"]),
    event("visit.expected", "a guest is invited", &["guestId"]),
    event("visit.arrived", "the guest waits in the lobby", &[]),
    event("visit.admitted", "the guest was let in", &["reason"]),
    event("visit.denied", "the guest was turned away", &["reason"]),
    event(
        "visit.timed_out",
        "the lobby closed before a decision",
        &["reason"],
    ),
    event("visit.left", "the guest went away", &[]),
    event(
        "plugin.tripped",
        "the plugin that decides about arrivals failed again and again, now about this visit, and is not asked for a while",
        &["digest", "notBefore", "reason"],
    ),
    event(
        "permit.issued",
        "one person may have join details",
        &["visitId", "hostId", "expiresAt", "reason"],
    ),
    event(
        "permit.redeemed",
        "the permit was used for the first time",
        &[],
    ),
    event("permit.revoked", "the permit was taken back", &["reason"]),
    event(
        "consent.given",
        "one person agreed to be recorded",
        &["visitId", "hostId", "locale", "textVersion"],
    ),
    event(
        "consent.withdrawn",
        "one person does not agree any more",
        &[],
    ),
    event("recording.requested", "a recording was asked for", &[]),
    event(
        "recording.started",
        "the provider confirmed that it records a segment",
        &["segment"],
    ),
    event(
        "recording.stopped",
        "the provider confirmed that a segment ended",
        &["cause", "segment"],
    ),
    event(
        "recording.failed",
        "a segment could not be recorded",
        &["reason", "segment"],
    ),
    event(
        "recording.artefact_stored",
        "a segment's media is stored",
        &["contentType", "segment", "sha256", "sizeBytes"],
    ),
    event(
        "recording.artefact_read",
        "somebody entitled read a segment's media",
        &["segment"],
    ),
];

/// A public event and its fields.
#[derive(Debug)]
pub struct Told {
    /// Public name.
    pub name: &'static str,
    /// What is told beside the event's own ids.
    pub fields: Value,
}

type Public = Option<(&'static str, Value)>;

/// What a fact says to the public; `None` for what is between the services only.
pub fn told(fact: &Fact) -> Result<Option<Told>> {
    let public = match fact.object_kind.as_str() {
        Booking::KIND => booking(fact.decode::<Booking>()?),
        Meeting::KIND => meeting(fact.decode::<Meeting>()?),
        Lobby::KIND => lobby(fact.decode::<Lobby>()?),
        Visit::KIND => visit(fact.decode::<Visit>()?),
        Permit::KIND => permit(fact.decode::<Permit>()?),
        Consent::KIND => consent(fact.decode::<Consent>()?),
        Recording::KIND => recording(fact.decode::<Recording>()?),
        _ => None,
    };
    Ok(public.map(|(name, fields)| Told { name, fields }))
}

fn booking(event: convene_domain::booking::Event) -> Public {
    use convene_domain::booking::Event as E;
    match event {
        E::Booked { terms, pending, .. } => {
            let guests = terms.guests.iter();
            let guests = guests.map(|guest| global_id("Guest", guest.as_uuid()));
            Some((
                "booking.booked",
                json!({
                    "serviceId": global_id("Service", terms.service.as_uuid()),
                    "hostId": global_id("Host", terms.host.as_uuid()),
                    "start": terms.interval.start().to_string(),
                    "end": terms.interval.end().to_string(),
                    "guestIds": guests.collect::<Vec<_>>(),
                    // Whether somebody of the organisation has to agree yet.
                    "pending": pending,
                }),
            ))
        }
        E::BookingRescheduled { interval, .. } => Some((
            "booking.rescheduled",
            json!({
                "start": interval.start().to_string(),
                "end": interval.end().to_string(),
            }),
        )),
        E::BookingCancelled { reason } => Some(("booking.cancelled", json!({ "reason": reason }))),
        E::BookingCompleted => Some(("booking.completed", json!({}))),
        E::BookingConfirmed => Some(("booking.confirmed", json!({}))),
        E::BookingDeclined { reason } => Some(("booking.declined", json!({ "reason": reason }))),
        E::BookingNoShow => Some(("booking.no_show", json!({}))),
        // The meeting tells of itself.
        E::MeetingReady | E::MeetingFailed { .. } | E::MeetingCancelled | E::MeetingEnded => None,
    }
}

fn meeting(event: convene_domain::meeting::Event) -> Public {
    use convene_domain::meeting::Event as E;
    match event {
        // Its names at the provider stay inside.
        E::MeetingReady { .. } => Some(("meeting.ready", json!({}))),
        E::MeetingFailed { reason } => Some(("meeting.failed", json!({ "reason": reason }))),
        E::MeetingMoved { .. } => Some(("meeting.moved", json!({}))),
        E::MeetingCancelled => Some(("meeting.cancelled", json!({}))),
        E::MeetingEnded => Some(("meeting.ended", json!({}))),
        E::JoinDetailsReleased { audience, .. } => {
            Some(("meeting.join_details_released", with(audience, json!({}))))
        }
        // Steps between the services; what people want to know of them comes from booking, consent and recording.
        E::MeetingWanted { .. }
        | E::MoveWanted { .. }
        | E::CancelWanted { .. }
        | E::ConsentRecorded { .. }
        | E::CaptureWanted { .. }
        | E::CallJoined { .. }
        | E::CallLeft
        | E::CaptureStarted { .. }
        | E::CaptureFailed { .. }
        | E::CaptureStopWanted { .. }
        | E::CaptureStopped { .. }
        | E::ArtefactReady { .. } => None,
    }
}

fn lobby(event: convene_domain::lobby::Event) -> Public {
    use convene_domain::lobby::Event as E;
    match event {
        E::LobbyOpened {
            host, closes_at, ..
        } => Some((
            "lobby.opened",
            json!({
                "hostId": global_id("Host", host.as_uuid()),
                "closesAt": closes_at.to_string(),
            }),
        )),
        // The booking tells of it.
        E::LobbyMoved { .. } => None,
        E::LobbyClosed { reason } => Some(("lobby.closed", json!({ "reason": reason }))),
    }
}

fn visit(event: convene_domain::visit::Event) -> Public {
    use convene_domain::visit::Event as E;
    Some(match event {
        E::VisitExpected { guest, .. } => (
            "visit.expected",
            json!({ "guestId": global_id("Guest", guest.as_uuid()) }),
        ),
        E::GuestArrived { .. } => ("visit.arrived", json!({})),
        E::PluginDecided {
            tripped_until: Some(until),
            digest,
            subject,
            ..
        } => (
            "plugin.tripped",
            json!({ "digest": digest, "notBefore": until.to_string(), "reason": subject }),
        ),
        // What comes of it is told.
        E::PluginDecided { .. } => return None,
        E::GuestAdmitted { reason, .. } => ("visit.admitted", json!({ "reason": reason })),
        E::GuestDenied { reason } => ("visit.denied", json!({ "reason": reason })),
        E::VisitTimedOut { reason } => ("visit.timed_out", json!({ "reason": reason })),
        E::GuestLeft => ("visit.left", json!({})),
    })
}

fn permit(event: convene_domain::permit::Event) -> Public {
    use convene_domain::permit::Event as E;
    Some(match event {
        // The booking tells of it.
        E::PermitProlonged { .. } => return None,
        E::PermitIssued {
            audience,
            expires_at,
            reason,
            ..
        } => {
            let fields = json!({ "expiresAt": expires_at.to_string(), "reason": reason });
            ("permit.issued", with(audience, fields))
        }
        E::PermitRedeemed => ("permit.redeemed", json!({})),
        E::PermitRevoked { reason } => ("permit.revoked", json!({ "reason": reason })),
    })
}

fn consent(event: convene_domain::consent::Event) -> Public {
    use convene_domain::consent::Event as E;
    Some(match event {
        E::ConsentGiven {
            audience,
            text_version,
            locale,
            ..
        } => {
            let fields = json!({ "textVersion": text_version, "locale": locale });
            ("consent.given", with(audience, fields))
        }
        E::ConsentWithdrawn => ("consent.withdrawn", json!({})),
    })
}

fn recording(event: convene_domain::recording::Event) -> Public {
    use convene_domain::recording::Event as E;
    match event {
        E::RecordingRequested { .. } => Some(("recording.requested", json!({}))),
        E::CaptureStarted { segment } => Some(("recording.started", json!({ "segment": segment }))),
        E::CaptureStopped { segment, cause } => Some((
            "recording.stopped",
            json!({ "segment": segment, "cause": cause }),
        )),
        E::CaptureFailed { segment, reason } => Some((
            "recording.failed",
            json!({ "segment": segment, "reason": reason }),
        )),
        E::ArtefactStored { segment, artefact } => Some((
            "recording.artefact_stored",
            json!({
                "segment": segment,
                "contentType": artefact.content_type,
                "sizeBytes": artefact.size_bytes,
                "sha256": artefact.sha256,
            }),
        )),
        E::ArtefactRead { segment } => {
            Some(("recording.artefact_read", json!({ "segment": segment })))
        }
        // Wishes: what came of them is told.
        E::CaptureAccepted { .. }
        | E::PauseWanted
        | E::ResumeWanted
        | E::StopWanted
        | E::ArtefactReady { .. } => None,
    }
}

/// Adds whom it is about.
fn with(audience: Audience, mut fields: Value) -> Value {
    let (field, id) = match audience {
        Audience::Visit(visit) => ("visitId", global_id("Visit", visit.as_uuid())),
        Audience::Host(host) => ("hostId", global_id("Host", host.as_uuid())),
    };
    fields[field] = id.into();
    fields
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use convene_domain::Charted;

    use super::*;

    fn samples<M: Charted>(public: fn(M::Event) -> Public) -> Vec<(&'static str, Value)> {
        let (first, later) = M::chart_events();
        std::iter::once(first)
            .chain(later)
            .filter_map(public)
            .collect()
    }

    #[test]
    fn every_event_is_listed_with_its_fields() {
        let told = [
            samples::<Booking>(booking),
            samples::<Meeting>(meeting),
            samples::<Lobby>(lobby),
            samples::<Visit>(visit),
            samples::<Permit>(permit),
            samples::<Consent>(consent),
            samples::<Recording>(recording),
            // The charts need no sample of it.
            Vec::from_iter(recording(convene_domain::recording::Event::ArtefactRead {
                segment: 1,
            })),
        ]
        .concat();
        let mut seen = BTreeSet::new();
        for (name, fields) in told {
            let listed = EVENT_TYPES.iter().find(|listed| listed.name == name);
            let listed = listed.unwrap_or_else(|| panic!("{name} is not listed"));
            let listed: BTreeSet<_> = listed.fields.iter().copied().collect();
            let mut given: BTreeSet<_> = fields
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            // One of the two stands for the audience.
            if given.contains("visitId") || given.contains("hostId") && listed.contains("visitId") {
                given.extend(["visitId", "hostId"]);
            }
            assert_eq!(given, listed, "{name}");
            seen.insert(name);
        }
        let all: BTreeSet<_> = EVENT_TYPES.iter().map(|listed| listed.name).collect();
        assert_eq!(all.len(), EVENT_TYPES.len(), "names are told apart");
        let unseen: Vec<_> = all.difference(&seen).collect();
        assert!(unseen.is_empty(), "never told: {unseen:?}");
    }
}

//! Between the wire and the domain.

use convene_domain::{BookingId, MeetingId, RecordingId, meeting::SegmentId, recording::Phase};
use convene_kit::{
    Error, Result,
    convert::{id, text, to_wire},
};
use convene_proto::{
    meeting::v1::{CaptureState, Meeting, MeetingPhase},
    recording::v1 as wire,
};

use crate::{
    peers::Met,
    service::GiveConsent,
    store::{consent, recording},
};

/// A BCP 47 tag, in characters: the length that RFC 5646 section 4.4.1 advises room for.
const LOCALE_CHARS_MAX: usize = 35;

/// A booking and its meeting; `NOT_FOUND` unless the one belongs to the other.
pub fn meeting_of(booking: &str, meeting: &str) -> Result<(BookingId, MeetingId)> {
    let booking: BookingId = id("bookingId", booking)?;
    let meeting: MeetingId = id("meetingId", meeting)?;
    if booking.meeting(1) != meeting {
        return Err(Error::not_found("meeting").on_field("meetingId"));
    }
    Ok((booking, meeting))
}

/// A decision for recording, checked.
pub fn give_consent(request: wire::GiveConsentRequest) -> Result<GiveConsent> {
    let (booking, meeting) = meeting_of(&request.booking_id, &request.meeting_id)?;
    Ok(GiveConsent {
        booking,
        meeting,
        text_version: text("textVersion", &request.text_version)?,
        locale: locale(&request.locale)?,
    })
}

/// A language tag of the form of BCP 47; whether its subtags are registered is not asked.
fn locale(text: &str) -> Result<String> {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    let formed = (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    if !formed || text.len() > LOCALE_CHARS_MAX {
        return Err(Error::invalid(
            "locale",
            "MALFORMED_LOCALE",
            "locale is the BCP 47 tag of the text that was shown, for example en or de-CH",
        ));
    }
    Ok(text.to_owned())
}

/// A line of the ledger on the wire.
pub fn consent(row: &consent::Model) -> Result<wire::Consent> {
    let consent = row.machine()?;
    Ok(wire::Consent {
        meeting_id: consent.meeting.to_string(),
        audience: consent.audience.to_string(),
        given: consent.given,
        text_version: consent.text_version,
        locale: consent.locale,
        decided_at: Some(to_wire(consent.decided_at)),
        version: row.version.unsigned_abs(),
    })
}

/// A recording on the wire.
pub fn recording(row: &recording::Model) -> Result<wire::Recording> {
    let recording = row.machine()?;
    let reason = match &recording.phase {
        Phase::Failed { reason } => reason.clone(),
        _ => String::new(),
    };
    Ok(wire::Recording {
        id: row.id.to_string(),
        booking_id: recording.booking.to_string(),
        meeting_id: recording.meeting.to_string(),
        version: row.version.unsigned_abs(),
        state: state(&recording.phase).into(),
        reason,
        segments: recording.current,
        requested_at: Some(to_wire(recording.requested_at)),
        artefacts: recording
            .segments
            .into_iter()
            .filter_map(|(segment, kept)| {
                let artefact = kept.artefact?;
                Some(wire::Artefact {
                    segment,
                    content_type: artefact.content_type,
                    size_bytes: artefact.size_bytes,
                    sha256: artefact.sha256,
                })
            })
            .collect(),
    })
}

fn state(phase: &Phase) -> wire::RecordingState {
    use wire::RecordingState as State;
    match phase {
        Phase::Requested => State::Requested,
        Phase::Starting => State::Starting,
        Phase::Recording => State::Recording,
        Phase::Pausing => State::Pausing,
        Phase::Paused => State::Paused,
        Phase::Resuming => State::Resuming,
        Phase::Stopping => State::Stopping,
        Phase::Processing => State::Processing,
        Phase::Available => State::Available,
        Phase::Stored => State::Stored,
        Phase::Failed { .. } => State::Failed,
    }
}

/// The broker's meeting. What does not decode is a fault of ours, not of the caller.
pub fn met(meeting: Meeting) -> Result<Met> {
    let fault = |_| Error::internal("the broker answered a meeting that does not decode");
    let capture = meeting.capture();
    let segment = match capture {
        CaptureState::Unspecified | CaptureState::Off => None,
        CaptureState::Starting | CaptureState::On | CaptureState::Stopping => Some(SegmentId {
            recording: meeting.recording_id.parse::<RecordingId>().map_err(fault)?,
            segment: meeting.segment,
        }),
    };
    Ok(Met {
        host: meeting.host_id.parse().map_err(fault)?,
        phase: meeting.phase(),
        holders: meeting
            .holders
            .iter()
            .map(|holder| holder.parse().map_err(fault))
            .collect::<Result<_>>()?,
        capture,
        segment,
    })
}

/// `Err` with the reason why a meeting in this phase cannot be recorded.
pub fn ensure_ready(phase: MeetingPhase) -> Result<()> {
    let (reason, message) = match phase {
        MeetingPhase::Ready => return Ok(()),
        MeetingPhase::Unspecified | MeetingPhase::Pending => (
            "MEETING_NOT_READY",
            "the meeting is still being made; try again in a moment",
        ),
        MeetingPhase::Failed => (
            "MEETING_FAILED",
            "the provider refused to make the meeting; read the meeting's reason",
        ),
        MeetingPhase::Cancelling | MeetingPhase::Cancelled => {
            ("MEETING_CANCELLED", "the meeting was cancelled")
        }
        MeetingPhase::Ended => ("MEETING_ENDED", "the meeting is over"),
    };
    Err(Error::refused(reason, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_have_the_form_of_bcp_47() {
        for good in [
            "en",
            "de-CH",
            "zh-Hant-TW",
            "es-419",
            "und",
            "sl-rozaj-biske-1994",
        ] {
            assert_eq!(locale(good).unwrap(), good);
        }
        for bad in [
            "",
            "e",
            "en_US",
            "en-",
            "-en",
            "d3",
            "en US",
            "en-abcdefghi",
            "é-CH",
        ] {
            assert_eq!(
                locale(bad).unwrap_err().reason,
                "MALFORMED_LOCALE",
                "{bad:?}"
            );
        }
        assert!(locale(&format!("en{}", "-abcdefgh".repeat(4))).is_err());
    }

    #[test]
    fn a_meeting_must_be_the_bookings_own() {
        let booking = BookingId::from_uuid(uuid::Uuid::from_u128(7));
        let other = BookingId::from_uuid(uuid::Uuid::from_u128(8));
        let both =
            |b: BookingId, m: BookingId| meeting_of(&b.to_string(), &m.meeting(1).to_string());
        assert_eq!(
            both(booking, booking).unwrap(),
            (booking, booking.meeting(1))
        );
        assert_eq!(both(booking, other).unwrap_err().reason, "NOT_FOUND");
        assert_eq!(
            meeting_of("x", "y").unwrap_err().field.as_deref(),
            Some("bookingId")
        );
    }
}

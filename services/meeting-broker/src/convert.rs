//! Between proto and domain.

use convene_domain::{
    Interval, Timestamp,
    meeting::{Capture, Phase, SegmentId},
};
use convene_kit::{
    Error, Result,
    convert::{id, required_time},
    finding::{Finding, Severity},
};
use convene_proto::meeting::v1 as wire;

use crate::{
    provider::{CapabilityLevel, JoinDetails, Provider},
    service::{EnsureMeeting, MeetingView},
};

pub fn ensure_meeting(request: wire::EnsureMeetingRequest) -> Result<EnsureMeeting> {
    let start = required_time("start", request.start)?;
    let interval = interval(start, required_time("end", request.end)?)?;
    if request.generation == 0 {
        return Err(Error::invalid(
            "generation",
            "REQUIRED",
            "generation is 1 for the first meeting of a booking, and one more for each in its place",
        ));
    }
    Ok(EnsureMeeting {
        meeting: id("meeting_id", &request.meeting_id)?,
        booking: id("booking_id", &request.booking_id)?,
        generation: request.generation,
        host: id("host_id", &request.host_id)?,
        subject: request.subject,
        organizer: request.organizer,
        interval,
    })
}

pub fn interval(start: Timestamp, end: Timestamp) -> Result<Interval> {
    Interval::new(start, end)
        .ok_or_else(|| Error::invalid("end", "END_BEFORE_START", "end must be after start"))
}

pub fn segment(recording: &str, segment: u32) -> Result<SegmentId> {
    if segment == 0 {
        return Err(Error::invalid(
            "segment",
            "REQUIRED",
            "segment is 1 for the first part of a recording, and one more for each resume",
        ));
    }
    Ok(SegmentId {
        recording: id("recording_id", recording)?,
        segment,
    })
}

pub fn meeting(view: MeetingView) -> wire::Meeting {
    let MeetingView { row, host } = view;
    let meeting = row.machine;
    let (phase, reason) = match &meeting.phase {
        Phase::Pending => (wire::MeetingPhase::Pending, ""),
        Phase::Ready => (wire::MeetingPhase::Ready, ""),
        Phase::Failed { reason } => (wire::MeetingPhase::Failed, reason.as_str()),
        Phase::Cancelling => (wire::MeetingPhase::Cancelling, ""),
        Phase::Cancelled => (wire::MeetingPhase::Cancelled, ""),
        Phase::Ended => (wire::MeetingPhase::Ended, ""),
    };
    let capture = match meeting.capture {
        Capture::Off => wire::CaptureState::Off,
        Capture::Starting(_) => wire::CaptureState::Starting,
        Capture::On(_) => wire::CaptureState::On,
        Capture::Stopping { .. } => wire::CaptureState::Stopping,
    };
    let running = meeting.capture.segment();
    let external = meeting.external.as_ref();
    let text = |audiences: Vec<_>| audiences.iter().map(ToString::to_string).collect();
    wire::Meeting {
        id: row.id.to_string(),
        booking_id: meeting.booking.to_string(),
        version: row.version,
        phase: phase.into(),
        reason: reason.to_owned(),
        provider: external.map_or_else(String::new, |e| e.provider.clone()),
        capture: capture.into(),
        recording_id: running.map_or_else(String::new, |s| s.recording.to_string()),
        segment: running.map_or(0, |s| s.segment),
        holders: text(meeting.holders.iter().collect::<Vec<_>>()),
        holders_without_consent: text(meeting.holders_without_consent().collect()),
        lobby_bypass_wanted: external.map_or_else(String::new, |e| e.lobby_bypass_wanted.clone()),
        lobby_bypass_effective: external
            .map_or_else(String::new, |e| e.lobby_bypass_effective.clone()),
        host_id: host.to_string(),
    }
}

pub fn join_details(meeting: String, details: JoinDetails) -> wire::JoinDetails {
    wire::JoinDetails {
        meeting_id: meeting,
        join_url: details.join_url,
        join_meeting_id: details.join_meeting_id,
        passcode: details.passcode,
        dial_in_numbers: details.dial_in_numbers,
        conference_id: details.conference_id,
    }
}

pub fn provider(provider: &dyn Provider) -> wire::Provider {
    let level = |level| match level {
        CapabilityLevel::Full => wire::CapabilityLevel::Full,
        CapabilityLevel::Partial => wire::CapabilityLevel::Partial,
        CapabilityLevel::None => wire::CapabilityLevel::None,
    };
    wire::Provider {
        name: provider.name().to_owned(),
        description: provider.description().to_owned(),
        capabilities: provider
            .capabilities()
            .into_iter()
            .map(|capability| wire::Capability {
                name: capability.name.to_owned(),
                level: level(capability.level).into(),
                note: capability.note.to_owned(),
            })
            .collect(),
    }
}

pub fn finding(finding: Finding) -> wire::Finding {
    let severity = match finding.severity {
        Severity::Ok => wire::FindingSeverity::Ok,
        Severity::Warning => wire::FindingSeverity::Warning,
        Severity::Failure => wire::FindingSeverity::Failure,
    };
    wire::Finding {
        code: finding.code.to_owned(),
        severity: severity.into(),
        about: finding.about.to_owned(),
        subject: finding.subject,
        says: finding.says,
        remedy: finding.remedy,
    }
}

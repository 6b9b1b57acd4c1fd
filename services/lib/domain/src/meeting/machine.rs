//! The transitions of a meeting.

use super::*;
use crate::{Charted, Machine, Outcome, Step};

impl Machine for Meeting {
    const KIND: &'static str = "meeting";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::MeetingWanted {
            booking,
            generation,
            interval,
        } = event
        else {
            return Err(Refused::OUT_OF_ORDER);
        };
        let meeting = Self {
            booking,
            generation,
            interval,
            phase: Phase::Pending,
            external: None,
            holders: BTreeSet::new(),
            consents: BTreeMap::new(),
            capture: Capture::Off,
            call: None,
            segments: Vec::new(),
            moves: Moves::default(),
        };
        Ok(Step::to(meeting).then(Effect::CreateMeeting))
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        match event {
            Event::MeetingWanted { .. } => Ok(None),
            Event::MeetingReady { external } => Ok(self.made(external, now)),
            Event::MeetingFailed { reason } => Ok((self.phase == Phase::Pending).then(|| {
                Step::to(Self {
                    phase: Phase::Failed { reason },
                    ..self
                })
            })),
            Event::MoveWanted { interval, moves } => Ok(self.moving(interval, moves)),
            Event::MeetingMoved { moves } => Ok(self.moves.news(moves).then(|| {
                let confirmed = Moves {
                    confirmed: moves,
                    ..self.moves
                };
                Step::to(Self {
                    moves: confirmed,
                    ..self
                })
            })),
            Event::CancelWanted { .. } => Ok(self.cancel()),
            Event::MeetingCancelled => Ok((self.phase == Phase::Cancelling).then(|| {
                Step::to(Self {
                    phase: Phase::Cancelled,
                    ..self
                })
                .then_at(reconcile_at(now), Effect::Reconcile)
            })),
            Event::MeetingEnded => Ok(self.end()),
            Event::JoinDetailsReleased { audience, .. } => self.release(audience),
            Event::ConsentRecorded {
                audience,
                given,
                version,
            } => Ok(self.consent(audience, Decided { given, version })),
            Event::CaptureWanted { segment } => self.capture(segment),
            Event::CallJoined { call } => Ok((self.call.as_ref() != Some(&call)).then(|| {
                Step::to(Self {
                    call: Some(call),
                    ..self
                })
            })),
            Event::CallLeft => Ok(self
                .call
                .is_some()
                .then(|| Step::to(Self { call: None, ..self }))),
            Event::CaptureStarted { segment, call } => Ok(self.capture_started(segment, call)),
            Event::CaptureFailed { segment, .. } => Ok(self.capture_failed(segment)),
            Event::CaptureStopWanted { segment } => Ok(self.stop(segment, StopCause::Requested)),
            Event::CaptureStopped { segment, .. } => Ok(self.capture_stopped(segment)),
            Event::ArtefactReady { segment, artefact } => Ok(self.artefact(segment, artefact)),
        }
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::CreateMeeting => self.phase == Phase::Pending,
            Effect::MoveMeeting => self.phase == Phase::Ready && self.moves.open(),
            Effect::CancelMeeting => self.phase == Phase::Cancelling,
            Effect::Reconcile => true,
            Effect::StartCapture { segment } => self.capture == Capture::Starting(*segment),
            Effect::StopCapture { segment } => {
                matches!(self.capture, Capture::Stopping { segment: s, .. } if s == *segment)
            }
            Effect::LocateArtefact { segment } => self
                .segment(*segment)
                .is_some_and(|segment| segment.artefact.is_none()),
            Effect::LeaveCall => self.call.is_some() && self.capture == Capture::Off,
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Pending => "PENDING",
            Phase::Ready => "READY",
            Phase::Failed { .. } => "FAILED",
            Phase::Cancelling => "CANCELLING",
            Phase::Cancelled => "CANCELLED",
            Phase::Ended => "ENDED",
        }
    }
}

impl Meeting {
    fn made(self, external: External, now: Timestamp) -> Option<Step<Self>> {
        let external = Some(external);
        match self.phase {
            Phase::Pending | Phase::Failed { .. } => {
                // An earlier try may have made it at the time before.
                let moved = self.moves.open().then_some(Effect::MoveMeeting);
                let step = Step::to(Self {
                    phase: Phase::Ready,
                    external,
                    ..self
                })
                .then_at(reconcile_at(now), Effect::Reconcile);
                Some(also(step, moved))
            }
            // Made although cancelled meanwhile: it has to go again (I2).
            Phase::Cancelling | Phase::Cancelled => Some(
                Step::to(Self {
                    phase: Phase::Cancelling,
                    external,
                    ..self
                })
                .then(Effect::CancelMeeting),
            ),
            Phase::Ended if self.external.is_none() => Some(Step::to(Self { external, ..self })),
            Phase::Ready | Phase::Ended => None,
        }
    }

    /// Takes a newer time over. While it is being made the provider hears of it when it is there.
    fn moving(self, interval: Interval, told: u64) -> Option<Step<Self>> {
        if told <= self.moves.told {
            return None;
        }
        let ready = match self.phase {
            Phase::Ready => Some(Effect::MoveMeeting),
            Phase::Pending | Phase::Failed { .. } => None,
            Phase::Cancelling | Phase::Cancelled | Phase::Ended => return None,
        };
        let moves = Moves { told, ..self.moves };
        let step = Step::to(Self {
            interval,
            moves,
            ..self
        });
        Some(also(step, ready))
    }

    fn cancel(self) -> Option<Step<Self>> {
        match self.phase {
            Phase::Cancelling | Phase::Cancelled | Phase::Ended => None,
            Phase::Pending | Phase::Failed { .. } => Some(
                Step::to(Self {
                    phase: Phase::Cancelling,
                    ..self
                })
                .then(Effect::CancelMeeting),
            ),
            Phase::Ready => {
                let (next, stop) = self.stopping(StopCause::MeetingEnded);
                let step = Step::to(Self {
                    phase: Phase::Cancelling,
                    ..next
                });
                Some(also(step, stop).then(Effect::CancelMeeting))
            }
        }
    }

    fn end(self) -> Option<Step<Self>> {
        match self.phase {
            Phase::Cancelling | Phase::Cancelled | Phase::Ended => None,
            Phase::Pending | Phase::Ready | Phase::Failed { .. } => {
                let (next, stop) = self.stopping(StopCause::MeetingEnded);
                let leave = (next.capture == Capture::Off && next.call.is_some())
                    .then_some(Effect::LeaveCall);
                let step = Step::to(Self {
                    phase: Phase::Ended,
                    ..next
                });
                Some(also(also(step, stop), leave))
            }
        }
    }

    fn release(mut self, audience: Audience) -> Outcome<Self> {
        self.ensure_may_enter(&audience)?;
        let new = self.holders.insert(audience);
        Ok(new.then(|| Step::to(self)))
    }

    fn consent(mut self, audience: Audience, decided: Decided) -> Option<Step<Self>> {
        let known = self.consents.get(&audience);
        if known.is_some_and(|known| known.version >= decided.version) {
            return None;
        }
        let withdrawn = self.consents_to_recording(&audience) && !decided.given;
        self.consents.insert(audience, decided);
        if !withdrawn || !self.holders.contains(&audience) {
            return Some(Step::to(self));
        }
        let (next, stop) = self.stopping(StopCause::ConsentWithdrawn);
        Some(also(Step::to(next), stop))
    }

    fn capture(self, segment: SegmentId) -> Outcome<Self> {
        if self.segment(segment).is_some() || self.capture == Capture::Starting(segment) {
            return Ok(None);
        }
        self.ensure_ready()?;
        if self.capture != Capture::Off {
            return Err(CAPTURE_BUSY);
        }
        if self.segments.len() >= SEGMENTS_MAX {
            return Err(TOO_MANY_SEGMENTS);
        }
        if self.holders_without_consent().next().is_some() {
            return Err(CONSENT_MISSING);
        }
        let capture = Capture::Starting(segment);
        Ok(Some(
            Step::to(Self { capture, ..self }).then(Effect::StartCapture { segment }),
        ))
    }

    fn capture_started(mut self, id: SegmentId, call: String) -> Option<Step<Self>> {
        if self.capture.segment() != Some(id) || self.segment(id).is_some() {
            return None;
        }
        self.segments.push(Segment {
            id,
            call,
            stopped: false,
            artefact: None,
        });
        // A stop that was asked for meanwhile stays asked for.
        if self.capture == Capture::Starting(id) {
            self.capture = Capture::On(id);
        }
        Some(Step::to(self))
    }

    fn capture_failed(self, id: SegmentId) -> Option<Step<Self>> {
        if self.capture.segment() != Some(id) || self.segment(id).is_some() {
            return None;
        }
        let leave = self.leaves();
        Some(also(
            Step::to(Self {
                capture: Capture::Off,
                ..self
            }),
            leave,
        ))
    }

    fn stop(self, id: SegmentId, cause: StopCause) -> Option<Step<Self>> {
        if self.capture.segment() != Some(id) {
            return None;
        }
        let (next, stop) = self.stopping(cause);
        stop.map(|stop| Step::to(next).then(stop))
    }

    fn capture_stopped(mut self, id: SegmentId) -> Option<Step<Self>> {
        if self.capture.segment() != Some(id) {
            return None;
        }
        self.capture = Capture::Off;
        let mut locate = None;
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.id == id) {
            segment.stopped = true;
            locate = Some(Effect::LocateArtefact { segment: id });
        }
        let leave = self.leaves();
        Some(also(also(Step::to(self), locate), leave))
    }

    fn artefact(mut self, id: SegmentId, artefact: String) -> Option<Step<Self>> {
        let segment = self.segments.iter_mut().find(|segment| segment.id == id)?;
        if segment.artefact.is_some() || !segment.stopped {
            return None;
        }
        segment.artefact = Some(artefact);
        Some(Step::to(self))
    }

    /// Brings a running capture to its stop; what is off or stopping already stays as it is.
    fn stopping(self, cause: StopCause) -> (Self, Option<Effect>) {
        match self.capture {
            Capture::Starting(segment) | Capture::On(segment) => (
                Self {
                    capture: Capture::Stopping { segment, cause },
                    ..self
                },
                Some(Effect::StopCapture { segment }),
            ),
            Capture::Off | Capture::Stopping { .. } => (self, None),
        }
    }

    /// With the last capture of a meeting that is over, the broker leaves the call.
    fn leaves(&self) -> Option<Effect> {
        let over = matches!(
            self.phase,
            Phase::Ended | Phase::Cancelling | Phase::Cancelled
        );
        (over && self.call.is_some()).then_some(Effect::LeaveCall)
    }
}

fn also(step: Step<Meeting>, effect: Option<Effect>) -> Step<Meeting> {
    match effect {
        Some(effect) => step.then(effect),
        None => step,
    }
}

impl Charted for Meeting {
    fn chart_state(&self) -> String {
        let capture = match self.capture {
            Capture::Off => return self.state().to_owned(),
            Capture::Starting(_) => "STARTING",
            Capture::On(_) => "ON",
            Capture::Stopping { .. } => "STOPPING",
        };
        format!("{}_capture_{capture}", self.state())
    }

    fn chart_events() -> (Event, Vec<Event>) {
        let zero = uuid::Uuid::nil();
        let segment = SegmentId {
            recording: RecordingId::from_uuid(zero),
            segment: 1,
        };
        let audience = Audience::Visit(crate::VisitId::from_uuid(zero));
        let external = External {
            provider: "P".into(),
            organizer_id: "O".into(),
            event_id: "E".into(),
            online_meeting_id: "M".into(),
            lobby_bypass_wanted: "everyone".into(),
            lobby_bypass_effective: "everyone".into(),
        };
        let first = Event::MeetingWanted {
            booking: BookingId::from_uuid(zero),
            generation: 1,
            interval: crate::chart::an_hour(),
        };
        let reason = || "R".to_owned();
        let later = vec![
            Event::MeetingReady { external },
            Event::MeetingFailed { reason: reason() },
            Event::MoveWanted {
                interval: crate::chart::an_hour(),
                moves: 1,
            },
            Event::MeetingMoved { moves: 1 },
            Event::CancelWanted { reason: reason() },
            Event::MeetingCancelled,
            Event::MeetingEnded,
            Event::JoinDetailsReleased {
                permit: PermitId::from_uuid(zero),
                audience,
            },
            Event::ConsentRecorded {
                audience,
                given: true,
                version: 1,
            },
            Event::ConsentRecorded {
                audience,
                given: false,
                version: 2,
            },
            Event::CaptureWanted { segment },
            Event::CallJoined { call: "C".into() },
            Event::CallLeft,
            Event::CaptureStarted {
                segment,
                call: "C".into(),
            },
            Event::CaptureFailed {
                segment,
                reason: reason(),
            },
            Event::CaptureStopWanted { segment },
            Event::CaptureStopped {
                segment,
                cause: StopCause::Requested,
            },
            Event::ArtefactReady {
                segment,
                artefact: "A".into(),
            },
        ];
        (first, later)
    }
}

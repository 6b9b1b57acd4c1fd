//! The transitions of a recording.

use super::*;
use crate::{Charted, Machine, Outcome, Step};

impl Machine for Recording {
    const KIND: &'static str = "recording";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::RecordingRequested { booking, meeting } = event else {
            return Err(Refused::OUT_OF_ORDER);
        };
        let recording = Self {
            booking,
            meeting,
            requested_at: now,
            phase: Phase::Requested,
            current: 1,
            segments: BTreeMap::new(),
        };
        Ok(Step::to(recording).then(Effect::StartCapture { segment: 1 }))
    }

    fn on(self, event: Event, _now: Timestamp) -> Outcome<Self> {
        match event {
            Event::RecordingRequested { .. } => Err(Refused::OUT_OF_ORDER),
            Event::CaptureAccepted { segment } => Ok((self.phase == Phase::Requested
                && segment == self.current)
                .then(|| self.goes(Phase::Starting))),
            Event::CaptureStarted { segment } => Ok(self.started(segment)),
            Event::CaptureFailed { segment, reason } => Ok(self.failed(segment, reason)),
            Event::CaptureStopped { segment, cause } => Ok(self.stopped(segment, cause)),
            Event::PauseWanted => self.pause(),
            Event::ResumeWanted => self.resume(),
            Event::StopWanted => Ok(self.stop()),
            Event::ArtefactReady { segment } => Ok(self.ready(segment)),
            Event::ArtefactStored { segment, artefact } => Ok(self.stored(segment, artefact)),
            Event::ArtefactRead { segment } => {
                self.artefact(segment)?;
                Ok(Some(Step::to(self)))
            }
        }
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::StartCapture { segment } => {
                *segment == self.current && matches!(self.phase, Phase::Requested | Phase::Resuming)
            }
            Effect::StopCapture { segment } => {
                *segment == self.current && matches!(self.phase, Phase::Pausing | Phase::Stopping)
            }
            Effect::FetchArtefact { segment } => self
                .segments
                .get(segment)
                .is_some_and(|segment| segment.artefact.is_none()),
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Requested => "REQUESTED",
            Phase::Starting => "STARTING",
            Phase::Recording => "RECORDING",
            Phase::Pausing => "PAUSING",
            Phase::Paused => "PAUSED",
            Phase::Resuming => "RESUMING",
            Phase::Stopping => "STOPPING",
            Phase::Processing => "PROCESSING",
            Phase::Available => "AVAILABLE",
            Phase::Stored => "STORED",
            Phase::Failed { .. } => "FAILED",
        }
    }
}

impl Recording {
    fn goes(self, phase: Phase) -> Step<Self> {
        Step::to(Self { phase, ..self })
    }

    fn started(mut self, segment: u32) -> Option<Step<Self>> {
        if self.segments.contains_key(&segment) {
            return None;
        }
        self.segments.insert(segment, Segment::default());
        if segment != self.current {
            // One more artefact to wait for.
            let complete = matches!(self.phase, Phase::Available | Phase::Stored);
            return Some(if complete {
                self.goes(Phase::Processing)
            } else {
                Step::to(self)
            });
        }
        Some(match self.phase {
            Phase::Requested | Phase::Starting | Phase::Resuming => self.goes(Phase::Recording),
            Phase::Recording | Phase::Pausing | Phase::Stopping => Step::to(self),
            // Given up or thought never begun: what records although nobody wants it is stopped.
            Phase::Paused => self
                .goes(Phase::Pausing)
                .then(Effect::StopCapture { segment }),
            Phase::Processing | Phase::Available | Phase::Stored | Phase::Failed { .. } => self
                .goes(Phase::Stopping)
                .then(Effect::StopCapture { segment }),
        })
    }

    fn failed(self, segment: u32, reason: String) -> Option<Step<Self>> {
        if segment != self.current {
            return None;
        }
        match self.phase {
            Phase::Requested | Phase::Starting => Some(self.goes(Phase::Failed { reason })),
            Phase::Resuming | Phase::Pausing => Some(self.goes(Phase::Paused)),
            Phase::Stopping => Some(self.ends()),
            _ => None,
        }
    }

    fn stopped(self, segment: u32, cause: StopCause) -> Option<Step<Self>> {
        if segment != self.current || !self.is_running() || self.phase == Phase::Paused {
            return None;
        }
        let ends = self.phase == Phase::Stopping || cause == StopCause::MeetingEnded;
        Some(if ends {
            self.ends()
        } else {
            self.goes(Phase::Paused)
        })
    }

    fn pause(self) -> Outcome<Self> {
        let segment = self.current;
        match self.phase {
            Phase::Recording => Ok(Some(
                self.goes(Phase::Pausing)
                    .then(Effect::StopCapture { segment }),
            )),
            Phase::Pausing | Phase::Paused => Ok(None),
            _ => Err(NOT_RECORDING),
        }
    }

    fn resume(mut self) -> Outcome<Self> {
        match self.phase {
            Phase::Paused => {
                self.current += 1;
                let segment = self.current;
                Ok(Some(
                    self.goes(Phase::Resuming)
                        .then(Effect::StartCapture { segment }),
                ))
            }
            Phase::Resuming | Phase::Recording => Ok(None),
            _ if self.is_running() => Err(NOT_PAUSED),
            _ => Err(RECORDING_OVER),
        }
    }

    fn stop(self) -> Option<Step<Self>> {
        let segment = self.current;
        match self.phase {
            Phase::Requested
            | Phase::Starting
            | Phase::Recording
            | Phase::Pausing
            | Phase::Resuming => Some(
                self.goes(Phase::Stopping)
                    .then(Effect::StopCapture { segment }),
            ),
            Phase::Paused => Some(self.ends()),
            _ => None,
        }
    }

    fn ready(mut self, segment: u32) -> Option<Step<Self>> {
        let entry = self.segments.get_mut(&segment)?;
        if entry.ready {
            return None;
        }
        entry.ready = true;
        Some(if self.phase == Phase::Processing {
            self.ends()
        } else {
            Step::to(self)
        })
    }

    fn stored(mut self, segment: u32, artefact: Artefact) -> Option<Step<Self>> {
        let entry = self.segments.get_mut(&segment)?;
        if entry.artefact.is_some() {
            return None;
        }
        entry.artefact = Some(artefact);
        let all = self.segments.values().all(|s| s.artefact.is_some());
        if all && self.phase == Phase::Available {
            self.phase = Phase::Stored;
        }
        Some(Step::to(self))
    }

    /// Recording is over: on to processing, and to fetching once the provider has everything.
    fn ends(self) -> Step<Self> {
        if self.segments.is_empty() {
            return self.goes(Phase::Failed {
                reason: "NOTHING_RECORDED".into(),
            });
        }
        if !self.segments.values().all(|segment| segment.ready) {
            return self.goes(Phase::Processing);
        }
        let missing: Vec<u32> = self
            .segments
            .iter()
            .filter(|(_, segment)| segment.artefact.is_none())
            .map(|(segment, _)| *segment)
            .collect();
        if missing.is_empty() {
            return self.goes(Phase::Stored);
        }
        missing
            .into_iter()
            .fold(self.goes(Phase::Available), |step, segment| {
                step.then(Effect::FetchArtefact { segment })
            })
    }
}

impl Charted for Recording {
    fn chart_events() -> (Event, Vec<Event>) {
        let booking = BookingId::from_uuid(uuid::Uuid::nil());
        let artefact = Artefact {
            content_type: "video/mp4".into(),
            size_bytes: 1,
            sha256: "0".into(),
        };
        let mut later = vec![Event::PauseWanted, Event::ResumeWanted, Event::StopWanted];
        for segment in 1..=2 {
            later.extend([
                Event::CaptureAccepted { segment },
                Event::CaptureStarted { segment },
                Event::CaptureFailed {
                    segment,
                    reason: "R".into(),
                },
                Event::CaptureStopped {
                    segment,
                    cause: StopCause::Requested,
                },
                Event::CaptureStopped {
                    segment,
                    cause: StopCause::MeetingEnded,
                },
                Event::ArtefactReady { segment },
                Event::ArtefactStored {
                    segment,
                    artefact: artefact.clone(),
                },
            ]);
        }
        let first = Event::RecordingRequested {
            booking,
            meeting: booking.meeting(1),
        };
        (first, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn after(events: impl IntoIterator<Item = Event>) -> Step<Recording> {
        let now = Timestamp::default();
        let (first, _) = Recording::chart_events();
        let mut step = Recording::begin(first, now).unwrap();
        for event in events {
            let stays = step.next.clone();
            step = stays
                .clone()
                .on(event, now)
                .unwrap()
                .unwrap_or_else(|| Step::to(stays));
        }
        step
    }

    fn failed(segment: u32) -> Event {
        Event::CaptureFailed {
            segment,
            reason: "R".into(),
        }
    }

    fn stopped(segment: u32) -> Event {
        Event::CaptureStopped {
            segment,
            cause: StopCause::Requested,
        }
    }

    #[test]
    fn what_was_given_up_and_starts_after_all_is_stopped_and_kept() {
        let step = after([failed(1), Event::CaptureStarted { segment: 1 }]);
        assert_eq!(step.next.phase, Phase::Stopping);
        assert!(step.next.wanted(&step.effects[0].effect));
        let over = [
            failed(1),
            Event::CaptureStarted { segment: 1 },
            stopped(1),
            Event::ArtefactReady { segment: 1 },
        ];
        assert_eq!(after(over).next.phase, Phase::Available);
    }

    #[test]
    fn a_resume_that_failed_and_starts_after_all_pauses_again() {
        let resumed = [
            Event::CaptureStarted { segment: 1 },
            Event::PauseWanted,
            stopped(1),
            Event::ResumeWanted,
            failed(2),
            Event::CaptureStarted { segment: 2 },
        ];
        let step = after(resumed);
        assert_eq!(step.next.phase, Phase::Pausing);
        assert_eq!(step.effects[0].effect, Effect::StopCapture { segment: 2 });
    }
}

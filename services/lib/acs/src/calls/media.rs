//! Playing, and what else is done with media.

use std::collections::BTreeMap;

use convene_domain::ParticipantId;
use serde_json::{Value, json};

use super::{
    Answer, Calls, Fetch, Later, MediaCommand, Prompt, Surroundings, Told, Tone, emit,
    lanes::{Lane, Operation, Step, WAITING_MAX},
    problem,
};

/// Speech, in milliseconds per character.
const SPEECH_MS: i64 = 60;
/// A tone that is sent, in milliseconds.
const TONE_MS: i64 = 100;
/// Prompts are at least so long, in milliseconds.
const PROMPT_MS_MIN: i64 = 1;

/// What was found out about a prompt.
pub type Looked = Result<i64, (u32, &'static str)>;

impl Calls {
    pub(super) fn media(
        &mut self,
        leg: &str,
        command: MediaCommand,
        around: &Surroundings<'_>,
    ) -> Answer {
        let call = self.established(leg)?;
        let operation = |calls: &mut Self, prompts, recognition, told, repeats| Operation {
            id: calls.number(),
            prompts,
            at: 0,
            recognition,
            told,
            step: Step::Waiting,
            tones: Vec::new(),
            repeats,
            begun: false,
        };
        match command {
            MediaCommand::Play {
                prompts,
                to,
                repeats,
                interrupts,
                told,
            } => {
                if let Some(to) = &to {
                    self.there(&call, to)?;
                }
                let operation = operation(self, prompts, None, told, repeats);
                self.enter(leg, &to.unwrap_or_default(), operation, interrupts, around)
            }
            MediaCommand::Recognize {
                prompts,
                recognition,
                interrupts,
                told,
            } => {
                self.there(&call, &recognition.target)?;
                let alone = self
                    .sessions
                    .get(&call)
                    .is_some_and(|session| emit::roster(session).len() == 1);
                // With one other party in the call it is the call's own lane.
                let lane = match alone {
                    true => String::new(),
                    false => recognition.target.clone(),
                };
                let operation = operation(self, prompts, Some(recognition), told, false);
                self.enter(leg, &lane, operation, interrupts, around)
            }
            MediaCommand::CancelAll => {
                self.cancel_all(leg, around);
                Ok(Value::Null)
            }
            MediaCommand::SendTones {
                target,
                tones,
                told,
            } => {
                let participant = self.there(&call, &target)?;
                let lanes = self.legs.get(leg).map(|leg| &leg.lanes);
                let lane = lanes.and_then(|lanes| lanes.get(&target));
                if lane.is_some_and(|lane| lane.running.is_some()) {
                    return Err(problem::busy());
                }
                let after_ms = TONE_MS * i64::try_from(tones.len()).unwrap_or_default();
                let context = told.operation_context.clone();
                let sent = Later::TonesSent {
                    leg: leg.to_owned(),
                    participant,
                    tones,
                    told,
                };
                self.later(after_ms, sent, around);
                Ok(json!({"operationContext": context}))
            }
            MediaCommand::Continuous { target, on, told } => {
                self.continuous(leg, &call, &target, on, told, around)
            }
        }
    }

    fn there(&self, call: &str, raw_id: &str) -> Result<ParticipantId, crate::Problem> {
        let found = self.find(call, raw_id);
        found.ok_or_else(|| problem::not_there("targetParticipant"))
    }

    fn continuous(
        &mut self,
        leg: &str,
        call: &str,
        target: &str,
        on: bool,
        told: Told,
        around: &Surroundings<'_>,
    ) -> Answer {
        let participant = self.there(call, target)?;
        let known = self
            .legs
            .get_mut(leg)
            .ok_or_else(|| problem::no_call("call connection"))?;
        match on {
            true => {
                known
                    .continuous
                    .entry(target.to_owned())
                    .or_insert((0, told));
                self.listens(call, participant, target, super::Listening::Tones, around);
            }
            false if known.continuous.remove(target).is_some() => {
                let data = json!({"resultInformation": emit::success()});
                self.emit_told(leg, "ContinuousDtmfRecognitionStopped", data, &told, around);
            }
            false => {}
        }
        Ok(Value::Null)
    }

    fn enter(
        &mut self,
        leg: &str,
        lane: &str,
        operation: Operation,
        interrupts: bool,
        around: &Surroundings<'_>,
    ) -> Answer {
        if interrupts {
            self.cancel_lane(leg, lane, around);
        }
        let known = self
            .legs
            .get_mut(leg)
            .ok_or_else(|| problem::no_call("call connection"))?;
        let place: &mut Lane = known.lanes.entry(lane.to_owned()).or_default();
        match place.running {
            None => place.running = Some(operation),
            // A participant's own lane takes one thing only; the call's lane has a queue.
            Some(_) if !lane.is_empty() || place.waiting.len() >= WAITING_MAX => {
                return Err(problem::busy());
            }
            Some(_) => {
                place.waiting.push_back(operation);
                return Ok(Value::Null);
            }
        }
        self.begins(leg, lane, around);
        Ok(Value::Null)
    }

    /// The running operation of a lane goes to its prompt, or listens when there is none left.
    fn begins(&mut self, leg: &str, lane: &str, around: &Surroundings<'_>) {
        let Some(operation) = self.running(leg, lane) else {
            return;
        };
        operation.step = Step::Waiting;
        let id = operation.id;
        match operation.prompts.get(operation.at).cloned() {
            Some(Prompt::File(url)) => self.fetches.push_back(Fetch {
                leg: leg.to_owned(),
                operation: id,
                url,
            }),
            Some(Prompt::Speech(characters)) => {
                let characters = i64::try_from(characters).unwrap_or(i64::MAX / SPEECH_MS);
                self.plays(leg, lane, characters * SPEECH_MS, around);
            }
            None => self.prompted(leg, lane, around),
        }
    }

    /// What was found out about the prompt that was to be fetched.
    pub fn fetched(&mut self, fetch: &Fetch, looked: Looked, around: &Surroundings<'_>) {
        self.fetches.retain(|one| one != fetch);
        let Some(lane) = self.lane_of(&fetch.leg, fetch.operation) else {
            return;
        };
        match looked {
            Ok(duration_ms) => self.plays(&fetch.leg, &lane, duration_ms, around),
            Err((sub_code, text)) => {
                let at = self
                    .running(&fetch.leg, &lane)
                    .map_or(0, |operation| operation.at);
                let result = emit::result(400, sub_code, text);
                let data = json!({"resultInformation": result, "failedPlaySourceIndex": at});
                self.ends(&fetch.leg, &lane, "Failed", data, around);
            }
        }
    }

    fn plays(&mut self, leg: &str, lane: &str, duration_ms: i64, around: &Surroundings<'_>) {
        let Some(operation) = self.running(leg, lane) else {
            return;
        };
        operation.step = Step::Playing;
        let (id, told) = (operation.id, operation.told.clone());
        let first = !std::mem::replace(&mut operation.begun, true);
        if first && operation.recognition.is_none() {
            let data = json!({"resultInformation": emit::success()});
            self.emit_told(leg, "PlayStarted", data, &told, around);
        }
        let played = Later::Played {
            leg: leg.to_owned(),
            operation: id,
        };
        self.later(duration_ms.max(PROMPT_MS_MIN), played, around);
    }

    /// A source has been played to its end.
    pub(super) fn played(&mut self, leg: &str, operation: u64, around: &Surroundings<'_>) {
        let Some(lane) = self.lane_of(leg, operation) else {
            return;
        };
        let Some(running) = self
            .running(leg, &lane)
            .filter(|one| one.step == Step::Playing)
        else {
            return;
        };
        running.at += 1;
        if running.at == running.prompts.len() && running.repeats {
            running.at = 0;
        }
        self.begins(leg, &lane, around);
    }

    /// All prompts have been played.
    fn prompted(&mut self, leg: &str, lane: &str, around: &Surroundings<'_>) {
        let listens = self
            .running(leg, lane)
            .is_some_and(|one| one.recognition.is_some());
        match listens {
            true => self.listening(leg, lane, around),
            false => {
                let data = json!({"resultInformation": emit::success()});
                self.ends(leg, lane, "Completed", data, around);
            }
        }
    }

    /// The running operation of a lane is over, and the next one begins.
    pub(super) fn ends(
        &mut self,
        leg: &str,
        lane: &str,
        outcome: &str,
        data: Value,
        around: &Surroundings<'_>,
    ) {
        let Some(place) = self
            .legs
            .get_mut(leg)
            .and_then(|leg| leg.lanes.get_mut(lane))
        else {
            return;
        };
        let Some(operation) = place.running.take() else {
            return;
        };
        place.running = place.waiting.pop_front();
        self.emit_told(
            leg,
            &operation.event(outcome),
            data,
            &operation.told,
            around,
        );
        self.begins(leg, lane, around);
    }

    fn cancel_lane(&mut self, leg: &str, lane: &str, around: &Surroundings<'_>) {
        let place = self
            .legs
            .get_mut(leg)
            .and_then(|leg| leg.lanes.remove(lane));
        let Some(place) = place else {
            return;
        };
        for operation in place.running.into_iter().chain(place.waiting) {
            let result = emit::result(400, 8508, "The operation was canceled.");
            let data = json!({"resultInformation": result});
            self.emit_told(
                leg,
                &operation.event("Canceled"),
                data,
                &operation.told,
                around,
            );
            self.fetches.retain(|fetch| fetch.operation != operation.id);
        }
    }

    fn cancel_all(&mut self, leg: &str, around: &Surroundings<'_>) {
        let lanes = self.legs.get(leg).map(|leg| &leg.lanes);
        let lanes: Vec<_> = lanes
            .into_iter()
            .flat_map(BTreeMap::keys)
            .cloned()
            .collect();
        for lane in lanes {
            self.cancel_lane(leg, &lane, around);
        }
    }

    /// Whoever is gone is neither played to nor listened to.
    pub(super) fn silences(&mut self, call: &str, raw_id: &str, around: &Surroundings<'_>) {
        let legs = self.sessions.get(call).map(|session| session.legs.clone());
        for leg in legs.unwrap_or_default() {
            self.cancel_lane(&leg, raw_id, around);
            if let Some(leg) = self.legs.get_mut(&leg) {
                leg.continuous.remove(raw_id);
            }
        }
    }

    /// Tones have been sent.
    pub(super) fn tones_sent(
        &mut self,
        leg: &str,
        participant: ParticipantId,
        tones: Vec<Tone>,
        told: &Told,
        around: &Surroundings<'_>,
    ) {
        let Some(call) = self.legs.get(leg).map(|leg| leg.call.clone()) else {
            return;
        };
        let session = self.sessions.get(&call);
        let raw_id =
            session.and_then(|session| Some(session.parties.get(&participant)?.raw_id.clone()));
        match raw_id.filter(|_| self.is_there(&call, participant)) {
            Some(raw_id) => {
                let data = json!({"resultInformation": emit::success()});
                self.emit_told(leg, "SendDtmfTonesCompleted", data, told, around);
                self.schedule(
                    &call,
                    participant,
                    around.parties.hear(&raw_id, &tones),
                    around,
                );
            }
            None => {
                let result = emit::result(404, 8522, "The participant has left the call.");
                let data = json!({"resultInformation": result});
                self.emit_told(leg, "SendDtmfTonesFailed", data, told, around);
            }
        }
    }

    pub(super) fn running(&mut self, leg: &str, lane: &str) -> Option<&mut Operation> {
        self.legs
            .get_mut(leg)?
            .lanes
            .get_mut(lane)?
            .running
            .as_mut()
    }

    /// In which lane an operation runs.
    pub(super) fn lane_of(&self, leg: &str, operation: u64) -> Option<String> {
        let mut lanes = self.legs.get(leg)?.lanes.iter();
        let runs = |lane: &Lane| lane.running.as_ref().is_some_and(|one| one.id == operation);
        lanes
            .find(|(_, lane)| runs(lane))
            .map(|(name, _)| name.clone())
    }
}

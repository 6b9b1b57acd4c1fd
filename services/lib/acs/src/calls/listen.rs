//! Listening: tones and words, and when they are enough.

use convene_domain::ParticipantId;
use serde_json::{Value, json};

use super::{
    Calls, Later, Listening, Recognition, Surroundings, Tone, emit, lanes::Step, parties::Facts,
};

impl Calls {
    /// What a party does, each in its time.
    pub(super) fn schedule(
        &mut self,
        call: &str,
        participant: ParticipantId,
        facts: Facts,
        around: &Surroundings<'_>,
    ) {
        for (after_ms, fact) in facts {
            let later = Later::Fact {
                call: call.to_owned(),
                participant,
                fact,
            };
            self.later(after_ms, later, around);
        }
    }

    /// Somebody is listened to.
    pub(super) fn listens(
        &mut self,
        call: &str,
        participant: ParticipantId,
        raw_id: &str,
        listening: Listening,
        around: &Surroundings<'_>,
    ) {
        let facts = around.parties.listen(raw_id, listening);
        self.schedule(call, participant, facts, around);
    }

    /// The prompt is over: the running operation of a lane listens.
    pub(super) fn listening(&mut self, leg: &str, lane: &str, around: &Surroundings<'_>) {
        let Some(call) = self.legs.get(leg).map(|leg| leg.call.clone()) else {
            return;
        };
        let Some(operation) = self.running(leg, lane) else {
            return;
        };
        operation.step = Step::Listening;
        let Some(recognition) = operation.recognition.clone() else {
            return;
        };
        let silence = Later::Silence {
            leg: leg.to_owned(),
            operation: operation.id,
            tones: 0,
        };
        self.later(recognition.initial_silence_ms, silence, around);
        let Some(participant) = self.find(&call, &recognition.target) else {
            return;
        };
        for (wanted, listening) in [
            (recognition.tones, Listening::Tones),
            (recognition.speech, Listening::Speech),
        ] {
            if wanted {
                self.listens(&call, participant, &recognition.target, listening, around);
            }
        }
    }

    /// A key was pressed.
    pub(super) fn pressed(
        &mut self,
        call: &str,
        participant: ParticipantId,
        tone: Tone,
        around: &Surroundings<'_>,
    ) {
        let Some((raw_id, legs)) = self.heard(call, participant) else {
            return;
        };
        for leg in legs {
            let known = self.legs.get_mut(&leg);
            let continuous = known.and_then(|leg| leg.continuous.get_mut(&raw_id));
            if let Some((count, told)) = continuous {
                *count += 1;
                let (count, told) = (*count, told.clone());
                let data = json!({
                    "sequenceId": count,
                    "tone": tone,
                    "resultInformation": emit::success(),
                });
                self.emit_told(
                    &leg,
                    "ContinuousDtmfRecognitionToneReceived",
                    data,
                    &told,
                    around,
                );
            }
            for lane in [String::new(), raw_id.clone()] {
                self.recognises(&leg, &lane, &raw_id, tone, around);
            }
        }
    }

    /// Somebody who is there, and who may hear them.
    fn heard(&self, call: &str, participant: ParticipantId) -> Option<(String, Vec<String>)> {
        if !self.is_there(call, participant) {
            return None;
        }
        let session = self.sessions.get(call)?;
        let somebody = session.parties.get(&participant)?;
        Some((somebody.raw_id.clone(), session.legs.clone()))
    }

    fn recognises(
        &mut self,
        leg: &str,
        lane: &str,
        raw_id: &str,
        tone: Tone,
        around: &Surroundings<'_>,
    ) {
        let Some(operation) = self.running(leg, lane) else {
            return;
        };
        let Some(recognition) = operation.recognition.clone() else {
            return;
        };
        if recognition.target != raw_id || !recognition.tones {
            return;
        }
        match operation.step {
            Step::Listening => {}
            Step::Playing if recognition.interrupt_prompt => operation.step = Step::Listening,
            Step::Playing | Step::Waiting => return,
        }
        if !recognition.choices.is_empty() {
            let mut choices = recognition.choices.iter();
            let chosen = choices.find(|(_, _, key)| *key == Some(tone));
            match chosen {
                Some((label, _, _)) => {
                    let choice = json!({"label": label});
                    self.completes(leg, lane, 8533, "choices", ("choiceResult", choice), around);
                }
                None => self.fails(
                    leg,
                    lane,
                    500,
                    8534,
                    "Another key than one of the choices was pressed.",
                    around,
                ),
            }
            return;
        }
        if recognition.stop_tones.contains(&tone) {
            let tones = json!({"tones": operation.tones});
            return self.completes(leg, lane, 8514, "dtmf", ("dtmfResult", tones), around);
        }
        operation.tones.push(tone);
        let count = operation.tones.len();
        let tones = json!({"tones": operation.tones});
        let id = operation.id;
        if recognition.tones_max.is_some_and(|most| count >= most) {
            return self.completes(leg, lane, 8531, "dtmf", ("dtmfResult", tones), around);
        }
        let silence = Later::Silence {
            leg: leg.to_owned(),
            operation: id,
            tones: count,
        };
        self.later(recognition.inter_tone_ms, silence, around);
    }

    /// Something was said.
    pub(super) fn said(
        &mut self,
        call: &str,
        participant: ParticipantId,
        text: &str,
        around: &Surroundings<'_>,
    ) {
        let Some((raw_id, legs)) = self.heard(call, participant) else {
            return;
        };
        for leg in legs {
            for lane in [String::new(), raw_id.clone()] {
                let Some(operation) = self.running(&leg, &lane) else {
                    continue;
                };
                let listens = operation.step == Step::Listening;
                let Some(recognition) = operation
                    .recognition
                    .clone()
                    .filter(|one| listens && one.speech && one.target == raw_id)
                else {
                    continue;
                };
                self.understands(&leg, &lane, &recognition, text, around);
            }
        }
    }

    fn understands(
        &mut self,
        leg: &str,
        lane: &str,
        recognition: &Recognition,
        text: &str,
        around: &Surroundings<'_>,
    ) {
        if recognition.choices.is_empty() {
            let speech = json!({"speech": text, "confidence": 0.9});
            return self.completes(leg, lane, 8569, "speech", ("speechResult", speech), around);
        }
        let mut choices = recognition.choices.iter();
        let chosen = choices.find_map(|(label, phrases, _)| {
            let mut phrases = phrases.iter().chain([label]);
            let phrase = phrases.find(|phrase| phrase.eq_ignore_ascii_case(text))?;
            Some(json!({"label": label, "recognizedPhrase": phrase, "confidence": 0.9}))
        });
        match chosen {
            Some(choice) => {
                self.completes(leg, lane, 8545, "choices", ("choiceResult", choice), around);
            }
            None => self.fails(
                leg,
                lane,
                400,
                8547,
                "What was said matches no choice.",
                around,
            ),
        }
    }

    /// Nothing came for too long, unless something has come meanwhile.
    pub(super) fn silence(
        &mut self,
        leg: &str,
        operation: u64,
        tones: usize,
        around: &Surroundings<'_>,
    ) {
        let Some(lane) = self.lane_of(leg, operation) else {
            return;
        };
        let Some(running) = self.running(leg, &lane) else {
            return;
        };
        if running.step != Step::Listening || running.tones.len() != tones {
            return;
        }
        match tones {
            0 => self.fails(leg, &lane, 400, 8510, "Nothing was heard in time.", around),
            _ => self.fails(
                leg,
                &lane,
                400,
                8532,
                "The next tone did not come in time.",
                around,
            ),
        }
    }

    fn completes(
        &mut self,
        leg: &str,
        lane: &str,
        sub_code: u32,
        kind: &str,
        (name, value): (&str, Value),
        around: &Surroundings<'_>,
    ) {
        let result = emit::result(200, sub_code, "Action completed.");
        let data = json!({"recognitionType": kind, name: value, "resultInformation": result});
        self.ends(leg, lane, "Completed", data, around);
    }

    fn fails(
        &mut self,
        leg: &str,
        lane: &str,
        code: u16,
        sub_code: u32,
        text: &str,
        around: &Surroundings<'_>,
    ) {
        let data = json!({"resultInformation": emit::result(code, sub_code, text)});
        self.ends(leg, lane, "Failed", data, around);
    }
}

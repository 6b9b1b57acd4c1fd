//! Random applications: whatever they ask in whatever order, what they are told keeps its order.

use std::collections::BTreeMap;

use convene_acs::{
    Adding, CallCommand, Command, MediaCommand, Moment, NewCall, Outcome, Prompt, Simulated, State,
    Told, Wanted,
};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

const RESOURCE: &str = "r";

/// Parties of all kinds.
fn parties() -> Vec<String> {
    let phones = ["00", "10", "20", "30", "40", "50", "60", "70", "80", "95"];
    let mut all: Vec<_> = phones
        .iter()
        .map(|end| format!("4:+142555501{end}"))
        .collect();
    // The second user holds no token: applications may answer.
    all.extend(["8:echo123", "8:orgid:t", "8:acs:r_u"].map(str::to_owned));
    all
}

/// Something that an application or time does, by numbers.
#[derive(Clone, Debug)]
struct Move {
    what: u8,
    who: usize,
    leg: usize,
    ms: i64,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = (0u8..17, 0usize..13, 0usize..6, 0i64..120_000);
    let one = one.prop_map(|(what, who, leg, ms)| Move { what, who, leg, ms });
    prop::collection::vec(one, 1..60)
}

struct Applications {
    state: State,
    now_ms: i64,
    made: u128,
    legs: Vec<String>,
    /// All that each leg was told.
    told: BTreeMap<String, Vec<(String, Value, String)>>,
}

impl Applications {
    fn moment(&mut self) -> Moment<'static> {
        self.made += 1;
        Moment {
            resource: RESOURCE,
            now_ms: self.now_ms,
            fresh: Uuid::from_u128(self.made),
            parties: &Simulated,
        }
    }

    fn run(&mut self, command: CallCommand) -> Option<Value> {
        let moment = self.moment();
        match self.state.run(Command::Call(command), None, moment) {
            Ok(Outcome::Answer(said)) => Some(said),
            Ok(other) => panic!("{other:?}"),
            Err(problem) => {
                assert!(problem.status.is_client_error(), "{problem}");
                None
            }
        }
    }

    fn plays(&mut self, one: &Move) {
        let party = parties()[one.who % parties().len()].clone();
        let leg = self.legs.get(one.leg).cloned().unwrap_or_default();
        let told = Told::default();
        let caller_id = Some("+14255550190".to_owned());
        let on = |wanted| CallCommand::Leg(leg.clone(), wanted);
        let command = match one.what {
            0 | 1 => {
                let mut targets = vec![party];
                if one.what == 1 {
                    targets.push(parties()[(one.who + 1) % parties().len()].clone());
                }
                CallCommand::Create(NewCall {
                    targets,
                    callback: "http://127.0.0.1/".to_owned(),
                    operation_context: None,
                    caller_id,
                    display_name: None,
                })
            }
            2 | 3 => {
                let timeout_s = Some(one.ms / 1_000);
                on(Wanted::Add(Adding {
                    target: party,
                    caller_id,
                    timeout_s,
                    told,
                }))
            }
            4 => on(Wanted::Remove {
                target: party,
                told,
            }),
            5 => on(Wanted::HangUp),
            6 => on(Wanted::Terminate),
            7 => on(Wanted::Hold {
                target: party,
                on: one.ms % 2 == 0,
            }),
            8 => on(Wanted::Mute {
                targets: vec![party],
            }),
            9 => {
                let prompts = vec![Prompt::Speech(10)];
                let to = (one.ms % 2 == 0).then_some(party);
                let media = MediaCommand::Play {
                    prompts,
                    to,
                    repeats: false,
                    interrupts: one.ms % 3 == 0,
                    told,
                };
                on(Wanted::Media(media))
            }
            10 => on(Wanted::Media(MediaCommand::CancelAll)),
            12 => on(Wanted::Transfer {
                target: party,
                transferee: None,
                caller_id,
                told,
            }),
            13 => {
                let read = self.run(on(Wanted::Read));
                let Some(call) = read.as_ref().and_then(|read| read["serverCallId"].as_str())
                else {
                    return;
                };
                CallCommand::Connect {
                    call: call.to_owned(),
                    callback: "http://127.0.0.1/".to_owned(),
                    operation_context: None,
                }
            }
            11 => {
                let Some(context) = self.context() else {
                    return;
                };
                let answered = CallCommand::Answer {
                    context,
                    callback: "http://127.0.0.1/".to_owned(),
                    operation_context: None,
                    answered_by: None,
                };
                match one.ms % 3 {
                    0 => answered,
                    1 => CallCommand::Reject {
                        context: self.context().unwrap_or_default(),
                        reason: None,
                    },
                    _ => CallCommand::Redirect {
                        context: self.context().unwrap_or_default(),
                        target: party,
                    },
                }
            }
            _ => {
                self.now_ms += one.ms;
                let moment = self.moment();
                return self.state.tick(moment);
            }
        };
        let said = self.run(command);
        if let Some(leg) = said
            .as_ref()
            .and_then(|said| said["callConnectionId"].as_str())
            && !self.legs.contains(&leg.to_owned())
        {
            self.legs.push(leg.to_owned());
        }
    }

    /// Of the newest incoming call.
    fn context(&self) -> Option<String> {
        let event = self.state.calls().grid_event()?;
        Some(event.data["incomingCallContext"].as_str()?.to_owned())
    }

    /// Takes what waits, as somebody who is told does.
    fn listens(&mut self) {
        while let Some((leg, callback)) = {
            let mut heads = self.state.calls().callbacks();
            heads
                .next()
                .map(|(leg, callback)| (leg.to_owned(), callback.clone()))
        } {
            self.state.calls_mut().callback_done(&leg, &callback.id);
            let told = self.told.entry(leg).or_default();
            told.push((callback.kind, callback.data, callback.id));
        }
    }
}

fn check(leg: &str, told: &[(String, Value, String)]) {
    let kinds: Vec<_> = told.iter().map(|(kind, _, _)| kind.as_str()).collect();
    assert!(
        ["CallConnected", "CreateCallFailed", "CallDisconnected"].contains(&kinds[0]),
        "{leg} {kinds:?}"
    );
    let last = |kind: &&str| ["CallDisconnected", "CreateCallFailed"].contains(kind);
    let ends = kinds.iter().filter(|kind| last(kind)).count();
    assert!(
        ends <= 1 && (ends == 0 || last(kinds.last().unwrap())),
        "{leg} {kinds:?}"
    );
    assert!(
        kinds
            .iter()
            .filter(|kind| **kind == "CallConnected")
            .count()
            <= 1
    );
    let mut before = -1;
    for (kind, data, _) in told {
        assert_eq!(data["callConnectionId"], leg);
        assert!(data["serverCallId"].is_string() && data["correlationId"].is_string());
        if kind == "ParticipantsUpdated" {
            let sequence = data["sequenceNumber"].as_i64().unwrap();
            assert!(sequence > before, "{leg} {kinds:?}");
            before = sequence;
        }
        if kind.contains("Participant")
            && !kind.starts_with("ParticipantsUpdated")
            && !kind.starts_with("Cancel")
        {
            assert!(
                data["participant"]["rawId"].is_string(),
                "one client wants it"
            );
        }
    }
    let ids: std::collections::BTreeSet<_> = told.iter().map(|(_, _, id)| id).collect();
    assert_eq!(ids.len(), told.len(), "no id twice");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_applications_are_told_keeps_its_order(moves in moves()) {
        let mut world = Applications {
            state: State::default(),
            now_ms: 0,
            made: 0,
            legs: Vec::new(),
            told: BTreeMap::new(),
        };
        for (number, one) in moves.iter().enumerate() {
            world.plays(one);
            if number % 3 == 0 {
                // A restart in between changes nothing.
                let kept = serde_json::to_string(&world.state).unwrap();
                world.state = serde_json::from_str(&kept).unwrap();
            }
            world.listens();
        }
        for leg in world.legs.clone() {
            world.run(CallCommand::Leg(leg, Wanted::Terminate));
        }
        world.now_ms += 1_000_000;
        let moment = world.moment();
        world.state.tick(moment);
        world.listens();
        for (leg, told) in &world.told {
            check(leg, told);
        }
        for leg in &world.legs {
            let told = world.told.get(leg).expect("every leg is told how it ends");
            let last = told.last().unwrap().0.as_str();
            prop_assert!(["CallDisconnected", "CreateCallFailed"].contains(&last), "{} {}", leg, last);
        }
        prop_assert_eq!(world.state.calls().next_due_ms(), None, "nothing is left to happen");
    }
}

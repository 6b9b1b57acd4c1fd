//! What a history does: written down before it is played, from the seed alone.

use serde_json::{Value, json};

use super::{Promise, dice::Dice};

/// A history.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From which all of it follows.
    pub seed: u64,
    /// Meetings that the host may hold at the same time.
    pub capacity: u32,
    /// Minutes that the host is taken before and after.
    pub buffers_min: (i64, i64),
    /// Wishes, in the order in which they are asked.
    pub wishes: Vec<Wish>,
    /// What strikes the house.
    pub strike: Option<Strike>,
    /// What goes wrong at the provider.
    pub faults: Vec<Value>,
    /// Lets the clock stop before and after every timer.
    pub stops: bool,
}

/// What strikes one process of the house, and when.
#[derive(Clone, Copy, Debug)]
pub struct Strike {
    /// At this place of the history,
    pub milestone: usize,
    /// so many milliseconds later.
    pub after_ms: u64,
    /// The process: counted over all of them, again and again.
    pub whom: u64,
    /// What happens to it.
    pub blow: Blow,
}

/// What may happen to a process.
#[derive(Clone, Copy, Debug)]
pub enum Blow {
    /// It is killed, and started again.
    Kill,
    /// Nobody reaches it for a while; itself it reaches everybody. No connection says so.
    CutOff {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// It loses the database for a while: first what the database answers, then the connections.
    NoDatabase {
        /// How long, in milliseconds.
        ms: u64,
    },
}

/// A wish for an appointment and what becomes of it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Minutes behind the beginning of the history's day.
    pub slot_min: i64,
    /// Sends the same wish twice at the same time.
    pub twice: bool,
    /// Who is invited.
    pub guests: Vec<Person>,
    /// The host takes the link too.
    pub host_link: bool,
    /// What the host does about recording.
    pub recording: Vec<&'static str>,
    /// How it ends.
    pub end: End,
    /// After how many events a follower's connection breaks, again and again; nobody follows when empty.
    pub cuts: Vec<usize>,
}

/// How an appointment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Called off.
    Cancelled,
    /// Called off before anybody came.
    CancelledAtOnce,
    /// By the host.
    Hosted,
    /// By itself.
    Timer,
}

/// A guest.
#[derive(Clone, Debug)]
pub struct Person {
    /// Gets a second ticket.
    pub reissued: bool,
    /// Comes at all.
    pub comes: bool,
    /// Asks for the link although nobody has let the guest in.
    pub impatient: bool,
    /// What the host decides: `admitVisit`, `denyVisit` or nothing.
    pub decision: &'static str,
    /// Goes away before the decision.
    pub leaves: bool,
    /// Consents to recording before it starts.
    pub consents: bool,
    /// Takes consent back while it records.
    pub withdraws: bool,
    /// After how many updates the own connection breaks; the guest does not watch when empty.
    pub cuts: Vec<usize>,
}

/// Milestones at which a history may strike.
pub const MILESTONES: u64 = 5;
/// A process is cut off for less than this, in milliseconds: longer than a connection without a sign of life is kept.
const CUT_MS_MAX: u64 = 12_000;

impl Plan {
    /// The history of a seed for a promise; so many of a hundred strike the house.
    pub fn new(promise: Promise, seed: u64, strike_percent: u64) -> Self {
        use Promise::{I1, I2, I3, I4, I5, I6, I7};
        let mut dice = Dice::new(seed, promise as u64 + 1);
        let (wishes, guests) = match promise {
            I1 => (4 + dice.roll(5), 1),
            I2 => (1 + dice.roll(2), 1),
            I3 | I4 => (1, 2 + dice.roll(2)),
            I5 | I7 => (1, 2),
            I6 => (2, 1),
        };
        let strike = dice.chance(strike_percent).then(|| strike(&mut dice));
        let faults = match promise {
            I2 => (0..dice.roll(3))
                .map(|_| fault(&mut dice, MAKING))
                .collect(),
            I5 => (0..dice.roll(3))
                .map(|_| fault(&mut dice, RECORDING))
                .collect(),
            _ => Vec::new(),
        };
        Self {
            seed,
            capacity: if promise == I1 {
                1 + dice.roll(3) as u32
            } else {
                4
            },
            buffers_min: (dice.roll(3) as i64 * 5, dice.roll(3) as i64 * 5),
            wishes: (0..wishes)
                .map(|_| wish(promise, guests, &mut dice))
                .collect(),
            strike,
            faults,
            stops: promise == I6,
        }
    }
}

fn strike(dice: &mut Dice) -> Strike {
    Strike {
        milestone: dice.roll(MILESTONES) as usize,
        after_ms: dice.roll(150),
        whom: dice.roll(1_000),
        blow: match dice.roll(4) {
            0 => Blow::CutOff {
                ms: dice.roll(CUT_MS_MAX),
            },
            1 => Blow::NoDatabase {
                ms: dice.roll(CUT_MS_MAX),
            },
            _ => Blow::Kill,
        },
    }
}

fn wish(promise: Promise, guests: u64, dice: &mut Dice) -> Wish {
    use Promise::{I1, I2, I4, I5, I6, I7};
    let slot_min = match promise {
        // Crowded: half an hour each, within two hours.
        I1 => dice.roll(8) as i64 * 15,
        _ => dice.roll(4) as i64 * 5,
    };
    let end = match promise {
        I1 => *dice.pick(&[End::CancelledAtOnce, End::Timer, End::Timer]),
        I2 => *dice.pick(&[
            End::CancelledAtOnce,
            End::Cancelled,
            End::Hosted,
            End::Timer,
        ]),
        I6 => *dice.pick(&[
            End::Cancelled,
            End::Hosted,
            End::Timer,
            End::Timer,
            End::Timer,
        ]),
        _ => *dice.pick(&[End::Cancelled, End::Hosted, End::Timer]),
    };
    let recording = match promise {
        I5 => {
            let all: [&[&str]; 4] = [
                &["startRecording", "stopRecording"],
                &["startRecording", "pauseRecording", "resumeRecording"],
                &["startRecording", "pauseRecording", "stopRecording"],
                &["startRecording"],
            ];
            dice.pick(&all).to_vec()
        }
        _ => Vec::new(),
    };
    let cuts = |dice: &mut Dice| (0..8).map(|_| 1 + dice.roll(5) as usize).collect();
    Wish {
        slot_min,
        twice: dice.chance(30),
        guests: (0..guests).map(|_| person(promise, dice)).collect(),
        host_link: dice.chance(40),
        recording,
        end,
        cuts: if promise == I7 || (promise == I4 && dice.chance(20)) {
            cuts(dice)
        } else {
            Vec::new()
        },
    }
}

fn person(promise: Promise, dice: &mut Dice) -> Person {
    use Promise::{I1, I2, I4, I5, I6};
    let idle = matches!(promise, I1 | I2 | I6);
    let decision = match promise {
        I5 => "admitVisit",
        _ => *dice.pick(&["admitVisit", "admitVisit", "denyVisit", ""]),
    };
    Person {
        reissued: dice.chance(20),
        comes: !idle && dice.chance(if promise == I5 { 100 } else { 85 }),
        impatient: dice.chance(60),
        decision,
        leaves: promise != I5 && dice.chance(15),
        consents: dice.chance(75),
        withdraws: dice.chance(30),
        cuts: match promise {
            I4 => (0..6).map(|_| 1 + dice.roll(3) as usize).collect(),
            _ => Vec::new(),
        },
    }
}

/// Requests that make and remove meetings.
const MAKING: &[(&str, &str)] = &[
    ("POST", "/events"),
    ("GET", "/events"),
    ("PATCH", "/onlineMeetings/"),
    ("GET", "/onlineMeetings"),
    ("POST", "/token"),
    ("POST", "/cancel"),
];

/// Requests that record.
const RECORDING: &[(&str, &str)] = &[
    ("POST", "/communications/calls"),
    ("POST", "/startRecording"),
    ("POST", "/stopRecording"),
    ("GET", "/participants"),
    ("GET", "/operations"),
    ("GET", "/recordings"),
    ("DELETE", "/communications/calls"),
];

fn fault(dice: &mut Dice, places: &[(&str, &str)]) -> Value {
    let (method, path) = *dice.pick(places);
    let actions = [
        json!({"errorBefore": {"status": 503}}),
        json!({"errorAfter": {"status": 504}}),
        json!("dropBefore"),
        json!("dropAfter"),
        json!({"throttle": {"retryAfter": 0.2}}),
        json!({"delayAfter": {"ms": 400}}),
        json!({"delayBefore": {"ms": 400}}),
        json!("hollowAfter"),
    ];
    let action = dice.pick(&actions).clone();
    json!({"method": method, "pathContains": path, "times": 1, "action": action})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_history() {
        let told = |seed| format!("{:?}", Plan::new(Promise::I5, seed, 50));
        assert_eq!(told(7), told(7));
        assert_ne!(told(7), told(8));
    }
}

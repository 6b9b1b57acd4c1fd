//! Who plays the parties of calls. The engine wishes ("ring", "listen"), they state facts.

use convene_domain::call::EndReason;
use serde::{Deserialize, Serialize};

use crate::RawId;

/// A tone of a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// 0
    Zero,
    /// 1
    One,
    /// 2
    Two,
    /// 3
    Three,
    /// 4
    Four,
    /// 5
    Five,
    /// 6
    Six,
    /// 7
    Seven,
    /// 8
    Eight,
    /// 9
    Nine,
    /// A
    A,
    /// B
    B,
    /// C
    C,
    /// D
    D,
    /// #
    Pound,
    /// *
    Asterisk,
}

/// What a party does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// The call has reached them.
    Rings,
    /// They take it.
    Answers,
    /// They do not, or cannot be reached.
    Refuses(EndReason),
    /// They go.
    HangsUp(EndReason),
    /// They press a key.
    Presses(Tone),
    /// They say something.
    Says(String),
}

/// What a party is listened to for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// Keys.
    Tones,
    /// Words.
    Speech,
}

/// How somebody is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A party of their own.
    Party,
    /// An application that is told of incoming calls.
    Application,
}

/// Facts, each with the time after which it comes, in milliseconds.
pub type Facts = Vec<(i64, Fact)>;

/// Plays the parties.
pub trait Parties: std::fmt::Debug + Send + Sync {
    /// How somebody is reached; `rings` when they hold a token that may start calls.
    fn reach(&self, raw_id: &str, rings: bool) -> Reach;
    /// Somebody is called.
    fn ring(&self, raw_id: &str) -> Facts;
    /// Somebody is listened to.
    fn listen(&self, raw_id: &str, listening: Listening) -> Facts;
    /// Somebody hears tones.
    fn hear(&self, raw_id: &str, tones: &[Tone]) -> Facts;
    /// Whether a phone number belongs to the resource: what may be shown as a caller id.
    fn owns(&self, number: &str) -> bool;
}

/// Parties by rules: users answer, the echo bot answers, numbers +1 425 555 01NN behave by their tens digit.
#[derive(Clone, Copy, Debug)]
pub struct Simulated;

/// Time until a call has reached somebody, and then until they do something, in milliseconds.
const RING_MS: i64 = 50;
const ANSWER_MS: i64 = 250;
/// Between two keys, in milliseconds.
const KEY_MS: i64 = 150;
/// Until somebody speaks, in milliseconds.
const SPEAK_MS: i64 = 400;
/// Until a party hangs up by itself, in milliseconds.
const SHORT_CALL_MS: i64 = 1_500;
/// Numbers of fiction.
const FICTION: &str = "+142555501";

/// The last two digits of a number of fiction.
fn digits(raw_id: &str) -> Option<u8> {
    let RawId::Phone(number) = RawId::of(raw_id) else {
        return None;
    };
    let digits = number.strip_prefix(FICTION)?;
    let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    two.then(|| digits.parse().ok()).flatten()
}

fn answers() -> Facts {
    vec![(RING_MS, Fact::Rings), (ANSWER_MS, Fact::Answers)]
}

fn refuses(reason: EndReason) -> Facts {
    vec![(RING_MS, Fact::Rings), (ANSWER_MS, Fact::Refuses(reason))]
}

fn keys(tones: &[Tone]) -> Facts {
    let each = (1..).zip(tones);
    each.map(|(number, tone)| (number * KEY_MS, Fact::Presses(*tone)))
        .collect()
}

impl Parties for Simulated {
    fn reach(&self, raw_id: &str, rings: bool) -> Reach {
        let application = match RawId::of(raw_id) {
            RawId::User { .. } => !rings,
            RawId::Phone(number) => self.owns(&number),
            _ => false,
        };
        match application {
            true => Reach::Application,
            false => Reach::Party,
        }
    }

    fn ring(&self, raw_id: &str) -> Facts {
        match RawId::of(raw_id) {
            RawId::Phone(_) => match digits(raw_id) {
                Some(20..=29) => refuses(EndReason::PHONE_BUSY),
                Some(30..=39) => refuses(EndReason::DECLINED),
                Some(40..=49) => vec![(RING_MS, Fact::Rings)],
                Some(60..=69) => {
                    let mut facts = answers();
                    let goes = Fact::HangsUp(EndReason::PHONE_HUNG_UP);
                    facts.push((ANSWER_MS + SHORT_CALL_MS, goes));
                    facts
                }
                Some(0..=19 | 70..=89) => answers(),
                _ => vec![(ANSWER_MS, Fact::Refuses(EndReason::UNREACHABLE))],
            },
            RawId::Unknown if raw_id != "8:echo123" => {
                vec![(ANSWER_MS, Fact::Refuses(EndReason::NOT_FOUND))]
            }
            _ => answers(),
        }
    }

    fn listen(&self, raw_id: &str, listening: Listening) -> Facts {
        match (digits(raw_id), listening) {
            (Some(70..=79), Listening::Tones) => {
                keys(&[Tone::One, Tone::Two, Tone::Three, Tone::Pound])
            }
            (Some(80..=89), Listening::Speech) => {
                vec![(SPEAK_MS, Fact::Says("confirm".to_owned()))]
            }
            _ => Vec::new(),
        }
    }

    fn hear(&self, raw_id: &str, tones: &[Tone]) -> Facts {
        match digits(raw_id) {
            Some(10..=19) => keys(tones),
            _ => Vec::new(),
        }
    }

    fn owns(&self, number: &str) -> bool {
        matches!(digits(&format!("4:{number}")), Some(90..=99))
    }
}

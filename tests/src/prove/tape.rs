//! What was seen of a history: answers of the public API, what streams pushed, audit trails, and the provider's own word. Checkers read nothing
//! else.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Who was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The tenant's admin.
    Admin,
    /// The booking app.
    App,
    /// The host.
    Host,
    /// The guest of this visit.
    Guest(String),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// To whom.
    pub who: Who,
    /// The mutation or query.
    pub operation: &'static str,
    /// Global id of what it was about; empty for what has none.
    pub about: String,
    /// When it was asked, by the tape's own count.
    pub asked: u64,
    /// When the answer came, by the same count; a lost answer has none.
    pub answered: Option<u64>,
    /// The whole body.
    pub body: Value,
}

/// The recorder of one history.
#[derive(Debug, Default)]
pub struct Recorder {
    count: AtomicU64,
    answers: Mutex<Vec<Answer>>,
}

impl Recorder {
    /// The next moment.
    pub fn moment(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst)
    }

    /// Keeps an answer.
    pub fn keep(&self, answer: Answer) {
        self.answers.lock().unwrap().push(answer);
    }

    /// All answers so far.
    pub fn answers(&self) -> Vec<Answer> {
        self.answers.lock().unwrap().clone()
    }
}

/// A booking as the history left it.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Global id.
    pub id: String,
    /// UUID.
    pub uuid: String,
    /// The last look at it, and its trail as the audit shows it.
    pub last: Value,
    /// Its events in the order of each log.
    pub trail: Vec<Value>,
    /// What the follower was pushed, in order; `None` when nobody followed.
    pub pushed: Option<Vec<Value>>,
    /// Join link and passcode at the provider, when it has a meeting.
    pub secrets: Vec<String>,
    /// Whether the host or a caller ended it before its time.
    pub ended_by_people: bool,
    /// Its guests.
    pub visits: Vec<Stay>,
}

/// A guest's visit as the history left it.
#[derive(Clone, Debug, Default)]
pub struct Stay {
    /// Global id.
    pub visit: String,
    /// What the ticket shows in the end.
    pub last: Value,
    /// States that were pushed, in order; `None` when the guest did not watch.
    pub pushed: Option<Vec<Value>>,
}

/// A history as it was seen.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Its seed.
    pub seed: u64,
    /// UUID of the tenant.
    pub tenant: String,
    /// The host's capacity.
    pub capacity: u32,
    /// Buffers in milliseconds.
    pub buffers_ms: (i64, i64),
    /// Answers in order of arrival.
    pub answers: Vec<Answer>,
    /// Bookings.
    pub bookings: Vec<Kept>,
    /// The provider's events (`transactionId`, `meeting`) of this tenant's bookings.
    pub events: Vec<Value>,
    /// The provider's meetings by id.
    pub meetings: BTreeMap<String, Value>,
}

/// Milliseconds of an RFC 3339 time.
pub fn millis(value: &Value) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.timestamp_millis())
}

/// The UUID inside a global id.
pub fn uuid(id: &str) -> String {
    let bytes = STANDARD.decode(id).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.split(':').nth(1).unwrap_or_default().to_owned()
}

/// The name of a booking's first meeting at the provider, as ARCHITECTURE.md has it: worked out here anew, not asked of the product.
pub fn external_key(tenant: &str, booking: &str) -> String {
    let id = |text: &str| uuid::Uuid::try_parse(text).unwrap_or_default();
    let meeting = uuid::Uuid::new_v5(&id(booking), b"meeting/1");
    uuid::Uuid::new_v5(&id(tenant), meeting.as_bytes()).to_string()
}

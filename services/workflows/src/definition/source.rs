//! A workflow as people write it, in YAML or JSON.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// A workflow: what starts it and what is done then, step after step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Workflow {
    /// Its name: small letters, digits and hyphens.
    pub workflow: String,
    /// For people.
    #[serde(default)]
    pub title: String,
    /// The events that start it (schema/webhook-events.md), or `manual`.
    pub on: Vec<String>,
    /// What may come with a start by hand, for example `{ amount: 12 }`: expressions over `trigger.data` are tried on it.
    #[serde(default)]
    pub example: serde_json::Value,
    /// Start it only when this holds. A CEL expression over `booking` and `trigger`.
    pub when: Option<String>,
    /// What becomes of a run when its booking is cancelled: `stop` it, or let it `continue`.
    #[serde(default)]
    pub if_cancelled: IfCancelled,
    /// What is done.
    #[schemars(with = "Vec<Step>")]
    pub steps: Vec<Spanned<Step>>,
}

/// What becomes of a run when its booking is cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IfCancelled {
    /// It ends.
    #[default]
    Stop,
    /// It goes on.
    Continue,
}

/// A step: an id, and exactly one of the things that it can do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    /// Small letters, digits and hyphens; once in the workflow. Other steps read `steps.<id>` (`steps["send-it"]` with a hyphen).
    pub id: String,
    /// Not before this time: an expression that is a timestamp, for example `booking.start - duration("24h")`.
    pub at: Option<String>,
    /// Leave it out when its time (`at`) is longer ago than this, for example `1h`.
    pub skip_when_late_by: Option<String>,
    /// Only when this holds when its turn comes.
    pub when: Option<String>,
    /// How often it is tried, and with which pauses.
    pub retry: Option<Retry>,
    /// What its failure means: `fail` the run, or `continue`.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What makes it good when the run fails later.
    pub compensate: Option<Act>,
    /// Let time pass.
    pub wait: Option<Wait>,
    /// Wait for an event or a signal.
    pub wait_for: Option<WaitFor>,
    /// The steps of the first arm whose condition holds.
    pub branch: Option<Branch>,
    /// Several rows of steps side by side.
    #[schemars(with = "Option<Vec<Vec<Step>>>")]
    pub parallel: Option<Vec<Vec<Spanned<Self>>>>,
    /// Send an e-mail.
    pub email: Option<Email>,
    /// Send a request to an endpoint.
    pub http: Option<Http>,
    /// Do something with the booking.
    pub booking: Option<BookingAct>,
    /// Do something with the recording.
    pub recording: Option<RecordingAct>,
    /// Place a call. Not available yet.
    pub call: Option<serde_json::Value>,
    /// Call a plugin. Not available yet.
    pub plugin: Option<serde_json::Value>,
    /// Send a text message. Not available yet.
    pub sms: Option<serde_json::Value>,
}

/// How often a step is tried.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Retry {
    /// Attempts at the most, 1 to 20.
    pub attempts: u32,
    /// The pause before the second one, for example `30s`; each next one is twice as long, at most a day.
    pub pause: String,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// The run fails.
    #[default]
    Fail,
    /// The next step comes.
    Continue,
}

/// For how long, or until when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Wait {
    /// A duration, for example `15m`.
    #[serde(rename = "for")]
    pub span: Option<String>,
    /// An expression that is a timestamp. When the booking moves, it moves along.
    pub until: Option<String>,
}

/// An event of the booking, or a signal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WaitFor {
    /// Public name of an event.
    pub event: Option<String>,
    /// Name of a signal.
    pub signal: Option<String>,
    /// What may come with the signal, for example `{ amount: 12 }`: expressions over it are tried on this.
    #[serde(default)]
    pub example: serde_json::Value,
    /// Only one for which this holds. `event` is the event.
    #[serde(rename = "where")]
    pub matching: Option<String>,
    /// No longer than this, for example `10m`.
    #[serde(rename = "for")]
    pub span: Option<String>,
    /// No longer than until then: an expression that is a timestamp.
    pub until: Option<String>,
}

/// Steps by condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Branch {
    /// Looked at in this order.
    pub arms: Vec<Arm>,
    /// When none holds.
    #[serde(default)]
    #[schemars(with = "Vec<Step>")]
    pub otherwise: Vec<Spanned<Step>>,
}

/// One condition and its steps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arm {
    /// The condition.
    pub when: String,
    /// What is done then.
    #[schemars(with = "Vec<Step>")]
    pub steps: Vec<Spanned<Step>>,
}

/// What a compensation can do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Act {
    /// Send an e-mail.
    pub email: Option<Email>,
    /// Send a request to an endpoint.
    pub http: Option<Http>,
    /// Do something with the booking.
    pub booking: Option<BookingAct>,
    /// Do something with the recording.
    pub recording: Option<RecordingAct>,
}

/// An e-mail: one for each recipient.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Email {
    /// `guests`, or addresses.
    pub to: Recipients,
    /// Template: text with `${expression}` in it. `guest`, `host` and `service` have a `name`.
    pub subject: String,
    /// Template of the plain text.
    pub text: String,
}

/// Who gets an e-mail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Recipients {
    /// `guests`.
    Known(String),
    /// Addresses.
    Addresses(Vec<String>),
}

/// A POST of JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Http {
    /// https; a public address.
    pub url: String,
    /// The body; each text in it is a template.
    #[serde(default)]
    pub body: serde_json::Value,
}

/// What can be done with the booking.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BookingAct {
    /// Cancel it, for this reason.
    pub cancel: Option<String>,
    /// End its meeting.
    #[serde(default)]
    pub end_meeting: bool,
}

/// What can be done with the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RecordingAct {
    /// Start one; consent is asked for as always (I5).
    Start,
    /// Stop the one that runs.
    Stop,
}

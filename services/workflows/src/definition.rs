//! Workflows: as they are written, and as they are run.

mod check;
mod expression;
mod sample;
mod source;

use convene_domain::Timestamp;

pub use check::{Problem, parse};
pub use expression::{Expr, Scope, Template, of_json, of_moment};
pub use source::{BookingAct, IfCancelled, RecordingAct, Workflow as Source};

/// Bytes of a definition.
pub const SOURCE_BYTES_MAX: usize = 64 * 1024;
/// Steps of a workflow, those within others too.
pub const STEPS_MAX: usize = 100;
/// How deep steps nest.
pub const DEPTH_MAX: usize = 8;

/// The trigger of a workflow that people and apps start.
pub const MANUAL: &str = "manual";
/// Begins the name of a signal among the names of happenings.
pub const SIGNAL: &str = "signal.";

/// The JSON Schema of a definition, for editors.
pub fn schema() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(Source))? + "\n")
}

/// A checked workflow.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// The public events that start it, and [`MANUAL`].
    pub triggers: Vec<String>,
    /// What may come with a start by hand.
    pub example: serde_json::Value,
    /// Only when this holds.
    pub when: Option<Expr>,
    /// What becomes of runs of cancelled bookings.
    pub if_cancelled: IfCancelled,
    /// What is done.
    pub steps: Vec<Step>,
    /// Events and signals that steps wait for.
    pub awaited: Vec<String>,
}

/// A checked step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// Not before.
    pub at: Option<Expr>,
    /// Not later than so many milliseconds after.
    pub late_ms: Option<i64>,
    /// Only when this holds.
    pub when: Option<Expr>,
    /// How often it is tried.
    pub retry: Retry,
    /// Whether the run goes on without it.
    pub may_fail: bool,
    /// What makes it good.
    pub undo: Option<Act>,
    /// What it does.
    pub what: What,
}

/// How often a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts at the most.
    pub attempts: u32,
    /// The pause before the second, in milliseconds; doubled each time.
    pub pause_ms: i64,
}

impl Retry {
    /// Unless the author says otherwise: over about four hours.
    pub const USUAL: Self = Self {
        attempts: 10,
        pause_ms: 30_000,
    };
    /// The longest pause, in milliseconds: a day.
    pub const PAUSE_MS_MAX: i64 = 24 * 3_600_000;

    /// The pause after so many failed attempts; `None` when there is no further one.
    pub fn after(&self, attempts: u32) -> Option<i64> {
        if attempts >= self.attempts {
            return None;
        }
        let doubled = 1_i64
            .checked_shl(attempts.saturating_sub(1))
            .unwrap_or(i64::MAX);
        Some(
            self.pause_ms
                .saturating_mul(doubled)
                .min(Self::PAUSE_MS_MAX),
        )
    }
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum What {
    /// Lets time pass.
    Wait(Until),
    /// Waits for a happening.
    WaitFor {
        /// Its name.
        name: String,
        /// What may come with it, when it is a signal.
        example: serde_json::Value,
        /// Only one for which this holds.
        matching: Option<Expr>,
        /// No longer than.
        until: Option<Until>,
    },
    /// The steps of one arm.
    Branch {
        /// Conditions and their steps.
        arms: Vec<(Expr, Vec<Step>)>,
        /// When none holds.
        otherwise: Vec<Step>,
    },
    /// Rows of steps side by side.
    Parallel(Vec<Vec<Step>>),
    /// Something outside.
    Act(Act),
}

/// An end of waiting.
#[derive(Clone, Debug)]
pub enum Until {
    /// After so many milliseconds.
    Span(i64),
    /// At a moment that is computed.
    At(Expr),
}

impl Until {
    /// The moment, for a wait that begins now.
    pub fn moment(&self, began: Timestamp, scope: &Scope) -> Result<Timestamp, String> {
        match self {
            Self::Span(span) => Ok(began.plus_millis(*span)),
            Self::At(expr) => expr.moment(scope),
        }
    }
}

/// Something that is done outside.
#[derive(Clone, Debug)]
pub enum Act {
    /// E-mails.
    Email {
        /// To whom.
        to: Recipients,
        /// Template.
        subject: Template,
        /// Template.
        text: Template,
    },
    /// A POST.
    Http {
        /// Where to.
        url: String,
        /// JSON whose texts are templates.
        body: Body,
    },
    /// Something with the booking.
    Booking(BookingAct),
    /// Something with the recording.
    Recording(RecordingAct),
}

/// Who gets an e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// Each guest of the booking.
    Guests,
    /// These addresses.
    Addresses(Vec<String>),
}

/// JSON with templates in place of texts.
#[derive(Clone, Debug)]
pub enum Body {
    /// As it is.
    Plain(serde_json::Value),
    /// A text.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
}

impl Body {
    /// Fills in.
    pub fn fill(&self, scope: &Scope) -> Result<serde_json::Value, String> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(template) => template.fill(scope)?.into(),
            Self::List(items) => items
                .iter()
                .map(|item| item.fill(scope))
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            Self::Object(fields) => fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), value.fill(scope)?)))
                .collect::<Result<serde_json::Map<_, _>, String>>()?
                .into(),
        })
    }
}

impl Definition {
    /// A step by its id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        find(&self.steps, id)
    }

    /// All steps in the order in which they are written.
    pub fn all(&self) -> Vec<&Step> {
        let mut all = Vec::new();
        collect(&self.steps, &mut all);
        all
    }
}

impl Step {
    /// The rows of steps within it.
    pub fn rows(&self) -> Vec<&[Self]> {
        match &self.what {
            What::Branch { arms, otherwise } => {
                let arms = arms.iter().map(|(_, steps)| steps.as_slice());
                arms.chain([otherwise.as_slice()]).collect()
            }
            What::Parallel(rows) => rows.iter().map(Vec::as_slice).collect(),
            What::Wait(_) | What::WaitFor { .. } | What::Act(_) => Vec::new(),
        }
    }
}

fn collect<'a>(steps: &'a [Step], all: &mut Vec<&'a Step>) {
    for step in steps {
        all.push(step);
        for row in step.rows() {
            collect(row, all);
        }
    }
}

fn find<'a>(steps: &'a [Step], id: &str) -> Option<&'a Step> {
    steps.iter().find_map(|step| {
        if step.id == id {
            return Some(step);
        }
        step.rows().into_iter().find_map(|row| find(row, id))
    })
}

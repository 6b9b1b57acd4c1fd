//! What was seen of the provider, made into findings. Pure.

use std::{collections::BTreeSet, time::Duration};

use convene_graph::{Claims, GraphConfig, GraphError};
use convene_kit::finding::{Finding, Kind};

use super::{
    entra, findings as found,
    needs::{NEEDS, Part},
};

/// From this much our clock is off, in milliseconds: more than the way to the provider and the cut to seconds explain.
const CLOCK_OFF_MS: i64 = 5_000;
/// From this much it is wrong, in milliseconds: what is signed between roles lasts as long.
const CLOCK_WRONG_MS: i64 = 60_000;
/// From here on the provider tells how much of a limit is used.
const LIMIT_NEAR: f64 = 0.8;

/// What the configuration says of the provider.
#[derive(Clone, Debug)]
pub struct Known {
    application: String,
    tenant: String,
    token: String,
    base: String,
    beta: String,
}

impl Known {
    /// Without secrets.
    pub fn of(config: &GraphConfig) -> Self {
        Self {
            application: config.client_id.clone(),
            tenant: config.tenant.clone(),
            token: place(&config.token_url),
            base: place(&config.base),
            beta: place(&config.beta_base),
        }
    }
}

/// An address as people name it.
fn place(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, bare)| bare);
    let (authority, path) = bare.split_once('/').unwrap_or((bare, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{host}/{path}")
}

/// All that an examination saw.
#[derive(Debug)]
pub struct Seen {
    /// Whom it looked at.
    pub known: Known,
    /// The token's claims; `None` inside when it cannot be read.
    pub token: Result<Option<Claims>, GraphError>,
    /// Our clock less the provider's, in milliseconds.
    pub clock_off_ms: Option<i64>,
    /// The most that is used of a limit.
    pub limit_used: Option<f64>,
    /// Whether beta answers; `None` when it was not asked.
    pub beta: Option<Result<(), GraphError>>,
    /// The organizers.
    pub users: Vec<SeenUser>,
    /// Organizers that were left out, and how many are taken.
    pub left_out: (usize, usize),
}

/// One organizer; what was not asked is `None`.
#[derive(Debug)]
pub struct SeenUser {
    pub name: String,
    pub calendar: Option<Result<(), GraphError>>,
    pub meetings: Option<Result<(), GraphError>>,
}

/// What follows.
pub fn judge(seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(seen.clock_off_ms.map(clock));
    match &seen.token {
        Err(error) => findings.push(no_token(seen, error)),
        Ok(claims) => {
            findings.push(found::TOKEN_GRANTED.of(&seen.known.token));
            match claims {
                None => findings.push(seen.say(found::PERMISSIONS_UNREADABLE, &seen.known.token)),
                Some(claims) => findings.extend(claimed(seen, claims)),
            }
        }
    }
    findings.extend(seen.beta.as_ref().map(|answer| beta(seen, answer)));
    if let Some(used) = seen.limit_used.filter(|used| *used >= LIMIT_NEAR) {
        let percent = format!("{:.0}", used * 100.0);
        findings.push(found::THROTTLING_NEAR.with(&seen.known.base, &[("percent", &percent)]));
    }
    findings.extend(seen.users.iter().flat_map(|one| user(seen, one)));
    // What no organizer is to blame for is told once.
    let answers = seen
        .users
        .iter()
        .flat_map(|one| [&one.calendar, &one.meetings]);
    let errors = answers.flatten().filter_map(|answer| answer.as_ref().err());
    findings.extend(
        errors
            .filter_map(|error| trouble(&seen.known.base, error))
            .next(),
    );
    if seen.token.is_ok() && seen.users.is_empty() {
        findings.push(found::NO_USERS.of(&seen.known.base));
    }
    if let (count @ 1.., max) = seen.left_out {
        let (count, max) = (count.to_string(), max.to_string());
        let values = [("count", count.as_str()), ("max", &max)];
        findings.push(found::USERS_LEFT_OUT.with(&seen.known.base, &values));
    }
    findings
}

impl Seen {
    fn say(&self, kind: Kind, subject: &str) -> Finding {
        kind.with(subject, &[("application", &self.known.application)])
    }

    fn detail(&self, kind: Kind, subject: &str, detail: &str) -> Finding {
        kind.with(
            subject,
            &[("application", &self.known.application), ("detail", detail)],
        )
    }
}

fn clock(off_ms: i64) -> Finding {
    let subject = "provider";
    let seconds = (off_ms.abs() / 1_000).to_string();
    let direction = if off_ms < 0 { "behind" } else { "ahead of" };
    let kind = match off_ms.abs() {
        ..CLOCK_OFF_MS => {
            let bound = (CLOCK_OFF_MS / 1_000).to_string();
            return found::CLOCK_AGREES.with(subject, &[("seconds", &bound)]);
        }
        CLOCK_OFF_MS..CLOCK_WRONG_MS => found::CLOCK_OFF,
        _ => found::CLOCK_WRONG,
    };
    kind.with(subject, &[("seconds", &seconds), ("direction", direction)])
}

fn no_token(seen: &Seen, error: &GraphError) -> Finding {
    let place = &seen.known.token;
    let unknown = || seen.detail(found::PROVIDER_ANSWER_UNKNOWN, place, &brief(error));
    match error {
        GraphError::Unauthorized { code } => seen.detail(entra::kind(code), place, code),
        error => trouble(place, error).unwrap_or_else(unknown),
    }
}

/// Failures that are nobody's permission or policy.
fn trouble(place: &str, error: &GraphError) -> Option<Finding> {
    let kind = match error {
        GraphError::Throttled { retry_after } => return Some(throttled(place, *retry_after)),
        GraphError::Unavailable(text) | GraphError::UnknownOutcome(text)
            if text.contains("status") =>
        {
            found::PROVIDER_FAILS
        }
        GraphError::Unavailable(_)
        | GraphError::UnknownOutcome(_)
        | GraphError::Misconfigured { .. } => found::PROVIDER_UNREACHABLE,
        GraphError::Malformed(_) => found::PROVIDER_ANSWER_UNKNOWN,
        GraphError::Unauthorized { .. } => found::TOKEN_NOT_TAKEN,
        GraphError::NotFound { .. } | GraphError::NoAccessPolicy | GraphError::Refused { .. } => {
            return None;
        }
    };
    Some(kind.with(place, &[("detail", &brief(error))]))
}

fn throttled(place: &str, retry_after: Option<Duration>) -> Finding {
    let seconds = retry_after.map(|after| after.as_secs_f64().ceil().to_string());
    let seconds = seconds.as_deref().unwrap_or("some");
    found::PROVIDER_THROTTLED.with(place, &[("seconds", seconds)])
}

/// The failure without the remedy that stands in the client's own text: a finding has a better one.
fn brief(error: &GraphError) -> String {
    match error {
        GraphError::Refused { status, code, .. } => format!("{status} {code}"),
        error => error.to_string(),
    }
}

fn claimed(seen: &Seen, claims: &Claims) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(issuer) = &claims.tenant
        && !issuer.eq_ignore_ascii_case(&seen.known.tenant)
    {
        let kind = found::TOKEN_OF_ANOTHER_TENANT;
        findings.push(kind.with(&seen.known.token, &[("issuer", issuer)]));
    }
    let mut needed = BTreeSet::new();
    for need in NEEDS {
        let granted = |name: &&str| claims.roles.contains(*name);
        let names = [Some(need.permission), need.instead];
        let values = [
            ("application", seen.known.application.as_str()),
            ("why", need.why),
        ];
        let (kind, name) = match names.into_iter().flatten().find(granted) {
            Some(name) => (found::PERMISSION_GRANTED, name),
            None if need.part == Part::Meetings => (found::PERMISSION_MISSING, need.permission),
            None => (found::RECORDING_PERMISSION_MISSING, need.permission),
        };
        needed.insert(name);
        findings.push(kind.with(name, &values));
    }
    let excess = claims.roles.iter();
    let excess = excess.filter(|role| !needed.contains(role.as_str()));
    findings.extend(excess.map(|role| seen.say(found::PERMISSION_IN_EXCESS, role)));
    findings
}

fn beta(seen: &Seen, answer: &Result<(), GraphError>) -> Finding {
    let place = &seen.known.beta;
    match answer {
        Ok(()) => found::BETA_ANSWERS.of(place),
        // Nobody has the call that was asked for, or the permission to see it is missing, which is told elsewhere: both in Graph's envelope.
        Err(GraphError::NotFound { code } | GraphError::Refused { code, .. })
            if !["no code", "unreadable code", "NotImplemented"].contains(&code.as_str()) =>
        {
            found::BETA_ANSWERS.of(place)
        }
        Err(GraphError::Throttled { retry_after }) => throttled(place, *retry_after),
        Err(error) => seen.detail(found::BETA_UNAVAILABLE, place, &brief(error)),
    }
}

/// Whether it says nothing about the organizer.
fn says_nothing(error: &GraphError) -> bool {
    error.is_transient() || matches!(error, GraphError::Unauthorized { .. })
}

fn user(seen: &Seen, user: &SeenUser) -> Vec<Finding> {
    let name = &user.name;
    let not_examined = |error| seen.detail(found::USER_NOT_EXAMINED, name, &brief(error));
    let unknown = matches!(user.calendar, Some(Err(GraphError::NotFound { .. })));
    let calendar = user.calendar.as_ref().map(|answer| match answer {
        Ok(()) => seen.say(found::CALENDAR_OPEN, name),
        Err(GraphError::NotFound { .. }) => seen.say(found::USER_UNKNOWN, name),
        Err(error) if says_nothing(error) => not_examined(error),
        Err(error) => seen.detail(found::CALENDAR_REFUSED, name, &brief(error)),
    });
    // Who is not there has no policy either.
    let meetings = user.meetings.as_ref().filter(|_| !unknown);
    let meetings = meetings.map(|answer| match answer {
        Ok(()) => seen.say(found::POLICY_GRANTED, name),
        // Graph may say 404 instead of an empty list; of a user who is known by the calendar it says nothing else.
        Err(GraphError::NotFound { .. }) => match user.calendar {
            Some(Ok(())) => seen.say(found::POLICY_GRANTED, name),
            _ => seen.say(found::USER_UNKNOWN, name),
        },
        Err(GraphError::NoAccessPolicy) => seen.say(found::POLICY_MISSING, name),
        Err(error) if says_nothing(error) => not_examined(error),
        Err(error) => seen.detail(found::MEETINGS_REFUSED, name, &brief(error)),
    });
    let mut findings: Vec<_> = calendar.into_iter().chain(meetings).collect();
    // Both halves failed for the same reason: once is enough.
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests;

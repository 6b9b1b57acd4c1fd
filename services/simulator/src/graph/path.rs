//! Graph's freedom in writing paths: segments in any case, and keys in parentheses (`/users('id')/events('id')`).

use http::{Uri, uri::PathAndQuery};

/// Segments that name collections, actions and functions: those that are answered, and those that are known to be not there yet.
const NAMES: [&str; 56] = [
    "users",
    "me",
    "events",
    "calendar",
    "calendars",
    "calendarView",
    "instances",
    "cancel",
    "accept",
    "decline",
    "tentativelyAccept",
    "forward",
    "snoozeReminder",
    "getSchedule",
    "findMeetingTimes",
    "onlineMeetings",
    "createOrGet",
    "recordings",
    "transcripts",
    "content",
    "attendanceReports",
    "attendanceRecords",
    "communications",
    "calls",
    "participants",
    "invite",
    "operations",
    "keepAlive",
    "answer",
    "reject",
    "redirect",
    "transfer",
    "mute",
    "unmute",
    "playPrompt",
    "recordResponse",
    "subscribeToTone",
    "updateRecordingStatus",
    "startRecording",
    "stopRecording",
    "startTranscription",
    "stopTranscription",
    "admitFromLobby",
    "admitAllFromLobby",
    "removeFromLobby",
    "audioRoutingGroups",
    "solutions",
    "bookingBusinesses",
    "appointments",
    "services",
    "staffMembers",
    "customers",
    "subscriptions",
    "reauthorize",
    "groups",
    "$batch",
];

/// The address as routes know it; `None` when it is written so already, or is not Graph's.
pub fn canonical(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let mut segments = path.strip_prefix('/')?.split('/');
    let version = segments.next()?;
    let known = ["v1.0", "beta"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(version))?;
    if version == known && segments.clone().all(is_plain) {
        return None;
    }
    let mut written = format!("/{known}");
    for segment in segments {
        let (name, key) = split(segment);
        written.push('/');
        written.push_str(name_of(name).unwrap_or(name));
        if let Some(key) = key {
            written.push('/');
            written.push_str(&key.replace("''", "'").replace("%27%27", "%27"));
        }
    }
    if let Some(query) = uri.query() {
        written.push('?');
        written.push_str(query);
    }
    Some(written.parse::<PathAndQuery>().ok()?.into())
}

fn is_plain(segment: &str) -> bool {
    split(segment).1.is_none() && name_of(segment).is_none_or(|name| name == segment)
}

fn name_of(segment: &str) -> Option<&'static str> {
    NAMES
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(segment))
}

/// `users('a')` is `users` and `a`.
fn split(segment: &str) -> (&str, Option<&str>) {
    let keyed = || {
        let (name, rest) = segment.split_once('(')?;
        let rest = rest.strip_suffix(')')?;
        let quoted = |quote| rest.strip_prefix(quote)?.strip_suffix(quote);
        Some((name, quoted("'").or_else(|| quoted("%27"))?))
    };
    match keyed() {
        Some((name, key)) => (name, Some(key)),
        None => (segment, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &str) -> Option<String> {
        canonical(&path.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn case_and_parentheses_do_not_matter() {
        let wanted = "/v1.0/users/a%40b/onlineMeetings/createOrGet?x=1";
        for path in [
            "/V1.0/USERS/a%40b/OnlineMeetings/createorget?x=1",
            "/v1.0/users('a%40b')/onlinemeetings/createOrGet?x=1",
            "/v1.0/Users(%27a%40b%27)/onlineMeetings/CreateOrGet?x=1",
        ] {
            assert_eq!(written(path).as_deref(), Some(wanted), "{path}");
        }
    }

    #[test]
    fn what_is_plain_or_foreign_stays() {
        for path in [
            "/v1.0/users/AbC/events/AAMkX=",
            "/beta/me",
            "/tenant/oauth2/v2.0/token",
            "/",
            "/v1.0/users/x/onlineMeetings/getAllRecordings(a='b',c='d')",
        ] {
            assert_eq!(written(path), None, "{path}");
        }
    }
}

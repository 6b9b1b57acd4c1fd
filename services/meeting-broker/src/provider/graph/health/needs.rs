//! Which application permissions the broker needs at Graph, and why. Source: application permissions of microsoftgraph/microsoft-graph-devx-content,
//! `permissions/new/permissions.json`, for the requests of this adapter.

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its name.
    pub permission: &'static str,
    /// Another that does as well.
    pub instead: Option<&'static str>,
    /// What it is for.
    pub why: &'static str,
    /// What does not work without it.
    pub part: Part,
}

/// A part of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bookings.
    Meetings,
    /// Recordings: an installation may do without.
    Recording,
}

/// All of them; whatever else a token carries is in excess of need.
pub const NEEDS: [Need; 5] = [
    Need {
        permission: "Calendars.ReadWrite",
        instead: None,
        why: "a meeting is an event in the organizer's calendar: it is looked up, made and cancelled there",
        part: Part::Meetings,
    },
    Need {
        permission: "OnlineMeetings.ReadWrite.All",
        instead: None,
        why: "the online meeting behind the event is found, and who passes its lobby is set and read back",
        part: Part::Meetings,
    },
    Need {
        permission: "Calls.JoinGroupCall.All",
        instead: None,
        why: "a bot joins the meeting, and starts and stops its recording",
        part: Part::Recording,
    },
    Need {
        permission: "Calls.Initiate.All",
        instead: Some("Calls.AccessMedia.All"),
        why: "the bot's call is read, and ended after the meeting",
        part: Part::Recording,
    },
    Need {
        permission: "OnlineMeetingRecording.Read.All",
        instead: None,
        why: "finished recordings are listed and fetched",
        part: Part::Recording,
    },
];

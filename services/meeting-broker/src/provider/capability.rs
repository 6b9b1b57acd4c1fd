//! What a provider can do, and what is lost where it cannot.

/// One row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// `CREATE`, `LOBBY_ADMIT` …
    pub name: &'static str,
    /// How far.
    pub level: CapabilityLevel,
    /// What a caller has to know.
    pub note: &'static str,
}

/// How far a provider can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapabilityLevel {
    /// Without loss.
    Full,
    /// With the loss that the note names.
    Partial,
    /// Not at all.
    None,
}

/// Graph with calendar-backed meetings, as Microsoft documents it.
pub const GRAPH_CALENDAR: [Capability; 9] = [
    full(
        "CREATE",
        "calendar event with an online meeting; a repeated try finds the first",
    ),
    full(
        "UPDATE",
        "the event is given another time and stays the same one, with the same join details",
    ),
    full("CANCEL", "the event is cancelled as its organizer"),
    full(
        "LOBBY_BYPASS_SCOPE",
        "set on the online meeting and read back; the tenant's meeting policy may still narrow it",
    ),
    none(
        "LOBBY_ADMIT",
        "v1.0 has no server-side admission, and beta's is not used yet; Convene's own lobby stands before the provider's",
    ),
    partial(
        "RECORDING_START",
        "Graph beta, through a bot in the meeting that everybody sees",
    ),
    partial(
        "RECORDING_PAUSE",
        "Graph has no pause: a pause is a confirmed stop, a resume begins a new segment",
    ),
    full(
        "ARTEFACTS",
        "one per segment, of calendar-backed meetings only; segments of one call are told apart by their order",
    ),
    none("EVENTS", "change notifications are not taken yet"),
];

const fn full(name: &'static str, note: &'static str) -> Capability {
    Capability {
        name,
        level: CapabilityLevel::Full,
        note,
    }
}

const fn partial(name: &'static str, note: &'static str) -> Capability {
    Capability {
        name,
        level: CapabilityLevel::Partial,
        note,
    }
}

const fn none(name: &'static str, note: &'static str) -> Capability {
    Capability {
        name,
        level: CapabilityLevel::None,
        note,
    }
}

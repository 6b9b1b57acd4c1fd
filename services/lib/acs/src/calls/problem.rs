//! Refusals in the numbers of Call Automation.

use http::StatusCode;

use crate::Problem;

/// No leg, call or context of that name.
pub fn no_call(what: &str) -> Problem {
    let text = format!("Call not found: there is no such {what}, or it is over.");
    Problem::new(StatusCode::NOT_FOUND, "8522", text)
}

/// The leg is not connected yet.
pub fn not_established() -> Problem {
    let text = "The call is not established yet; wait for CallConnected.";
    Problem::new(StatusCode::BAD_REQUEST, "8501", text)
}

/// Not now.
pub fn wrong_state(text: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "8585", text)
}

/// What was sent makes no sense.
pub fn invalid(target: &str, text: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "8523", text).at(target)
}

/// Somebody is not in the call.
pub fn not_there(target: &str) -> Problem {
    let text = "The participant is not in the call.";
    Problem::new(StatusCode::NOT_FOUND, "8522", text).at(target)
}

/// Something else is played or listened for.
pub fn busy() -> Problem {
    let text =
        "Another media operation runs for this participant; wait for its event or cancel it.";
    Problem::new(StatusCode::PRECONDITION_FAILED, "8583", text)
}

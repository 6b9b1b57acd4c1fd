//! Who may come in at once, and who waits for a host.

mod sdk;

use convene::plugin::explain::because;
use sdk::{Arrival, Context, Decision, Fault, admit, list, wait};

wit_bindgen::generate!({ world: "plugin", path: "wit", generate_all });

fn decide(context: &Context, arrival: &Arrival) -> Result<Decision, Fault> {
    let guest = &arrival.guest.id;
    let expected = list(context, "expected").any(|id| id == guest);
    because("the guest is expected", expected, guest);
    Ok(if expected {
        admit("EXPECTED")
    } else {
        wait("NOT_EXPECTED")
    })
}

lobby!(decide);

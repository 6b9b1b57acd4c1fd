//! The first guests of each hour are let in at once; the others wait for a host. The count is kept: it is written with the decision, so a call that is made
//! again after a crash counts nobody twice.

#[path = "../../../../sdk/rust/sdk.rs"]
mod sdk;

use convene::plugin::{explain::because, kv};
use sdk::{Arrival, Context, Decision, Fault, admit, fault, setting, wait};

wit_bindgen::generate!({
    world: "sample:hourly-quota/plugin",
    path: ["../../../wit/0.1.0", "wit"],
    generate_all,
});

const HOUR_MS: u64 = 3_600_000;
const KEY: &str = "admitted";

fn decide(context: &Context, _arrival: &Arrival) -> Result<Decision, Fault> {
    let quota = setting(context, "quota").unwrap_or("10");
    let quota: u64 = quota
        .parse()
        .map_err(|_| fault("BAD_SETTING", format!("not a number: {quota}")))?;
    let hour = context.now_ms / HOUR_MS;
    let kept = kv::get(KEY).map_err(|error| fault("NO_COUNT", error.to_string()))?;
    let admitted = kept.as_ref().map_or(0, |entry| count(&entry.value, hour));
    let free = admitted < quota;
    because("the hour has places left", free, &format!("{admitted} of {quota}"));
    if !free {
        return Ok(wait("HOUR_IS_FULL"));
    }
    let value = format!("{hour} {}", admitted + 1);
    let over = kept.map_or(0, |entry| entry.revision);
    kv::put(KEY, value.as_bytes(), Some(over))
        .map_err(|error| fault("NOT_COUNTED", error.to_string()))?;
    Ok(admit("WITHIN_QUOTA"))
}

/// Guests that were let in this hour, by what was kept.
fn count(value: &[u8], hour: u64) -> u64 {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let mut numbers = text.split(' ').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(of)), Some(Ok(admitted))) if of == hour => admitted,
        _ => 0,
    }
}

lobby!(decide);

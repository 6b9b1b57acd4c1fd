//! `convene clock`.

use convene_kit::{Error, Result};
use serde_json::{Value, json};

use super::{answered, print};
use crate::graphql::Client;

const FIELDS: &str = "businessTime offsetMs version";

/// Prints the clock.
pub async fn show(client: &Client) -> Result<()> {
    let data = client
        .call(&format!("{{ clock {{ {FIELDS} }} }}"), json!({}))
        .await?;
    told(&data["clock"]);
    Ok(())
}

/// Moves business time forward; every role has acknowledged it when this returns.
pub async fn advance(client: &Client, by_ms: i64) -> Result<()> {
    let stands = client.call("{ clock { offsetMs } }", json!({})).await?;
    let stands = stands["clock"]["offsetMs"].as_i64().unwrap_or(0);
    let query = format!(
        "mutation($to: Int!) {{ advanceClock(input: {{ toOffsetMs: $to }}) {{ clock {{ {FIELDS} }} refusal {{ reason message }} }} }}"
    );
    let to = stands.saturating_add(by_ms);
    let data = client.call(&query, json!({ "to": to })).await?;
    told(&answered(&data["advanceClock"])?["clock"]);
    Ok(())
}

/// Back to wall time.
pub async fn reset(client: &Client) -> Result<()> {
    let query = format!(
        "mutation {{ resetClock {{ clock {{ {FIELDS} }} refusal {{ reason message }} }} }}"
    );
    let data = client.call(&query, json!({})).await?;
    told(&answered(&data["resetClock"])?["clock"]);
    Ok(())
}

fn told(clock: &Value) {
    print(&format!(
        "business time {}  offset {} ms  version {}\n",
        clock["businessTime"].as_str().unwrap_or("?"),
        clock["offsetMs"],
        clock["version"],
    ));
}

/// `90s`, `15m`, `24h`, `7d` or plain milliseconds `1500ms`, in milliseconds.
pub fn parse_duration(text: &str) -> Result<i64> {
    let wrong = || {
        Error::invalid(
            "BY",
            "MALFORMED_DURATION",
            "a duration is a number and a unit: 500ms, 90s, 15m, 24h or 7d",
        )
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse_duration;

    #[test]
    fn durations_need_number_and_unit() {
        assert_eq!(parse_duration("24h").unwrap(), 86_400_000);
        assert_eq!(parse_duration("500ms").unwrap(), 500);
        for bad in ["", "h", "5", "-5s", "5w", "9999999999999999d"] {
            assert_eq!(
                parse_duration(bad).unwrap_err().reason,
                "MALFORMED_DURATION"
            );
        }
    }
}

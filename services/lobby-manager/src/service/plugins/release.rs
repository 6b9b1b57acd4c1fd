//! A module with what it is allowed: what a binding asks.

use convene_kit::{Error, Result};
use convene_plugin_host::{Grants, Limits};
use serde::{Deserialize, Serialize};

/// A module with what it is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// SHA-256, in hex.
    pub digest: String,
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is allowed.
    pub grants: Grants,
    /// What a call may cost.
    pub limits: Limits,
    /// What it is told with every call.
    pub settings: Vec<(String, String)>,
}

/// Limits that were asked for; 0 is the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    pub time_ms: u32,
    pub fuel: u64,
    pub memory_bytes: u64,
}

/// The most that a binding may grant.
const KV_BYTES_MAX: u64 = 16 << 20;
const TIME_MS_MAX: u32 = 5_000;
const FUEL_MAX: u64 = 1_000_000_000;
const MEMORY_BYTES_MAX: u64 = 64 << 20;
/// Settings of a binding, and bytes of all of them.
const SETTINGS_MAX: usize = 64;
const SETTING_BYTES_MAX: usize = 8 << 10;
/// Personal fields that there are.
const FIELDS: [&str; 1] = ["display-name"];

/// Grants within their bounds.
pub fn grants(grants: Grants) -> Result<Grants> {
    within("grants.kvBytes", grants.kv_bytes, KV_BYTES_MAX)?;
    if let Some(field) = grants
        .fields
        .iter()
        .find(|field| !FIELDS.contains(&field.as_str()))
    {
        return Err(Error::invalid(
            "grants.fields",
            "FIELD_UNKNOWN",
            format!(
                "there is no field {}; fields: {}",
                field.chars().take(64).collect::<String>(),
                FIELDS.join(", ")
            ),
        ));
    }
    Ok(grants)
}

/// Limits within their bounds.
pub fn limits(wish: Budget) -> Result<Limits> {
    within("limits.timeMs", wish.time_ms.into(), TIME_MS_MAX.into())?;
    within("limits.fuel", wish.fuel, FUEL_MAX)?;
    within("limits.memoryBytes", wish.memory_bytes, MEMORY_BYTES_MAX)?;
    let usual = Limits::default();
    let or = |wish: u64, usual: u64| if wish == 0 { usual } else { wish };
    let memory = or(wish.memory_bytes, usual.memory_bytes as u64);
    Ok(Limits {
        time_ms: or(wish.time_ms.into(), usual.time_ms),
        fuel: or(wish.fuel, usual.fuel),
        memory_bytes: usize::try_from(memory).unwrap_or(usual.memory_bytes),
        ..usual
    })
}

/// Settings within their bounds.
pub fn settings(settings: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    let bytes: usize = settings.iter().map(|(n, v)| n.len() + v.len()).sum();
    if settings.len() > SETTINGS_MAX || bytes > SETTING_BYTES_MAX {
        return Err(Error::invalid(
            "settings",
            "OUT_OF_RANGE",
            format!(
                "a binding has at most {SETTINGS_MAX} settings and {SETTING_BYTES_MAX} bytes of them"
            ),
        ));
    }
    Ok(settings)
}

fn within(field: &'static str, wish: u64, most: u64) -> Result<()> {
    if wish <= most {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        "OUT_OF_RANGE",
        format!("{field} is at most {most}"),
    ))
}

//! The scheduler's tables. Rows stay private to this module's callers in the service.

pub mod availability;
pub mod booking;
pub mod co_host;
pub mod guest;
pub mod hold;
pub mod host;
pub mod host_load;
pub mod occupancy;
pub mod schedule;
pub mod service;

/// Settings as a row keeps them; none are the default.
fn settings<T: serde::de::DeserializeOwned + Default>(
    kept: Option<&str>,
) -> convene_kit::Result<T> {
    match kept {
        None => Ok(T::default()),
        Some(kept) => Ok(serde_json::from_str(kept)?),
    }
}

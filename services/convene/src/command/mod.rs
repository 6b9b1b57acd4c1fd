//! One module per command.

pub mod api_keys;
pub mod audit;
pub mod certificates;
pub mod clock;
pub mod doctor;
pub mod keys;
pub mod migrate;
pub mod plugin;
pub mod serve;
pub mod simulator;
pub mod tenant;
pub mod up;
pub mod workflow;

/// Writes to standard output. A reader that went away ends nothing.
pub fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Passes a payload of the API; a refusal becomes an error.
pub fn answered(payload: &serde_json::Value) -> convene_kit::Result<&serde_json::Value> {
    let Some(refusal) = payload["refusal"].as_object() else {
        return Ok(payload);
    };
    let text = |name: &str| {
        let text = refusal.get(name).and_then(serde_json::Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Err(convene_kit::Error::refused(text("reason"), text("message")))
}

/// Ctrl-C or a service manager's wish to stop.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

//! What the broker makes of Graph's failures. Texts hold no bodies, links or names.

use convene_graph::GraphError;
use convene_kit::Error;

/// Transient failures are tried again by the job, the others end it.
pub fn failed(error: GraphError) -> Error {
    let reason = error.reason();
    let detail = error.to_string();
    if error.is_transient() {
        Error::unavailable(
            reason,
            "the provider does not answer as it should; it is asked again",
        )
        .retry_after(error.retry_after())
        .with_detail(detail)
    } else {
        Error::refused(
            reason,
            "the provider refuses; operators find the remedy in the log",
        )
        .with_detail(detail)
    }
}

/// As [`failed`], where what is not there was there a moment ago: it is looked for again.
pub fn failed_or_lost(error: GraphError) -> Error {
    match error {
        GraphError::NotFound { .. } => preparing().with_detail(error.to_string()),
        error => failed(error),
    }
}

/// Graph has it half; the job's own backoff decides when it is asked again.
pub fn preparing() -> Error {
    Error::unavailable("PROVIDER_PREPARING", "the provider is still preparing this")
}

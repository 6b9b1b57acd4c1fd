//! What consents and recordings need of the broker.

mod consent;
mod recording;

pub use consent::ConsentWorker;
pub use recording::RecordingWorker;

//! The Graph-like API under `/v1.0` and `/beta`.

mod ask;
mod batch;
mod busy;
mod calendars;
mod calls;
mod error;
mod events;
mod guard;
mod meetings;
mod members;
mod odata;
mod path;
mod permissions;
mod recordings;
mod time;
mod users;

use std::sync::Arc;

use axum::{Router, extract::OriginalUri, middleware};
use http::{Method, StatusCode};

use crate::state::Shared;
use error::{Answer, Failure};
pub use error::{Ids, failed, throttled};
pub use path::canonical;

/// All Graph routes, behind the token check.
pub fn routes(shared: Arc<Shared>) -> Router<Arc<Shared>> {
    let both = || {
        Router::new()
            .merge(users::routes())
            .merge(events::routes())
            .merge(calendars::routes())
            .merge(busy::routes())
            .merge(meetings::routes())
            .merge(recordings::routes())
            .merge(calls::routes())
            .merge(batch::routes())
            .fallback(not_there)
            .method_not_allowed_fallback(wrong_method)
    };
    let guarded = |router: Router<Arc<Shared>>| {
        router.layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
    };
    Router::new()
        .nest("/v1.0", guarded(both()))
        .nest("/beta", guarded(both().merge(calls::beta_routes())))
}

/// It may be there in Graph; here it is not.
async fn not_there(OriginalUri(uri): OriginalUri) -> Answer {
    if uri.path().split('/').skip(2).any(str::is_empty) {
        return Err(Failure::bad("Resource not found for the segment ''."));
    }
    Err(Failure::not_implemented(
        "The simulator does not answer this path; its README lists what it answers.",
    ))
}

async fn wrong_method(method: Method) -> Answer {
    Err(Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "Request_BadRequest",
        format!("Specified HTTP method '{method}' is not allowed for the request target."),
    ))
}

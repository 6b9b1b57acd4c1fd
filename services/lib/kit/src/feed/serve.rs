//! The `Events` service over a service's log.

use convene_proto::event::v1::{
    Event, ReadRequest, ReadResponse, WatchRequest,
    events_server::{Events, EventsServer},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{
    caller::{Callers, KeyScope, Scope},
    convert,
    db::Db,
    error::{Error, Result},
    event::{self, Filter},
    limits,
    rpc::Context,
};

/// Events that wait for a slow watcher; then the watcher is waited for, and nobody else is.
const WATCH_BUFFER: usize = 256;
/// Events on a page when the request names no limit.
const PAGE_DEFAULT: u32 = 100;

/// The service to add to a role's routes.
pub fn serve(db: Db, callers: Callers) -> EventsServer<impl Events> {
    EventsServer::new(Log { db, callers })
}

struct Log {
    db: Db,
    callers: Callers,
}

#[tonic::async_trait]
impl Events for Log {
    type WatchStream = ReceiverStream<Result<Event, Status>>;

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let filter = filter(&context, &request.booking_id)?;
        let limit = match request.limit {
            0 => PAGE_DEFAULT,
            limit => limit.min(limits::FEED_PAGE_MAX),
        };
        // The head first: a page never lacks an event up to the head it names.
        let head = event::head(self.db.read()).await?;
        let after = position(request.after_position);
        let rows = event::page(self.db.read(), after, limit.into(), filter).await?;
        Ok(Response::new(ReadResponse {
            events: rows.into_iter().map(Event::from).collect(),
            head_position: head.unsigned_abs(),
        }))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let filter = filter(&context, &request.booking_id)?;
        let (events, stream) = mpsc::channel(WATCH_BUFFER);
        let db = self.db.clone();
        let after = position(request.after_position);
        tokio::spawn(async move {
            if let Err(error) = watch(&db, after, filter, &events).await {
                let _ = events.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

async fn watch(
    db: &Db,
    mut after: i64,
    filter: Filter,
    events: &mpsc::Sender<Result<Event, Status>>,
) -> Result<()> {
    let mut commits = db.commits();
    loop {
        commits.mark_unchanged();
        let rows = event::page(db.read(), after, limits::FEED_PAGE_MAX.into(), filter).await?;
        let more = rows.len() == limits::FEED_PAGE_MAX as usize;
        for row in rows {
            after = row.position;
            if events.send(Ok(row.into())).await.is_err() {
                return Ok(());
            }
        }
        if more {
            continue;
        }
        tokio::select! {
            () = events.closed() => return Ok(()),
            changed = commits.changed() => if changed.is_err() { return Ok(()) },
        }
    }
}

/// A tenant's callers see their tenant; roles of Convene see all that they ask for.
fn filter(context: &Context, booking: &str) -> Result<Filter> {
    let booking = match booking {
        "" => None,
        id => Some(convert::id("booking_id", id)?),
    };
    let tenant = match context.caller.scope {
        Scope::System => None,
        // A guest sees the one booking that the ticket is for.
        Scope::Guest { booking: own, .. } if booking != Some(own) => {
            return Err(Error::not_found("booking"));
        }
        Scope::Guest { .. } => Some(context.caller.tenant),
        Scope::Admin | Scope::BookingApp | Scope::Host(_) => {
            context.caller.ensure_may(KeyScope::BookingsRead)?;
            Some(context.caller.tenant)
        }
    };
    Ok(Filter { tenant, booking })
}

fn position(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

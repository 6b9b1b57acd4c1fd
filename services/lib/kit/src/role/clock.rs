//! The `Clock` service: every role takes over and remembers the offset.

use std::time::Duration;

use convene_proto::clock::v1::{
    GetRequest, GetResponse, SetRequest, SetResponse,
    clock_server::{Clock as ClockService, ClockServer},
};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, EntityTrait as _,
    entity::prelude::{DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EnumIter, *},
    sea_query::OnConflict,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::Deps;
use crate::{
    clock::{Clock, Offset},
    convert,
    db::{Db, locked, times::times},
    error::Result,
    rpc::Context,
};

/// The offset that a role works with.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clock_offset")]
pub struct Model {
    /// Always 1: there is one row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Milliseconds added to wall time.
    pub offset_ms: i64,
    /// Version of the offset.
    pub version: i64,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const ROW: i32 = 1;
/// Pause between two looks at the stored offset, in milliseconds.
const LOOK_MS: u64 = 100;

/// The offset that was in force when the role stopped.
pub async fn stored_offset<C: ConnectionTrait>(connection: &C) -> Result<Offset> {
    let row = Entity::find_by_id(ROW).one(connection).await?;
    Ok(row.map_or(Offset::default(), |row| Offset {
        millis: row.offset_ms,
        version: row.version.unsigned_abs(),
    }))
}

/// `begun` becomes true with the first offset that the master tells.
pub(super) fn serve(deps: Deps, begun: watch::Sender<bool>) -> ClockServer<impl ClockService> {
    ClockServer::new(Served { deps, begun })
}

struct Served {
    deps: Deps,
    begun: watch::Sender<bool>,
}

#[tonic::async_trait]
impl ClockService for Served {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        Context::accept(&self.deps.callers, &request)?;
        let offset = self.deps.clock.offset();
        Ok(Response::new(GetResponse {
            business_time: Some(convert::to_wire(self.deps.clock.now())),
            offset_ms: offset.millis,
            version: offset.version,
        }))
    }

    async fn set(&self, request: Request<SetRequest>) -> Result<Response<SetResponse>, Status> {
        let context = Context::accept(&self.deps.callers, &request)?;
        // The gateway decides whether clocks may be moved at all; nobody else may ask a role.
        context.caller.ensure_system()?;
        let wanted = request.into_inner();
        let wanted = Offset {
            millis: wanted.offset_ms,
            version: wanted.version,
        };
        // Remembered before it is in force: after a crash the clock never goes back.
        self.deps
            .db
            .write(move |tx| Box::pin(remember_offset(tx, wanted)))
            .await?;
        let offset = self.deps.clock.set(wanted);
        self.begun.send_replace(true);
        Ok(Response::new(SetResponse {
            version: offset.version,
            offset_ms: offset.millis,
        }))
    }
}

/// Takes over what another replica of the role stored, until `stop`.
pub async fn follow_offset(db: Db, clock: Clock, stop: CancellationToken) -> Result<()> {
    if !locked::concurrent(db.read()) {
        return Ok(());
    }
    let mut commits = db.commits();
    let following = async {
        while commits.changed().await.is_ok() {
            // Not after every single commit.
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            commits.mark_unchanged();
            if let Err(error) = times(db.read(), &clock).await {
                tracing::debug!(reason = %error.reason, "the clock's offset could not be read");
            }
        }
    };
    stop.run_until_cancelled(following).await;
    Ok(())
}

/// Stores an offset unless one of its version or a newer one is stored; answers whether it did.
pub async fn remember_offset(tx: &crate::Tx, offset: Offset) -> Result<bool> {
    locked::by_name(tx, "clock_offset").await?;
    if stored_offset(tx).await?.version >= offset.version {
        return Ok(false);
    }
    Entity::insert(ActiveModel {
        id: Set(ROW),
        offset_ms: Set(offset.millis),
        version: Set(i64::try_from(offset.version).unwrap_or(i64::MAX)),
    })
    .on_conflict(
        OnConflict::column(Column::Id)
            .update_columns([Column::OffsetMs, Column::Version])
            .to_owned(),
    )
    .exec_without_returning(tx)
    .await?;
    Ok(true)
}

//! The same request twice is one request.

use convene_domain::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    entity::prelude::{DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EnumIter, *},
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, Query},
};
use uuid::Uuid;

use crate::{
    db::{Tx, Writes, locked},
    digest,
    error::{Error, Result},
    limits,
    store::Origin,
};

/// Expired keys that one change forgets at the most.
const FORGET_MAX: u64 = 100;

/// A remembered request.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// Owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Who asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal: String,
    /// For what.
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: String,
    /// The caller's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// SHA-256 of the request without its key.
    pub body_hash: Vec<u8>,
    /// The object that the request made or changed.
    pub object_id: Uuid,
    /// Forgotten after this business time.
    pub expires_at_ms: i64,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One request's claim to be done once.
#[derive(Clone, Debug)]
pub struct Key {
    operation: &'static str,
    key: String,
    body_hash: Vec<u8>,
}

impl Key {
    /// From the request: `body` is its canonical encoding without the key (an encoded protobuf message).
    pub fn new(operation: &'static str, key: &str, body: &[u8]) -> Result<Self> {
        let chars = key.chars().count();
        if chars == 0 || chars > limits::IDEMPOTENCY_KEY_CHARS_MAX {
            return Err(Error::invalid(
                "idempotencyKey",
                "REQUIRED",
                format!(
                    "idempotencyKey must have 1 to {} characters; use a fresh UUID for each new intent and the same one for its repeats",
                    limits::IDEMPOTENCY_KEY_CHARS_MAX
                ),
            ));
        }
        Ok(Self {
            operation,
            key: key.to_owned(),
            body_hash: digest::sha256(body).to_vec(),
        })
    }

    /// The object of an earlier same request; `IDEMPOTENCY_KEY_REUSED` when the earlier request was another. A same request that runs at this
    /// moment is waited for.
    pub async fn find(&self, tx: &Tx, origin: &Origin) -> Result<Option<Uuid>> {
        let name = [
            "idempotency",
            &origin.tenant.to_string(),
            &origin.actor,
            self.operation,
            &self.key,
        ];
        locked::by_name(tx, &name.join("/")).await?;
        let row = Entity::find_by_id((
            origin.tenant.as_uuid(),
            origin.actor.clone(),
            self.operation.to_owned(),
            self.key.clone(),
        ))
        .one(tx)
        .await?;
        match row {
            None => Ok(None),
            Some(row) if row.expires_at_ms <= origin.now.as_millis() => Ok(None),
            Some(row) if row.body_hash != self.body_hash => Err(Error::refused(
                "IDEMPOTENCY_KEY_REUSED",
                "this idempotencyKey came with another request before; use a new key for a new intent",
            )
            .on_field("idempotencyKey")),
            Some(row) => Ok(Some(row.object_id)),
        }
    }

    /// Remembers the object in the transaction that made it, and forgets what has expired.
    pub async fn remember(&self, tx: &Tx, origin: &Origin, object_id: Uuid) -> Result<()> {
        let mut writes = Writes::of(tx);
        self.remember_with(&mut writes, origin, object_id);
        writes.send(tx).await?;
        Ok(())
    }

    /// [`Self::remember`] among other writes.
    pub fn remember_with(&self, writes: &mut Writes, origin: &Origin, object_id: Uuid) {
        forget(writes, origin);
        let expires: Timestamp = origin.now.plus_millis(limits::IDEMPOTENCY_MS);
        let row = Entity::insert(ActiveModel {
            tenant_id: Set(origin.tenant.as_uuid()),
            principal: Set(origin.actor.clone()),
            operation: Set(self.operation.to_owned()),
            key: Set(self.key.clone()),
            body_hash: Set(self.body_hash.clone()),
            object_id: Set(object_id),
            expires_at_ms: Set(expires.as_millis()),
        })
        // What stands there has expired: [`Self::find`] has said so.
        .on_conflict(
            OnConflict::columns(KEY)
                .update_columns([Column::BodyHash, Column::ObjectId, Column::ExpiresAtMs])
                .to_owned(),
        );
        writes.add(&row.into_query());
    }
}

const KEY: [Column; 4] = [
    Column::TenantId,
    Column::Principal,
    Column::Operation,
    Column::Key,
];

/// Forgets some of what has expired; what another change forgets at this moment is left to it.
fn forget(writes: &mut Writes, origin: &Origin) {
    let expired = Query::select()
        .columns(KEY)
        .from(Entity)
        .and_where(Column::TenantId.eq(origin.tenant.as_uuid()))
        .and_where(Column::ExpiresAtMs.lte(origin.now.as_millis()))
        .limit(FORGET_MAX)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let expired =
        Entity::delete_many().filter(Expr::tuple(KEY.map(Expr::col)).in_subquery(expired));
    writes.add(&expired.into_query());
}

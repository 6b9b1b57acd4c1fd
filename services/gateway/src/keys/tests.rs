use std::time::Duration;

use convene_domain::TenantId;
use convene_kit::{Caller, Clock, Db, Scope, clock::Offset, digest, event, ids};
use convene_migrations::gateway::Migrator;
use sea_orm::entity::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    known::{KNOWN_MS, USED_MS},
    row::Entity,
    *,
};

struct House {
    _folder: tempfile::TempDir,
    db: Db,
    clock: Clock,
    tenant: TenantId,
    keys: KnownKeys,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            db: Db::open_sqlite::<Migrator>(folder.path(), "gateway")
                .await
                .unwrap(),
            _folder: folder,
            clock: Clock::default(),
            tenant: TenantId::from_uuid(ids::new()),
            keys: KnownKeys::default(),
        }
    }

    async fn make(&self, new: NewApiKey) -> Result<(Model, SecretString)> {
        let origin = made_by("key:maker", self.tenant, &self.clock);
        create_api_key(&self.db, origin, new).await
    }

    async fn admin(&self) -> (Model, SecretString) {
        let new = NewApiKey::new("admin", KeyRole::Admin);
        self.make(new).await.unwrap()
    }

    async fn revoke(&self, id: Uuid) -> Result<Model> {
        let origin = made_by("key:revoker", self.tenant, &self.clock);
        revoke(&self.db, origin, id).await
    }

    async fn resolve(&self, secret: &str) -> Result<Caller> {
        self.keys.resolve(&self.db, &self.clock, secret).await
    }

    async fn row(&self, id: Uuid) -> Model {
        get(self.db.read(), self.tenant, id).await.unwrap()
    }

    fn move_clock(&self, millis: i64, version: u64) {
        self.clock.set(Offset { millis, version });
    }
}

#[tokio::test]
async fn a_key_opens_its_tenant_until_it_is_revoked() {
    let house = House::new().await;
    house.admin().await;
    let new = NewApiKey::new("desk", KeyRole::BookingApp);
    let (row, secret) = house.make(new).await.unwrap();
    let secret = secret.expose_secret();
    let caller = house.resolve(secret).await.unwrap();
    assert_eq!(
        (caller.tenant, caller.scope),
        (house.tenant, Scope::BookingApp)
    );
    assert_eq!(caller.principal, format!("key:{}", row.id));
    assert_eq!(
        row.hash,
        digest::sha256(secret.as_bytes()),
        "the key itself is not stored"
    );
    let other = format!("{secret}x");
    let long = format!("{PREFIX}{}", "x".repeat(128));
    for bad in ["", PREFIX, "cvn", &other, &long] {
        assert_eq!(house.resolve(bad).await.unwrap_err().reason, "KEY_UNKNOWN");
    }

    // As another node that has just seen the key, and as the one that revokes it.
    let elsewhere = KnownKeys::default();
    let seen = elsewhere.resolve(&house.db, &house.clock, secret).await;
    assert!(seen.is_ok());
    house.revoke(row.id).await.unwrap();
    house.keys.forget(row.id);
    let here = house.resolve(secret).await.unwrap_err();
    assert_eq!(here.reason, "KEY_UNKNOWN");
    let remembered = elsewhere.resolve(&house.db, &house.clock, secret).await;
    assert!(remembered.is_ok(), "no longer than this:");
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(KNOWN_MS)).await;
    tokio::time::resume();
    let there = elsewhere.resolve(&house.db, &house.clock, secret).await;
    assert_eq!(there.unwrap_err().reason, "KEY_UNKNOWN");
}

#[tokio::test]
async fn a_key_expires_by_business_time_however_well_it_is_known() {
    let house = House::new().await;
    let mut new = NewApiKey::new("week", KeyRole::BookingApp);
    new.expires_at = Some(house.clock.now());
    let past = house.make(new.clone()).await.unwrap_err();
    assert_eq!(past.reason, "EXPIRY_IN_THE_PAST");
    new.expires_at = Some(house.clock.now().plus_millis(1_000_000));
    let (_, secret) = house.make(new).await.unwrap();
    let secret = secret.expose_secret();
    assert!(house.resolve(secret).await.is_ok());
    house.move_clock(1_000_001, 1);
    let over = house.resolve(secret).await.unwrap_err();
    assert_eq!(over.reason, "KEY_UNKNOWN");
}

#[tokio::test]
async fn a_host_key_names_its_host_and_no_other_does() {
    let house = House::new().await;
    let host = HostId::from_uuid(ids::new());
    for (role, host) in [(KeyRole::Host, None), (KeyRole::Admin, Some(host))] {
        let mut new = NewApiKey::new("desk", role);
        new.host = host;
        let made = house.make(new).await;
        assert_eq!(made.unwrap_err().reason, "HOST_MISMATCH");
    }
    let stored = Entity::find().all(house.db.read()).await.unwrap();
    assert!(stored.is_empty());
}

#[tokio::test]
async fn scopes_narrow_and_never_widen() {
    let house = House::new().await;
    let narrowed = |role, scopes: &[KeyScope]| NewApiKey {
        scopes: Some(scopes.iter().copied().collect()),
        ..NewApiKey::new("narrow", role)
    };
    let none = house.make(narrowed(KeyRole::Admin, &[])).await;
    assert_eq!(none.unwrap_err().reason, "SCOPES_EMPTY");
    let more = narrowed(
        KeyRole::BookingApp,
        &[KeyScope::Lobby, KeyScope::Admin, KeyScope::Recording],
    );
    let more = house.make(more).await.unwrap_err();
    assert_eq!(more.reason, "SCOPE_NOT_OF_ROLE");
    assert!(more.message.contains("RECORDING,ADMIN"), "{more}");
    let reads = narrowed(KeyRole::BookingApp, &[KeyScope::BookingsRead]);
    let (_, secret) = house.make(reads.clone()).await.unwrap();
    let caller = house.resolve(secret.expose_secret()).await.unwrap();
    assert_eq!(caller.narrowed, reads.scopes);

    // Who has a narrowed key makes none that may more than it.
    let own = narrowed(KeyRole::Admin, &[KeyScope::Admin, KeyScope::Lobby]).scopes;
    let reason = |new: &NewApiKey| {
        let wider = ensure_no_wider(new, own);
        wider.map_err(|error| error.reason.into_owned())
    };
    let beyond = Err("SCOPE_BEYOND_OWN".to_owned());
    assert_eq!(reason(&reads), Ok(()), "a lobby key reads");
    assert_eq!(reason(&NewApiKey::new("app", KeyRole::BookingApp)), beyond);
    let records = narrowed(KeyRole::Admin, &[KeyScope::Recording]);
    assert_eq!(reason(&records), beyond);
    assert!(ensure_no_wider(&records, None).is_ok());
}

#[tokio::test]
async fn the_last_key_that_can_make_keys_stays() {
    let house = House::new().await;
    let (first, _) = house.admin().await;
    // Neither another tenant's admin, nor an app, nor an admin who may not make keys is one.
    let other = TenantId::from_uuid(ids::new());
    let origin = made_by("key:maker", other, &house.clock);
    let new = NewApiKey::new("other", KeyRole::Admin);
    let (foreign, _) = create_api_key(&house.db, origin, new).await.unwrap();
    let app = NewApiKey::new("app", KeyRole::BookingApp);
    house.make(app).await.unwrap();
    let mut new = NewApiKey::new("records", KeyRole::Admin);
    new.scopes = Some([KeyScope::Recording].into_iter().collect());
    let (records, _) = house.make(new).await.unwrap();
    let mut new = NewApiKey::new("short", KeyRole::Admin);
    new.expires_at = Some(house.clock.now().plus_millis(1_000_000));
    house.make(new).await.unwrap();
    house.move_clock(1_000_001, 1);
    let last = house.revoke(first.id).await.unwrap_err();
    assert_eq!(last.reason, "LAST_ADMIN_KEY");
    assert_eq!(house.row(first.id).await.revoked_at_ms, None);
    let not_ours = house.revoke(foreign.id).await.unwrap_err();
    assert_eq!(not_ours.reason, "NOT_FOUND");

    house.revoke(records.id).await.unwrap();
    let (second, _) = house.admin().await;
    // Both at once: one of them stays.
    let both = tokio::join!(house.revoke(first.id), house.revoke(second.id));
    let refused = [both.0, both.1].into_iter().filter(Result::is_err).count();
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn making_and_revoking_is_on_record() {
    let house = House::new().await;
    house.admin().await;
    let new = NewApiKey::new("Doctor Smith's laptop", KeyRole::BookingApp);
    let (row, _) = house.make(new).await.unwrap();
    let revoked = house.revoke(row.id).await.unwrap();
    let again = house.revoke(row.id).await.unwrap();
    assert_eq!(revoked, again, "a repeat changes nothing");
    assert_eq!(revoked.created_by.as_deref(), Some("key:maker"));
    assert_eq!(revoked.revoked_by.as_deref(), Some("key:revoker"));
    let events = event::page(house.db.read(), 0, 100, event::Filter::default());
    let mut events = events.await.unwrap();
    events.retain(|event| event.object_id == row.id);
    let told = events.iter().map(|e| (e.seq, e.kind.as_str(), &*e.actor));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (1, "ApiKeyCreated", "key:maker"),
            (2, "ApiKeyRevoked", "key:revoker")
        ]
    );
    assert_eq!(events[1].previous_hash, events[0].hash);
    assert_eq!(revoked.head_hash.as_ref(), Some(&events[1].hash));
    assert_eq!(revoked.version, 2);
    let told: String = events.iter().map(|event| event.data.as_str()).collect();
    assert!(!told.contains("Smith"), "names stay out of events: {told}");
}

#[tokio::test]
async fn a_use_is_remembered_once_an_hour() {
    let house = House::new().await;
    let (row, secret) = house.admin().await;
    let commits = house.db.commits();
    let commits = || *commits.borrow();
    let before = commits();
    house.resolve(secret.expose_secret()).await.unwrap();
    let used = house.row(row.id).await.last_used_at_ms.unwrap();
    assert!(used >= row.created_at_ms);
    // Forgotten, so that the next request looks the key up again.
    house.keys.forget(row.id);
    house.resolve(secret.expose_secret()).await.unwrap();
    assert_eq!(commits(), before + 1, "a look-up wrote");
    house.move_clock(USED_MS + 60_000, 1);
    house.keys.forget(row.id);
    house.resolve(secret.expose_secret()).await.unwrap();
    let later = house.row(row.id).await.last_used_at_ms.unwrap();
    assert!(later >= used + USED_MS, "{later} {used}");
}

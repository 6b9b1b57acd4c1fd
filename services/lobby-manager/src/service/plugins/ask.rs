//! A guest has arrived where a plugin is bound: it is asked, and what it says is done.
//!
//! Asking is an effect of the visit, so a crash in the middle asks again. The call, what it wants to keep, and what becomes of the guest commit together with
//! the settling of the job: half a decision does not exist.

use std::sync::Arc;

use convene_domain::{
    LobbyId, PermitId, TenantId, Timestamp, VisitId,
    lobby::Lobby as Room,
    visit::{Event, Phase, Visit},
};
use convene_kit::{Error, Origin, Result, Row, Tx, digest, ids, jobs::Done, store as spine};
use convene_plugin_host::{
    Call, Context, Fault, Reason, Record,
    capability::{Ports, kv::Write},
    hook::lobby::{Arrival, Lobby, Party, Verdict},
};
use uuid::Uuid;

use super::{
    BindingView, Breaker, Plugins, Release,
    bindings::count,
    breaker::Turn,
    ports::{Case, Values},
    unavailable,
    verdict::{OnFault, Then, then, told},
};
use crate::{
    service::{LobbyTable, decide::settle as settle_decision},
    store::{
        self,
        plugin::{binding, call, value},
        visit::Visits,
    },
};

/// How often a module is asked for before it counts as unavailable.
const LOADS_MAX: u32 = 3;

/// One answer, not yet acted on.
struct Answer {
    id: Uuid,
    release: Release,
    shadow: bool,
    /// How the plugin had done before.
    breaker: Breaker,
    outcome: Result<Verdict, Fault>,
    record: Option<Record>,
}

/// Whom it is about.
#[derive(Clone)]
struct About {
    tenant: TenantId,
    lobby: LobbyId,
    visit: VisitId,
    attempt: u32,
    arrival: Arrival,
    name: String,
}

impl Plugins {
    /// Asks what is bound to the visit's lobby, beside it the shadow; answers what to store.
    pub async fn ask(&self, row: &Row<Visit>, attempt: i32) -> Result<Done<Visits>> {
        let (db, tenant) = (self.deps.db.read(), row.tenant);
        let lobby = row.machine.lobby;
        let room = spine::get::<LobbyTable, _>(db, tenant, lobby.as_uuid()).await?;
        let bound = binding::in_force(db, tenant, room.machine.host, lobby).await?;
        // Disabled since the guest arrived: a host decides.
        let Some(bound) = bound.map(BindingView::of).transpose()? else {
            return Ok(Done::nothing());
        };
        let about = self.about(row, &room.machine, attempt).await?;
        let (active, shadow) = futures_util::future::join(
            self.answer(
                &about,
                bound.active.clone(),
                *bound.breakers.of(false),
                false,
            ),
            self.answer(&about, bound.shadow.clone(), *bound.breakers.of(true), true),
        )
        .await;
        let answers: Vec<_> = [active?, shadow?].into_iter().flatten().collect();
        let (binding, on_fault) = (bound.row.id, OnFault::parse(&bound.row.on_fault)?);
        Ok(Done::nothing().with(move |tx, origin| {
            Box::pin(async move { settle(tx, origin, about, binding, on_fault, answers).await })
        }))
    }

    async fn about(&self, row: &Row<Visit>, room: &Room, attempt: i32) -> Result<About> {
        let (db, tenant, visit) = (self.deps.db.read(), row.tenant, &row.machine);
        let id = VisitId::from_uuid(row.id);
        let stored = store::visit::get(db, tenant, id).await?;
        let arrival = Arrival {
            lobby: visit.lobby.to_string(),
            visit: id.to_string(),
            booking: visit.booking.to_string(),
            guest: Party {
                id: visit.guest.to_string(),
                kind: "guest".into(),
                display_name: None,
                address: None,
                external: true,
                attributes: Vec::new(),
            },
            arrived_at_ms: visit
                .arrived_at
                .map_or(0, |at| at.as_millis().unsigned_abs()),
            closes_at_ms: room.closes_at.as_millis().unsigned_abs(),
            position: store::visit::position(db, &stored).await?,
            waiting: store::visit::waiting(db, tenant, visit.lobby).await?,
            attributes: Vec::new(),
        };
        Ok(About {
            tenant,
            lobby: visit.lobby,
            visit: id,
            attempt: u32::try_from(attempt).unwrap_or(1),
            arrival,
            name: stored.display_name,
        })
    }

    async fn answer(
        &self,
        about: &About,
        release: Option<Release>,
        breaker: Breaker,
        shadow: bool,
    ) -> Result<Option<Answer>> {
        let Some(release) = release else {
            return Ok(None);
        };
        let id = ids::new();
        if !breaker.asks(self.deps.clock.now()) {
            let text = "it has failed again and again, and is asked again later";
            let outcome = Err(Fault::new(Reason::Tripped, text));
            self.shared.metrics.asked(&outcome, None, shadow);
            return Ok(Some(Answer {
                id,
                release,
                shadow,
                breaker,
                outcome,
                record: None,
            }));
        }
        let mut arrival = about.arrival.clone();
        let names = release.grants.tells("display-name");
        arrival.guest.display_name = Some(about.name.clone()).filter(|_| names);
        let context = Context {
            tenant: about.tenant.to_string(),
            invocation: id.to_string(),
            now_ms: self.deps.clock.now().as_millis().unsigned_abs(),
            seed: u64::from_be_bytes(digest::random::<8>()?),
            attempt: about.attempt,
            attributes: release.settings.clone(),
        };
        let ports = Ports {
            kv: Some(Arc::new(Values {
                db: self.deps.db.clone(),
                tenant: about.tenant,
                plugin: release.name.clone(),
            })),
            facts: Some(Arc::new(Case {
                db: self.deps.db.clone(),
                tenant: about.tenant,
                lobby: about.lobby,
                visit: about.visit,
                names,
            })),
            http: None,
        };
        let call = Call::<Lobby> {
            context: &context,
            input: &arrival,
            grants: &release.grants,
            limits: &release.limits,
        };
        let (outcome, record) = match self.loaded(about.tenant, &release.digest).await {
            Ok(plugin) => {
                let done = self.host().await?.call(&plugin, call, ports).await;
                (done.outcome, Some(done.record))
            }
            // A moment's trouble is not the plugin's: the job tries again, and the guest waits.
            Err(error) if error.is_transient() && about.attempt < LOADS_MAX => return Err(error),
            Err(error) => (Err(unavailable(&error)), None),
        };
        let metrics = &self.shared.metrics;
        metrics.asked(&outcome, record.as_ref(), shadow);
        Ok(Some(Answer {
            id,
            release,
            shadow,
            breaker,
            outcome,
            record,
        }))
    }
}

async fn settle(
    tx: &Tx,
    origin: Origin,
    about: About,
    binding: Uuid,
    on_fault: OnFault,
    answers: Vec<Answer>,
) -> Result<()> {
    let (tenant, visit) = (about.tenant, about.visit);
    // The lobby before its visits: it stays open or closed while this is decided.
    let lobby = spine::get_for_change::<LobbyTable>(tx, tenant, about.lobby.as_uuid()).await?;
    let row = spine::get_for_change::<Visits>(tx, tenant, visit.as_uuid()).await?;
    // A host was faster, the guest left, or the lobby closed: the call is kept, and nothing is done.
    let waits = row.machine.phase == Phase::Waiting && lobby.machine.is_open();
    for answer in answers {
        let acted = waits && !answer.shadow;
        call::insert(tx, kept(&origin, binding, visit, &answer, acted)?).await?;
        // What came too late for the guest would be told nowhere.
        let tripped = match acted || answer.shadow {
            true => counted(tx, &origin, binding, &answer).await?,
            false => None,
        };
        if acted {
            act(tx, &origin, &lobby, row.clone(), &on_fault, tripped, answer).await?;
        }
    }
    Ok(())
}

/// Looks at how the plugin does; answers until when it is left alone from now on.
async fn counted(
    tx: &Tx,
    origin: &Origin,
    binding: Uuid,
    answer: &Answer,
) -> Result<Option<Timestamp>> {
    let fault = answer.outcome.as_ref().err();
    if !answer.breaker.minds(fault) {
        return Ok(None);
    }
    let which = (answer.release.digest.as_str(), answer.shadow);
    let turn = count(tx, origin, binding, which, fault).await?;
    let Some(Turn::Tripped(until)) = turn else {
        return Ok(None);
    };
    tracing::warn!(%binding, digest = which.0, shadow = which.1, %until, "a plugin fails and is left alone");
    Ok(Some(until))
}

async fn act(
    tx: &Tx,
    origin: &Origin,
    lobby: &Row<Room>,
    row: Row<Visit>,
    on_fault: &OnFault,
    tripped_until: Option<Timestamp>,
    answer: Answer,
) -> Result<()> {
    let Release {
        name,
        version,
        digest,
        ..
    } = &answer.release;
    let by = Origin {
        actor: format!("plugin:{name}@{version}"),
        ..origin.clone()
    };
    let writes = answer.record.map(|record| record.writes);
    for write in writes.unwrap_or_default() {
        keep(tx, origin.tenant, name, write).await?;
    }
    let next = then(&answer.outcome, on_fault);
    let (verdict, subject) = told(&answer.outcome);
    let waits_for = match &next {
        Then::Wait(waits_for) => waits_for.clone(),
        Then::Admit(_) | Then::Deny(_) => None,
    };
    let decided = Event::PluginDecided {
        call: answer.id,
        digest: digest.clone(),
        verdict: verdict.to_owned(),
        subject: subject.to_owned(),
        waits_for,
        tripped_until,
    };
    let row = spine::apply::<Visits>(tx, &by, row, decided).await?;
    let event = match next {
        Then::Wait(_) => return Ok(()),
        Then::Deny(reason) => Event::GuestDenied { reason },
        Then::Admit(reason) => Event::GuestAdmitted {
            permit: PermitId::from_uuid(ids::new()),
            reason,
        },
    };
    settle_decision(tx, &by, lobby, row, event).await
}

/// A value that changed while the plugin was asked makes the job ask again.
async fn keep(tx: &Tx, tenant: TenantId, plugin: &str, write: Write) -> Result<()> {
    let signed = |revision: u64| i64::try_from(revision).unwrap_or(i64::MAX);
    let delete = write.entry.is_none();
    let (value, revision) = write
        .entry
        .map_or((Vec::new(), 0), |e| (e.value, e.revision));
    let row = value::Model {
        tenant_id: tenant.as_uuid(),
        plugin: plugin.to_owned(),
        key: write.key,
        value,
        revision: signed(revision),
    };
    if value::write(tx, row, signed(write.over), delete).await? {
        return Ok(());
    }
    Err(Error::unavailable(
        "PLUGIN_VALUE_CHANGED",
        "another call has written the same value meanwhile",
    ))
}

fn kept(
    origin: &Origin,
    binding: Uuid,
    visit: VisitId,
    answer: &Answer,
    acted: bool,
) -> Result<call::Model> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (verdict, subject) = told(&answer.outcome);
    let spent = answer.record.as_ref();
    Ok(call::Model {
        tenant_id: origin.tenant.as_uuid(),
        id: answer.id,
        binding_id: binding,
        visit_id: visit.as_uuid(),
        digest: answer.release.digest.clone(),
        shadow: answer.shadow,
        acted,
        at_ms: origin.now.as_millis(),
        verdict: verdict.to_owned(),
        subject: subject.to_owned(),
        fuel: spent.map_or(0, |record| signed(record.fuel)),
        duration_us: spent.map_or(0, |record| signed(record.duration_us)),
        record: match spent {
            Some(record) => serde_json::to_string(record)?,
            None => String::new(),
        },
    })
}

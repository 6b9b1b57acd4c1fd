//! A broker in a folder of its own, and who calls it.

use std::{
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use convene_domain::{
    Audience, BookingId, HostId, MeetingId, PermitId, RecordingId, TenantId, VisitId,
    permit::PermitClaims,
};
use convene_graph::GraphConfig;
use convene_kit::{
    Caller, Callers, Channel, Clock, Context, Db, Deps, Error, Scope, clock::Offset,
    convert::to_wire, jobs, keys::Keys, local,
};
use convene_meeting_broker::{Config, NAME, role};
use convene_migrations::meeting_broker::Migrator;
use convene_proto::{
    event::v1::{Event, ReadRequest, events_client::EventsClient},
    meeting::v1::{self as wire, meeting_broker_client::MeetingBrokerClient},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::provider::Provider;

/// A change must be seen within this time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// The broker's requests time out after this time here, in milliseconds.
pub const TIMEOUT_MS: u64 = 1_000;

pub const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
pub const OTHER_TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(2));
pub const HOST: HostId = HostId::from_uuid(Uuid::from_u128(3));

/// A running broker.
pub struct World {
    pub provider: Provider,
    pub keys: Keys,
    pub clock: Clock,
    db: Db,
    callers: Callers,
    channel: Channel,
    /// Versions of decisions about recording.
    decisions: AtomicU64,
    folder: TempDir,
    stop: CancellationToken,
    task: JoinHandle<convene_kit::Result<()>>,
}

/// A meeting that was asked for.
#[derive(Clone, Copy)]
pub struct Asked {
    pub booking: BookingId,
    pub id: MeetingId,
}

impl Asked {
    /// What the provider knows it by.
    pub fn key(self) -> String {
        self.id.external_key(TENANT).to_string()
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With another way to the provider.
    pub async fn start_with(change: impl FnOnce(&mut GraphConfig)) -> Self {
        logs();
        let provider = Provider::start().await;
        let env = provider.env();
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::ephemeral().unwrap();
        let clock = Clock::default();
        let callers = Callers::new(keys.caller().unwrap(), clock.clone());
        let db = Db::open_sqlite::<Migrator>(folder.path(), NAME).await;
        let db = db.unwrap();
        let deps = Deps {
            db: db.clone(),
            clock: clock.clone(),
            callers: callers.clone(),
        };
        let mut graph = GraphConfig {
            base: env.graph_base,
            beta_base: env.graph_beta_base,
            token_url: env.graph_token_url,
            tenant: env.graph_tenant,
            client_id: env.graph_client_id,
            client_secret: env.graph_client_secret.into(),
            timeout_ms: TIMEOUT_MS,
            connect_timeout_ms: TIMEOUT_MS,
            response_bytes_max: GraphConfig::RESPONSE_BYTES_MAX,
        };
        change(&mut graph);
        let config = Config {
            graph,
            callback_uri: "https://convene.invalid/calls".into(),
            lobby_bypass: "everyone".into(),
            sealer: keys.join_details().unwrap(),
            permit_public_keys: keys.permit_public().unwrap(),
        };
        let (channel, incoming) = local::pipe();
        let stop = CancellationToken::new();
        let role = role(deps, config).await.unwrap();
        let task = tokio::spawn(role.run(incoming, stop.clone()));
        Self {
            provider,
            keys,
            clock,
            db,
            callers,
            channel,
            decisions: AtomicU64::new(2),
            folder,
            stop,
            task,
        }
    }

    /// Stops the role; answers its folder.
    pub async fn end(self) -> TempDir {
        self.stop.cancel();
        drop(self.channel);
        self.task.await.unwrap().unwrap();
        self.folder
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    pub fn client(&self) -> MeetingBrokerClient<Channel> {
        MeetingBrokerClient::new(self.channel.clone())
    }

    /// A message of a role of Convene.
    pub fn system<T>(&self, message: T) -> Request<T> {
        self.of(TENANT, Scope::System, message)
    }

    /// A message of anybody.
    pub fn of<T>(&self, tenant: TenantId, scope: Scope, message: T) -> Request<T> {
        let context = Context::begin(Caller::new(tenant, scope, "test:caller"));
        context.request(&self.callers, message).unwrap()
    }

    pub fn wish(&self) -> (Asked, wire::EnsureMeetingRequest) {
        let booking = BookingId::from_uuid(Uuid::now_v7());
        let id = booking.meeting(1);
        let start = self.clock.now().plus_millis(3_600_000);
        let wish = wire::EnsureMeetingRequest {
            meeting_id: id.to_string(),
            booking_id: booking.to_string(),
            generation: 1,
            subject: "First visit".into(),
            organizer: self.provider.env().graph_user,
            start: Some(to_wire(start)),
            end: Some(to_wire(start.plus_millis(1_800_000))),
            host_id: HOST.to_string(),
        };
        (Asked { booking, id }, wish)
    }

    pub async fn ask(&self) -> Asked {
        let (asked, wish) = self.wish();
        let answer = self.client().ensure_meeting(self.system(wish)).await;
        assert_eq!(
            answer.unwrap().into_inner().phase(),
            wire::MeetingPhase::Pending
        );
        asked
    }

    /// A meeting that is ready and has its organizer in it: nobody records an empty room.
    pub async fn ready(&self) -> Asked {
        let asked = self.ask().await;
        self.until_phase(asked, wire::MeetingPhase::Ready).await;
        self.provider.organizer_joins(&asked.key()).await;
        asked
    }

    pub async fn see(&self, asked: Asked) -> wire::Meeting {
        let message = wire::GetMeetingRequest {
            id: asked.id.to_string(),
        };
        let answer = self.client().get_meeting(self.system(message)).await;
        answer.unwrap().into_inner()
    }

    pub async fn until_phase(&self, asked: Asked, phase: wire::MeetingPhase) -> wire::Meeting {
        self.until(asked, |meeting| meeting.phase() == phase).await
    }

    pub async fn until_capture(&self, asked: Asked, state: wire::CaptureState) -> wire::Meeting {
        self.until(asked, |meeting| meeting.capture() == state)
            .await
    }

    async fn until(&self, asked: Asked, wanted: impl Fn(&wire::Meeting) -> bool) -> wire::Meeting {
        until(async || Some(self.see(asked).await).filter(&wanted)).await
    }

    /// Waits until no job is due or running; none may have been given up.
    pub async fn drained(&self) {
        until(async || {
            let (open, dead) = jobs::open_and_dead(self.db.read(), self.clock.now())
                .await
                .unwrap();
            assert_eq!(dead, 0, "a job was given up");
            (open == 0).then_some(())
        })
        .await;
    }

    /// Moves business time.
    pub fn advance(&self, ms: i64) {
        let now = self.clock.offset();
        self.clock.set(Offset {
            millis: now.millis + ms,
            version: now.version + 1,
        });
    }

    pub async fn cancel(&self, asked: Asked) {
        let message = wire::CancelMeetingRequest {
            id: asked.id.to_string(),
            reason: "HOST_IS_ILL".into(),
        };
        self.client()
            .cancel_meeting(self.system(message))
            .await
            .unwrap();
    }

    /// What a permit for this audience says when it is issued now.
    pub fn claims(&self, asked: Asked, audience: Audience) -> PermitClaims {
        PermitClaims {
            permit: PermitId::from_uuid(Uuid::now_v7()),
            tenant: TENANT,
            booking: asked.booking,
            meeting: asked.id,
            audience,
            expires_at: self.clock.now().plus_millis(60_000),
        }
    }

    pub fn sign(&self, claims: &PermitClaims) -> String {
        self.keys.permit().unwrap().sign(claims).unwrap()
    }

    /// The audience itself shows a good permit.
    pub async fn release(
        &self,
        asked: Asked,
        audience: Audience,
    ) -> Result<wire::JoinDetails, Error> {
        let permit = self.sign(&self.claims(asked, audience));
        let scope = scope(asked.booking, audience);
        let message = wire::ReleaseJoinDetailsRequest {
            permit,
            audience: audience.to_string(),
        };
        let request = self.of(TENANT, scope, message);
        answered(self.client().release_join_details(request).await)
    }

    /// A decision that is newer than all before it.
    pub async fn consent(&self, asked: Asked, audience: Audience, given: bool) -> wire::Meeting {
        let version = self.decisions.fetch_add(1, Ordering::Relaxed);
        self.consent_of_version(asked, audience, given, version)
            .await
    }

    pub async fn consent_of_version(
        &self,
        asked: Asked,
        audience: Audience,
        given: bool,
        version: u64,
    ) -> wire::Meeting {
        let message = wire::RecordConsentRequest {
            meeting_id: asked.id.to_string(),
            audience: audience.to_string(),
            given,
            version,
        };
        let answer = self.client().record_consent(self.system(message)).await;
        answer.unwrap().into_inner()
    }

    pub async fn start_capture(
        &self,
        asked: Asked,
        recording: RecordingId,
        segment: u32,
    ) -> Result<wire::Meeting, Error> {
        let message = wire::StartCaptureRequest {
            meeting_id: asked.id.to_string(),
            recording_id: recording.to_string(),
            segment,
        };
        answered(self.client().start_capture(self.system(message)).await)
    }

    pub async fn stop_capture(
        &self,
        asked: Asked,
        recording: RecordingId,
        segment: u32,
    ) -> wire::Meeting {
        let message = wire::StopCaptureRequest {
            meeting_id: asked.id.to_string(),
            recording_id: recording.to_string(),
            segment,
        };
        answered(self.client().stop_capture(self.system(message)).await).unwrap()
    }

    /// The facts of a booking, oldest first.
    pub async fn events(&self, asked: Asked) -> Vec<Event> {
        let message = ReadRequest {
            after_position: 0,
            limit: 500,
            booking_id: asked.booking.to_string(),
        };
        let mut client = EventsClient::new(self.channel.clone());
        let page = client.read(self.system(message)).await.unwrap();
        page.into_inner().events
    }

    /// How often a fact was told.
    pub async fn told(&self, asked: Asked, kind: &str) -> usize {
        let events = self.events(asked).await;
        events.iter().filter(|event| event.r#type == kind).count()
    }
}

/// The caller who is this audience.
pub fn scope(booking: BookingId, audience: Audience) -> Scope {
    match audience {
        Audience::Visit(visit) => Scope::Guest { visit, booking },
        Audience::Host(host) => Scope::Host(host),
    }
}

pub fn guest(number: u128) -> Audience {
    Audience::Visit(VisitId::from_uuid(Uuid::from_u128(1_000 + number)))
}

pub fn recording() -> RecordingId {
    RecordingId::from_uuid(Uuid::now_v7())
}

/// The message, or the error as a peer reads it.
pub fn answered<T>(answer: Result<Response<T>, Status>) -> Result<T, Error> {
    answer.map(Response::into_inner).map_err(Error::from)
}

/// Looks until there is something to see.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking)
        .await
        .expect("it was waited for in vain")
}

/// All that this process has logged so far.
pub fn logged() -> String {
    String::from_utf8(logs().lock().unwrap().clone()).unwrap()
}

type Lines = std::sync::Mutex<Vec<u8>>;

fn logs() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    let mut first = false;
    let lines = LINES.get_or_init(|| {
        first = true;
        Lines::default()
    });
    if first {
        tracing_subscriber::fmt()
            .with_env_filter("info,convene=trace,convene_kit=trace,convene_graph=trace,convene_meeting_broker=trace")
            .with_ansi(false)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_writer(|| Writer)
            .init();
    }
    lines
}

struct Writer;

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        logs().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

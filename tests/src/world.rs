//! Everything, in a folder of its own.

use std::{path::Path, sync::Arc, time::Duration};

use convene::{audit, roles::RoleName};
use convene_domain::TenantId;
use convene_kit::{Clock, Database, db::snapshot, jobs, probe::Probe};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Caller, Cast, Provider,
    caller::Gateways,
    set_up::{Running, SetUp},
};

/// A change must be seen within this time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Running roles and who talks to them.
pub struct World {
    running: Running,
    set_up: SetUp,
    folder: TempDir,
    /// Address of the gateway, of the first when there are several.
    pub url: String,
    /// All of them: callers are spread over them.
    pub(crate) gateways: Gateways,
    /// Addresses of /health, /ready and /metrics, of the gateway's process first.
    pub operations: Vec<String>,
    /// The development admin.
    pub admin: Caller,
    /// The simulator as people and faults meet it.
    pub provider: Provider,
    /// An admin of another tenant, after [`Self::reopened`].
    pub other: Option<Caller>,
    user: String,
    tenant: TenantId,
    disturbed: bool,
}

impl World {
    /// Everything in one process.
    pub async fn embedded() -> Self {
        Self::open(SetUp::Embedded).await
    }

    /// Each role a server of its own.
    pub async fn split() -> Self {
        Self::open(SetUp::Split).await
    }

    /// A new world.
    pub async fn open(set_up: SetUp) -> Self {
        // A second world in the same process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::start(set_up, tempfile::tempdir().unwrap(), None).await
    }

    /// Everything embedded, disturbed by a probe; its callers are patient.
    pub async fn disturbed(probe: Arc<dyn Probe>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::start(SetUp::Embedded, tempfile::tempdir().unwrap(), Some(probe)).await
    }

    /// Whether a probe disturbs it.
    pub fn is_disturbed(&self) -> bool {
        self.disturbed
    }

    /// Stopped, changed by `between` (which answers the key of another tenant's admin), and started again.
    pub async fn reopened<F>(self, between: F) -> Self
    where
        F: AsyncFnOnce(&Path) -> String,
    {
        let set_up = self.set_up.clone();
        let folder = self.stop().await;
        released(folder.path()).await;
        let key = between(folder.path()).await;
        released(folder.path()).await;
        let mut world = Self::start(set_up, folder, None).await;
        world.other = Some(world.client(&format!("Bearer {key}")));
        world
    }

    /// Stopped and started again on the same data.
    pub async fn restarted(self) -> Self {
        let set_up = self.set_up.clone();
        let folder = self.stop().await;
        released(folder.path()).await;
        Self::start(set_up, folder, None).await
    }

    async fn start(set_up: SetUp, folder: TempDir, probe: Option<Arc<dyn Probe>>) -> Self {
        let disturbed = probe.is_some();
        let running = set_up.start(folder.path(), probe).await;
        ready(&running.operations()).await;
        let gateways = Gateways::new(running.gateways());
        let url = gateways.next().to_owned();
        let development = running.development();
        let (key, tenant) = (development.secret().to_owned(), development.tenant());
        Self {
            admin: Caller::new(&url, &format!("Bearer {key}"), disturbed),
            gateways,
            provider: Provider::new(running.simulator().base_url()),
            user: running.simulator().env().graph_user,
            operations: running.operations(),
            tenant,
            other: None,
            running,
            set_up,
            folder,
            url,
            disturbed,
        }
    }

    /// Asks one node with this role to stop, and waits until it has; another goes on.
    pub async fn stop_one(&mut self, role: RoleName) {
        self.running.stop_one(role).await;
        self.gateways = Gateways::new(self.running.gateways());
    }

    /// Where the databases are.
    pub fn database(&self) -> Database {
        self.set_up.database(self.data())
    }

    /// The folder with the keys and artefacts, and with the databases where they are files.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The development admin's tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Names and addresses of the roles of a split world.
    pub fn roles(&self) -> Vec<(String, String)> {
        let roles = self.running.roles.iter();
        roles
            .map(|(role, address)| (role.to_string(), address.clone()))
            .collect()
    }

    /// The provider's user that organises meetings.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// A client with a credential: `Bearer <key>` or `Ticket <ticket>`.
    pub fn client(&self, authorization: &str) -> Caller {
        Caller::new(self.gateways.next(), authorization, self.disturbed)
    }

    /// A service, a host, and their callers.
    pub async fn cast(&self) -> Cast {
        Cast::new(self, 1).await
    }

    /// Moves every clock forward.
    pub async fn advance(&self, by_ms: i64) {
        let query =
            "mutation($by: Int!) { advanceClock(input: { byMs: $by }) { refusal { reason } } }";
        let data = self
            .admin
            .call(query, json!({ "by": by_ms }))
            .await
            .unwrap();
        assert_eq!(crate::reason(&data, "advanceClock"), "");
    }

    /// Moves every clock to so much after now; a failed move is repeated without going further.
    pub async fn advance_beyond(&self, by_ms: i64) {
        let stands = self.admin.call("{ clock { offsetMs } }", json!({})).await;
        let to = stands.unwrap()["clock"]["offsetMs"].as_i64().unwrap() + by_ms;
        let query = "mutation($to: Int!) { advanceClock(input: { toOffsetMs: $to }) { refusal { reason } } }";
        for _ in 0..100 {
            let moved = self.admin.answer(query, json!({ "to": to })).await.unwrap();
            if moved["errors"].is_null() {
                return;
            }
        }
        panic!("the clock does not move");
    }

    /// Business time.
    pub async fn now(&self) -> chrono::DateTime<chrono::Utc> {
        let query = "{ clock { businessTime } }";
        let data = self.admin.call(query, json!({})).await.unwrap();
        data["clock"]["businessTime"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Waits until no service has due work left, and checks that none was given up.
    pub async fn drained(&self) {
        let offset = self.admin.call("{ clock { offsetMs } }", json!({})).await;
        let offset = offset.unwrap()["clock"]["offsetMs"].as_i64().unwrap();
        until("no work is left", || async {
            for name in [
                "scheduler",
                "meeting-broker",
                "lobby-manager",
                "recording-coordinator",
                "webhooks",
                "workflows",
            ] {
                let rows = snapshot(&self.database(), name).await.unwrap().unwrap();
                let now = Clock::default().now().plus_millis(offset);
                let (open, dead) = jobs::open_and_dead(&rows, now).await.unwrap();
                assert_eq!(dead, 0, "{name} gave work up");
                if open > 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// Recomputes every hash chain of every service; answers the number of events.
    pub async fn audited(&self) -> usize {
        let mut events = 0;
        for log in audit::read(&self.database(), None).await.unwrap() {
            let problems = audit::verify(&log).await.unwrap();
            assert!(problems.is_empty(), "{problems:?}");
            events += log.events.len();
        }
        events
    }

    /// Stops everything; a failed role fails the test.
    pub async fn stop(self) -> TempDir {
        self.running.stop().await;
        self.folder
    }
}

/// Waits until every process says that it may be sent work.
async fn ready(processes: &[String]) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for process in processes {
        until("it is ready", || async {
            let answer = http.get(format!("{process}/ready")).send().await;
            answer.unwrap().status().is_success().then_some(())
        })
        .await;
    }
}

/// Waits until no task of a stopped node holds a database any more.
async fn released(folder: &Path) {
    until("the databases are let go", || async {
        let free = |name: &str| match std::fs::File::open(folder.join(format!("{name}.lock"))) {
            Ok(lock) => lock.try_lock().is_ok(),
            // On PostgreSQL nobody owns one.
            Err(_) => true,
        };
        convene::node::DATABASES.into_iter().all(free).then_some(())
    })
    .await;
}

/// Looks until there is an answer; fails loudly when there is none in time.
pub async fn until<T, F, Fut>(what: &str, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < patience,
            "did not happen in time: {what}"
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// The text at a pointer.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
        .to_owned()
}

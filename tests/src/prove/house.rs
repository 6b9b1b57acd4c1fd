//! The real thing: the provider and the product as processes of their own. The product's are killed and started again, and cut off from each other
//! and from their database; the provider outlives them.

mod member;
mod process;

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use convene_scratch::{Place, Relay, Way, port};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{
    Store, Wanted,
    cloud::Cloud,
    plan::{Blow, Strike},
};
use member::{Member, apart};
pub use process::Process;
use process::READY;

/// How long answers of the database get lost before the connections end.
const UNANSWERED: Duration = Duration::from_millis(200);
/// How long a killed process may need to come back.
const BACK: Duration = Duration::from_secs(60);
/// Pause between two tries to start one.
const PAUSE: Duration = Duration::from_millis(500);

/// A provider and the product.
pub struct House {
    binary: PathBuf,
    place: Place,
    /// Configurations and logs.
    folder: PathBuf,
    _temporary: Option<TempDir>,
    members: Vec<Member>,
    doors: Vec<String>,
    kills: AtomicUsize,
    cuts: AtomicUsize,
    /// What strikes at this moment or will.
    striking: Mutex<JoinSet<()>>,
    /// The provider.
    pub cloud: Cloud,
    /// Shared by all callers.
    pub http: reqwest::Client,
}

impl House {
    /// Starts the provider, lets `prepare` work on the databases, and starts the product.
    pub async fn start<F>(wanted: &Wanted, prepare: F) -> Result<Arc<Self>, String>
    where
        F: AsyncFnOnce(&Place),
    {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (binary, store) = (&wanted.binary, wanted.store);
        let place = match store {
            Store::Sqlite => Place::sqlite(),
            Store::Postgres => Place::postgres()
                .await
                .ok_or("no PostgreSQL server is there")?,
        };
        prepare(&place).await;
        let (folder, temporary) = match &wanted.logs {
            Some(folder) => (folder.clone(), None),
            None => {
                let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| error.to_string())?;
        let log = folder.join("simulator.log");
        let cloud = Cloud::start(binary, &log, http.clone())?;
        let (members, doors) = match store {
            Store::Sqlite => {
                let door = format!("127.0.0.1:{}", port());
                (vec![Member::node(&place, cloud.base(), &door)], vec![door])
            }
            Store::Postgres => apart(binary, &place, cloud.base(), &folder).await?,
        };
        let house = Self {
            binary: binary.to_owned(),
            place,
            folder,
            _temporary: temporary,
            members,
            doors,
            kills: AtomicUsize::default(),
            cuts: AtomicUsize::default(),
            striking: Mutex::default(),
            cloud,
            http,
        };
        let house = Arc::new(house);
        match house.up().await {
            Ok(()) => Ok(house),
            Err(why) => {
                house.end().await;
                Err(why)
            }
        }
    }

    /// Starts all of its processes beside each other.
    async fn up(&self) -> Result<(), String> {
        let starting: Vec<_> = self.members.iter().map(|one| self.spawn(one)).collect();
        for (member, process) in self.members.iter().zip(starting) {
            let ready = tokio::task::block_in_place(|| process?.until(READY));
            *member.process.lock().await = Some(ready?);
        }
        Ok(())
    }

    fn spawn(&self, member: &Member) -> Result<Process, String> {
        let log = self.folder.join(format!("{}.log", member.name));
        Process::spawn(&self.binary, &member.arguments, &log)
    }

    /// The log of each process over all its lives.
    pub fn logs(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.members.iter().map(|member| {
            let log = self.folder.join(format!("{}.log", member.name));
            (member.name.as_str(), log)
        })
    }

    /// Address of a gateway; of another one for the next number, when there are several.
    pub fn door(&self, number: usize) -> String {
        format!("http://{}", self.doors[number % self.doors.len()])
    }

    /// Does to the house what is planned for it, a moment later, and mends it again.
    pub fn strike(self: &Arc<Self>, strike: Strike) {
        let house = self.clone();
        self.striking.lock().unwrap().spawn(async move {
            tokio::time::sleep(Duration::from_millis(strike.after_ms)).await;
            house.suffer(strike).await;
        });
    }

    /// Waits until everything that struck is over.
    pub async fn mended(&self) {
        let mut striking = std::mem::take(&mut *self.striking.lock().unwrap());
        while let Some(over) = striking.join_next().await {
            over.unwrap();
        }
    }

    /// A house of one process can only be killed.
    async fn suffer(&self, strike: Strike) {
        let member = &self.members[strike.whom as usize % self.members.len()];
        let cut = match strike.blow {
            Blow::Kill => None,
            Blow::CutOff { ms } => member.front.as_ref().map(|way| (way, Way::Silent, ms)),
            Blow::NoDatabase { ms } => member.database.as_ref().map(|way| (way, Way::Closed, ms)),
        };
        match cut {
            Some((relay, way, ms)) => self.cut(relay, way, Duration::from_millis(ms)).await,
            None => self.kill(member).await,
        }
    }

    /// `kill -9`, and up again. Who comes while it is down counts for the same kill.
    async fn kill(&self, member: &Member) {
        let Ok(mut process) = member.process.try_lock() else {
            return;
        };
        // Dropping kills and waits.
        drop(process.take());
        self.kills.fetch_add(1, Ordering::Relaxed);
        // As whoever looks after processes does: one that finds no database ends, and is started again.
        let until = Instant::now() + BACK;
        let again = loop {
            let again = tokio::task::block_in_place(|| self.spawn(member)?.until(READY));
            match again {
                Ok(again) => break again,
                Err(why) if Instant::now() > until => {
                    panic!("{} does not come back: {why}", member.name)
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        *process = Some(again);
    }

    async fn cut(&self, relay: &Relay, way: Way, time: Duration) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
        if way == Way::Closed {
            // What is committed meanwhile is not confirmed.
            relay.set(Way::Unanswered);
            tokio::time::sleep(UNANSWERED).await;
        }
        relay.set(way);
        tokio::time::sleep(time).await;
        relay.set(Way::Open);
    }

    /// Kills and cuts so far.
    pub fn strikes(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        (count(&self.kills), count(&self.cuts))
    }

    /// Processes that ended although nobody killed them.
    pub async fn fallen(&self) -> Vec<String> {
        let mut fallen = Vec::new();
        for member in &self.members {
            let mut process = member.process.lock().await;
            if process.as_mut().is_none_or(|process| !process.runs()) {
                fallen.push(member.name.clone());
            }
        }
        fallen
    }

    /// Memory that its processes hold, in bytes; 0 where the system does not tell.
    pub async fn resident(&self) -> u64 {
        let mut bytes = 0;
        for member in &self.members {
            let process = member.process.lock().await;
            bytes += process.as_ref().map_or(0, Process::resident);
        }
        bytes
    }

    /// From the databases themselves: recomputes every chain of every service.
    pub fn verify(&self) -> Result<(), String> {
        let mut verify = Command::new(&self.binary);
        verify
            .args(["audit", "verify", "--data"])
            .arg(self.place.folder());
        if let Some(server) = self.place.server() {
            verify.env("CONVENE_DATABASE__URL", server.url());
        }
        let verified = verify.output().map_err(|error| error.to_string())?;
        match verified.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&verified.stdout).into_owned()),
        }
    }

    /// Ends all of it.
    pub async fn end(&self) {
        for member in &self.members {
            member.process.lock().await.take();
        }
        self.place.clone().dropped().await;
    }
}

//! The real thing: the provider and the node as processes of their own. The node is killed and started again; the provider outlives it.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// A process that is ended with its owner.
struct Process {
    child: Child,
    said: String,
    /// Held open, so that the process can go on printing.
    _output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(binary: &Path, arguments: &[&str], log: &Path, ready: &str) -> Result<Self, String> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log);
        let mut child = Command::new(binary)
            .args(arguments)
            // Houses beside each other take whatever ports are free.
            .env("CONVENE_OPERATIONS__LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.map_err(|error| error.to_string())?)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut said = String::new();
        while !said.contains(ready) {
            if output
                .read_line(&mut said)
                .map_err(|error| error.to_string())?
                == 0
            {
                let _ = child.wait();
                return Err(format!("{arguments:?} ended early; its log says why"));
            }
        }
        Ok(Self {
            child,
            said,
            _output: output,
        })
    }

    /// The first word behind a label of what it said.
    fn word(&self, label: &str) -> Option<String> {
        let line = self.said.lines().find(|line| line.contains(label))?;
        let rest = line.split_once(label)?.1;
        rest.split_whitespace().next().map(str::to_owned)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // By the handle of the child that was started here; gone already when it was killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A provider and a node.
pub struct House {
    binary: PathBuf,
    folder: TempDir,
    listen: String,
    node: Mutex<Option<Process>>,
    kills: AtomicUsize,
    _cloud: Process,
    cloud_base: String,
    /// Shared by all callers.
    pub http: reqwest::Client,
}

impl House {
    /// Starts the provider, lets `prepare` work on the data folder, and starts the node.
    pub async fn start<F>(binary: &Path, prepare: F) -> Result<Arc<Self>, String>
    where
        F: AsyncFnOnce(&Path),
    {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data).map_err(|error| error.to_string())?;
        prepare(&data).await;
        let log = folder.path().join("simulator.log");
        let cloud = ["simulator", "--no-https", "--listen", "127.0.0.1:0"];
        let cloud = Process::start(binary, &cloud, &log, "control API")?;
        let base = cloud
            .word("Entra at")
            .ok_or("the simulator names no address")?;
        let free = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let listen = free
            .local_addr()
            .map_err(|error| error.to_string())?
            .to_string();
        drop(free);
        let house = Self {
            binary: binary.to_owned(),
            folder,
            listen,
            node: Mutex::default(),
            kills: AtomicUsize::default(),
            _cloud: cloud,
            cloud_base: base,
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(30))
                .build()
                .map_err(|error| error.to_string())?,
        };
        *house.node.lock().await = Some(house.up()?);
        Ok(Arc::new(house))
    }

    fn up(&self) -> Result<Process, String> {
        let data = self.data();
        let data = data.to_str().ok_or("a path that is not text")?;
        let base = &self.cloud_base;
        let arguments = [
            "up",
            "--data",
            data,
            "--listen",
            &self.listen,
            "--simulator",
            base,
        ];
        Process::start(&self.binary, &arguments, &self.log(), "Stop with Ctrl-C")
    }

    /// The node's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the node logged, over all its lives.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }

    /// Address of the gateway.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// `kill -9`, and up again. Who comes while it is down counts for the same kill.
    pub async fn kill(&self) {
        let Ok(mut node) = self.node.try_lock() else {
            return;
        };
        // Dropping kills and waits.
        drop(node.take());
        self.kills.fetch_add(1, Ordering::Relaxed);
        let again = tokio::task::block_in_place(|| self.up());
        *node = Some(again.unwrap_or_else(|why| panic!("the node does not come back: {why}")));
    }

    /// Kills so far.
    pub fn kills(&self) -> usize {
        self.kills.load(Ordering::Relaxed)
    }

    /// Offline: recomputes every chain of every service.
    pub fn verify(&self) -> Result<(), String> {
        let data = self.data();
        let verified = Command::new(&self.binary)
            .args(["audit", "verify", "--data"])
            .arg(data)
            .output()
            .map_err(|error| error.to_string())?;
        match verified.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&verified.stdout).into_owned()),
        }
    }

    /// Asks the provider's control API.
    pub async fn cloud(&self, path: &str) -> Value {
        let url = format!("{}/_simulator/{path}", self.cloud_base);
        let answer = self.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Tells the provider's control API; `false` when it refuses.
    pub async fn tell_cloud(&self, path: &str, body: &Value) -> Option<Value> {
        let url = format!("{}/_simulator/{path}", self.cloud_base);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        let done = answer.status().is_success();
        let body = answer.bytes().await.unwrap();
        done.then(|| serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Forgets scripted faults.
    pub async fn heal(&self) {
        let url = format!("{}/_simulator/faults", self.cloud_base);
        self.http.delete(url).send().await.unwrap();
    }

    /// Join link and passcode of every event by transaction id, read as any client of the provider reads them.
    pub async fn secrets(&self) -> std::collections::BTreeMap<String, Vec<String>> {
        let env = self.cloud("env").await;
        let text = |name: &str| env[name].as_str().unwrap().to_owned();
        let form = [
            ("client_id", text("GRAPH_CLIENT_ID")),
            ("client_secret", text("GRAPH_CLIENT_SECRET")),
            ("grant_type", "client_credentials".to_owned()),
            ("scope", "https://graph.microsoft.com/.default".to_owned()),
        ];
        let token = self
            .http
            .post(text("GRAPH_TOKEN_URL"))
            .form(&form)
            .send()
            .await
            .unwrap();
        let token: Value = token.json().await.unwrap();
        let token = token["access_token"].as_str().unwrap().to_owned();
        let mut next = Some(format!(
            "{}/users/{}/events?$top=1000",
            text("GRAPH_BASE"),
            text("GRAPH_USER")
        ));
        let mut found = std::collections::BTreeMap::new();
        while let Some(url) = next {
            let page = self.http.get(url).bearer_auth(&token).send().await.unwrap();
            let page: Value = page.json().await.unwrap();
            for event in page["value"].as_array().into_iter().flatten() {
                let key = event["transactionId"].as_str().unwrap_or_default();
                let link = event["onlineMeeting"]["joinUrl"].as_str();
                found.insert(
                    key.to_owned(),
                    link.into_iter().map(str::to_owned).collect(),
                );
            }
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        found
    }

    /// The provider's user that organises meetings.
    pub async fn organizer(&self) -> String {
        let env = self.cloud("env").await;
        env["GRAPH_USER"].as_str().unwrap().to_owned()
    }

    /// Waits until the provider is asked nothing any more.
    pub async fn quiet(&self) {
        let mut last = 0;
        for _ in 0..100 {
            let requests = self.cloud(&format!("requests?since={last}")).await;
            let newest = requests.as_array().and_then(|all| all.last());
            match newest.and_then(|newest| newest["number"].as_u64()) {
                Some(number) => last = number,
                None => return,
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

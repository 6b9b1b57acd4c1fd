//! The product as it is released: one process with every role, and a simulator in another.

use std::{fs, path::Path, time::Duration};

use convene::graphql::Client;
use convene_kit::{Clock, db::open_read_only, jobs};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::process::Process;

/// Services that have jobs.
const WORKERS: [&str; 4] = [
    "scheduler",
    "meeting-broker",
    "lobby-manager",
    "recording-coordinator",
];
/// Background work must be done within this time.
const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two looks at what is left to do.
const LOOK: Duration = Duration::from_millis(100);

/// A node and its provider.
pub struct Product {
    pub node: Process,
    pub url: String,
    pub key: String,
    pub admin: Client,
    simulator: Process,
    folder: TempDir,
    user: String,
}

impl Product {
    pub async fn start(binary: &Path) -> Self {
        let arguments = ["simulator", "--listen", "127.0.0.1:0", "--no-https"];
        let simulator = Process::start(binary, &arguments, "control API");
        let base = simulator.said("Simulator of Graph and Entra at");
        let env: Value = env(&base).await;
        let folder = folder(binary);
        let data = folder.path().to_str().unwrap();
        let arguments = [
            "up",
            "--data",
            data,
            "--listen",
            "127.0.0.1:0",
            "--simulator",
            &base,
        ];
        let node = Process::start(binary, &arguments, "Admin key");
        let url = node.said("GraphQL ").replace("/graphql", "");
        let key = node.said("Admin key");
        Self {
            admin: Client::new(&url, &format!("Bearer {key}")).unwrap(),
            user: env["GRAPH_USER"].as_str().unwrap().to_owned(),
            node,
            url,
            key,
            simulator,
            folder,
        }
    }

    /// A service of half an hour and so many hosts; answers their global ids.
    pub async fn hosts(&self, hosts: usize) -> (String, Vec<String>) {
        let query = "mutation($key: String!) { createService(input: { idempotencyKey: $key, name: \"First visit\", durationMs: 1800000 }) { service { id } } }";
        let made = self
            .admin
            .call(query, json!({"key": Uuid::now_v7()}))
            .await
            .unwrap();
        let service = made["createService"]["service"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let query = "mutation($key: String!, $user: String!) { createHost(input: { idempotencyKey: $key, name: \"Front desk\", providerUser: $user }) { host { id } } }";
        let mut ids = Vec::new();
        for _ in 0..hosts {
            let variables = json!({"key": Uuid::now_v7(), "user": self.user});
            let made = self.admin.call(query, variables).await.unwrap();
            ids.push(
                made["createHost"]["host"]["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        (service, ids)
    }

    /// Due jobs of all services.
    pub async fn open_jobs(&self) -> u64 {
        let mut left = 0;
        for name in WORKERS {
            let database = open_read_only(self.folder.path(), name).await.unwrap();
            let (open, dead) = jobs::open_and_dead(&database, Clock::default().now())
                .await
                .unwrap();
            assert_eq!(dead, 0, "{name} gave work up");
            left += open;
        }
        left
    }

    /// Waits until no due work is left.
    pub async fn drained(&self) {
        let wait = async {
            while self.open_jobs().await > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("background work is not done in time");
    }

    /// User and system time of the simulator so far.
    pub fn simulator_cpu(&self) -> Duration {
        self.simulator.cpu()
    }
}

/// A folder beside the binary: on a disk, where a temporary folder may be memory.
pub fn folder(binary: &Path) -> TempDir {
    let beside = binary.canonicalize().unwrap();
    let beside = beside.parent().unwrap().join("bench-data");
    fs::create_dir_all(&beside).unwrap();
    tempfile::tempdir_in(beside).unwrap()
}

async fn env(base: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{base}/_simulator/env")).send().await;
    answer.unwrap().json().await.unwrap()
}

//! What a house consists of: one process with everything, or two for every role.

use std::{collections::BTreeMap, path::Path, process::Command};

use convene::roles::RoleName;
use convene_scratch::{Place, Relay, port};
use tokio::sync::Mutex;

use super::process::Process;

/// Replicas of every role in a house on PostgreSQL.
const REPLICAS: usize = 2;
/// Connections of one process to the database, besides two that listen and hold leases: many processes share a test's server.
const CONNECTIONS: u32 = 3;

/// A process of the house and how it is started.
pub struct Member {
    /// Names its log.
    pub name: String,
    /// What it is started with.
    pub arguments: Vec<String>,
    /// The way to it, when it has callers.
    pub front: Option<Relay>,
    /// Its way to the database, when that is a server.
    pub database: Option<Relay>,
    /// Empty while it is down.
    pub process: Mutex<Option<Process>>,
}

impl Member {
    /// A node with everything and SQLite; `door` is its gateway's address.
    pub fn node(place: &Place, cloud: &str, door: &str) -> Self {
        let data = place.folder().display().to_string();
        let arguments = [
            "up",
            "--data",
            &data,
            "--listen",
            door,
            "--simulator",
            cloud,
        ];
        Self::new("node", &arguments)
    }

    fn new(name: &str, arguments: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
            front: None,
            database: None,
            process: Mutex::default(),
        }
    }
}

/// A house on PostgreSQL: each role twice, each replica a process of its own, so that every call crosses processes and a kill strikes exactly one
/// replica of one role. Answers its processes and the addresses of its gateways. Everybody reaches roles and database through relays.
pub async fn apart(
    binary: &Path,
    place: &Place,
    cloud: &str,
    folder: &Path,
) -> Result<(Vec<Member>, Vec<String>), String> {
    let server = place.server().ok_or("the place is no PostgreSQL server")?;
    let data = place.folder().display().to_string();
    let made = Command::new(binary)
        .args(["keys", "make", "--data", &data])
        .output();
    let made = made.map_err(|error| error.to_string())?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned());
    }
    let mut fronts = BTreeMap::new();
    for role in RoleName::all() {
        for replica in 0..REPLICAS {
            let listen = format!("127.0.0.1:{}", port());
            let relay = Relay::to(listen.clone()).await;
            fronts.insert((role, replica), (listen, relay));
        }
    }
    let mut configs = Vec::new();
    let mut doors = Vec::new();
    for (role, replica) in fronts.keys().copied() {
        let database = Relay::to(server.address()).await;
        let url = server.url_through(database.address());
        let (listen, _) = &fronts[&(role, replica)];
        let mut config = format!(
            "data = {data:?}\n[simulator]\nurl = {cloud:?}\n[database]\nurl = {url:?}\nconnections = {CONNECTIONS}\n\
             [listen]\n{role} = {listen:?}\n"
        );
        if role.as_str() == "gateway" {
            let door = format!("127.0.0.1:{}", port());
            config += &format!("[gateway]\nlisten = {door:?}\n");
            doors.push(door);
        }
        config += "[peers]\n";
        for peer in RoleName::all() {
            // A gateway tells the other one business time; nobody else calls a role of its own name.
            let others = fronts.iter().filter(|((name, nth), _)| {
                *name == peer && (peer != role || (role.as_str() == "gateway" && *nth != replica))
            });
            let others: Vec<String> = others
                .map(|(_, (_, relay))| relay.address().to_string())
                .collect();
            if !others.is_empty() {
                config += &format!("{peer} = {others:?}\n");
            }
        }
        configs.push((role, replica, config, database));
    }
    let mut members = Vec::new();
    for (role, replica, config, database) in configs {
        let name = format!("{role}-{}", replica + 1);
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, config).map_err(|error| error.to_string())?;
        let file = file.display().to_string();
        let mut member = Member::new(
            &name,
            &["serve", "--roles", role.as_str(), "--config", &file],
        );
        member.front = fronts.remove(&(role, replica)).map(|(_, relay)| relay);
        member.database = Some(database);
        members.push(member);
    }
    Ok((members, doors))
}

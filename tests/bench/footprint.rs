//! (viii) Start-up, idle memory and size of the binary, against fixed bounds.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    figure::{Rounds, print_bound},
    load::{Connection, Target},
    process::Process,
    product::folder,
};

/// How long a node idles before its memory is read.
const IDLE: Duration = Duration::from_secs(3);
const MIB: f64 = 1024.0 * 1024.0;
/// Milliseconds to the first answer on an empty and on a used disk, MiB of memory, MiB of binary.
const BOUNDS: [f64; 4] = [150.0, 100.0, 40.0, 45.0];

/// Prints the figures.
pub async fn measure(binary: &Path, rounds: usize) {
    let [mut empty, mut used, mut memory, mut size] = [const { Rounds::new() }; 4];
    for _ in 0..rounds {
        let folder = folder(binary);
        for start in [&mut empty, &mut used] {
            let (first, idle) = round(binary, folder.path()).await;
            start.push(first.as_secs_f64() * 1e3);
            memory.push(idle);
        }
    }
    size.push(fs::metadata(binary).unwrap().len() as f64 / MIB);
    print_bound("footprint.first_answer_empty", &empty, BOUNDS[0], "ms");
    print_bound("footprint.first_answer_used", &used, BOUNDS[1], "ms");
    print_bound("footprint.idle", &memory, BOUNDS[2], "MiB");
    print_bound("footprint.binary", &size, BOUNDS[3], "MiB");
}

/// From the start of the process to its first GraphQL answer, and the memory of the idle node, simulator included.
async fn round(binary: &Path, data: &Path) -> (Duration, f64) {
    let begin = Instant::now();
    let arguments = [
        "up",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let arguments = [&arguments[..], &["--simulator-listen", "127.0.0.1:0"]].concat();
    let node = Process::start(binary, &arguments, "Admin key");
    let target = Target {
        authority: node
            .said("GraphQL ")
            .replace("http://", "")
            .replace("/graphql", ""),
        path: "/graphql",
        authorization: format!("Bearer {}", node.said("Admin key")),
    };
    let mut connection = Connection::open(&target).await;
    let answer = connection
        .post(r#"{"query":"{ viewer { role } }"}"#.into())
        .await;
    let first = begin.elapsed();
    assert_eq!(&answer[..], br#"{"data":{"viewer":{"role":"ADMIN"}}}"#);
    tokio::time::sleep(IDLE).await;
    (first, node.resident_mib())
}

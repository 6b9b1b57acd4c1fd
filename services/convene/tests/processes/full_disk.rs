//! A full disk: the data folder is a small file system of the node's own.

use std::{fs, io::Write as _, os::fd::AsRawFd as _, path::PathBuf, process::Command};

use futures_util::future::join_all;
use tempfile::TempDir;

use crate::{
    BINARY,
    house::{Cloud, Up, verified},
};

/// Room for the databases of a node, and not much more.
const SIZE: &str = "24m";
/// Bookings that are asked for at the same time.
const AT_ONCE: usize = 8;
/// Rounds after which a full disk must have been felt: what was written before leaves some room.
const ROUNDS_MAX: usize = 500;

/// Mounts a file system at the folder `$2` that only this process sees, and becomes the command behind it.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@""#;

/// `None` where the system lets nobody make a mount of its own.
fn small_disk(folder: &TempDir) -> Option<Command> {
    let own = ["--user", "--map-root-user", "--mount"];
    let tried = Command::new("unshare").args(own).arg("true").output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        eprintln!(
            "not run: `unshare {} true` is not allowed here",
            own.join(" ")
        );
        return None;
    }
    let mut command = Command::new("unshare");
    command
        .args(own)
        .args(["sh", "-c", ON_A_SMALL_DISK, "sh", SIZE]);
    command.arg(folder.path()).arg(BINARY);
    Some(command)
}

/// Takes all the room there is; answers the file that has to go to make some.
fn fill(folder: &std::path::Path) -> PathBuf {
    let ballast = folder.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    for chunk in [1_048_576, 4_096, 1] {
        while file.write_all(&vec![0; chunk]).is_ok() {}
    }
    ballast
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_loses_nothing_and_stops_nobody_for_good() {
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    let Some(command) = small_disk(&folder) else {
        return;
    };
    let up = Up::by(command, folder.path(), &cloud);
    // The folder as the node sees it.
    let seen = format!("/proc/{}/root{}", up.process.id(), folder.path().display());
    let seen = PathBuf::from(seen);
    let wish = up.wish(&cloud, 1_000).await;
    let before = up.books(&wish, "before").await.unwrap();

    let ballast = fill(&seen);
    let (mut acknowledged, mut refused) = (vec![before], Vec::new());
    for round in 0..ROUNDS_MAX {
        let keys: Vec<_> = (0..AT_ONCE).map(|n| format!("{round}-{n}")).collect();
        let booking = keys.iter().map(|key| up.books(&wish, key));
        for (key, booked) in keys.iter().zip(join_all(booking).await) {
            match booked {
                Ok(id) => acknowledged.push(id),
                Err(said) => {
                    let error = &said["errors"][0]["extensions"];
                    assert_eq!(error["code"], "UNAVAILABLE", "{said}");
                    assert_eq!(error["reason"], "DISK_FULL", "{said}");
                    refused.push(key.clone());
                }
            }
        }
        if refused.len() >= 2 * AT_ONCE {
            break;
        }
    }
    assert!(!refused.is_empty(), "the disk never was full");

    fs::remove_file(ballast).unwrap();
    for key in &refused {
        acknowledged.push(up.books(&wish, key).await.unwrap());
    }
    for booking in &acknowledged {
        up.completes(booking).await;
    }
    let world = cloud.get("meetings").await;
    assert_eq!(world["createdEvents"], acknowledged.len(), "I2");
    // The file system outlives the node as long as somebody holds it.
    let held = fs::File::open(&seen).unwrap();
    up.process.kill();
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(format!("/proc/self/fd/{}", held.as_raw_fd())).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    verified(copy.path());
}

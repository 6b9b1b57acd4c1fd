//! Compiled modules are loaded when this installation wrote them, and never otherwise.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use convene_plugin_fixtures::{Lobby as Guest, case};
use convene_plugin_host::{Grants, Host, Settings, capability::Ports};

use crate::world::{ask, unhurried};

fn open(folder: &Path) -> Host {
    Host::new(Settings {
        cache: Some(folder.to_owned()),
        ..Settings::default()
    })
    .unwrap()
}

async fn works(host: &Host, module: Vec<u8>) {
    let grants = Grants::default();
    let plugin = host.load(module, &grants).await.unwrap();
    let done = ask(host, &plugin, &grants, &unhurried(), Ports::default()).await;
    assert!(done.outcome.is_ok());
}

fn kept(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "cwasm"))
        .collect()
}

#[tokio::test]
async fn a_compiled_module_is_kept_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let module = Guest::always(case::ADMIT, "OK").build();
    works(&open(folder.path()), module.clone()).await;
    let [file] = kept(folder.path()).try_into().unwrap();
    let (written, bytes) = (
        fs::metadata(&file).unwrap().modified().unwrap(),
        fs::read(&file).unwrap(),
    );
    works(&open(folder.path()), module).await;
    assert_eq!(
        fs::metadata(&file).unwrap().modified().unwrap(),
        written,
        "not compiled again"
    );
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&file), mode(&folder.path().join("key"))),
        (0o600, 0o600)
    );
}

#[tokio::test]
async fn foreign_and_changed_files_are_compiled_anew() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let module = Guest::always(case::ADMIT, "OK").build();
    let other = Guest::always(case::DENY, "NO").build();
    works(&open(here.path()), module.clone()).await;
    let [file] = kept(here.path()).try_into().unwrap();
    let good = fs::read(&file).unwrap();
    works(&open(there.path()), module.clone()).await;
    works(&open(here.path()), other).await;
    let renamed = kept(here.path())
        .into_iter()
        .find(|path| *path != file)
        .unwrap();
    let foreign = kept(there.path()).pop().unwrap();
    let mut changed = good.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for (what, bytes) in [
        ("changed", changed),
        ("another installation's", fs::read(foreign).unwrap()),
        ("another module's", fs::read(renamed).unwrap()),
        ("cut off", good[..10].to_vec()),
        ("empty", vec![]),
    ] {
        fs::write(&file, &bytes).unwrap();
        works(&open(here.path()), module.clone()).await;
        assert_ne!(fs::read(&file).unwrap(), bytes, "{what}: written anew");
    }
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let key = folder.path().join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let settings = Settings {
        cache: Some(folder.path().to_owned()),
        ..Settings::default()
    };
    let refused = Host::new(settings).err().unwrap().to_string();
    assert!(refused.contains("0600"), "{refused}");
}

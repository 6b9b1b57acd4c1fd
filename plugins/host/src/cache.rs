//! Compiled modules on disk. Compiling JavaScript's interpreter takes seconds, loading it a millisecond.
//!
//! A compiled file is machine code: to load one is to trust it. So only files are loaded that this installation wrote, for this module, with this runtime and
//! these settings: each begins with a MAC over its name and bytes, under a key that lies beside them and is nobody else's to read. Anything
//! else counts as absent and is compiled anew.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use wasmtime::{Engine, component::Component};

/// Compiled modules in a folder.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    key: hmac::Key,
}

const TAG_BYTES: usize = 32;
/// Largest compiled module that is loaded or kept, in bytes.
const FILE_BYTES_MAX: u64 = 128 << 20;

impl Cache {
    /// Opens a folder, making it and its key when they are missing.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or written, or when its key can be read by others.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let path = folder.join("key");
        if !path.exists() {
            make_key(&path)?;
        }
        if fs::metadata(&path)?.mode() & 0o077 != 0 {
            let text = "the key of the compiled plugins can be read by others; set its mode to 0600, or delete the folder";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        let key = fs::read(&path)?;
        if key.len() != TAG_BYTES {
            let text = "the key of the compiled plugins is damaged; delete the folder";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(Self {
            folder: folder.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    /// The compiled module, when this installation has compiled it for this engine. Blocks.
    pub fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let name = name(engine, digest);
        let code = self.read(&name)?;
        match deserialize(engine, &code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(digest, %error, "a compiled plugin does not load; it is compiled anew");
                None
            }
        }
    }

    /// Keeps a compiled module. Blocks. A full disk only costs time later.
    pub fn keep(&self, engine: &Engine, digest: &str, component: &Component) {
        let kept = component
            .serialize()
            .map_err(|error| io::Error::other(error.to_string()))
            .and_then(|code| self.write(&name(engine, digest), &code));
        if let Err(error) = kept {
            tracing::warn!(digest, %error, "a compiled plugin is not kept");
        }
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let file = File::open(self.folder.join(name)).ok()?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let (tag, code) = bytes.split_at_checked(TAG_BYTES)?;
        if hmac::verify(&self.key, &signed(name, code), tag).is_err() {
            tracing::warn!(
                name,
                "a compiled plugin was not written by this installation; it is compiled anew"
            );
            return None;
        }
        Some(code.to_vec())
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let tag = hmac::sign(&self.key, &signed(name, code));
        let beside = self.folder.join(format!("{name}.{}", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(tag.as_ref())?;
        file.write_all(code)?;
        fs::rename(&beside, self.folder.join(name))
    }
}

/// Makes the key, whole or not at all: of several processes that begin at the same time one makes it, and all read that one.
fn make_key(path: &Path) -> io::Result<()> {
    let mut key = [0; TAG_BYTES];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let beside = path.with_extension(std::process::id().to_string());
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let made = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The file of a module under an engine.
fn name(engine: &Engine, digest: &str) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let settings = hasher.finish();
    format!("{digest}-{}-{settings:016x}.cwasm", crate::RUNTIME)
}

fn signed(name: &str, code: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len() + 1 + code.len());
    text.extend_from_slice(name.as_bytes());
    text.push(0);
    text.extend_from_slice(code);
    text
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `read` has verified that this installation wrote these bytes, from `Component::serialize`, for an engine of the same version and settings.
    unsafe { Component::deserialize(engine, code) }
}

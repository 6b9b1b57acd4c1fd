//! TLS between roles: both sides show a certificate of the same CA, and a server's certificate names its role.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

use crate::{
    error::{Error, Result},
    keys,
};

/// Longest TLS handshake, in milliseconds.
const HANDSHAKE_MS_MAX: u64 = 5_000;

/// Where the PEM files are.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate of the CA.
    pub ca: PathBuf,
    /// Certificate of this process, with the names of its roles.
    pub certificate: PathBuf,
    /// Its private key, readable by its owner only.
    pub key: PathBuf,
}

/// What a process shows and what it believes.
#[derive(Clone)]
pub struct Tls {
    ca: Certificate,
    identity: Identity,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Reads the files. What is inside is looked at when it is used.
    pub fn load(files: &TlsFiles) -> Result<Self> {
        keys::ensure_private(&files.key).map_err(|what| unusable("tls.key", &files.key, what))?;
        let certificate = read("tls.certificate", &files.certificate)?;
        let key = read("tls.key", &files.key)?;
        Ok(Self {
            ca: Certificate::from_pem(read("tls.ca", &files.ca)?),
            identity: Identity::from_pem(certificate, key),
        })
    }

    /// Refuses clients that show no certificate of the CA.
    pub(crate) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity.clone())
            .client_ca_root(self.ca.clone())
            .timeout(Duration::from_millis(HANDSHAKE_MS_MAX))
    }

    /// Believes a server that shows a certificate of the CA for this role, wherever it is.
    pub(crate) fn client(&self, role: &str) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .identity(self.identity.clone())
            .ca_certificate(self.ca.clone())
            .domain_name(role)
            .timeout(Duration::from_millis(HANDSHAKE_MS_MAX))
    }
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| unusable(field, path, error.to_string()))
}

fn unusable(field: &'static str, path: &Path, what: String) -> Error {
    Error::invalid(
        field,
        "TLS_FILE_UNUSABLE",
        format!(
            "{}: {what}; name a PEM file, `convene certificates` makes some for development",
            path.display()
        ),
    )
}

/// A certificate or key that TLS does not take.
pub(crate) fn refused(error: &tonic::transport::Error) -> Error {
    use std::error::Error as _;
    Error::invalid(
        "tls",
        "TLS_REFUSED",
        "certificate, key or CA cannot be used; check that they are PEM and belong together",
    )
    .with_detail(
        error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string),
    )
}

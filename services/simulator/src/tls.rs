//! HTTPS with a certificate authority of its own, because official clients refuse plain HTTP. The authority's key is forgotten as soon as it has
//! signed the one certificate: whoever trusts it trusts this simulator, and nothing that could be signed later.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::SimulatorError;

/// Names that the certificate is for: loopback.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// The authority's certificate, for clients.
const CA: &str = "ca.pem";
/// Certificate and key of the simulator, for its owner only.
const SERVER: &str = "server.pem";

/// Certificates in PEM.
struct Made {
    ca: String,
    server: String,
}

/// What a TLS listener needs, and the file that clients are told to trust.
#[derive(Debug)]
pub struct Tls {
    /// Certificate of the authority, in PEM.
    pub ca_file: PathBuf,
    /// For the listener.
    pub config: Arc<ServerConfig>,
}

impl Tls {
    /// What the folder holds, so that clients go on to trust it; made when it holds nothing yet.
    pub fn open(folder: &Path) -> Result<Self, SimulatorError> {
        let told = |error| SimulatorError::Tls(folder.to_owned(), error);
        let (ca_file, server_file) = (folder.join(CA), folder.join(SERVER));
        if !server_file.exists() {
            fill(folder).map_err(told)?;
        }
        let pem = fs::read(&server_file).map_err(told)?;
        let config = config(&pem).map_err(io::Error::other).map_err(told)?;
        Ok(Self {
            // Clients read it from wherever they run.
            ca_file: fs::canonicalize(&ca_file).map_err(told)?,
            config: Arc::new(config),
        })
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut all = DistinguishedName::new();
    all.push(DnType::CommonName, name);
    all.push(DnType::OrganizationName, "Convene, for development only");
    all
}

fn make() -> Result<Made, rcgen::Error> {
    let mut ca = CertificateParams::default();
    ca.distinguished_name = named("Convene simulator authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (ca.not_before, ca.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2049, 12, 31));
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;

    let mut server = CertificateParams::new(NAMES.map(str::to_owned))?;
    server.distinguished_name = named("Convene simulator");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    (server.not_before, server.not_after) = (ca.not_before, ca.not_after);
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &Issuer::new(ca, ca_key))?;
    Ok(Made {
        ca: ca_certificate.pem(),
        server: certificate.pem() + &key.serialize_pem(),
    })
}

fn config(pem: &[u8]) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(pem)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Filled beside and renamed, so that two simulators that start together end with the certificates of one.
fn fill(folder: &Path) -> io::Result<()> {
    let mut beside = folder.as_os_str().to_owned();
    beside.push(format!(".{}", uuid::Uuid::new_v4()));
    let beside = PathBuf::from(beside);
    fs::create_dir_all(&beside)?;
    let filled = || {
        let made = make().map_err(io::Error::other)?;
        write(&beside.join(SERVER), &made.server, 0o600)?;
        write(&beside.join(CA), &made.ca, 0o644)?;
        fs::rename(&beside, folder)
    };
    let filled = filled();
    if filled.is_err() {
        fs::remove_dir_all(&beside)?;
    }
    // The other one was faster.
    if folder.join(SERVER).exists() {
        Ok(())
    } else {
        filled
    }
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}

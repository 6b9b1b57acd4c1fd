//! `convene certificates`: a CA for development, and a certificate for each role.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use convene_kit::{Clock, Error, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::print;
use crate::roles::RoleName;

/// How long they are good, in days.
const DAYS: i64 = 365;
/// For a process that runs several roles.
const NODE: &str = "node";

/// Makes them in `dir`; `hosts` are further names under which the roles are known.
pub fn make(dir: &Path, hosts: &[String]) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::unavailable(
            "CERTIFICATES_NOT_WRITTEN",
            format!(
                "{} cannot be used: {error}; name another folder with --dir",
                dir.display()
            ),
        )
    };
    if dir.join("ca.pem").exists() {
        return Err(Error::refused(
            "CERTIFICATES_EXIST",
            format!(
                "{} holds a CA already; name another folder, or remove this one",
                dir.display()
            ),
        ));
    }
    fs::create_dir_all(dir).map_err(failed)?;

    let ca_key = KeyPair::generate().map_err(unmade)?;
    let mut ca = params(Vec::new(), "Convene development CA")?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key).map_err(unmade)?;
    let issuer = Issuer::new(ca, ca_key);

    let names: Vec<_> = RoleName::all().iter().map(|role| role.as_str()).collect();
    let each = names.iter().map(|name| (*name, vec![*name]));
    for (file, roles) in each.chain([(NODE, names.clone())]) {
        let known = roles.iter().map(|role| (*role).to_owned());
        let here = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut leaf = params(
            known.chain(here).chain(hosts.iter().cloned()).collect(),
            file,
        )?;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().map_err(unmade)?;
        let certificate = leaf.signed_by(&key, &issuer).map_err(unmade)?;
        write(&dir.join(format!("{file}.key")), &key.serialize_pem()).map_err(failed)?;
        write(&dir.join(format!("{file}.pem")), &certificate.pem()).map_err(failed)?;
    }
    write(&dir.join("ca.key"), &issuer.key().serialize_pem()).map_err(failed)?;
    // Last: a folder with a CA is whole.
    write(&dir.join("ca.pem"), &ca_certificate.pem()).map_err(failed)?;
    print(&format!(
        "{} holds a CA, a certificate for each role, and `{NODE}` for a process with several; they are good for {DAYS} days\n",
        dir.display()
    ));
    Ok(())
}

fn params(names: Vec<String>, subject: &str) -> Result<CertificateParams> {
    let now = Clock::default().unmoved().as_millis();
    let day = |days: i64| {
        let date =
            DateTime::<Utc>::from_timestamp_millis(now).unwrap_or_default() + TimeDelta::days(days);
        let small = |part: u32| u8::try_from(part).unwrap_or(1);
        date_time_ymd(date.year(), small(date.month()), small(date.day()))
    };
    let mut params = CertificateParams::new(names).map_err(unmade)?;
    params.distinguished_name.push(DnType::CommonName, subject);
    params.not_before = day(-1);
    params.not_after = day(DAYS);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn unmade(error: rcgen::Error) -> Error {
    Error::invalid(
        "--host",
        "CERTIFICATE_NOT_MADE",
        "a certificate could not be made; a host is a DNS name or an IP address",
    )
    .with_detail(error.to_string())
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

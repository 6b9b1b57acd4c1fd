//! Certificates of TLS between roles: readable, belonging together, naming their roles, and how long they are good.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};
use convene_kit::{Clock, finding::Finding, tls::TlsFiles};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

use super::findings as found;
use crate::{config::Tls, roles::RoleName};

/// A certificate that ends within this time is told, in days.
const SOON_DAYS: i64 = 30;
const DAY_S: i64 = 24 * 3_600;

/// What a certificate says of itself.
struct Read {
    from_s: i64,
    until_s: i64,
    names: Vec<String>,
}

/// What is wrong with the files of `[tls]`, where these roles listen.
pub fn examine(tls: &Tls, listening: &[RoleName], clock: &Clock) -> Vec<Finding> {
    let now_s = clock.unmoved().as_millis() / 1_000;
    let mut findings = Vec::new();
    for path in [&tls.ca, &tls.certificate] {
        let subject = path.display().to_string();
        let read = match read(path) {
            Ok(read) => read,
            Err(detail) => {
                findings.push(found::CERTIFICATE_UNUSABLE.with(&subject, &[("detail", &detail)]));
                continue;
            }
        };
        findings.push(judge(&subject, &read, now_s));
        if path == &tls.certificate {
            let names = listening.iter().map(|role| role.as_str());
            let lacking: Vec<_> = names
                .filter(|role| !read.names.iter().any(|name| name == role))
                .collect();
            if !lacking.is_empty() {
                let lacking = lacking.join(", ");
                let kind = found::CERTIFICATE_WITHOUT_ROLE;
                findings.push(kind.with(&subject, &[("roles", &lacking)]));
            }
        }
    }
    if let Err(detail) = belongs(tls) {
        let subject = tls.key.display().to_string();
        findings.push(found::CERTIFICATE_UNUSABLE.with(&subject, &[("detail", &detail)]));
    }
    findings
}

fn read(path: &Path) -> Result<Read, String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    let der = CertificateDer::from_pem_slice(&pem)
        .map_err(|_| "is not a certificate in PEM".to_owned())?;
    let (_, certificate) =
        parse_x509_certificate(&der).map_err(|_| "holds no X.509 certificate".to_owned())?;
    let validity = certificate.validity();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names
        .into_iter()
        .flat_map(|names| &names.value.general_names);
    Ok(Read {
        from_s: validity.not_before.timestamp(),
        until_s: validity.not_after.timestamp(),
        names: names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
            .collect(),
    })
}

/// Whether the key is private, and the certificate's.
fn belongs(tls: &Tls) -> Result<(), String> {
    let files = TlsFiles {
        ca: tls.ca.clone(),
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    };
    convene_kit::tls::Tls::load(&files).map_err(|error| error.message)?;
    let unusable = |_| "the key is not one in PEM".to_owned();
    let key = fs::read(&tls.key).map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(unusable)?;
    let chain = fs::read(&tls.certificate).map_err(|error| error.to_string())?;
    let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|_| "the certificate is not one in PEM".to_owned())?;
    let provider = rustls::crypto::ring::default_provider();
    let pair = CertifiedKey::from_der(chain, key, &provider);
    pair.map(drop).map_err(|error| error.to_string())
}

fn judge(subject: &str, read: &Read, now_s: i64) -> Finding {
    let day = |seconds| {
        let time = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
        time.format("%F").to_string()
    };
    let (from, until) = (day(read.from_s), day(read.until_s));
    let days = ((read.until_s - now_s) / DAY_S).to_string();
    let values = [("from", from.as_str()), ("until", &until), ("days", &days)];
    let kind = match () {
        () if now_s < read.from_s => found::CERTIFICATE_NOT_BEGUN,
        () if now_s >= read.until_s => found::CERTIFICATE_ENDED,
        () if read.until_s - now_s < SOON_DAYS * DAY_S => found::CERTIFICATE_ENDS_SOON,
        () => found::CERTIFICATE_GOOD,
    };
    kind.with(subject, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_judged_by_its_days() {
        let read = Read {
            from_s: 100 * DAY_S,
            until_s: 200 * DAY_S,
            names: Vec::new(),
        };
        for (day, code) in [
            (99, "CERTIFICATE_NOT_BEGUN"),
            (100, "CERTIFICATE_GOOD"),
            (170, "CERTIFICATE_GOOD"),
            (171, "CERTIFICATE_ENDS_SOON"),
            (199, "CERTIFICATE_ENDS_SOON"),
            (200, "CERTIFICATE_ENDED"),
        ] {
            assert_eq!(judge("x", &read, day * DAY_S).code, code, "day {day}");
        }
        let soon = judge("x", &read, 190 * DAY_S);
        assert_eq!(soon.says, "ends on 1970-07-20, in 10 days");
    }

    #[test]
    fn files_belong_together_and_name_their_roles() {
        let folder = tempfile::tempdir().unwrap();
        crate::command::certificates::make(folder.path(), &[]).unwrap();
        let at = |name: &str| folder.path().join(name);
        let tls = |certificate: &str, key: &str| Tls {
            ca: at("ca.pem"),
            certificate: at(certificate),
            key: at(key),
        };
        let listening: Vec<RoleName> = vec!["scheduler".parse().unwrap()];
        let clock = Clock::default();
        let codes = |tls: &Tls| {
            let findings = examine(tls, &listening, &clock);
            findings.iter().map(|f| f.code).collect::<Vec<_>>()
        };
        let good = ["CERTIFICATE_GOOD", "CERTIFICATE_GOOD"];
        assert_eq!(codes(&tls("scheduler.pem", "scheduler.key")), good);
        assert_eq!(codes(&tls("node.pem", "node.key")), good);
        let other = codes(&tls("gateway.pem", "gateway.key"));
        assert_eq!(other[2..], ["CERTIFICATE_WITHOUT_ROLE"]);
        let mixed = codes(&tls("scheduler.pem", "gateway.key"));
        assert_eq!(mixed[2..], ["CERTIFICATE_UNUSABLE"]);
        let absent = codes(&tls("nothing.pem", "scheduler.key"));
        assert_eq!(
            absent[1..],
            ["CERTIFICATE_UNUSABLE", "CERTIFICATE_UNUSABLE"]
        );
    }
}

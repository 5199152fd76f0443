//! How services know each other: what `[trust]` and `--tls-dir` say, and where plain text is allowed.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use trust::{Domain, Files};

use super::{Written, WrittenDuration};

/// How services of Keyward know each other. Without files they speak plain text, on loopback only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WrittenTrust {
    /// Folder of `ca.pem`, `cert.pem`, `key.pem` and `admission.key`, or of `ca.crt`, `tls.crt`, `tls.key` as
    /// cert-manager writes them. Instead of the three files.
    pub dir: Option<PathBuf>,
    /// Authorities that are believed, PEM.
    pub ca_file: Option<PathBuf>,
    /// This process's certificate chain, PEM.
    pub cert_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub key_file: Option<PathBuf>,
    /// The trust domain in the certificates' URIs. Default `keyward.internal`.
    pub domain: Option<String>,
    /// How often the files are looked at. Default 10s.
    pub reload_interval: Option<WrittenDuration>,
    /// Whether a forwarder takes only calls of which an edge states that it let them in. Default `required`.
    pub admission: Option<WrittenAdmission>,
    /// The key of those statements. Default: `admission.key` in `dir`.
    pub admission_key_file: Option<PathBuf>,
}

/// Whether calls need an edge's statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WrittenAdmission {
    /// They do.
    Required,
    /// A certificate is enough.
    Off,
}

/// Files that are there to be trusted.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    /// Certificate, key and authorities.
    pub files: Files,
    /// The trust domain.
    pub domain: Domain,
    /// How often the files are looked at.
    pub reload_interval: Duration,
    /// The key of edges' statements; none where they are not asked for.
    pub admission_key_file: Option<PathBuf>,
}

/// What may be plain text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Internal {
    /// Services show certificates.
    pub tls: bool,
    /// Plain text beyond loopback was asked for.
    pub insecure: bool,
}

impl Internal {
    pub(super) fn of(written: &Written, trusted: Option<&Trusted>) -> Self {
        Self { tls: trusted.is_some(), insecure: written.insecure_internal }
    }
}

/// The files that are named, if any are; `--tls-dir` goes before `dir`.
pub(super) fn trusted(written: &WrittenTrust, mistakes: &mut Vec<String>) -> Option<Trusted> {
    let domain = match written.domain.as_deref() {
        None => Domain::default(),
        Some(text) => Domain::parse(text).unwrap_or_else(|| {
            mistakes.push(
                "`trust.domain` must be lower-case letters, digits, dots, dashes and underscores, e.g. `keyward.internal`"
                    .to_owned(),
            );
            Domain::default()
        }),
    };
    let reload_interval = written.reload_interval.map_or(trust::RELOAD_EVERY, |interval| interval.0);
    if reload_interval.is_zero() {
        mistakes.push("`trust.reload_interval` must be longer than nothing".to_owned());
    }
    let files = files(written, mistakes)?;
    let admission_key_file = match written.admission {
        Some(WrittenAdmission::Off) => None,
        Some(WrittenAdmission::Required) | None => {
            let beside = files.certificate.parent().map(|folder| folder.join("admission.key"));
            written.admission_key_file.clone().or(beside)
        }
    };
    Some(Trusted { files, domain, reload_interval, admission_key_file })
}

fn files(written: &WrittenTrust, mistakes: &mut Vec<String>) -> Option<Files> {
    let WrittenTrust { dir, ca_file, cert_file, key_file, .. } = written;
    match (dir, ca_file, cert_file, key_file) {
        (None, None, None, None) => None,
        (Some(dir), None, None, None) => Some(Files::in_folder(dir)),
        (None, Some(ca), Some(certificate), Some(key)) => {
            Some(Files { ca: ca.clone(), certificate: certificate.clone(), key: key.clone() })
        }
        _ => {
            mistakes.push(
                "`trust` needs either `dir` (`--tls-dir`) or all of `ca_file`, `cert_file` and `key_file`"
                    .to_owned(),
            );
            None
        }
    }
}

/// Provider keys cross these listeners: whoever reaches them must show who it is.
pub(super) fn listeners(written: &Written, internal: Internal, mistakes: &mut Vec<String>) {
    for (key, address) in
        [("store.listen", written.store.listen), ("forwarder.listen", written.forwarder.listen)]
    {
        let beyond = |address: &SocketAddr| !address.ip().is_loopback();
        if let Some(address) = address.filter(beyond).filter(|_| !internal.tls && !internal.insecure) {
            mistakes.push(format!(
                "`{key}`: {address} is not a loopback address, and services show no certificates: give `--tls-dir` \
                 (`keyward certs init` makes one), or `--insecure-internal` if that is what you want"
            ));
        }
    }
}

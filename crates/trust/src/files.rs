//! The three files: whom to believe, what to show, and the key to it.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use zeroize::Zeroizing;

use crate::error::TrustError;

/// Where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Certificates of the authorities that are believed, PEM; two while one replaces the other.
    pub ca: PathBuf,
    /// This process's certificate and what leads from it to an authority, PEM.
    pub certificate: PathBuf,
    /// The certificate's private key, PEM.
    pub key: PathBuf,
}

/// What was in them.
pub(crate) struct Content {
    ca: Vec<u8>,
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Files {
    /// Those of a folder: `ca.pem`, `cert.pem` and `key.pem`, or what cert-manager and Kubernetes call them (`ca.crt`,
    /// `tls.crt`, `tls.key`) where there is a `tls.crt`.
    pub fn in_folder(folder: &Path) -> Self {
        let [ca, certificate, key] = if folder.join("tls.crt").exists() {
            ["ca.crt", "tls.crt", "tls.key"]
        } else {
            ["ca.pem", "cert.pem", "key.pem"]
        };
        Self { ca: folder.join(ca), certificate: folder.join(certificate), key: folder.join(key) }
    }

    /// Reads all three.
    pub(crate) fn read(&self) -> Result<Content, TrustError> {
        Ok(Content {
            ca: bytes(&self.ca)?,
            certificate: bytes(&self.certificate)?,
            key: bytes(&self.key)?.into(),
        })
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, TrustError> {
    std::fs::read(file).map_err(|source| TrustError::Unreadable { file: file.to_owned(), source })
}

impl Content {
    /// Says whether they have changed, without keeping them.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for part in [&self.ca, &self.certificate, &*self.key] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    /// The authorities.
    pub(crate) fn roots(&self, files: &Files) -> Result<RootCertStore, TrustError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca, &files.ca)? {
            let refused = |source| TrustError::NotAnAuthority { file: files.ca.clone(), source };
            roots.add(certificate).map_err(refused)?;
        }
        Ok(roots)
    }

    /// What is shown, the process's own certificate first.
    pub(crate) fn chain(&self, files: &Files) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        certificates(&self.certificate, &files.certificate)
    }

    /// The private key.
    pub(crate) fn key(&self, files: &Files) -> Result<PrivateKeyDer<'static>, TrustError> {
        let wanted = "a private key";
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| TrustError::NotPem {
            file: files.key.clone(),
            wanted,
            source,
        })
    }
}

/// At least one.
fn certificates(pem: &[u8], file: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let file = file.to_owned();
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if certificates.is_empty() => Err(TrustError::Empty { file }),
        Ok(certificates) => Ok(certificates),
        Err(source) => Err(TrustError::NotPem { file, wanted: "certificates", source }),
    }
}

//! TLS toward providers: aws-lc-rs, TLS 1.2 and 1.3, the web's roots and the operator's own.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Why the operator's file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read, or is not PEM.
    #[error("`egress.ca_file` cannot be read as PEM certificates")]
    Unreadable(#[source] rustls::pki_types::pem::Error),
    /// A certificate in it is not one.
    #[error("`egress.ca_file` holds a certificate that cannot be a root")]
    NotARoot(#[source] rustls::Error),
    /// Not one certificate in it.
    #[error("`egress.ca_file` holds no certificate")]
    Empty,
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Defaults(#[source] rustls::Error),
}

/// The configuration of every TLS connection to a provider. Offers h2 and http/1.1.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_roots(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Defaults)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn add_roots(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(TlsError::Unreadable)? {
        roots.add(certificate.map_err(TlsError::Unreadable)?).map_err(TlsError::NotARoot)?;
    }
    if roots.len() == before { Err(TlsError::Empty) } else { Ok(()) }
}

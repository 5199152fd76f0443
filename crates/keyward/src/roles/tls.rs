//! TLS for listeners, from the files that the configuration names.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::config::WrittenTls;

/// Reads certificate and key. The protocols HTTP/2 and HTTP/1.1 are offered.
pub(super) fn server(files: &WrittenTls) -> anyhow::Result<Arc<ServerConfig>> {
    let path = &files.certificate_file;
    let reading = || format!("read the certificate `{}`", path.display());
    let chain = CertificateDer::pem_file_iter(path).with_context(reading)?.collect::<Result<Vec<_>, _>>();
    let chain = chain.with_context(reading)?;
    let path = &files.key_file;
    // The error says what is wrong with the file, never what is in it.
    let key =
        PrivateKeyDer::from_pem_file(path).with_context(|| format!("read the key `{}`", path.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("use certificate and key for TLS: do they belong together?")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

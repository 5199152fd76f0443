//! What this process shows and whom it believes, as it stands in the files now.

use std::{sync::Arc, time::Duration};

use fault::chain;
use rustls::{
    ClientConfig, ServerConfig,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    version::TLS13,
};
use tokio::sync::watch;

use crate::{
    error::TrustError,
    files::{Content, Files},
    identity::{Domain, Expected, Identity},
    verify::ByAuthority,
};

/// How often the files are looked at, unless told otherwise.
pub const RELOAD_EVERY: Duration = Duration::from_secs(10);

/// Services speak HTTP/2 to each other.
const PROTOCOL: &[u8] = b"h2";

/// Certificate, key and authorities of this process. Connections that are open keep what they were made with.
#[derive(Debug)]
pub struct Trust {
    files: Files,
    domain: Domain,
    me: Expected,
    loaded: watch::Sender<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    digest: [u8; 32],
    identity: Identity,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Trust {
    /// Reads the files; the certificate must name who this process is.
    pub fn load(files: Files, domain: Domain, me: Expected) -> Result<Self, TrustError> {
        let loaded = Loaded::of(&files.read()?, &files, &domain, &me)?;
        Ok(Self { files, domain, me, loaded: watch::Sender::new(loaded) })
    }

    /// The name that all services share.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Who this process is.
    pub fn identity(&self) -> Identity {
        self.loaded.borrow().identity.clone()
    }

    /// For a connection that is taken now.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.loaded.borrow().server)
    }

    /// For a connection that is made now.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.loaded.borrow().client)
    }

    /// Who a far end is, by the certificates that it showed.
    pub(crate) fn who(&self, certificates: Option<&[CertificateDer<'_>]>) -> Option<Identity> {
        Identity::of(&self.domain, certificates?.first()?)
    }

    /// Takes the files anew where they have changed; whether they had. What cannot be used leaves everything as it was.
    pub fn refresh(&self) -> Result<bool, TrustError> {
        let content = self.files.read()?;
        if content.digest() == self.loaded.borrow().digest {
            return Ok(false);
        }
        let loaded = Loaded::of(&content, &self.files, &self.domain, &self.me)?;
        self.loaded.send_replace(loaded);
        Ok(true)
    }

    /// Waits until other files are in use than when this was first polled.
    pub async fn renewed(&self) {
        // The sender is this very value, so it is not gone.
        let _ = self.loaded.subscribe().changed().await;
    }

    /// Looks at the files again and again, for as long as it is polled. The same trouble is told once.
    pub async fn keep_fresh(self: Arc<Self>, every: Duration) {
        let mut look = tokio::time::interval(every);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            look.tick().await;
            let trust = Arc::clone(&self);
            let Ok(refreshed) = tokio::task::spawn_blocking(move || trust.refresh()).await else { continue };
            match refreshed {
                Ok(true) => {
                    told = None;
                    let certificate = self.files.certificate.display();
                    tracing::info!(%certificate, "new certificates are in use for new connections");
                }
                Ok(false) => told = None,
                Err(error) => {
                    let cause = chain(&error);
                    if told.as_ref() != Some(&cause) {
                        tracing::warn!(%cause, "new certificates cannot be used; the ones before stay in use");
                    }
                    told = Some(cause);
                }
            }
        }
    }
}

impl Loaded {
    fn of(content: &Content, files: &Files, domain: &Domain, me: &Expected) -> Result<Self, TrustError> {
        let chain = content.chain(files)?;
        let identity = chain.first().and_then(|own| Identity::of(domain, own));
        let identity = match identity {
            Some(identity) if me.is(&identity) => identity,
            other => return Err(somebody_else(files, domain, me, other)),
        };
        let (server, client) = (server(content, files, &chain)?, client(content, files, chain)?);
        Ok(Self { digest: content.digest(), identity, server: server.into(), client: client.into() })
    }
}

fn somebody_else(files: &Files, domain: &Domain, me: &Expected, found: Option<Identity>) -> TrustError {
    let found = found.map_or_else(|| "no service of that domain".to_owned(), |found| format!("`{found}`"));
    let file = files.certificate.clone();
    TrustError::SomebodyElse { file, found, expected: me.to_string(), domain: domain.to_string() }
}

/// Nobody comes in by a session of before: each connection shows a certificate that is in its time.
fn server(
    content: &Content,
    files: &Files,
    chain: &[CertificateDer<'static>],
) -> Result<ServerConfig, TrustError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(content.roots(files)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TrustError::Defaults)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.to_vec(), content.key(files)?)
        .map_err(|source| unpaired(files, source))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn client(
    content: &Content,
    files: &Files,
    chain: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TrustError::Defaults)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ByAuthority { roots: content.roots(files)?, algorithms }))
        .with_client_auth_cert(chain, content.key(files)?)
        .map_err(|source| unpaired(files, source))?;
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn unpaired(files: &Files, source: rustls::Error) -> TrustError {
    TrustError::Pair { certificate: files.certificate.clone(), key: files.key.clone(), source }
}

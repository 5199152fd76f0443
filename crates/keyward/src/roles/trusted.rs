//! What a service and the others know each other by: loaded when it starts, kept fresh while it runs.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use forward_grpc::Admitted;
use http::Uri;
use names::Provider;
use store::{Clock as _, System};
use tonic::transport::{Channel, Endpoint};
use trust::{Admission, AdmissionKeys, Connector, Expected, Identity, Trust};

use super::followed::Background;
use crate::config::{Planes, Ready};

/// Certificates, or none.
pub(super) struct Trusted {
    trust: Option<Arc<Trust>>,
    admission: Option<AdmissionKeys>,
    insecure: bool,
}

impl Trusted {
    /// Reads what the configuration names. This process is `me`.
    pub(super) fn open(ready: &Ready, me: Expected, background: &mut Background) -> anyhow::Result<Self> {
        let insecure = ready.written.insecure_internal;
        let Some(config) = &ready.trust else { return Ok(Self { trust: None, admission: None, insecure }) };
        let states_or_checks = !matches!(me, Expected::Store);
        let trust = Trust::load(config.files.clone(), config.domain.clone(), me);
        let trust = Arc::new(trust.context("read the certificates by which services know each other")?);
        background.spawn(Arc::clone(&trust).keep_fresh(config.reload_interval));
        let file = config.admission_key_file.as_ref().filter(|_| states_or_checks);
        let admission = file.map(|file| AdmissionKeys::load(file)).transpose().context(
            "read the key by which edges state what they let in (`trust.admission = \"off\"` does without)",
        )?;
        Ok(Self { trust: Some(trust), admission, insecure })
    }

    /// For a listener.
    pub(super) fn trust(&self) -> Option<Arc<Trust>> {
        self.trust.clone()
    }

    /// How addresses of this process's listener begin.
    pub(super) fn scheme(&self) -> &'static str {
        if self.trust.is_some() { "https" } else { "http" }
    }

    /// Whether others than this machine's own processes may reach a listener.
    pub(super) fn may_leave_loopback(&self) -> bool {
        self.trust.is_some() || self.insecure
    }

    /// A channel to another service, connected when first used.
    pub(super) fn channel(
        &self,
        uri: &Uri,
        expected: Expected,
        tuned: fn(Endpoint) -> Endpoint,
    ) -> anyhow::Result<Channel> {
        if uri.scheme_str() != Some("https") {
            return Ok(tuned(Endpoint::from(uri.clone())).connect_lazy());
        }
        let trust =
            self.trust.clone().with_context(|| format!("`{uri}` needs certificates: give `--tls-dir`"))?;
        let endpoint = tuned(Connector::endpoint(uri));
        Ok(endpoint.connect_with_connector_lazy(Connector::new(trust, expected)))
    }

    /// How an edge states calls to the forwarders of this provider.
    pub(super) fn stating(&self, provider: &Provider) -> Option<Admitted> {
        self.admission.as_ref().map(|keys| admitted(&keys.of(provider)))
    }

    /// How a forwarder checks what is stated; its file holds its own keys only.
    pub(super) fn checking(&self) -> Option<Admitted> {
        self.admission.as_ref().map(admitted)
    }

    /// An edge that serves admins must be allowed to write; better told now than with the first change.
    pub(super) fn fits_planes(&self, ready: &Ready) -> anyhow::Result<()> {
        let admin = ready.listeners.iter().any(|listener| listener.planes.contains(&Planes::Admin));
        let may_not_write = self.trust.as_ref().is_some_and(|trust| trust.identity() == Identity::Edge);
        if admin && may_not_write {
            bail!(
                "the certificate is for `edge`, which may not write, and a listener has the admin plane: use one for \
                 `edge-admin`, or leave `admin` out of the listener's `planes`"
            );
        }
        Ok(())
    }
}

fn admitted(keys: &AdmissionKeys) -> Admitted {
    Admitted { admission: Arc::new(Admission::new(keys)), now_ms: || System.now_ms() }
}

//! The table of providers: the one place that names them. To add one, add a line.

use std::sync::Arc;

use dialect::Dialect;
use forward::{Forward, Targets};
use forward_gemini::Gemini;
use forward_http::{HttpForwarder, Outbound, Wire};
use names::Provider;

/// A provider that this program can forward to.
pub(crate) struct Known {
    /// Its name, as secrets and models carry it.
    pub name: &'static str,
    /// What it speaks.
    pub dialects: &'static [Dialect],
    /// Hosts of its API, where an admin says nothing else.
    pub hosts: fn() -> &'static [&'static str],
    build: fn(Arc<dyn Targets>, Arc<Outbound>) -> Built,
}

/// Every provider.
pub(crate) const PROVIDERS: &[Known] = &[Known {
    name: "gemini",
    dialects: &[Dialect::Gemini],
    hosts: || Gemini.default_hosts(),
    build: |targets, outbound| built(Gemini, targets, outbound),
}];

/// A forwarder, and how it is told that its targets changed.
#[derive(Clone)]
pub(crate) struct Built {
    /// Takes calls.
    pub forward: Arc<dyn Forward>,
    /// Lets go of keys and connections of targets that are gone.
    pub forget_gone: Arc<dyn Fn() + Send + Sync>,
}

impl Known {
    /// The provider of that name; an error names those that there are.
    pub(crate) fn find(provider: &Provider) -> anyhow::Result<&'static Self> {
        let found = PROVIDERS.iter().find(|known| known.name == provider.as_str());
        found.ok_or_else(|| {
            let names: Vec<_> = PROVIDERS.iter().map(|known| known.name).collect();
            anyhow::anyhow!(
                "there is no forwarder for provider `{provider}`; there are: {}",
                names.join(", ")
            )
        })
    }

    /// Its name as a domain type.
    pub(crate) fn provider(&self) -> anyhow::Result<Provider> {
        Ok(Provider::parse(self.name)?)
    }

    /// Its forwarder, in this process.
    pub(crate) fn build(&self, targets: Arc<dyn Targets>, outbound: Arc<Outbound>) -> Built {
        (self.build)(targets, outbound)
    }
}

fn built<W: Wire>(wire: W, targets: Arc<dyn Targets>, outbound: Arc<Outbound>) -> Built {
    let forwarder = Arc::new(HttpForwarder::new(wire, targets, outbound));
    let gone = Arc::clone(&forwarder);
    Built { forward: forwarder, forget_gone: Arc::new(move || gone.forget_gone()) }
}

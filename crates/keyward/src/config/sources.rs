//! What was said where: the command line goes before the environment, the environment before the file.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, anyhow};

use super::{DataAccess, Planes, Written, WrittenListener};
use crate::environment;

/// What the command line said, before the file is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen` of an edge
    pub listen: Option<SocketAddr>,
    /// `--listen` of a store
    pub store_listen: Option<SocketAddr>,
    /// `--listen` of a forwarder
    pub forwarder_listen: Option<SocketAddr>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--key-file`
    pub key_file: Option<PathBuf>,
    /// `--database-url-file`
    pub database_url_file: Option<PathBuf>,
    /// `--client-keys`
    pub client_keys: bool,
    /// `--insecure-open`
    pub insecure_open: bool,
    /// `--tls-dir`
    pub tls_dir: Option<PathBuf>,
    /// `--insecure-internal`
    pub insecure_internal: bool,
    /// `--store`
    pub store_url: Option<String>,
    /// `--forwarder`, as it was typed
    pub forwarders: Vec<String>,
    /// `--snapshot`
    pub snapshot: Option<PathBuf>,
    /// `--replica`
    pub replica: Option<String>,
    /// `--node-key`
    pub node_key: Option<PathBuf>,
}

impl Sources {
    /// The file's tree; the default one where no file is named.
    pub(super) fn read(&self) -> anyhow::Result<Written> {
        let Some(file) = &self.config else { return Ok(Written::default()) };
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("read the configuration file `{}`", file.display()))?;
        toml::from_str(&text).map_err(|error| {
            // Not the error's own form, which shows the line: a proxy's password may stand there.
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            anyhow!("`{}`, line {line}: {}", file.display(), error.message())
        })
    }

    /// Lays the environment and the command line over the file's tree.
    pub(super) fn lay_over(&self, written: &mut Written, mistakes: &mut Vec<String>) {
        if let Some(address) = self.listen {
            written.listeners = vec![WrittenListener { address, planes: Planes::both(), tls: None }];
        }
        over(&mut written.store.listen, self.store_listen.as_ref());
        over(&mut written.forwarder.listen, self.forwarder_listen.as_ref());
        over(&mut written.store.data_dir, self.data_dir.as_ref());
        over(&mut written.store.key_file, self.key_file.as_ref());
        over(&mut written.store.database_url_file, self.database_url_file.as_ref());
        over(&mut written.snapshot_file, self.snapshot.as_ref());
        over(&mut written.forwarder.node_key_file, self.node_key.as_ref());
        over(&mut written.store.url, self.store_url.as_ref());
        over(&mut written.replica, self.replica.as_ref());
        if let Some(dir) = &self.tls_dir {
            let trust = &mut written.trust;
            (trust.ca_file, trust.cert_file, trust.key_file) = (None, None, None);
            trust.dir = Some(dir.clone());
        }
        written.insecure_open |= self.insecure_open;
        written.insecure_internal |= self.insecure_internal;
        if self.client_keys {
            written.access.data = DataAccess::Keys;
        }
        lay_over_egress(written, mistakes);
        lay_over_telemetry(written);
    }
}

fn over<T: Clone>(place: &mut Option<T>, given: Option<&T>) {
    if let Some(given) = given {
        *place = Some(given.clone());
    }
}

fn lay_over_egress(written: &mut Written, mistakes: &mut Vec<String>) {
    let Some(list) = environment::text(environment::EGRESS_ALLOW) else { return };
    written.egress.allow.clear();
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match entry.parse() {
            Ok(allow) => written.egress.allow.push(allow),
            Err(error) => {
                let entry = entry.escape_default();
                mistakes.push(format!("{}: `{entry}`: {error}", environment::EGRESS_ALLOW));
            }
        }
    }
}

fn lay_over_telemetry(written: &mut Written) {
    if let Some(filter) = environment::text(environment::LOG) {
        written.telemetry.filter = filter;
    }
    if let Some(endpoint) = environment::text(environment::OTLP_ENDPOINT) {
        let otlp = telemetry::Otlp { endpoint, sample_ratio: 1.0, timeout_ms: 10_000 };
        written.telemetry.otlp.get_or_insert(otlp);
    }
}

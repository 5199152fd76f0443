//! From what was written to what a role is built from: defaults filled, alternatives decided, every mistake told.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use names::Provider;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    DataAccess, Sources, Trusted, Written, WrittenDuration, WrittenListener, WrittenTls, services,
    services::Home, trust,
};
use crate::{environment, roles::Providers};

/// Where the edge listens unless told otherwise.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);
/// Where the store service listens unless told otherwise.
pub(crate) const STORE_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5001);
/// Where a forwarder service listens unless told otherwise.
pub(crate) const FORWARDER_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5002);
/// How long a call waits for state that the edge had and the forwarder has not yet, unless told otherwise.
pub(crate) const CATCH_UP_MAX: Duration = Duration::from_secs(2);
/// How long running calls may take to end, unless told otherwise: the SDKs' own read timeout.
const DRAIN_MAX: Duration = Duration::from_mins(10);

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Planes {
    /// Applications' calls.
    Data,
    /// Management.
    Admin,
}

impl Planes {
    /// Both.
    pub(crate) fn both() -> Vec<Self> {
        vec![Self::Data, Self::Admin]
    }
}

/// A listener of the edge.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    /// Address and port.
    pub address: SocketAddr,
    /// What it serves.
    pub planes: Vec<Planes>,
    /// Files of its certificate.
    pub tls: Option<WrittenTls>,
}

impl Listener {
    fn written(&self) -> WrittenListener {
        WrittenListener { address: self.address, planes: self.planes.clone(), tls: self.tls.clone() }
    }
}

/// A database.
#[derive(Debug)]
pub(crate) enum Database {
    /// The embedded one, in this folder.
    Embedded(PathBuf),
    /// Postgres.
    Postgres(SecretString),
}

/// Where data and key lie.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Folder of the embedded database.
    pub data_dir: PathBuf,
    /// Key-encryption key: a file or a keyring folder.
    pub key_file: PathBuf,
}

/// What a role is built from.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The tree as it was written, for the leaves that need no decision.
    pub written: Written,
    /// Where an edge listens; at least one.
    pub listeners: Vec<Listener>,
    /// How long running calls may take to end.
    pub drain_max: Duration,
    /// Every provider that can be forwarded to.
    pub providers: Providers,
    /// Homes of forwarders by provider.
    pub forwarders: BTreeMap<Provider, Home>,
    /// The store service, for those that need one.
    pub store: Option<http::Uri>,
    /// What services know each other by; none where they speak plain text.
    pub trust: Option<Trusted>,
}

impl Sources {
    /// Reads the file, lays environment and command line over it, and checks all of it; every mistake in one error.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        let mut written = self.read()?;
        let mut mistakes = Vec::new();
        self.lay_over(&mut written, &mut mistakes);
        let listeners = listeners(&written, &mut mistakes);
        let trusted = trust::trusted(&written.trust, &mut mistakes);
        let internal = trust::Internal::of(&written, trusted.as_ref());
        trust::listeners(&written, internal, &mut mistakes);
        let providers = Providers::new(&written.providers, &written.egress.policy(), &mut mistakes);
        let forwarders = services::homes(&written, &self.forwarders, internal, &mut mistakes);
        let url = written.store.url.as_deref();
        let store = url.and_then(|url| services::remote("store.url", url, internal, &mut mistakes));
        keys_apart(&written, &mut mistakes);
        if !mistakes.is_empty() {
            bail!("the configuration cannot be used:\n  - {}", mistakes.join("\n  - "));
        }
        let drain_max = written.drain_max.get_or_insert(WrittenDuration(DRAIN_MAX)).0;
        written.listeners = listeners.iter().map(Listener::written).collect();
        Ok(Ready { written, listeners, drain_max, providers, forwarders, store, trust: trusted })
    }
}

impl Ready {
    /// The tree with what `serve` would use where nothing is written.
    pub(super) fn effective(mut self) -> anyhow::Result<Written> {
        if let Database::Embedded(folder) = self.database()? {
            self.written.store.data_dir = Some(folder);
        }
        let key_file = self.key_file()?;
        let (store, forwarder) = (&mut self.written.store, &mut self.written.forwarder);
        store.key_file = Some(key_file);
        store.listen.get_or_insert(STORE_LISTEN);
        store.apply_wait_max.get_or_insert(WrittenDuration(store::Settings::default().apply_wait_max));
        forwarder.listen.get_or_insert(FORWARDER_LISTEN);
        forwarder.catch_up_max.get_or_insert(WrittenDuration(CATCH_UP_MAX));
        let trust = &mut self.written.trust;
        trust.domain.get_or_insert_with(|| ::trust::Domain::DEFAULT.to_owned());
        trust.reload_interval.get_or_insert(WrittenDuration(::trust::RELOAD_EVERY));
        self.written.lame_duck.get_or_insert(WrittenDuration(Duration::ZERO));
        Ok(self.written)
    }

    /// Where data and key lie, by default in the user's own folders, which are apart.
    pub(crate) fn place(&self) -> anyhow::Result<Place> {
        let store = &self.written.store;
        let default = |home: Option<PathBuf>, name: &str, option: &str| {
            home.map(|home| home.join(name))
                .with_context(|| format!("no home folder is known: give `{option}`"))
        };
        let data_dir = match &store.data_dir {
            Some(folder) => folder.clone(),
            None => default(environment::data_home(), "data", "--data-dir")?,
        };
        let key_file = match &store.key_file {
            Some(file) => file.clone(),
            None => default(environment::config_home(), "kek.key", "--key-file")?,
        };
        if lies_within(&key_file, &data_dir) {
            bail!(
                "the key file `{}` lies inside the data folder: a copy of the folder would hold both; \
                 give a `--key-file` elsewhere",
                key_file.display()
            );
        }
        Ok(Place { data_dir, key_file })
    }

    /// Which database the store is on. A URL holds a password, so it comes from a file or the environment.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        let url = match &self.written.store.database_url_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                let text = text.with_context(|| format!("read the database URL in `{}`", file.display()))?;
                Some(SecretString::from(text.trim()))
            }
            None => environment::text(environment::DATABASE_URL).map(SecretString::from),
        };
        match url {
            None => Ok(Database::Embedded(self.place()?.data_dir)),
            Some(url) if is_postgres(url.expose_secret()) => Ok(Database::Postgres(url)),
            Some(_) => bail!("the database URL must begin with `postgres://`"),
        }
    }

    /// Where the key-encryption key lies.
    pub(crate) fn key_file(&self) -> anyhow::Result<PathBuf> {
        match (&self.written.store.key_file, environment::config_home()) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(home)) => Ok(home.join("kek.key")),
            (None, None) => bail!("no home folder is known: give `--key-file`"),
        }
    }

    /// Where a forwarder's own private key lies.
    pub(crate) fn node_key_file(&self, provider: &Provider) -> anyhow::Result<PathBuf> {
        let file = match (&self.written.forwarder.node_key_file, environment::config_home()) {
            (Some(file), _) => file.clone(),
            (None, Some(home)) => home.join(format!("forwarder-{provider}.key")),
            (None, None) => bail!("no home folder is known: give `--node-key`"),
        };
        match &self.written.snapshot_file {
            Some(snapshot) if lies_beside(&file, snapshot) => bail!("{NODE_KEY_BESIDE_SNAPSHOT}"),
            _ => Ok(file),
        }
    }
}

const NODE_KEY_BESIDE_SNAPSHOT: &str = "the forwarder's key (`--node-key`) lies in the folder of its snapshot: a copy of \
     the folder would hold both; keep them in different folders";

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn listeners(written: &Written, mistakes: &mut Vec<String>) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = written
        .listeners
        .iter()
        .map(|one| Listener { address: one.address, planes: one.planes.clone(), tls: one.tls.clone() })
        .collect();
    if listeners.is_empty() {
        listeners.push(Listener { address: LISTEN, planes: Planes::both(), tls: None });
    }
    for listener in &listeners {
        if listener.planes.is_empty() {
            mistakes
                .push(format!("listener {}: `planes` must name `data`, `admin` or both", listener.address));
        }
        if !listener.address.ip().is_loopback() && !written.insecure_open {
            mistakes.extend(open_by_accident(listener, written.access.data));
        }
    }
    listeners
}

/// What keeps a listener beyond loopback from being open although nobody said so.
fn open_by_accident(listener: &Listener, data: DataAccess) -> Vec<String> {
    let address = listener.address;
    let mut mistakes = Vec::new();
    if listener.planes.contains(&Planes::Data) && data == DataAccess::Open {
        mistakes.push(format!(
            "listener {address}: not a loopback address, and calls need no key: whoever reaches it spends your money; \
             set `access.data = \"keys\"` (`--client-keys`), or give `--insecure-open` if that is what you want"
        ));
    }
    if listener.planes.contains(&Planes::Admin) {
        mistakes.push(format!(
            "listener {address}: not a loopback address, and admins need no credential yet: whoever reaches it changes \
             your endpoints; leave `admin` out of its `planes`, or give `--insecure-open` if that is what you want"
        ));
    }
    mistakes
}

/// A key that lies with what it protects is copied with it.
fn keys_apart(written: &Written, mistakes: &mut Vec<String>) {
    if let (Some(data), Some(key)) = (&written.store.data_dir, &written.store.key_file)
        && lies_within(key, data)
    {
        mistakes.push(
            "the key file lies inside the data folder: a copy of the folder would hold both".to_owned(),
        );
    }
    if let (Some(snapshot), Some(key)) = (&written.snapshot_file, &written.forwarder.node_key_file)
        && lies_beside(key, snapshot)
    {
        mistakes.push(NODE_KEY_BESIDE_SNAPSHOT.to_owned());
    }
}

/// Whether a key is in the folder of `other`, or below.
fn lies_beside(key: &Path, other: &Path) -> bool {
    let other = std::path::absolute(other).unwrap_or_default();
    other.parent().is_some_and(|folder| lies_within(key, folder))
}

/// Whether `file` is in `folder` or below, links followed as far as the two exist.
fn lies_within(file: &Path, folder: &Path) -> bool {
    match (real(file), real(folder)) {
        (Some(file), Some(folder)) => file.starts_with(folder),
        _ => false,
    }
}

/// The absolute path, links of the part that exists followed.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let (part, real) = there?;
    Some(real.join(path.strip_prefix(part).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_does_not_hide_where_a_key_lies() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("elsewhere"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(lies_within(&link.join("kek.key"), &data));
        assert!(lies_within(&data.join("deep/er/kek.key"), &data));
        assert!(!lies_within(&folder.path().join("data-2/kek.key"), &data));
        assert!(!lies_within(&folder.path().join("kek.key"), &data));
    }
}

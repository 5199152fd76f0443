//! From what was written, on the command line, in the environment and in the file, to what a role is built from.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use names::Provider;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Written, WrittenHome, WrittenListener, WrittenTls};
use crate::environment;

/// Where the edge listens unless told otherwise.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);
/// Where the store service listens unless told otherwise.
pub(crate) const STORE_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5001);
/// Where a forwarder service listens unless told otherwise.
pub(crate) const FORWARDER_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5002);
/// How long running calls may take to end, unless told otherwise: the SDKs' own read timeout.
const DRAIN_MAX: Duration = Duration::from_secs(600);

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

/// What the command line said, before the file is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen` of an edge
    pub listen: Option<SocketAddr>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--key-file`
    pub key_file: Option<PathBuf>,
    /// `--database-url-file`
    pub database_url_file: Option<PathBuf>,
    /// `--insecure-open`
    pub insecure_open: bool,
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

/// A database.
#[derive(Debug)]
pub(crate) enum Database {
    /// The embedded one, in its folder.
    Embedded,
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

/// Where the forwarder of a provider is.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    /// In this process.
    Here,
    /// A service.
    Remote(Remote),
}

/// The address of another service of Keyward.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// `http://…`
    pub url: http::Uri,
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
    /// Homes of forwarders by provider.
    pub forwarders: BTreeMap<Provider, Home>,
    /// The store service, for those that need one.
    pub store: Option<Remote>,
}

impl Sources {
    /// Reads the file, lays environment and command line over it, and checks all of it; every mistake in one error.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        let mut written = self.read()?;
        self.lay_over(&mut written);
        let mut mistakes = Vec::new();
        let listeners = listeners(&written, &mut mistakes);
        let forwarders = homes(&written, &self.forwarders, &mut mistakes);
        let store = written.store.url.as_deref().and_then(|url| remote("store.url", url, &mut mistakes));
        key_apart_from_data(&written, &mut mistakes);
        if let Err(mistake) = written.egress.policy() {
            mistakes.push(format!("`egress.allow`: {mistake}"));
        }
        if !mistakes.is_empty() {
            bail!("the configuration cannot be used:\n  - {}", mistakes.join("\n  - "));
        }
        let drain_max = written.drain_max.map_or(DRAIN_MAX, |duration| duration.0);
        Ok(Ready { written, listeners, drain_max, forwarders, store })
    }

    fn read(&self) -> anyhow::Result<Written> {
        let Some(file) = &self.config else { return Ok(Written::default()) };
        if !file.is_file() {
            bail!("there is no configuration file `{}`", file.display());
        }
        Figment::new().merge(Toml::file_exact(file)).extract().with_context(|| format!("read `{}`", file.display()))
    }

    fn lay_over(&self, written: &mut Written) {
        if let Some(address) = self.listen {
            written.listeners = vec![WrittenListener { address, planes: Planes::both(), tls: None }];
        }
        let over = |place: &mut Option<PathBuf>, given: &Option<PathBuf>| {
            if given.is_some() {
                place.clone_from(given);
            }
        };
        over(&mut written.store.data_dir, &self.data_dir);
        over(&mut written.store.key_file, &self.key_file);
        over(&mut written.store.database_url_file, &self.database_url_file);
        over(&mut written.snapshot_file, &self.snapshot);
        over(&mut written.forwarder.node_key_file, &self.node_key);
        if self.store_url.is_some() {
            written.store.url.clone_from(&self.store_url);
        }
        if self.replica.is_some() {
            written.replica.clone_from(&self.replica);
        }
        written.insecure_open |= self.insecure_open;
        if let Some(allow) = environment::text(environment::EGRESS_ALLOW) {
            written.egress.allow = allow.split(',').map(|entry| entry.trim().to_owned()).collect();
        }
        if let Some(filter) = environment::text(environment::LOG) {
            written.telemetry.filter = filter;
        }
        if let Some(endpoint) = environment::text(environment::OTLP_ENDPOINT) {
            let otlp = telemetry::Otlp { endpoint, sample_ratio: 1.0, timeout_ms: 10_000 };
            written.telemetry.otlp.get_or_insert(otlp);
        }
    }
}

impl Ready {
    /// Where data and key lie, by default in the user's own folders, which are apart.
    pub(crate) fn place(&self) -> anyhow::Result<Place> {
        let store = &self.written.store;
        let default = |home: Option<PathBuf>, name: &str, option: &str| {
            home.map(|home| home.join(name)).with_context(|| format!("no home folder is known: give `{option}`"))
        };
        let data_dir = match &store.data_dir {
            Some(folder) => folder.clone(),
            None => default(environment::data_home(), "data", "--data-dir")?,
        };
        let key_file = match &store.key_file {
            Some(file) => file.clone(),
            None => default(environment::config_home(), "kek.key", "--key-file")?,
        };
        Ok(Place { data_dir, key_file })
    }

    /// Which database the store is on. A URL holds a password, so it comes from a file or the environment.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        let from_file = |file: &Path| -> anyhow::Result<SecretString> {
            let text = std::fs::read_to_string(file).with_context(|| format!("read `{}`", file.display()))?;
            Ok(SecretString::from(text.trim()))
        };
        let url = match &self.written.store.database_url_file {
            Some(file) => Some(from_file(file)?),
            None => environment::text(environment::DATABASE_URL).map(SecretString::from),
        };
        match url {
            None => Ok(Database::Embedded),
            Some(url) if url.expose_secret().starts_with("postgres") => Ok(Database::Postgres(url)),
            Some(_) => bail!("the database URL must begin with `postgres://`"),
        }
    }
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
            mistakes.push(format!("listener {}: `planes` must name `data`, `admin` or both", listener.address));
        }
        if !listener.address.ip().is_loopback() && !written.insecure_open {
            mistakes.push(format!(
                "listener {}: not a loopback address, and nobody needs a credential yet: whoever reaches it spends \
                 your money and changes your endpoints; give `--insecure-open` if that is what you want",
                listener.address
            ));
        }
    }
    listeners
}

fn homes(written: &Written, given: &[String], mistakes: &mut Vec<String>) -> BTreeMap<Provider, Home> {
    let mut homes = BTreeMap::new();
    let mut add = |provider: &str, home: Option<Home>, mistakes: &mut Vec<String>| match Provider::parse(provider) {
        Ok(provider) => {
            if let Some(home) = home {
                homes.insert(provider, home);
            }
        }
        Err(error) => mistakes.push(format!("a provider's name {error}")),
    };
    for (provider, home) in &written.forwarders {
        let home = match home {
            WrittenHome::Here {} => Some(Home::Here),
            WrittenHome::Remote { url } => remote("forwarders.….remote.url", url, mistakes).map(Home::Remote),
        };
        add(provider, home, mistakes);
    }
    for pair in given {
        match pair.split_once('=') {
            Some((provider, url)) => {
                let home = remote("--forwarder", url, mistakes).map(Home::Remote);
                add(provider, home, mistakes);
            }
            None => mistakes.push("`--forwarder` takes PROVIDER=URL, e.g. gemini=http://127.0.0.1:5002".to_owned()),
        }
    }
    homes
}

/// Another service's address: plain text on loopback only, until services authenticate each other.
fn remote(key: &str, url: &str, mistakes: &mut Vec<String>) -> Option<Remote> {
    let parsed = url.parse::<http::Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
    let Some(uri) = parsed else {
        mistakes.push(format!("`{key}` must be an address like http://127.0.0.1:5001"));
        return None;
    };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if !loopback {
        mistakes.push(format!("`{key}`: only loopback addresses until services authenticate each other"));
        return None;
    }
    Some(Remote { url: uri })
}

/// A key that lies in the folder it protects is copied with it.
fn key_apart_from_data(written: &Written, mistakes: &mut Vec<String>) {
    if let (Some(data), Some(key)) = (&written.store.data_dir, &written.store.key_file)
        && std::path::absolute(key).ok().zip(std::path::absolute(data).ok()).is_some_and(|(key, data)| key.starts_with(data))
    {
        mistakes.push("the key file lies inside the data folder: a copy of the folder would hold both".to_owned());
    }
}

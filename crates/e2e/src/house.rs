//! Keyward running in one of its shapes, with a provider that does as it is told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use provider_sim::{Match, Script, Sim};
use tempfile::TempDir;

use crate::{
    admin::Admin,
    database::Database,
    machine,
    process::{PATIENCE, Process, Run},
};

/// How Keyward is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Everything in one process, on SQLite.
    Serve,
    /// Store, forwarder and edge as processes of their own, on Postgres.
    Apart,
}

/// Where the provider takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// Cleartext HTTP/1.1.
    #[default]
    Http1,
    /// TLS, where HTTP/2 is chosen.
    Http2,
}

/// What a house is to be like.
#[derive(Debug, Clone)]
pub struct Plan {
    shape: Shape,
    provider: Provider,
    log: String,
    config: String,
    forwarders: &'static [&'static str],
    plain: bool,
}

impl Plan {
    /// Of that shape, else with the defaults.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            provider: Provider::default(),
            log: "info".to_owned(),
            config: String::new(),
            forwarders: &["gemini"],
            plain: false,
        }
    }

    /// With a provider that speaks so.
    pub fn provider(self, provider: Provider) -> Self {
        Self { provider, ..self }
    }

    /// With this log filter.
    pub fn log(self, filter: &str) -> Self {
        Self { log: filter.to_owned(), ..self }
    }

    /// With these lines of TOML in every process's configuration file. Tables only: what a house needs goes behind them.
    pub fn config(self, lines: &str) -> Self {
        Self { config: lines.to_owned(), ..self }
    }

    /// With forwarders for these providers, where each is a process of its own.
    pub fn forwarders(self, forwarders: &'static [&'static str]) -> Self {
        Self { forwarders, ..self }
    }

    /// With services that believe whoever reaches them; else they show each other certificates.
    pub fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Builds it. None where this machine lacks what it needs, which `cargo xtask test` has named then.
    pub async fn start(self) -> Result<Option<House>> {
        // One cryptographic library in this process too; a second installation is no harm.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let database = match self.shape {
            Shape::Serve => None,
            Shape::Apart => match Database::create().await? {
                None => return Ok(None),
                some => some,
            },
        };
        let sim = Sim::start().await?;
        let folder = tempfile::Builder::new().prefix("keyward-e2e-").tempdir().context("a folder")?;
        let mut house = House {
            plan: self,
            sim,
            folder,
            database,
            url: String::new(),
            store: String::new(),
            homes: Vec::new(),
            processes: Vec::new(),
        };
        house.furnish()?;
        house.open().await?;
        Ok(Some(house))
    }
}

/// A running Keyward. Dropped, it is gone with its files.
#[derive(Debug)]
pub struct House {
    // Processes go before the provider and the folder that they use.
    processes: Vec<(&'static str, Process)>,
    plan: Plan,
    /// The provider.
    pub sim: Sim,
    /// Postgres's part, where there is one.
    pub database: Option<Database>,
    /// Where the edge listens.
    pub url: String,
    /// Where the store listens, where it is a process of its own.
    store: String,
    /// Where forwarders listen, where they are processes of their own.
    homes: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl House {
    /// A folder for this test, the home of every process.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The base URL for Google's SDKs.
    pub fn gemini_url(&self) -> String {
        format!("{}/gateway/gemini", self.url)
    }

    /// The provider's address, as an admin writes it.
    pub fn api_base(&self) -> String {
        match self.plan.provider {
            Provider::Http1 => self.sim.http1_url(),
            Provider::Http2 => self.sim.tls_url(),
        }
    }

    /// Where the store listens, where it is a process of its own.
    pub fn store_url(&self) -> &str {
        &self.store
    }

    /// A client of the management API.
    pub fn admin(&self) -> Result<Admin> {
        Admin::new(&self.url)
    }

    /// Publishes the endpoint `gemini-v1` with this key, for the model `gemini-2.5-flash`.
    pub async fn publish(&self, key: &str) -> Result<()> {
        let admin = self.admin()?;
        let secret = admin.secret("gemini_api", key, &self.api_base()).await?;
        let definition = admin.model("gemini-2.5-flash", &secret, "gemini-2.5-flash").await?;
        admin.endpoint("gemini-v1", &definition).await.map(drop)
    }

    /// Forgets what the provider was told and what it saw; it answers the next calls with these, in order.
    pub fn play(&self, scripts: &[Script]) {
        self.sim.clear();
        for script in scripts {
            self.sim.script_once(Match::any(), script.clone());
        }
    }

    /// Files that processes share: the configuration, the provider's certificate authority, the database's URL.
    fn furnish(&self) -> Result<()> {
        fs::write(self.file("ca.pem"), self.sim.ca_pem()).context("the certificate authority")?;
        // No load balancer is to learn of the end first.
        let duck = "lame_duck = \"1ms\"";
        let egress = format!("[egress]\nca_file = \"{}\"\n", self.file("ca.pem").display());
        fs::write(self.file("keyward.toml"), format!("{duck}\n{}\n{egress}", self.plan.config))
            .context("the configuration")?;
        if let Some(database) = &self.database {
            fs::write(self.file("database-url"), database.url()).context("the database's URL")?;
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<()> {
        match self.plan.shape {
            Shape::Serve => self.start_serve().await,
            Shape::Apart => {
                self.certify().await?;
                self.migrate().await?;
                let store = self.start_store().await?;
                let mut homes = Vec::new();
                for provider in self.plan.forwarders {
                    homes.push((*provider, self.start_forwarder_of(provider, &store).await?));
                }
                self.homes.clone_from(&homes);
                self.start_edge_before(&store, &homes).await
            }
        }
    }

    /// `keyward serve`
    async fn start_serve(&mut self) -> Result<()> {
        self.start_serve_on("data", "kek.key").await
    }

    /// `keyward serve` on this data folder with this key, both in the house's own folder.
    pub async fn start_serve_on(&mut self, data: &str, key: &str) -> Result<()> {
        let run = Run::new("serve --listen 127.0.0.1:0 --data-dir").with(data).with("--key-file").with(key);
        self.url = self.start("serve", run).await?;
        self.wait_until_ready().await
    }

    /// Starts everything again, on the same data, after all of it has ended.
    pub async fn restart(&mut self) -> Result<()> {
        self.processes.clear();
        self.open().await
    }

    /// Certificates for every service, where they are to show some and have none yet.
    async fn certify(&self) -> Result<()> {
        if self.plan.plain || self.file("certs").exists() {
            return Ok(());
        }
        let providers = self.plan.forwarders.iter();
        let run = providers
            .fold(Run::new("certs init certs"), |run, provider| run.with("--provider").with(provider));
        let finished = run.finish(&machine::keyward()?, self.folder(), b"").await?;
        finished.success().context("keyward certs init").map(drop)
    }

    /// What a service knows others by.
    fn trusting(&self, run: Run, service: &str) -> Run {
        if self.plan.plain {
            return run;
        }
        run.with("--tls-dir").with(self.file(&format!("certs/{service}")))
    }

    async fn migrate(&self) -> Result<()> {
        let run = Run::new("store migrate --database-url-file database-url");
        let finished = run.finish(&machine::keyward()?, self.folder(), b"").await?;
        finished.success().context("keyward store migrate").map(drop)
    }

    /// `keyward store`; its address.
    async fn start_store(&mut self) -> Result<String> {
        self.store = self.start_store_at("127.0.0.1:0").await?;
        Ok(self.store.clone())
    }

    /// Starts the store again where it was, after it has ended.
    pub async fn restart_store(&mut self) -> Result<()> {
        let address = self.store.rsplit('/').next().unwrap_or_default().to_owned();
        self.start_store_at(&address).await.map(drop)
    }

    async fn start_store_at(&mut self, address: &str) -> Result<String> {
        let run =
            Run::new("store --database-url-file database-url --key-file kek.key --listen").with(address);
        self.start("store", self.trusting(run, "store")).await
    }

    /// `keyward forwarder gemini`; its address.
    pub async fn start_forwarder(&mut self, store: &str) -> Result<String> {
        self.start_forwarder_of("gemini", store).await
    }

    /// `keyward forwarder PROVIDER`; its address. Gemini's files have the names of a forwarder that is alone.
    async fn start_forwarder_of(&mut self, provider: &'static str, store: &str) -> Result<String> {
        let (key, snapshot) = if provider == "gemini" { ("node", "forwarder") } else { (provider, provider) };
        let run =
            Run::new("forwarder").with(provider).with("--listen").with("127.0.0.1:0").with("--node-key");
        let run = run.with(format!("keys/{key}.key")).with("--store").with(store).with("--snapshot");
        let run = self.trusting(
            run.with(self.file(&format!("snapshots/{snapshot}"))),
            &format!("forwarder-{provider}"),
        );
        self.start("forwarder", run).await
    }

    /// `keyward edge` before one forwarder, Gemini's.
    pub async fn start_edge(&mut self, store: &str, forwarder: &str) -> Result<()> {
        self.start_edge_before(store, &[("gemini", forwarder.to_owned())]).await
    }

    /// `keyward edge` before the forwarders of these providers.
    async fn start_edge_before(&mut self, store: &str, forwarders: &[(&str, String)]) -> Result<()> {
        let mut run = Run::new("edge --listen 127.0.0.1:0 --store").with(store);
        for (provider, address) in forwarders {
            run = run.with("--forwarder").with(format!("{provider}={address}"));
        }
        let run = self.trusting(run.with("--snapshot").with(self.file("snapshots/edge")), "edge-admin");
        self.url = self.start("edge", run).await?;
        self.wait_until_ready().await
    }

    /// One more edge, which has the data plane only; calls go to it from now on. Plays `data-edge`.
    pub async fn start_data_edge(&mut self) -> Result<()> {
        let config = fs::read_to_string(self.file("keyward.toml")).context("the configuration")?;
        let listener = "[[listeners]]\naddress = \"127.0.0.1:0\"\nplanes = [\"data\"]\n";
        fs::write(self.file("data.toml"), format!("{config}\n{listener}")).context("its configuration")?;
        let mut run = Run::new("edge --store").with(&self.store);
        for (provider, address) in &self.homes {
            run = run.with("--forwarder").with(format!("{provider}={address}"));
        }
        let run =
            run.with("--replica").with("data-edge").with("--snapshot").with(self.file("snapshots/data-edge"));
        self.url = self.start_with("data-edge", self.trusting(run, "edge"), "data.toml").await?;
        self.wait_until_ready().await
    }

    /// Makes new certificates for every service under the same authority, as an operator does.
    pub async fn renew_certificates(&self) -> Result<()> {
        let run = Run::new("certs renew certs");
        let finished = run.finish(&machine::keyward()?, self.folder(), b"").await?;
        finished.success().context("keyward certs renew").map(drop)
    }

    /// Starts a role and waits until it listens; its address.
    async fn start(&mut self, role: &'static str, run: Run) -> Result<String> {
        self.start_with(role, run, "keyward.toml").await
    }

    /// The same, with a configuration file of its own.
    async fn start_with(&mut self, role: &'static str, run: Run, config: &str) -> Result<String> {
        for folder in ["keys", "snapshots"] {
            fs::create_dir_all(self.file(folder)).context("a folder")?;
        }
        let run = run.with("--config").with(self.file(config));
        let run = run.variable("KEYWARD_EGRESS_ALLOW", "http://127.0.0.0/8,https://127.0.0.0/8");
        let run = run.variable("KEYWARD_LOG", &self.plan.log);
        let mut process = run.start(&machine::keyward()?, self.folder())?;
        let line = process.wait_for("listening on ").await?;
        let url = line.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned();
        self.processes.push((role, process));
        Ok(url)
    }

    /// Waits until the edge says that it is ready.
    async fn wait_until_ready(&self) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let ready = async {
            let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
            loop {
                look.tick().await;
                let answer = http.get(format!("{}/readyz", self.url)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
            }
        };
        let ready = tokio::time::timeout(PATIENCE, ready).await;
        ready.with_context(|| format!("the edge at {} did not become ready:\n{}", self.url, self.said()))
    }

    /// The process that plays this role.
    pub fn process(&mut self, role: &str) -> Result<&mut Process> {
        let found = self.processes.iter_mut().rev().find(|(name, _)| *name == role);
        found.map(|(_, process)| process).with_context(|| format!("no process plays `{role}`"))
    }

    /// The process that takes clients' connections.
    pub fn front(&mut self) -> Result<&mut Process> {
        let role = if self.plan.shape == Shape::Serve { "serve" } else { "edge" };
        self.process(role)
    }

    /// Every process and what it plays, those that have ended included.
    pub fn processes(&mut self) -> impl Iterator<Item = &mut (&'static str, Process)> {
        self.processes.iter_mut()
    }

    /// What every process said, for a failed test.
    pub fn said(&self) -> String {
        let one = |(role, process): &(&str, Process)| format!("== {role}\n{}", process.text());
        self.processes.iter().map(one).collect()
    }
}

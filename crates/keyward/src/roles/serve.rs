//! `keyward serve`: all roles in one process, over the same seams.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use edge::Forwarder;
use seal::handover::KeyPair;
use store::{Admin, Catalog, Held, PublishedEndpoint, Store, Vault};

use super::{
    followed::{self, Background, Watching},
    front::{self, Front},
    providers::{Built, Known},
    said::{self, say},
    storage::{self, Storage},
    telemetry_of,
};
use crate::{
    command,
    config::{CATCH_UP_MAX, Database, Home, Ready, Sources},
    lifecycle::{Lifecycle, Patience, Signals},
};

/// How long the start waits for the state that lies in its own database.
const LOAD_MAX: Duration = Duration::from_secs(5);

/// Runs until told to stop.
pub(crate) async fn run(arguments: command::Serve) -> anyhow::Result<()> {
    let ready = sources(arguments).ready()?;
    let telemetry = telemetry_of(&ready, "keyward")?;
    let signals = Signals::listen()?;
    let lifecycle = Lifecycle::default();
    let house = House::open(&ready, &ready.database()?, &lifecycle).await?;
    say(&house.greeting());
    let lame_duck = ready.written.lame_duck.map_or(Duration::ZERO, |duration| duration.0);
    let patience = Patience { lame_duck, drain_max: ready.drain_max };
    lifecycle.run(signals, patience, || house.front.edge.turn_lame()).await;
    house.close().await;
    super::stop(telemetry).await;
    Ok(())
}

fn sources(arguments: command::Serve) -> Sources {
    let command::Serve { listen, place, client_keys, insecure_open, configured } = arguments;
    Sources { listen, client_keys, insecure_open, ..place.sources(&configured) }
}

/// All roles of one process.
pub(crate) struct House {
    /// The edge.
    pub front: Front,
    storage: Storage,
    catalog: Arc<Held<PublishedEndpoint>>,
    background: Background,
}

impl House {
    /// Opens the database, builds every room, and begins to take calls.
    pub(crate) async fn open(
        ready: &Ready,
        database: &Database,
        lifecycle: &Lifecycle,
    ) -> anyhow::Result<Self> {
        let bound = front::bind(ready).await?;
        let storage = storage::open(ready, database, true).await?;
        let store = Arc::new(storage.store.clone());
        let mut background = Background::default();
        let replica = replica(ready, database, bound.address());
        let (admin, watched): (Arc<dyn Admin>, Arc<dyn Catalog>) = (store.clone(), store.clone());
        let catalog = followed::catalog(&mut background, watched, replica.clone(), None).await;
        let forwarders = forwarders(ready, &store, &replica, &mut background).await?;
        if !followed::loaded(&catalog, LOAD_MAX).await {
            tracing::warn!("the endpoints are still being loaded; `/readyz` says when they are there");
        }
        let policy = followed::policy(&mut background, ready, store, replica).await;
        let front = bound.serve(ready, lifecycle, policy, Arc::clone(&catalog), forwarders, &admin);
        Ok(Self { front, storage, catalog, background })
    }

    /// Lets go of the database; everything that may still need it has ended.
    pub(crate) async fn close(self) {
        drop(self.background);
        self.storage.store.close().await;
    }

    fn greeting(&self) -> String {
        let endpoint = self.catalog.all().first().map(|endpoint| endpoint.name.to_string());
        [
            self.front.lines.clone(),
            said::storage(&self.storage),
            said::first_steps(&self.front.url, endpoint.as_deref()),
        ]
        .concat()
    }
}

/// The forwarder of every provider, in this process, over one watch. Secrets cross this seam sealed too: the same types,
/// the same way.
async fn forwarders(
    ready: &Ready,
    store: &Arc<Store>,
    replica: &str,
    background: &mut Background,
) -> anyhow::Result<HashMap<names::Provider, Forwarder>> {
    if ready.forwarders.values().any(|home| matches!(home, Home::Remote(_))) {
        anyhow::bail!(
            "`serve` runs every forwarder itself: take the remote `forwarders` out of its configuration"
        );
    }
    let outbound = ready.written.egress.clone().build().context("read `egress.ca_file`")?;
    let vault: Arc<dyn Vault> = store.clone();
    let watching = Watching {
        vault,
        replica: replica.to_owned(),
        key: KeyPair::generate().context("make a key for this process")?,
        snapshot_file: None,
        catch_up_max: ready.written.forwarder.catch_up_max.map_or(CATCH_UP_MAX, |duration| duration.0),
    };
    let providers: Vec<_> = ready.providers.iter().collect();
    let forwarding = followed::vault(background, &providers, &outbound, watching)?;
    followed::loaded(&forwarding.held, LOAD_MAX).await;
    let forwarder = |(known, built): (&&Known, Built)| {
        Ok((known.provider()?, Forwarder { dialects: known.dialects.to_vec(), forward: built.forward }))
    };
    providers.iter().zip(forwarding.built).map(forwarder).collect()
}

/// The embedded database has this one process; on Postgres there may be more.
fn replica(ready: &Ready, database: &Database, address: Option<SocketAddr>) -> String {
    match (&ready.written.replica, database) {
        (Some(name), _) => name.clone(),
        (None, Database::Embedded(_)) => "serve".to_owned(),
        (None, Database::Postgres(_)) => super::replica_of_host("serve", address),
    }
}

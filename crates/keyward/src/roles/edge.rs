//! `keyward edge`: HTTP in. Holds no provider key; everything it needs for a call is pushed to it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::bail;
use edge::Forwarder;
use names::Provider;
use store::Catalog;

use super::{
    followed::{self, Background},
    front,
    said::say,
    service, telemetry_of,
    traced::Traced,
    trusted::Trusted,
};
use crate::{
    command,
    config::{Home, Ready, Sources},
    lifecycle::{Lifecycle, Patience, Signals},
};

/// How long `/readyz` says no before connections are refused, unless told otherwise: a few probes of a load balancer.
const LAME_DUCK: Duration = Duration::from_secs(5);

/// Runs until told to stop.
pub(crate) async fn run(arguments: command::Edge) -> anyhow::Result<()> {
    let ready = sources(arguments).ready()?;
    let mut background = Background::default();
    let trusted = Trusted::open(&ready, trust::Expected::Edge, &mut background)?;
    trusted.fits_planes(&ready)?;
    let store = Arc::new(super::remote_store(&ready, &trusted)?);
    let forwarders = forwarders(&ready, &trusted)?;
    let telemetry = telemetry_of(&ready, "keyward-edge")?;
    let signals = Signals::listen()?;
    let bound = front::bind(&ready).await?;
    let replica = ready.written.replica.clone();
    let replica = replica.unwrap_or_else(|| super::replica_of_host("edge", bound.address()));
    let watched: Arc<dyn Catalog> = store.clone();
    let snapshot_file = ready.written.snapshot_file.as_deref();
    let catalog = followed::catalog(&mut background, watched, replica.clone(), snapshot_file).await;
    let policy = followed::policy(&mut background, &ready, store.clone(), replica.clone()).await;
    let lifecycle = Lifecycle::default();
    let admin: Arc<dyn store::Admin> = store;
    let front = bound.serve(&ready, &lifecycle, policy, catalog, forwarders, &admin);
    say(&format!("{}replica {replica}\n", front.lines));
    let lame_duck = ready.written.lame_duck.map_or(LAME_DUCK, |duration| duration.0);
    let patience = Patience { lame_duck, drain_max: ready.drain_max };
    lifecycle.run(signals, patience, || front.edge.turn_lame()).await;
    drop(background);
    super::stop(telemetry).await;
    Ok(())
}

fn sources(arguments: command::Edge) -> Sources {
    Sources {
        config: arguments.configured.config,
        listen: arguments.listen,
        store_url: arguments.store,
        forwarders: arguments.forwarder,
        snapshot: arguments.snapshot,
        replica: arguments.replica,
        client_keys: arguments.client_keys,
        insecure_open: arguments.insecure_open,
        tls_dir: arguments.internal.tls_dir,
        insecure_internal: arguments.internal.insecure_internal,
        ..Sources::default()
    }
}

/// Every forwarder, behind its wire.
fn forwarders(ready: &Ready, trusted: &Trusted) -> anyhow::Result<HashMap<Provider, Forwarder>> {
    let mut forwarders = HashMap::new();
    for (provider, home) in &ready.forwarders {
        let Home::Remote(uri) = home else {
            bail!(
                "`edge` holds no provider key: the forwarder of `{provider}` must be a service (`--forwarder {provider}=http://…`)"
            );
        };
        let known = ready.providers.find(provider)?;
        let channel =
            trusted.channel(uri, trust::Expected::Forwarder(provider.clone()), forward_grpc::tuned)?;
        let remote = forward_grpc::Remote::new(channel, Some(service::inject()));
        let remote = Traced(remote.stating(trusted.stating(provider)));
        forwarders.insert(
            provider.clone(),
            Forwarder { dialects: known.dialects.to_vec(), forward: Arc::new(remote) },
        );
    }
    if forwarders.is_empty() {
        bail!("no forwarder is known: give `--forwarder gemini=http://127.0.0.1:5002`");
    }
    Ok(forwarders)
}

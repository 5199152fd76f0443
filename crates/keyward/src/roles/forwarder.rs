//! `keyward forwarder PROVIDER`: turns calls into one provider's requests, and holds that provider's keys in memory.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use anyhow::Context as _;
use names::Provider;
use seal::handover::KeyPair;
use store::Vault;

use super::{
    followed::{self, Background, Watching},
    said::say,
    service, telemetry_of,
    trusted::Trusted,
};
use crate::{
    command,
    config::{CATCH_UP_MAX, FORWARDER_LISTEN, Ready, Sources},
    lifecycle::{Lifecycle, Patience, Signals},
};

/// Runs until told to stop.
pub(crate) async fn run(arguments: command::Forwarder) -> anyhow::Result<()> {
    let provider = Provider::parse(&arguments.provider).context("the provider's name")?;
    let ready = sources(arguments).ready()?;
    let known = ready.providers.find(&provider)?;
    let mut background = Background::default();
    let trusted = Trusted::open(&ready, trust::Expected::Forwarder(provider.clone()), &mut background)?;
    let store = super::remote_store(&ready, &trusted)?;
    let telemetry = telemetry_of(&ready, "keyward-forwarder")?;
    let signals = Signals::listen()?;
    let listen = ready.written.forwarder.listen.unwrap_or(FORWARDER_LISTEN);
    let (socket, address) = service::bind(listen, &trusted).await?;
    let outbound = ready.written.egress.clone().build().context("read `egress.ca_file`")?;
    let watching = watching(&ready, &provider, Arc::new(store))?;
    let replica = watching.replica.clone();
    let mut forwarding = followed::vault(&mut background, &[known], &outbound, watching)?;
    let built = forwarding.built.pop().context("one forwarder was asked for")?;
    let lifecycle = Lifecycle::default();
    let routes = forward_grpc::serve_admitted(
        built.forward,
        Some(Arc::new(service::forward_span)),
        trusted.checking(),
    )
    .await;
    service::serve(&lifecycle, forward_grpc::server(), routes, socket, &trusted);
    let scheme = trusted.scheme();
    say(&format!(
        "listening on {scheme}://{address} (gRPC: forwarder of {provider})\nreplica {replica}\nkey in {}\n",
        ready.node_key_file(&provider)?.display()
    ));
    let patience = Patience { lame_duck: Duration::ZERO, drain_max: ready.drain_max };
    lifecycle.run(signals, patience, || ()).await;
    drop(background);
    super::stop(telemetry).await;
    Ok(())
}

fn sources(arguments: command::Forwarder) -> Sources {
    Sources {
        config: arguments.configured.config,
        forwarder_listen: arguments.listen,
        store_url: arguments.store,
        node_key: arguments.node_key,
        snapshot: arguments.snapshot,
        replica: arguments.replica,
        tls_dir: arguments.internal.tls_dir,
        insecure_internal: arguments.internal.insecure_internal,
        ..Sources::default()
    }
}

/// Who this forwarder is. Its key says so, unless it was given a name: both are the same after a restart, and what was
/// sealed to them before, in the snapshot, opens.
fn watching<'a>(
    ready: &'a Ready,
    provider: &Provider,
    vault: Arc<dyn Vault>,
) -> anyhow::Result<Watching<'a>> {
    let file = ready.node_key_file(provider)?;
    let key = KeyPair::load_or_create(&file).context("read this forwarder's own key (`--node-key`)")?;
    let replica = ready.written.replica.clone().unwrap_or_else(|| {
        let mut name = format!("forwarder-{provider}-");
        for byte in &key.public_key()[..6] {
            let _ = write!(name, "{byte:02x}");
        }
        name
    });
    let snapshot_file = ready.written.snapshot_file.as_deref();
    let catch_up_max = ready.written.forwarder.catch_up_max.map_or(CATCH_UP_MAX, |duration| duration.0);
    Ok(Watching { vault, replica, key, snapshot_file, catch_up_max })
}

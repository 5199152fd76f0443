//! Pushed state in memory: one follower for a catalog, one for a vault, kept on disk where wanted.

use std::{path::Path, sync::Arc, time::Duration};

use edge::{Keys, Policy};
use forward_http::Outbound;
use seal::handover::KeyPair;
use store::{
    AtEdge, AtForwarder, AtGate, Callers, Catalog, Entropy as _, Held, Pace, Progress, PublishedEndpoint,
    Role, SealedTarget, System, Vault, Watcher, follow,
};
use store_grpc::snapshot;
use tokio::task::JoinSet;

use super::providers::{Built, Known};
use crate::{
    bind::{self, Opened, VaultTargets},
    config::{DataAccess, Ready},
};

/// Tasks that only feed this process; they are dropped at its end, when nobody asks any more.
#[derive(Debug, Default)]
pub(super) struct Background(JoinSet<()>);

impl Background {
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }
}

/// Forwarders over their part of the vault.
pub(super) struct Forwarding {
    /// Take calls, in the order of their providers.
    pub built: Vec<Built>,
    /// Their targets; each takes only its own provider's.
    pub held: Arc<Held<Opened>>,
}

/// A vault, and who watches it.
pub(super) struct Watching<'a> {
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// This forwarder's name among replicas.
    pub replica: String,
    /// What opens its secrets.
    pub key: KeyPair,
    /// Where its targets are kept on disk.
    pub snapshot_file: Option<&'a Path>,
    /// How long a call waits for state that the edge had and this forwarder has not yet.
    pub catch_up_max: Duration,
}

/// Follows the catalog as the edge of that name.
pub(super) async fn catalog(
    background: &mut Background,
    catalog: Arc<dyn Catalog>,
    replica: String,
    snapshot_file: Option<&Path>,
) -> Arc<Held<PublishedEndpoint>> {
    let held = Arc::new(Held::default());
    if let Some(file) = snapshot_file {
        let place = snapshot::Place::new(file, "catalog");
        snapshot::restore(&place, &held).await;
        background.spawn(snapshot::keep(place, Arc::clone(&held)));
    }
    let source = AtEdge { catalog, watcher: Watcher { role: Role::Edge, replica } };
    let (state, tell) = (Arc::clone(&held), |progress: Progress| log("catalog", &progress));
    background.spawn(follow(source, state, Pace::default(), Arc::new(System), Some, tell));
    held
}

/// Who may call: anybody, or holders of client keys, which are followed as the edge of that name. On disk they lie beside
/// the endpoints, in a file of their own that ends in `.callers`.
pub(super) async fn policy(
    background: &mut Background,
    ready: &Ready,
    callers: Arc<dyn Callers>,
    replica: String,
) -> Policy {
    if ready.written.access.data == DataAccess::Open {
        return Policy::Open;
    }
    let held = Arc::new(Held::default());
    if let Some(file) = &ready.written.snapshot_file {
        let mut file = file.clone().into_os_string();
        file.push(".callers");
        let place = snapshot::Place::new(file, "callers");
        snapshot::restore(&place, &held).await;
        background.spawn(snapshot::keep(place, Arc::clone(&held)));
    }
    let source = AtGate { callers, watcher: Watcher { role: Role::Callers, replica } };
    let (state, tell) = (Arc::clone(&held), |progress: Progress| log("callers", &progress));
    background.spawn(follow(source, state, Pace::default(), Arc::new(System), Some, tell));
    Policy::Keys(Keys::new(held, Arc::new(System)))
}

/// Builds the forwarders of these providers, and follows their part of the vault: one watch, however many they are.
pub(super) fn vault(
    background: &mut Background,
    providers: &[&Known],
    outbound: &Arc<Outbound>,
    watching: Watching<'_>,
) -> anyhow::Result<Forwarding> {
    let Watching { vault, replica, key, snapshot_file, catch_up_max } = watching;
    let held = Arc::new(Held::default());
    if let Some(file) = snapshot_file {
        let names: Vec<_> = providers.iter().map(|known| known.name).collect();
        let place = snapshot::Place::new(file, format!("vault/{}/{replica}", names.join(",")));
        restore(&place, &held, &key, &replica);
        background.spawn(snapshot::keep(place, Arc::clone(&held)));
    }
    let targets = Arc::new(VaultTargets { held: Arc::clone(&held), catch_up_max });
    let built: Vec<_> =
        providers.iter().map(|known| known.build(Arc::clone(&targets) as _, Arc::clone(outbound))).collect();
    let watcher = Watcher { role: Role::Forwarder, replica: replica.clone() };
    let public_key = key.public_key().to_vec();
    let names = providers.iter().map(|known| known.provider()).collect::<Result<_, _>>()?;
    let source = AtForwarder { vault, watcher, providers: names, public_key };
    let told: Vec<_> = built.iter().map(|built| Arc::clone(&built.forget_gone)).collect();
    let tell = move |progress: Progress| {
        if matches!(progress, Progress::Reached(_)) {
            for forget_gone in &told {
                forget_gone();
            }
        }
        log("vault", &progress);
    };
    let open = move |sealed| bind::open(&key, &replica, sealed);
    background.spawn(follow(source, Arc::clone(&held), Pace::default(), Arc::new(System), open, tell));
    Ok(Forwarding { built, held })
}

/// Fills `held` from disk: what was sealed to this replica's key opens with it.
fn restore(place: &snapshot::Place, held: &Held<Opened>, key: &KeyPair, replica: &str) {
    match place.load::<SealedTarget>() {
        Ok(Some(found)) => {
            let opened = found.items.into_iter().filter_map(|sealed| bind::open(key, replica, sealed));
            held.replace(found.position, opened);
        }
        Ok(None) => {}
        Err(cause) => {
            tracing::warn!(cause = &cause as &dyn std::error::Error, "starting without a snapshot");
        }
    }
}

/// Waits until something is held, at most for so long; whether it is.
pub(super) async fn loaded<T: store::Keyed>(held: &Held<T>, at_most: Duration) -> bool {
    let mut positions = held.positions();
    let loaded = positions.wait_for(Option::is_some);
    tokio::time::timeout(at_most, loaded).await.is_ok_and(|loaded| loaded.is_ok())
}

/// A name among replicas that no other process has.
pub(super) fn random_replica(role: &str) -> String {
    format!("{role}-{:016x}", System.bits() >> 64)
}

fn log(what: &'static str, progress: &Progress) {
    match progress {
        Progress::Subscribed => tracing::debug!(what, "following the store"),
        Progress::Reached(position) => tracing::debug!(what, revision = position.revision, "reached"),
        // `follow` itself has said it.
        Progress::Drifted | Progress::Lost(_) => {}
    }
}

//! What every connection of an edge shares.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use dialect::{Dialect, Operation};
use forward::{Budget, Forward};
use names::{MappingId, Provider, RequestId};
use store::{Entropy, Held, PublishedEndpoint, PublishedTarget};
use telemetry::{CallLabels, CallMetrics, Gauge, Metrics};
use tokio::time::Instant;

use crate::{Config, Policy, health::Health, overload::Overload};

/// A provider's forwarder, and the dialects that its provider speaks. The edge does not know where it runs.
#[derive(Clone)]
pub struct Forwarder {
    /// What the provider speaks; the first is its own.
    pub dialects: Vec<Dialect>,
    /// Takes calls to it.
    pub forward: Arc<dyn Forward>,
}

/// Takes calls: what it knows and what it counts. Shared by all listeners of a process.
pub struct Edge {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) catalog: Arc<Held<PublishedEndpoint>>,
    pub(crate) forwarders: HashMap<Provider, Forwarder>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Which targets rest.
    pub(crate) health: Health,
    /// What is under way, and what may be.
    pub(crate) overload: Overload,
    /// What bodies that are kept may take together.
    pub(crate) body_memory: Budget,
    targets: ArcSwap<HashMap<MappingId, Vec<Arc<Counted>>>>,
    lame: AtomicBool,
    moved: Mutex<Option<Instant>>,
}

/// A target as metrics, span and log know it: its names, and the handles that were resolved for them.
pub(crate) struct Counted {
    pub(crate) mapping: MappingId,
    pub(crate) labels: CallLabels,
    pub(crate) metrics: CallMetrics,
}

/// Counts something that is under way, until it is dropped.
pub(crate) struct InFlight(Gauge);

impl InFlight {
    /// One more.
    pub(crate) fn begin(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Handles of targets that are gone are thrown away when this many are held beyond twice the catalog.
const SPARE_TARGETS: usize = 1024;

impl Edge {
    /// An edge over a catalog that others keep up to date, for those whom `policy` lets in. `entropy` makes request ids and splits traffic.
    pub fn new(
        config: Config,
        policy: Policy,
        catalog: Arc<Held<PublishedEndpoint>>,
        forwarders: HashMap<Provider, Forwarder>,
        metrics: Arc<Metrics>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<Self> {
        let overload = Overload::new(&config);
        Arc::new(Self {
            health: Health::new(config.retries.clone()),
            body_memory: Budget::new(overload.body_memory),
            overload,
            targets: ArcSwap::default(),
            lame: AtomicBool::new(false),
            moved: Mutex::new(None),
            config,
            policy,
            catalog,
            forwarders,
            metrics,
            entropy,
        })
    }

    /// From now on `/readyz` says no, while everything is still served: what a load balancer looks at learns of the
    /// end before connections are refused.
    pub fn turn_lame(&self) {
        self.lame.store(true, Ordering::Relaxed);
    }

    /// Whether calls should come here: the catalog was loaded, from wherever, and the end is not near.
    pub(crate) fn is_ready(&self) -> bool {
        self.has_started() && !self.lame.load(Ordering::Relaxed)
    }

    /// Whether the catalog was loaded, and the keys of those who may call.
    pub(crate) fn has_started(&self) -> bool {
        let keys = match &self.policy {
            Policy::Open => true,
            Policy::Keys(keys) => keys.are_loaded(),
        };
        keys && self.catalog.position().is_some()
    }

    /// The catalog has moved just now.
    pub(crate) fn note_catalog_moved(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Seconds since the catalog moved, as far as this process saw it.
    pub(crate) fn catalog_age(&self) -> u64 {
        let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.map_or(0, |moved| moved.elapsed().as_secs())
    }

    /// Bytes that bodies which are kept take together.
    pub(crate) fn body_memory_held(&self) -> u64 {
        self.overload.body_memory.saturating_sub(self.body_memory.left())
    }

    /// A new request id.
    pub(crate) fn request_id(&self) -> RequestId {
        RequestId::from_random(self.entropy.bits())
    }

    /// A number from 0 up to but without 1.
    pub(crate) fn draw(&self) -> f64 {
        let bits = self.entropy.bits() >> 75; // 53 bits, what a float holds
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
        let drawn = bits as f64 / (1_u64 << 53) as f64;
        drawn
    }

    /// `duration`, give or take a tenth.
    pub(crate) fn jittered(&self, duration: Duration) -> Duration {
        duration.mul_f64(0.9 + 0.2 * self.draw())
    }

    /// A target as it is counted. Takes no lock and allocates nothing once its handles were resolved.
    pub(crate) fn counted(
        &self,
        endpoint: &PublishedEndpoint,
        target: &PublishedTarget,
        operation: Operation,
    ) -> Arc<Counted> {
        let held = self.targets.load();
        let counted = held.get(&target.mapping);
        let counted =
            counted.and_then(|all| all.iter().find(|counted| counted.fits(endpoint, target, operation)));
        if let Some(counted) = counted {
            return Arc::clone(counted);
        }
        drop(held);
        let labels = CallLabels {
            endpoint: endpoint.name.as_str().into(),
            gen_ai_provider_name: target.provider.as_str().into(),
            gen_ai_request_model: target.model.as_str().into(),
            gen_ai_operation_name: operation.gen_ai_name(),
        };
        let metrics = self.metrics.call(&labels);
        let counted = Arc::new(Counted { mapping: target.mapping.clone(), labels, metrics });
        let bound = SPARE_TARGETS + 2 * self.catalog.len();
        self.targets.rcu(|held| {
            let mut next = if held.len() < bound { HashMap::clone(held) } else { HashMap::new() };
            let all = next.entry(target.mapping.clone()).or_default();
            // What a target was called before is not asked for again.
            all.retain(|held| held.is_named(endpoint, target) && !held.fits(endpoint, target, operation));
            all.push(Arc::clone(&counted));
            next
        });
        counted
    }
}

impl Counted {
    /// Whether these are the handles, and nothing was renamed since.
    fn fits(&self, endpoint: &PublishedEndpoint, target: &PublishedTarget, operation: Operation) -> bool {
        self.labels.gen_ai_operation_name == operation.gen_ai_name() && self.is_named(endpoint, target)
    }

    /// Whether nothing was renamed since.
    fn is_named(&self, endpoint: &PublishedEndpoint, target: &PublishedTarget) -> bool {
        *self.labels.endpoint == *endpoint.name.as_str()
            && *self.labels.gen_ai_request_model == *target.model.as_str()
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Edge").field("config", &self.config).finish_non_exhaustive()
    }
}

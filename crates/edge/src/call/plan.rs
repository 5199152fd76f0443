//! Which targets a call goes to, in which order.

use std::sync::Arc;

use dialect::Dialect;
use fault::Fault;
use store::{Linkage, PublishedEndpoint, PublishedTarget, RoutingStrategy};

use crate::{Edge, Problem};

/// Targets in the order in which they are tried; at least one.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) endpoint: Arc<PublishedEndpoint>,
    /// Indexes into the endpoint's targets.
    order: Vec<usize>,
    /// The revision of the catalog that the plan was made under.
    pub(super) revision: u64,
}

impl Plan {
    /// How many targets there are to try.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The targets in order.
    pub(super) fn targets(&self) -> impl Iterator<Item = &PublishedTarget> {
        self.order.iter().filter_map(|index| self.endpoint.targets.get(*index))
    }
}

/// One primary, chosen by the endpoint's strategy, then its fallbacks as far as its configuration goes. Targets whose
/// provider does not speak `dialect` are left out; if that leaves none, the caller is told both names.
pub(super) fn plan(
    edge: &Edge,
    endpoint: &Arc<PublishedEndpoint>,
    dialect: Dialect,
) -> Result<Plan, Problem> {
    let speaks = |target: &PublishedTarget| {
        edge.forwarders.get(&target.provider).is_some_and(|forwarder| forwarder.dialect == dialect)
    };
    let part = |linkage| {
        let targets = endpoint.targets.iter().enumerate();
        targets.filter(move |(_, target)| target.linkage == linkage && speaks(target))
    };
    let fallbacks_max = match endpoint.fallback_config {
        None => 0,
        Some(config) => {
            config.max_attempts.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX))
        }
    };
    let primary = choose(edge, endpoint.routing_strategy, part(Linkage::Primary));
    let fallbacks = part(Linkage::Fallback).map(|(index, _)| index).take(fallbacks_max);
    let order: Vec<usize> = primary.into_iter().chain(fallbacks).collect();
    if order.is_empty() {
        return Err(nobody(endpoint, dialect));
    }
    Ok(Plan { endpoint: Arc::clone(endpoint), order, revision: edge.catalog.revision() })
}

/// The first primary, or an independent weighted choice for every call.
fn choose<'a>(
    edge: &Edge,
    strategy: Option<RoutingStrategy>,
    mut primaries: impl Iterator<Item = (usize, &'a PublishedTarget)> + Clone,
) -> Option<usize> {
    match strategy {
        None => primaries.next().map(|(index, _)| index),
        Some(RoutingStrategy::RequestBasedTrafficSplit) => {
            let total: f64 = primaries.clone().map(|(_, target)| target.weight).sum();
            let mut left = edge.draw() * total;
            let mut chosen = None;
            for (index, target) in primaries {
                chosen = Some(index);
                left -= target.weight;
                if left < 0.0 {
                    break;
                }
            }
            chosen
        }
    }
}

/// Why there is no target: none at all, or none that speaks the dialect.
fn nobody(endpoint: &PublishedEndpoint, dialect: Dialect) -> Problem {
    let name = &endpoint.name;
    let Some(target) = endpoint.targets.first() else {
        let said = format!(
            "endpoint `{name}` has no model to call: none is attached, or the secret of those that are was deleted"
        );
        return Problem::new(Fault::Unavailable, "endpoint_misconfigured", said).finally();
    };
    let (provider, dialect) = (&target.provider, dialect.as_str());
    let said = format!(
        "endpoint `{name}` is served by provider `{provider}`, which does not speak the `{dialect}` dialect of this path"
    );
    Problem::new(Fault::BadRequest, "dialect", said)
}

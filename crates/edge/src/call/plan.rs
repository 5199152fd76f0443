//! Which targets a call goes to, in which order.

use std::sync::Arc;

use dialect::Call;
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
/// provider does not speak the call's dialect are left out; if that leaves none, the caller is told what is spoken. Calls
/// about what lies at a provider go to the first target alone: another one's key would not find it.
pub(super) fn plan(edge: &Edge, endpoint: &Arc<PublishedEndpoint>, call: &Call) -> Result<Plan, Problem> {
    let asked = call.operation.dialect();
    let speaks = |target: &PublishedTarget| {
        edge.forwarders
            .get(&target.provider)
            .is_some_and(|forwarder| asked.is_none_or(|dialect| forwarder.dialects.contains(&dialect)))
    };
    let part = |linkage| {
        let targets = endpoint.targets.iter().enumerate();
        targets.filter(move |(_, target)| target.linkage == linkage && speaks(target))
    };
    if call.operation.is_pinned() {
        let first = part(Linkage::Primary).chain(part(Linkage::Fallback)).next();
        let order = first.map(|(index, _)| vec![index]).ok_or_else(|| nobody(edge, endpoint, call))?;
        return Ok(Plan { endpoint: Arc::clone(endpoint), order, revision: edge.catalog.revision() });
    }
    let fallbacks_max = match endpoint.fallback_config {
        None => 0,
        Some(config) => {
            config.max_attempts.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX))
        }
    };
    let is_up = |(_, target): &(usize, &PublishedTarget)| edge.health.may_be_tried(target);
    let split = endpoint.routing_strategy;
    let rested = edge.health.any_rests().then(|| {
        let primary = choose(edge, split, part(Linkage::Primary).filter(is_up));
        let fallbacks = part(Linkage::Fallback).filter(is_up).map(|(index, _)| index).take(fallbacks_max);
        primary.into_iter().chain(fallbacks).collect::<Vec<_>>()
    });
    let order = match rested {
        Some(order) if !order.is_empty() => order,
        rested => {
            let primary = choose(edge, split, part(Linkage::Primary));
            let fallbacks = part(Linkage::Fallback).map(|(index, _)| index).take(fallbacks_max);
            // Where all of them rest one is asked all the same: one call of a client's makes one of ours.
            let most = if rested.is_some() { 1 } else { usize::MAX };
            primary.into_iter().chain(fallbacks).take(most).collect()
        }
    };
    if order.is_empty() {
        return Err(nobody(edge, endpoint, call));
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
fn nobody(edge: &Edge, endpoint: &PublishedEndpoint, call: &Call) -> Problem {
    let name = &endpoint.name;
    let Some(target) = endpoint.targets.first() else {
        let why = match endpoint.without_secret {
            Some(0) => "none is attached to it",
            Some(_) => {
                "the secret of those that are attached was deleted; give their model definitions another one"
            }
            None => "none is attached, or the secret of those that are was deleted",
        };
        let said = format!("endpoint `{name}` has no model to call: {why}");
        return Problem::new(Fault::Unavailable, "endpoint_misconfigured", said).finally();
    };
    let provider = &target.provider;
    let Some(forwarder) = edge.forwarders.get(provider) else {
        let said = format!("endpoint `{name}` is served by provider `{provider}`, which is not served here");
        return Problem::new(Fault::Unavailable, "provider_not_served", said).finally();
    };
    let spoken: Vec<_> = forwarder.dialects.iter().map(|dialect| dialect.as_str()).collect();
    let ways: Vec<_> = spoken.iter().map(|dialect| format!("`/gateway/{dialect}/…`")).collect();
    let ways = ways.join(" and ");
    if call.unified {
        let said = format!(
            "endpoint `{name}` is served by provider `{provider}`, whose answers are not translated into OpenAI's form yet; \
             {ways} works"
        );
        return Problem::new(Fault::Unsupported, "no_translation", said).finally();
    }
    let (dialect, spoken) = (call.dialect.as_str(), spoken.join("`, `"));
    let said = format!(
        "endpoint `{name}` is served by provider `{provider}`, which speaks `{spoken}` and not the `{dialect}` dialect of this \
         path; {ways} works"
    );
    Problem::new(Fault::BadRequest, "dialect", said)
}

//! Targets made ready for use: all that does not change from call to call is worked out once.

use std::{collections::HashMap, sync::Arc};

use forward::{ForwardError, Target, Targets};
use http::uri::{Authority, Scheme};
use names::MappingId;
use parking_lot::RwLock;

use crate::{
    Route, Wire,
    egress::{CheckedBase, Policy, check_url},
    pool::{Pool, Pools},
};

/// A target that a call can be sent to.
pub(crate) struct Prepared {
    pub(crate) target: Arc<Target>,
    pub(crate) route: Route,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) pool: Arc<Pool>,
}

/// The targets that were used, each as long as it is the one that is known by its mapping.
#[derive(Default)]
pub(crate) struct PreparedTargets {
    by_mapping: RwLock<HashMap<MappingId, Arc<Prepared>>>,
}

impl PreparedTargets {
    /// The target, made ready now if it was not or if it changed.
    pub(crate) fn of(
        &self,
        target: Arc<Target>,
        wire: &impl Wire,
        policy: &Policy,
        pools: &Pools,
        known: &dyn Targets,
    ) -> Result<Arc<Prepared>, ForwardError> {
        if let Some(prepared) = self.by_mapping.read().get(&target.mapping)
            && Arc::ptr_eq(&prepared.target, &target)
        {
            return Ok(Arc::clone(prepared));
        }
        let prepared = Arc::new(prepare(target, wire, policy, pools)?);
        let mut by_mapping = self.by_mapping.write();
        by_mapping.insert(prepared.target.mapping.clone(), Arc::clone(&prepared));
        drop(by_mapping);
        self.forget_gone(known);
        Ok(prepared)
    }

    /// Lets go of targets that are no longer known, their keys and their connections.
    pub(crate) fn forget_gone(&self, known: &dyn Targets) {
        self.by_mapping.write().retain(|mapping, prepared| {
            known.target(mapping).is_some_and(|target| Arc::ptr_eq(&target, &prepared.target))
        });
    }
}

fn prepare(
    target: Arc<Target>,
    wire: &impl Wire,
    policy: &Policy,
    pools: &Pools,
) -> Result<Prepared, ForwardError> {
    if target.provider.as_str() != wire.provider() {
        return Err(ForwardError::Misconfigured("it belongs to another provider"));
    }
    let written = target.settings.get("api_base").map(|base| base.trim()).filter(|base| !base.is_empty());
    let own = Some(wire.default_base()).filter(|base| !base.is_empty());
    let base = written.or(own).ok_or(ForwardError::Misconfigured(
        "its secret lacks `api_base`, and its provider has no address of its own",
    ))?;
    let base = check_url(base, policy).map_err(|refusal| {
        tracing::warn!(endpoint = %target.endpoint, cause = %refusal, "a target's base URL breaks the egress rules");
        ForwardError::DestinationBlocked
    })?;
    if !may_be_sent_to(&target, &base, wire) {
        tracing::warn!(endpoint = %target.endpoint, "a secret may not be sent to its target's host");
        return Err(ForwardError::DestinationBlocked);
    }
    let route = wire.route(&target, &base)?;
    let scheme = match base.scheme() {
        crate::egress::Scheme::Http => Scheme::HTTP,
        crate::egress::Scheme::Https => Scheme::HTTPS,
    };
    let authority = Authority::try_from(base.authority()).map_err(|_| ForwardError::Internal)?;
    let pool = pools.of(&target.secret);
    Ok(Prepared { target, route, scheme, authority, pool })
}

/// Whether the secret's sealed list of hosts holds the host; an empty list stands for the provider's own.
fn may_be_sent_to(target: &Target, base: &CheckedBase, wire: &impl Wire) -> bool {
    let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let host = bare(base.host_text());
    match target.credential.allowed_hosts.as_slice() {
        [] => wire.default_hosts().contains(&host.as_str()),
        hosts => hosts.iter().any(|allowed| bare(allowed) == host),
    }
}

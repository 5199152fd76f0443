//! Targets made ready for use: all that does not change from call to call is worked out once.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use forward::{ForwardError, Target, Targets};
use http::{
    Uri,
    uri::{Authority, Scheme},
};
use names::MappingId;
use parking_lot::RwLock;

use crate::{
    Grant, Outbound, Route, Wire,
    egress::{CheckedBase, Policy, check_url},
    pool::Pool,
    tokens::{Keeper, fetch::Http},
};

/// A target that a call can be sent to.
pub(crate) struct Prepared {
    pub(crate) target: Arc<Target>,
    pub(crate) route: Route,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) pool: Arc<Pool>,
    /// Who keeps the token, where the credential is one.
    pub(crate) keeper: Option<Arc<Keeper>>,
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
        outbound: &Outbound,
        known: &dyn Targets,
    ) -> Result<Arc<Prepared>, ForwardError> {
        if let Some(prepared) = self.by_mapping.read().get(&target.mapping)
            && Arc::ptr_eq(&prepared.target, &target)
        {
            return Ok(Arc::clone(prepared));
        }
        let prepared = Arc::new(prepare(target, wire, outbound)?);
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

fn prepare(target: Arc<Target>, wire: &impl Wire, outbound: &Outbound) -> Result<Prepared, ForwardError> {
    if target.provider.as_str() != wire.provider() {
        return Err(ForwardError::Misconfigured("it belongs to another provider"));
    }
    let base = base_of(&target, wire, &outbound.way.policy)?;
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
    let pool = outbound.pools.of(&target.secret);
    let grant = route.credential.grant();
    let keeper = grant.map(|grant| keeper(&target, grant, wire, outbound, &pool)).transpose()?;
    Ok(Prepared { target, route, scheme, authority, pool, keeper })
}

/// Where the target's API is: its `api_base`, or the provider's own address.
pub(crate) fn base_of(
    target: &Target,
    wire: &impl Wire,
    policy: &Policy,
) -> Result<CheckedBase, ForwardError> {
    let written = target.settings.get("api_base").map(|base| base.trim()).filter(|base| !base.is_empty());
    let base = match written {
        Some(written) => Cow::Borrowed(written),
        None => wire.base(target)?,
    };
    if base.is_empty() {
        return Err(ForwardError::Misconfigured(
            "its secret lacks `api_base`, and its provider has no address of its own",
        ));
    }
    check_url(&base, policy).map_err(|refusal| {
        tracing::warn!(endpoint = %target.endpoint, cause = %refusal, "a target's base URL breaks the egress rules");
        ForwardError::DestinationBlocked
    })
}

/// Who keeps the tokens of a grant: asked for only where the rules and the secret's hosts allow it.
fn keeper(
    target: &Target,
    grant: &Arc<Grant>,
    wire: &impl Wire,
    outbound: &Outbound,
    pool: &Arc<Pool>,
) -> Result<Arc<Keeper>, ForwardError> {
    let url = check_url(grant.url(), &outbound.way.policy).map_err(|refusal| {
        tracing::warn!(endpoint = %target.endpoint, cause = %refusal, "the URL of a token breaks the egress rules");
        ForwardError::DestinationBlocked
    })?;
    if !wire.token_hosts().contains(&bare(url.host_text()).as_str()) && !may_be_sent_to(target, &url, wire) {
        tracing::warn!(endpoint = %target.endpoint, "a secret may not be sent to the host of its token");
        return Err(ForwardError::DestinationBlocked);
    }
    let uri = format!("{}://{}{}", url.scheme().as_str(), url.authority(), url.path());
    let uri: Uri = uri.parse().map_err(|_| ForwardError::Internal)?;
    Ok(outbound.tokens.of(&target.secret, grant.fingerprint(), || Http {
        grant: Arc::clone(grant),
        uri,
        pool: Arc::clone(pool),
        clock: Arc::clone(&outbound.clock),
        within: outbound.token_within,
        secret: target.secret.0.to_string(),
    }))
}

/// Whether the secret's sealed list of hosts holds the host; an empty list stands for the provider's own.
fn may_be_sent_to(target: &Target, base: &CheckedBase, wire: &impl Wire) -> bool {
    let host = bare(base.host_text());
    match target.credential.allowed_hosts.as_slice() {
        [] => wire.is_own_host(&host),
        hosts => hosts.iter().any(|allowed| bare(allowed) == host),
    }
}

/// A host as lists spell it: lower case, without brackets.
fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

//! Binds the store's pushed state to what a forwarder asks for: sealed targets in, opened targets in memory.

use std::{sync::Arc, time::Duration};

use forward::{Credential, Target, Targets};
use names::MappingId;
use seal::handover::{Info, KeyPair};
use serde::{Serialize, Serializer};
use store::{Held, Keyed, SealedTarget};

/// A target whose secret this process has opened. Written down (in a snapshot), it is the sealed one that it came from.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    target: Arc<Target>,
    sealed: SealedTarget,
}

impl Keyed for Opened {
    fn key(&self) -> &str {
        self.target.mapping.as_str()
    }
}

impl Serialize for Opened {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sealed.serialize(serializer)
    }
}

/// A forwarder's own state.
pub(crate) struct VaultTargets {
    /// What is held.
    pub held: Arc<Held<Opened>>,
    /// How long a call waits for state that the edge had and this forwarder has not yet.
    pub catch_up_max: Duration,
}

#[async_trait::async_trait]
impl Targets for VaultTargets {
    fn target(&self, mapping: &MappingId) -> Option<Arc<Target>> {
        self.held.get(mapping.as_str()).map(|opened| Arc::clone(&opened.target))
    }

    async fn reached(&self, revision: u64) -> bool {
        let mut positions = self.held.positions();
        let reached =
            positions.wait_for(|position| position.is_some_and(|position| position.revision >= revision));
        tokio::time::timeout(self.catch_up_max, reached).await.is_ok_and(|reached| reached.is_ok())
    }
}

/// Opens one pushed target with this replica's key. What does not open is left out and said so: it was sealed to
/// another replica's key, or somebody changed it on its way.
pub(crate) fn open(key: &KeyPair, replica: &str, sealed: SealedTarget) -> Option<Opened> {
    let info = Info {
        provider: sealed.provider.as_str(),
        mapping: sealed.mapping.as_str(),
        secret_id: sealed.secret_id.as_str(),
        secret_version: sealed.secret_version,
        replica,
    };
    let payload = match key.open(&info, &sealed.sealed) {
        Ok(payload) => payload,
        Err(error) => {
            tracing::error!(mapping = %sealed.mapping, secret = %sealed.secret_id, %error, "a target's secret does not open");
            return None;
        }
    };
    let target = Arc::new(Target {
        mapping: sealed.mapping.clone(),
        endpoint: sealed.endpoint.clone(),
        provider: sealed.provider.clone(),
        model: sealed.model.clone(),
        secret: (sealed.secret_id.clone(), sealed.secret_version),
        settings: sealed.auth_config.clone(),
        credential: Credential { fields: payload.fields, allowed_hosts: payload.allowed_hosts },
    });
    Some(Opened { target, sealed })
}

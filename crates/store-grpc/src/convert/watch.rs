//! Watches: positions, watchers and updates, to and from their messages; snapshots in parts below a size.

use names::{EndpointId, EndpointName, MappingId, ModelName, Provider, SecretId};
use proto::store::v1;
use store::{
    Linkage, Position, PublishedCaller, PublishedEndpoint, PublishedTarget, Role, SealedTarget, Update,
    Watcher,
};

use super::{Malformed, Wire, all, name, optional, required, to_wire_all};

/// How large a part of a snapshot grows before the next one begins, in bytes; only a single larger item is beyond it.
/// Well below 1 MiB, so that neither side holds much and heartbeats of other streams are not kept waiting.
const PART_MAX: usize = 256 * 1024;

impl Wire for Position {
    type Message = v1::Position;

    fn to_wire(self) -> v1::Position {
        v1::Position { epoch: self.epoch, revision: self.revision }
    }

    fn from_wire(message: v1::Position) -> Result<Self, Malformed> {
        Ok(Self { epoch: message.epoch, revision: message.revision })
    }
}

impl Wire for Watcher {
    type Message = v1::Watcher;

    fn to_wire(self) -> v1::Watcher {
        let role = match self.role {
            Role::Edge => v1::Role::Edge,
            Role::Forwarder => v1::Role::Forwarder,
            Role::Callers => v1::Role::Callers,
        };
        v1::Watcher { role: role.into(), replica: self.replica }
    }

    fn from_wire(message: v1::Watcher) -> Result<Self, Malformed> {
        const REPLICA_MAX: usize = 128;
        let role = match v1::Role::try_from(message.role) {
            Ok(v1::Role::Edge) => Role::Edge,
            Ok(v1::Role::Forwarder) => Role::Forwarder,
            Ok(v1::Role::Callers) => Role::Callers,
            Ok(v1::Role::Unspecified) => return Err(Malformed::Missing("watcher.role")),
            Err(_) => return Err(Malformed::Unknown("watcher.role")),
        };
        let replica = message.replica;
        if replica.is_empty() || replica.chars().count() > REPLICA_MAX || replica.contains(char::is_control) {
            return Err(Malformed::Field(
                "watcher.replica",
                "must have 1 to 128 characters, none of them control characters",
            ));
        }
        Ok(Self { role, replica })
    }
}

impl Wire for PublishedEndpoint {
    type Message = v1::PublishedEndpoint;

    fn to_wire(self) -> v1::PublishedEndpoint {
        v1::PublishedEndpoint {
            id: self.id.into(),
            name: self.name.into(),
            targets: to_wire_all(self.targets),
            routing_strategy: self.routing_strategy.to_wire(),
            fallback_config: self.fallback_config.map(Wire::to_wire),
            created_at: self.created_at,
            revision: self.revision,
            tags: self.tags.into_iter().collect(),
            without_secret: self.without_secret,
        }
    }

    fn from_wire(message: v1::PublishedEndpoint) -> Result<Self, Malformed> {
        Ok(Self {
            id: name("id", &message.id, EndpointId::parse)?,
            name: name("name", &message.name, EndpointName::parse)?,
            targets: all(message.targets)?,
            routing_strategy: Wire::from_wire(message.routing_strategy)?,
            fallback_config: optional(message.fallback_config)?,
            tags: message.tags.into_iter().collect(),
            without_secret: message.without_secret,
            created_at: message.created_at,
            revision: message.revision,
        })
    }
}

impl Wire for PublishedTarget {
    type Message = v1::PublishedTarget;

    fn to_wire(self) -> v1::PublishedTarget {
        let (secret_id, secret_version) =
            self.secret.map(|(id, version)| (id.into(), version)).unwrap_or_default();
        v1::PublishedTarget {
            secret_id,
            secret_version,
            mapping: self.mapping.into(),
            provider: self.provider.into(),
            model: self.model.into(),
            linkage: self.linkage.to_wire(),
            weight: self.weight,
        }
    }

    fn from_wire(message: v1::PublishedTarget) -> Result<Self, Malformed> {
        let secret = match message.secret_id.as_str() {
            "" => None,
            id => Some((name("secret_id", id, SecretId::parse)?, message.secret_version)),
        };
        Ok(Self {
            secret,
            mapping: name("mapping", &message.mapping, MappingId::parse)?,
            provider: name("provider", &message.provider, Provider::parse)?,
            model: name("model", &message.model, ModelName::parse)?,
            linkage: Linkage::from_wire(message.linkage)?,
            weight: message.weight,
        })
    }
}

impl Wire for SealedTarget {
    type Message = v1::SealedTarget;

    fn to_wire(self) -> v1::SealedTarget {
        v1::SealedTarget {
            mapping: self.mapping.into(),
            endpoint: self.endpoint.into(),
            provider: self.provider.into(),
            model: self.model.into(),
            secret_id: self.secret_id.into(),
            secret_version: self.secret_version,
            auth_config: self.auth_config.into_iter().collect(),
            sealed: self.sealed.into(),
        }
    }

    fn from_wire(message: v1::SealedTarget) -> Result<Self, Malformed> {
        Ok(Self {
            mapping: name("mapping", &message.mapping, MappingId::parse)?,
            endpoint: name("endpoint", &message.endpoint, EndpointName::parse)?,
            provider: name("provider", &message.provider, Provider::parse)?,
            model: name("model", &message.model, ModelName::parse)?,
            secret_id: name("secret_id", &message.secret_id, SecretId::parse)?,
            secret_version: message.secret_version,
            auth_config: message.auth_config.into_iter().collect(),
            sealed: message.sealed.into(),
        })
    }
}

/// A message of one of the watches. Their five steps are the same; only what is watched differs.
pub(crate) trait Step<T: Wire>: Sized {
    /// A part of a snapshot.
    fn part(items: Vec<T::Message>) -> Self;
    /// Everything but a part.
    fn other(update: Update<T>) -> Self;
    /// Reads it.
    fn read(self) -> Result<Update<T>, Malformed>;

    /// The messages for one update: several where a part is large.
    fn messages(update: Update<T>) -> Vec<Self>
    where
        T::Message: prost::Message,
    {
        match update {
            Update::SnapshotPart(items) => {
                split(to_wire_all(items), PART_MAX).into_iter().map(Self::part).collect()
            }
            other => vec![Self::other(other)],
        }
    }
}

/// Cuts a list into lists that are at most `max` bytes long, encoded; an item that is larger stands alone.
fn split<M: prost::Message>(items: Vec<M>, max: usize) -> Vec<Vec<M>> {
    let mut parts: Vec<Vec<M>> = Vec::new();
    let mut room = 0;
    for item in items {
        let length = item.encoded_len();
        match parts.last_mut() {
            Some(part) if length <= room => {
                room -= length;
                part.push(item);
            }
            _ => {
                room = max.saturating_sub(length);
                parts.push(vec![item]);
            }
        }
    }
    parts
}

macro_rules! step {
    ($message:ident, $oneof:ident, $item:ty, $part:ident { $items:ident }, $delta:ident) => {
        impl Step<$item> for v1::$message {
            fn part($items: Vec<<$item as Wire>::Message>) -> Self {
                Self { update: Some(v1::$oneof::Update::Part(v1::$part { $items })) }
            }

            fn other(update: Update<$item>) -> Self {
                use v1::$oneof::Update as Wired;
                let update = match update {
                    Update::SnapshotBegin => Wired::Begin(v1::SnapshotBegin {}),
                    Update::SnapshotPart(items) => return Self::part(to_wire_all(items)),
                    Update::SnapshotEnd(position) => Wired::End(position.to_wire()),
                    Update::Delta { position, upserts, removed } => Wired::Delta(v1::$delta {
                        position: Some(position.to_wire()),
                        upserts: to_wire_all(upserts),
                        removed,
                    }),
                    Update::Heartbeat { position, items } => {
                        Wired::Heartbeat(v1::Heartbeat { position: Some(position.to_wire()), items })
                    }
                };
                Self { update: Some(update) }
            }

            fn read(self) -> Result<Update<$item>, Malformed> {
                use v1::$oneof::Update as Wired;
                Ok(match self.update.ok_or(Malformed::Missing("update"))? {
                    Wired::Begin(_) => Update::SnapshotBegin,
                    Wired::Part(part) => Update::SnapshotPart(all(part.$items)?),
                    Wired::End(position) => Update::SnapshotEnd(Position::from_wire(position)?),
                    Wired::Delta(delta) => Update::Delta {
                        position: required("delta.position", delta.position)?,
                        upserts: all(delta.upserts)?,
                        removed: delta.removed,
                    },
                    Wired::Heartbeat(heartbeat) => Update::Heartbeat {
                        position: required("heartbeat.position", heartbeat.position)?,
                        items: heartbeat.items,
                    },
                })
            }
        }
    };
}

step!(
    WatchCatalogResponse,
    watch_catalog_response,
    PublishedEndpoint,
    CatalogPart { endpoints },
    CatalogDelta
);
step!(WatchCallersResponse, watch_callers_response, PublishedCaller, CallersPart { callers }, CallersDelta);
step!(WatchVaultResponse, watch_vault_response, SealedTarget, VaultPart { targets }, VaultDelta);

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(length: usize) -> v1::Tag {
        v1::Tag { key: String::new(), value: "x".repeat(length) }
    }

    #[test]
    fn parts_keep_order_and_size_and_a_large_item_stands_alone() {
        let lengths = [10, 10, 100, 10, 10, 10, 10, 300, 10];
        let parts = split(lengths.map(tag).to_vec(), 50);
        let flat: Vec<usize> = parts.iter().flatten().map(|tag| tag.value.len()).collect();
        assert_eq!(flat, lengths);
        for part in &parts {
            let size: usize = part.iter().map(prost::Message::encoded_len).sum();
            assert!(size <= 50 || part.len() == 1, "{size}");
        }
        let counts: Vec<usize> = parts.iter().map(Vec::len).collect();
        assert_eq!(counts, [2, 1, 4, 1, 1]);
        assert!(split(Vec::<v1::Tag>::new(), 50).is_empty());
    }

    #[test]
    fn replicas_have_names_that_can_be_shown() {
        let watcher = |replica: &str| v1::Watcher { role: v1::Role::Edge.into(), replica: replica.into() };
        assert!(Watcher::from_wire(watcher("edge-1")).is_ok());
        for wrong in ["", "a\nb", &"x".repeat(129)] {
            assert!(Watcher::from_wire(watcher(wrong)).is_err(), "{wrong:?}");
        }
        assert!(Watcher::from_wire(v1::Watcher { role: 0, replica: "x".into() }).is_err());
    }
}

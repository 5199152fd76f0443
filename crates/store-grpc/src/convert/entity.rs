//! What admins administer, to and from its messages.

use names::{
    Actor, EndpointId, EndpointName, Label, MappingId, ModelDefinitionId, ModelName, Provider, SecretId,
};
use proto::store::v1;
use store::{
    Binding, Endpoint, Experiment, FallbackConfig, Linkage, Mapping, ModelDefinition, RoutingStrategy,
    Secret, Tag,
};

use super::{Malformed, Wire, all, name, optional, optional_name, required, to_wire_all};

impl Wire for Secret {
    type Message = v1::Secret;

    fn to_wire(self) -> v1::Secret {
        v1::Secret {
            id: self.id.into(),
            name: self.name.into(),
            masked_values: self.masked_values.into_iter().collect(),
            version: self.version,
            provider: self.provider.map(Into::into),
            auth_config: self.auth_config.into_iter().collect(),
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            created_by: self.created_by.map(Into::into),
            last_updated_by: self.last_updated_by.map(Into::into),
        }
    }

    fn from_wire(message: v1::Secret) -> Result<Self, Malformed> {
        Ok(Self {
            id: name("secret.id", &message.id, SecretId::parse)?,
            name: name("secret.name", &message.name, Label::parse)?,
            masked_values: message.masked_values.into_iter().collect(),
            version: message.version,
            provider: optional_name("secret.provider", message.provider, Provider::parse)?,
            auth_config: message.auth_config.into_iter().collect(),
            created_at: message.created_at,
            last_updated_at: message.last_updated_at,
            created_by: actor(message.created_by)?,
            last_updated_by: actor(message.last_updated_by)?,
        })
    }
}

impl Wire for ModelDefinition {
    type Message = v1::ModelDefinition;

    fn to_wire(self) -> v1::ModelDefinition {
        v1::ModelDefinition {
            id: self.id.into(),
            name: self.name.into(),
            secret: self.secret.map(|(id, name)| v1::SecretLink { id: id.into(), name: name.into() }),
            provider: self.provider.into(),
            model_name: self.model_name.into(),
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            created_by: self.created_by.map(Into::into),
            last_updated_by: self.last_updated_by.map(Into::into),
        }
    }

    fn from_wire(message: v1::ModelDefinition) -> Result<Self, Malformed> {
        let secret = |link: v1::SecretLink| {
            let id = name("definition.secret.id", &link.id, SecretId::parse)?;
            Ok((id, name("definition.secret.name", &link.name, Label::parse)?))
        };
        Ok(Self {
            id: name("definition.id", &message.id, ModelDefinitionId::parse)?,
            name: name("definition.name", &message.name, Label::parse)?,
            secret: message.secret.map(secret).transpose()?,
            provider: name("definition.provider", &message.provider, Provider::parse)?,
            model_name: name("definition.model_name", &message.model_name, ModelName::parse)?,
            created_at: message.created_at,
            last_updated_at: message.last_updated_at,
            created_by: actor(message.created_by)?,
            last_updated_by: actor(message.last_updated_by)?,
        })
    }
}

impl Wire for Linkage {
    type Message = i32;

    fn to_wire(self) -> i32 {
        match self {
            Self::Primary => v1::Linkage::Primary,
            Self::Fallback => v1::Linkage::Fallback,
        }
        .into()
    }

    fn from_wire(message: i32) -> Result<Self, Malformed> {
        match v1::Linkage::try_from(message) {
            Ok(v1::Linkage::Primary) => Ok(Self::Primary),
            Ok(v1::Linkage::Fallback) => Ok(Self::Fallback),
            Ok(v1::Linkage::Unspecified) => Err(Malformed::Missing("linkage")),
            Err(_) => Err(Malformed::Unknown("linkage")),
        }
    }
}

impl Wire for Option<RoutingStrategy> {
    type Message = i32;

    fn to_wire(self) -> i32 {
        match self {
            None => v1::RoutingStrategy::Unspecified,
            Some(RoutingStrategy::RequestBasedTrafficSplit) => v1::RoutingStrategy::RequestBasedTrafficSplit,
        }
        .into()
    }

    fn from_wire(message: i32) -> Result<Self, Malformed> {
        match v1::RoutingStrategy::try_from(message) {
            Ok(v1::RoutingStrategy::Unspecified) => Ok(None),
            Ok(v1::RoutingStrategy::RequestBasedTrafficSplit) => {
                Ok(Some(RoutingStrategy::RequestBasedTrafficSplit))
            }
            Err(_) => Err(Malformed::Unknown("routing_strategy")),
        }
    }
}

impl Wire for FallbackConfig {
    type Message = v1::FallbackConfig;

    fn to_wire(self) -> v1::FallbackConfig {
        v1::FallbackConfig { sequential: self.sequential, max_attempts: self.max_attempts }
    }

    fn from_wire(message: v1::FallbackConfig) -> Result<Self, Malformed> {
        Ok(Self { sequential: message.sequential, max_attempts: message.max_attempts })
    }
}

impl Wire for Mapping {
    type Message = v1::Mapping;

    fn to_wire(self) -> v1::Mapping {
        v1::Mapping {
            id: self.id.into(),
            endpoint_id: self.endpoint_id.into(),
            definition: Some(self.definition.to_wire()),
            weight: self.weight,
            linkage: self.linkage.to_wire(),
            fallback_order: self.fallback_order,
            created_at: self.created_at,
            created_by: self.created_by.map(Into::into),
        }
    }

    fn from_wire(message: v1::Mapping) -> Result<Self, Malformed> {
        Ok(Self {
            id: name("mapping.id", &message.id, MappingId::parse)?,
            endpoint_id: name("mapping.endpoint_id", &message.endpoint_id, EndpointId::parse)?,
            definition: required("mapping.definition", message.definition)?,
            weight: message.weight,
            linkage: Linkage::from_wire(message.linkage)?,
            fallback_order: message.fallback_order,
            created_at: message.created_at,
            created_by: actor(message.created_by)?,
        })
    }
}

impl Wire for Tag {
    type Message = v1::Tag;

    fn to_wire(self) -> v1::Tag {
        v1::Tag { key: self.key, value: self.value }
    }

    fn from_wire(message: v1::Tag) -> Result<Self, Malformed> {
        Ok(Self { key: message.key, value: message.value })
    }
}

impl Wire for Endpoint {
    type Message = v1::Endpoint;

    fn to_wire(self) -> v1::Endpoint {
        v1::Endpoint {
            id: self.id.into(),
            name: self.name.into(),
            mappings: to_wire_all(self.mappings),
            tags: to_wire_all(self.tags),
            routing_strategy: self.routing_strategy.to_wire(),
            fallback_config: self.fallback_config.map(Wire::to_wire),
            experiment_id: self.experiment_id,
            usage_tracking: self.usage_tracking,
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            created_by: self.created_by.map(Into::into),
            last_updated_by: self.last_updated_by.map(Into::into),
        }
    }

    fn from_wire(message: v1::Endpoint) -> Result<Self, Malformed> {
        Ok(Self {
            id: name("endpoint.id", &message.id, EndpointId::parse)?,
            name: name("endpoint.name", &message.name, EndpointName::parse)?,
            mappings: all(message.mappings)?,
            tags: all(message.tags)?,
            routing_strategy: Wire::from_wire(message.routing_strategy)?,
            fallback_config: optional(message.fallback_config)?,
            experiment_id: message.experiment_id,
            usage_tracking: message.usage_tracking,
            created_at: message.created_at,
            last_updated_at: message.last_updated_at,
            created_by: actor(message.created_by)?,
            last_updated_by: actor(message.last_updated_by)?,
        })
    }
}

impl Wire for Binding {
    type Message = v1::Binding;

    fn to_wire(self) -> v1::Binding {
        v1::Binding {
            endpoint_id: self.endpoint_id.into(),
            resource_type: self.resource_type,
            resource_id: self.resource_id,
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
            created_by: self.created_by.map(Into::into),
            last_updated_by: self.last_updated_by.map(Into::into),
        }
    }

    fn from_wire(message: v1::Binding) -> Result<Self, Malformed> {
        Ok(Self {
            endpoint_id: name("binding.endpoint_id", &message.endpoint_id, EndpointId::parse)?,
            resource_type: message.resource_type,
            resource_id: message.resource_id,
            created_at: message.created_at,
            last_updated_at: message.last_updated_at,
            created_by: actor(message.created_by)?,
            last_updated_by: actor(message.last_updated_by)?,
        })
    }
}

impl Wire for Experiment {
    type Message = v1::Experiment;

    fn to_wire(self) -> v1::Experiment {
        v1::Experiment {
            id: self.id,
            name: self.name.into(),
            artifact_location: self.artifact_location,
            tags: to_wire_all(self.tags),
            created_at: self.created_at,
            last_updated_at: self.last_updated_at,
        }
    }

    fn from_wire(message: v1::Experiment) -> Result<Self, Malformed> {
        Ok(Self {
            id: message.id,
            name: name("experiment.name", &message.name, Label::parse)?,
            artifact_location: message.artifact_location,
            tags: all(message.tags)?,
            created_at: message.created_at,
            last_updated_at: message.last_updated_at,
        })
    }
}

fn actor(text: Option<String>) -> Result<Option<Actor>, Malformed> {
    optional_name("created_by", text, Actor::parse)
}

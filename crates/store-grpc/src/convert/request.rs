//! What admins ask for, to and from its messages; a change together with who asks for it.

use bytes::Bytes;
use names::{
    Actor, EndpointId, EndpointName, Label, ModelDefinitionId, ModelName, Provider, RequestId, SecretId,
};
use proto::store::v1;
use secrecy::{ExposeSecret as _, SecretString};
use store::{
    AuthConfig, Caller, DefinitionChange, EndpointChange, EndpointRef, Linkage, ListDefinitions, MappingSpec,
    NewBinding, NewDefinition, NewEndpoint, NewExperiment, NewSecret, SecretChange, SecretValue,
};

use super::{Malformed, Wire, all, name, optional, optional_name, required, to_wire_all};

impl Wire for Caller {
    type Message = v1::Caller;

    fn to_wire(self) -> v1::Caller {
        v1::Caller { actor: self.actor.map(Into::into), request_id: self.request_id.into() }
    }

    fn from_wire(message: v1::Caller) -> Result<Self, Malformed> {
        Ok(Self {
            actor: optional_name("caller.actor", message.actor, Actor::parse)?,
            request_id: name("caller.request_id", &message.request_id, RequestId::parse)?,
        })
    }
}

impl Wire for SecretValue {
    type Message = v1::SecretValue;

    fn to_wire(self) -> v1::SecretValue {
        let field = |(name, value): (String, SecretString)| v1::SecretField {
            name,
            value: Bytes::copy_from_slice(value.expose_secret().as_bytes()),
        };
        v1::SecretValue { fields: self.into_iter().map(field).collect() }
    }

    fn from_wire(message: v1::SecretValue) -> Result<Self, Malformed> {
        let mut value = Self::new();
        for field in message.fields {
            let text = std::str::from_utf8(&field.value)
                .map_err(|_| Malformed::Field("value.fields.value", "must be UTF-8"))?;
            if value.insert(field.name, SecretString::from(text)).is_some() {
                return Err(Malformed::Field("value.fields.name", "must not be given twice"));
            }
        }
        Ok(value)
    }
}

impl Wire for AuthConfig {
    type Message = v1::AuthConfig;

    fn to_wire(self) -> v1::AuthConfig {
        v1::AuthConfig { settings: self.into_iter().collect() }
    }

    fn from_wire(message: v1::AuthConfig) -> Result<Self, Malformed> {
        Ok(message.settings.into_iter().collect())
    }
}

impl Wire for MappingSpec {
    type Message = v1::MappingSpec;

    fn to_wire(self) -> v1::MappingSpec {
        v1::MappingSpec {
            definition_id: self.definition_id.into(),
            linkage: self.linkage.to_wire(),
            weight: self.weight,
            fallback_order: self.fallback_order,
        }
    }

    fn from_wire(message: v1::MappingSpec) -> Result<Self, Malformed> {
        Ok(Self {
            definition_id: name("definition_id", &message.definition_id, ModelDefinitionId::parse)?,
            linkage: Linkage::from_wire(message.linkage)?,
            weight: message.weight,
            fallback_order: message.fallback_order,
        })
    }
}

impl Wire for (Caller, NewSecret) {
    type Message = v1::CreateSecretRequest;

    fn to_wire(self) -> v1::CreateSecretRequest {
        let (caller, new) = self;
        v1::CreateSecretRequest {
            caller: Some(caller.to_wire()),
            name: new.name.into(),
            value: Some(new.value.to_wire()),
            provider: new.provider.map(Into::into),
            auth_config: new.auth_config.into_iter().collect(),
        }
    }

    fn from_wire(message: v1::CreateSecretRequest) -> Result<Self, Malformed> {
        let new = NewSecret {
            name: name("name", &message.name, Label::parse)?,
            value: required("value", message.value)?,
            provider: optional_name("provider", message.provider, Provider::parse)?,
            auth_config: message.auth_config.into_iter().collect(),
        };
        Ok((required("caller", message.caller)?, new))
    }
}

impl Wire for (Caller, SecretChange) {
    type Message = v1::UpdateSecretRequest;

    fn to_wire(self) -> v1::UpdateSecretRequest {
        let (caller, change) = self;
        v1::UpdateSecretRequest {
            caller: Some(caller.to_wire()),
            id: change.id.into(),
            value: change.value.map(Wire::to_wire),
            auth_config: change.auth_config.map(Wire::to_wire),
        }
    }

    fn from_wire(message: v1::UpdateSecretRequest) -> Result<Self, Malformed> {
        let change = SecretChange {
            id: name("id", &message.id, SecretId::parse)?,
            value: optional(message.value)?,
            auth_config: optional(message.auth_config)?,
        };
        Ok((required("caller", message.caller)?, change))
    }
}

impl Wire for (Caller, NewDefinition) {
    type Message = v1::CreateDefinitionRequest;

    fn to_wire(self) -> v1::CreateDefinitionRequest {
        let (caller, new) = self;
        v1::CreateDefinitionRequest {
            caller: Some(caller.to_wire()),
            name: new.name.into(),
            secret_id: new.secret_id.into(),
            provider: new.provider.into(),
            model_name: new.model_name.into(),
        }
    }

    fn from_wire(message: v1::CreateDefinitionRequest) -> Result<Self, Malformed> {
        let new = NewDefinition {
            name: name("name", &message.name, Label::parse)?,
            secret_id: name("secret_id", &message.secret_id, SecretId::parse)?,
            provider: name("provider", &message.provider, Provider::parse)?,
            model_name: name("model_name", &message.model_name, ModelName::parse)?,
        };
        Ok((required("caller", message.caller)?, new))
    }
}

impl Wire for ListDefinitions {
    type Message = v1::ListDefinitionsRequest;

    fn to_wire(self) -> v1::ListDefinitionsRequest {
        v1::ListDefinitionsRequest {
            provider: self.provider.map(Into::into),
            secret_id: self.secret_id.map(Into::into),
        }
    }

    fn from_wire(message: v1::ListDefinitionsRequest) -> Result<Self, Malformed> {
        Ok(Self {
            provider: optional_name("provider", message.provider, Provider::parse)?,
            secret_id: optional_name("secret_id", message.secret_id, SecretId::parse)?,
        })
    }
}

impl Wire for (Caller, DefinitionChange) {
    type Message = v1::UpdateDefinitionRequest;

    fn to_wire(self) -> v1::UpdateDefinitionRequest {
        let (caller, change) = self;
        v1::UpdateDefinitionRequest {
            caller: Some(caller.to_wire()),
            id: change.id.into(),
            name: change.name.map(Into::into),
            secret_id: change.secret_id.map(Into::into),
            provider: change.provider.map(Into::into),
            model_name: change.model_name.map(Into::into),
        }
    }

    fn from_wire(message: v1::UpdateDefinitionRequest) -> Result<Self, Malformed> {
        let change = DefinitionChange {
            id: name("id", &message.id, ModelDefinitionId::parse)?,
            name: optional_name("name", message.name, Label::parse)?,
            secret_id: optional_name("secret_id", message.secret_id, SecretId::parse)?,
            provider: optional_name("provider", message.provider, Provider::parse)?,
            model_name: optional_name("model_name", message.model_name, ModelName::parse)?,
        };
        Ok((required("caller", message.caller)?, change))
    }
}

impl Wire for (Caller, NewEndpoint) {
    type Message = v1::CreateEndpointRequest;

    fn to_wire(self) -> v1::CreateEndpointRequest {
        let (caller, new) = self;
        v1::CreateEndpointRequest {
            caller: Some(caller.to_wire()),
            name: new.name.into(),
            models: to_wire_all(new.models),
            routing_strategy: new.routing_strategy.to_wire(),
            fallback_config: new.fallback_config.map(Wire::to_wire),
            experiment_id: new.experiment_id,
            usage_tracking: new.usage_tracking,
        }
    }

    fn from_wire(message: v1::CreateEndpointRequest) -> Result<Self, Malformed> {
        let new = NewEndpoint {
            name: name("name", &message.name, EndpointName::parse)?,
            models: all(message.models)?,
            routing_strategy: Wire::from_wire(message.routing_strategy)?,
            fallback_config: optional(message.fallback_config)?,
            experiment_id: message.experiment_id,
            usage_tracking: message.usage_tracking,
        };
        Ok((required("caller", message.caller)?, new))
    }
}

impl Wire for EndpointRef {
    type Message = v1::GetEndpointRequest;

    fn to_wire(self) -> v1::GetEndpointRequest {
        use v1::get_endpoint_request::Which;
        let which = match self {
            Self::Id(id) => Which::Id(id.into()),
            Self::Name(name) => Which::Name(name.into()),
        };
        v1::GetEndpointRequest { which: Some(which) }
    }

    fn from_wire(message: v1::GetEndpointRequest) -> Result<Self, Malformed> {
        use v1::get_endpoint_request::Which;
        match message.which.ok_or(Malformed::Missing("which"))? {
            Which::Id(id) => Ok(Self::Id(name("id", &id, EndpointId::parse)?)),
            Which::Name(text) => Ok(Self::Name(name("name", &text, EndpointName::parse)?)),
        }
    }
}

impl Wire for (Caller, EndpointChange) {
    type Message = v1::UpdateEndpointRequest;

    fn to_wire(self) -> v1::UpdateEndpointRequest {
        let (caller, change) = self;
        let specs = |models| v1::MappingSpecs { models: to_wire_all(models) };
        v1::UpdateEndpointRequest {
            caller: Some(caller.to_wire()),
            id: change.id.into(),
            name: change.name.map(Into::into),
            models: change.models.map(specs),
            routing_strategy: change.routing_strategy.to_wire(),
            fallback_config: change.fallback_config.map(Wire::to_wire),
            experiment_id: change.experiment_id,
            usage_tracking: change.usage_tracking,
        }
    }

    fn from_wire(message: v1::UpdateEndpointRequest) -> Result<Self, Malformed> {
        let change = EndpointChange {
            id: name("id", &message.id, EndpointId::parse)?,
            name: optional_name("name", message.name, EndpointName::parse)?,
            models: message.models.map(|specs| all(specs.models)).transpose()?,
            routing_strategy: Wire::from_wire(message.routing_strategy)?,
            fallback_config: optional(message.fallback_config)?,
            experiment_id: message.experiment_id,
            usage_tracking: message.usage_tracking,
        };
        Ok((required("caller", message.caller)?, change))
    }
}

impl Wire for (Caller, NewBinding) {
    type Message = v1::CreateBindingRequest;

    fn to_wire(self) -> v1::CreateBindingRequest {
        let (caller, new) = self;
        v1::CreateBindingRequest {
            caller: Some(caller.to_wire()),
            endpoint_id: new.endpoint_id.into(),
            resource_type: new.resource_type,
            resource_id: new.resource_id,
        }
    }

    fn from_wire(message: v1::CreateBindingRequest) -> Result<Self, Malformed> {
        let new = NewBinding {
            endpoint_id: name("endpoint_id", &message.endpoint_id, EndpointId::parse)?,
            resource_type: message.resource_type,
            resource_id: message.resource_id,
        };
        Ok((required("caller", message.caller)?, new))
    }
}

impl Wire for (Caller, NewExperiment) {
    type Message = v1::CreateExperimentRequest;

    fn to_wire(self) -> v1::CreateExperimentRequest {
        let (caller, new) = self;
        v1::CreateExperimentRequest {
            caller: Some(caller.to_wire()),
            name: new.name.into(),
            artifact_location: new.artifact_location,
            tags: to_wire_all(new.tags),
        }
    }

    fn from_wire(message: v1::CreateExperimentRequest) -> Result<Self, Malformed> {
        let new = NewExperiment {
            name: name("name", &message.name, Label::parse)?,
            artifact_location: message.artifact_location,
            tags: all(message.tags)?,
        };
        Ok((required("caller", message.caller)?, new))
    }
}

//! The seams of the store, and its rules once over any tables.
#![doc = include_str!("../README.md")]

mod admin;
mod audit_log;
mod client_keys;
mod entity;
mod error;
mod follow;
mod held;
mod hub;
mod policy;
mod publish;
mod rules;
mod store;
#[cfg(feature = "suite")]
pub mod suite;
pub mod tables;
mod time;
mod watch;

pub use admin::{
    Admin, Caller, DefinitionChange, EndpointChange, EndpointRef, ListDefinitions, MappingSpec, NewBinding,
    NewDefinition, NewEndpoint, NewExperiment, NewSecret, Receipt, SecretChange, Written,
};
pub use audit_log::{AuditEntry, AuditFault, AuditLog, AuditVerdict};
pub use client_keys::{ClientKey, ClientKeyChange, ClientKeys, Expiry, MintedKey, NewClientKey};
pub use entity::{
    AuthConfig, Binding, Endpoint, Experiment, FallbackConfig, Linkage, Mapping, ModelDefinition,
    RoutingStrategy, Secret, SecretValue, Tag,
};
pub use error::StoreError;
pub use follow::{AtEdge, AtForwarder, AtGate, Pace, Progress, Source, follow};
pub use held::{Applied, Gathering, Held};
pub use policy::ApiBasePolicy;
pub use publish::{
    Callers, Catalog, Keyed, Position, PublishedCaller, PublishedEndpoint, PublishedKey, PublishedPepper,
    PublishedTarget, Role, SealedTarget, Update, Updates, Vault, Watcher,
};
pub use store::{OpenError, Parts, Settings, Store, keys_of, renew_epoch};
pub use tables::Tables;
pub use time::{Clock, Entropy, System};

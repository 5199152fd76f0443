//! The seams of the store, and its rules.
//!
//! * [`Admin`]: what admins may do. [`Store`] implements it over any [`Tables`], with the rules and the sealing, once;
//!   `store_grpc` puts it behind a wire.
//! * [`Catalog`]: the published state without secrets, pushed to edges.
//! * [`Vault`]: one provider's targets with their secrets sealed to the watcher's key, pushed to forwarders.
//! * [`Tables`]: rows in and out of a database; knows sealed bytes only.
//! * [`Held`]: the watched state in memory, kept up to date by [`follow`].

mod admin;
mod entity;
mod error;
mod held;
mod publish;
pub mod tables;
mod time;

pub use admin::{
    Admin, Caller, DefinitionChange, EndpointChange, EndpointRef, ListDefinitions, MappingSpec, NewBinding,
    NewDefinition, NewEndpoint, NewExperiment, NewSecret, Receipt, SecretChange, Written,
};
pub use entity::{
    AuthConfig, Binding, Endpoint, Experiment, FallbackConfig, Linkage, Mapping, ModelDefinition,
    RoutingStrategy, Secret, SecretValue, Tag,
};
pub use error::StoreError;
pub use held::{Applied, Gathering, Held};
pub use publish::{
    Catalog, Keyed, Position, PublishedEndpoint, PublishedTarget, Role, SealedTarget, Update, Updates, Vault,
    Watcher,
};
pub use tables::Tables;
pub use time::{Clock, Entropy};

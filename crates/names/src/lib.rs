//! Names that come from outside, made only by `parse`, shown safely.
//!
//! A value of one of these types cannot be wrong: whoever holds one need not check it again. `Display` is safe in a
//! log line: no name holds control characters.

mod ids;
mod text;

pub use ids::{EndpointId, MappingId, ModelDefinitionId, SecretId};
pub use text::{Actor, EndpointName, Label, ModelName, NameError, Provider, RequestId, Workspace};

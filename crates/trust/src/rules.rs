//! Which service may call what: one table, a row a procedure. What has no row is refused.

use crate::identity::Kind;

/// Who may call a procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Every service that has shown who it is.
    EveryService,
    /// These.
    Only(&'static [Kind]),
}

/// May read the published state, and hand calls to forwarders.
const EDGES: Allowed = Allowed::Only(&[Kind::Edge, Kind::EdgeAdmin]);
/// May read and write everything that is administered.
const ADMIN: Allowed = Allowed::Only(&[Kind::EdgeAdmin]);
/// May have targets; whose, [`crate::may_watch`] says.
const FORWARDERS: Allowed = Allowed::Only(&[Kind::Forwarder]);

/// Who may call the procedure at this path (`/package.Service/Procedure`).
pub fn allowed(path: &str) -> Option<Allowed> {
    let (service, procedure) = path.strip_prefix('/')?.split_once('/')?;
    match service {
        "keyward.forward.v1.Forward" => forward(procedure),
        "keyward.store.v1.Catalog" | "keyward.store.v1.Callers" => watch(procedure, EDGES),
        "keyward.store.v1.Vault" => watch(procedure, FORWARDERS),
        "keyward.store.v1.Admin" => admin(procedure),
        "keyward.store.v1.ClientKeys" => client_keys(procedure),
        "keyward.store.v1.AuditLog" => audit_log(procedure),
        // What shows nothing but that somebody is there, and which services there are.
        "grpc.health.v1.Health" | "grpc.reflection.v1.ServerReflection" => Some(Allowed::EveryService),
        _ => None,
    }
}

fn forward(procedure: &str) -> Option<Allowed> {
    (procedure == "Forward").then_some(EDGES)
}

fn watch(procedure: &str, who: Allowed) -> Option<Allowed> {
    matches!(procedure, "Watch" | "Acknowledge").then_some(who)
}

#[rustfmt::skip]
fn admin(procedure: &str) -> Option<Allowed> {
    matches!(
        procedure,
        "CreateSecret" | "GetSecret" | "ListSecrets" | "UpdateSecret" | "DeleteSecret"
        | "CreateDefinition" | "GetDefinition" | "ListDefinitions" | "UpdateDefinition" | "DeleteDefinition"
        | "CreateEndpoint" | "GetEndpoint" | "ListEndpoints" | "UpdateEndpoint" | "DeleteEndpoint"
        | "Attach" | "Detach" | "SetTag" | "DeleteTag"
        | "CreateBinding" | "DeleteBinding" | "ListBindings"
        | "CreateExperiment" | "GetExperiment" | "GetExperimentByName" | "ListExperiments"
    )
    .then_some(ADMIN)
}

fn client_keys(procedure: &str) -> Option<Allowed> {
    matches!(procedure, "Create" | "Get" | "List" | "Update" | "Rotate" | "Revoke" | "Delete")
        .then_some(ADMIN)
}

fn audit_log(procedure: &str) -> Option<Allowed> {
    matches!(procedure, "List" | "Verify").then_some(ADMIN)
}

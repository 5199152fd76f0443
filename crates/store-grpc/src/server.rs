//! The server's side: `Admin`, `ClientKeys`, `Catalog`, `Vault` and `Callers` behind gRPC, with health and reflection.

mod admin;
mod audit;
mod client_keys;
mod watch;

use std::sync::Arc;

use proto::store::v1::{
    admin_server::AdminServer, audit_log_server::AuditLogServer, callers_server::CallersServer,
    catalog_server::CatalogServer, client_keys_server::ClientKeysServer, vault_server::VaultServer,
};
use store::{Admin, Callers, Catalog, Vault};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    channel::MESSAGE_MAX,
    trace::{Extract, Traced},
};

/// The services of a store, to be added to [`crate::server`]. When `stop` is cancelled, running watches end, so that a
/// graceful shutdown does not wait for streams that never end. Each call runs in the span that `extract` makes of its
/// headers.
pub async fn serve(
    admin: Arc<dyn Admin>,
    catalog: Arc<dyn Catalog>,
    vault: Arc<dyn Vault>,
    callers: Arc<dyn Callers>,
    extract: Option<Extract>,
    stop: CancellationToken,
) -> Routes {
    let audit =
        AuditLogServer::new(audit::Service(Arc::clone(&admin))).max_encoding_message_size(MESSAGE_MAX);
    let keys = ClientKeysServer::new(client_keys::Service(Arc::clone(&admin)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX);
    let admin = AdminServer::new(admin::Service(admin))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX);
    let catalog = CatalogServer::new(watch::CatalogService { catalog, stop: stop.clone() })
        .max_encoding_message_size(MESSAGE_MAX);
    let callers = CallersServer::new(watch::CallersService { callers, stop: stop.clone() })
        .max_encoding_message_size(MESSAGE_MAX);
    let vault = VaultServer::new(watch::VaultService { vault, stop }).max_encoding_message_size(MESSAGE_MAX);

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<AdminServer<admin::Service>>().await;
    reporter.set_serving::<AuditLogServer<audit::Service>>().await;
    reporter.set_serving::<ClientKeysServer<client_keys::Service>>().await;
    reporter.set_serving::<CallersServer<watch::CallersService>>().await;
    reporter.set_serving::<CatalogServer<watch::CatalogService>>().await;
    reporter.set_serving::<VaultServer<watch::VaultService>>().await;

    let routes = Routes::new(health)
        .add_service(Traced { inner: admin, extract: extract.clone() })
        .add_service(Traced { inner: audit, extract: extract.clone() })
        .add_service(Traced { inner: keys, extract: extract.clone() })
        .add_service(Traced { inner: callers, extract: extract.clone() })
        .add_service(Traced { inner: catalog, extract: extract.clone() })
        .add_service(Traced { inner: vault, extract });
    match reflection() {
        Ok(reflection) => routes.add_service(reflection),
        Err(cause) => {
            // Only a build whose descriptors are broken comes here, and a store without reflection still serves.
            tracing::error!(%cause, "no gRPC reflection");
            routes
        }
    }
    .prepare()
}

fn reflection() -> Result<
    tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection>,
    tonic_reflection::server::Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("keyward.store.v1.Admin")
        .with_service_name("keyward.store.v1.AuditLog")
        .with_service_name("keyward.store.v1.ClientKeys")
        .with_service_name("keyward.store.v1.Callers")
        .with_service_name("keyward.store.v1.Catalog")
        .with_service_name("keyward.store.v1.Vault")
        .with_service_name("grpc.health.v1.Health")
        .build_v1()
}

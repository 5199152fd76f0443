//! The watches: the domain's stream of updates becomes a stream of messages, until either side ends it.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream, stream::BoxStream};
use proto::store::v1;
use store::{Callers, Catalog, Position, StoreError, Updates, Vault, Watcher};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{
    convert::{Malformed, Step, Wire, name, optional, required},
    failure::{malformed_request, to_status},
};

/// `keyward.store.v1.Catalog` over a [`Catalog`].
pub(crate) struct CatalogService {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) stop: CancellationToken,
}

/// `keyward.store.v1.Vault` over a [`Vault`].
pub(crate) struct VaultService {
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) stop: CancellationToken,
}

/// `keyward.store.v1.Callers` over a [`Callers`].
pub(crate) struct CallersService {
    pub(crate) callers: Arc<dyn Callers>,
    pub(crate) stop: CancellationToken,
}

type Messages<M> = BoxStream<'static, Result<M, Status>>;

#[tonic::async_trait]
impl v1::catalog_server::Catalog for CatalogService {
    type WatchStream = Messages<v1::WatchCatalogResponse>;

    async fn watch(
        &self,
        request: Request<v1::WatchCatalogRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let watcher = required("watcher", request.watcher).map_err(|cause| malformed_request(&cause))?;
        let from = optional(request.from).map_err(|cause| malformed_request(&cause))?;
        let updates = self.catalog.watch(watcher, from).await.map_err(to_status)?;
        Ok(Response::new(messages(updates, self.stop.clone())))
    }

    async fn acknowledge(
        &self,
        request: Request<v1::AcknowledgeRequest>,
    ) -> Result<Response<v1::AcknowledgeResponse>, Status> {
        let (watcher, position) = acknowledged(request).map_err(|cause| malformed_request(&cause))?;
        self.catalog.acknowledge(&watcher, position).await.map_err(to_status)?;
        Ok(Response::new(v1::AcknowledgeResponse {}))
    }
}

#[tonic::async_trait]
impl v1::vault_server::Vault for VaultService {
    type WatchStream = Messages<v1::WatchVaultResponse>;

    async fn watch(
        &self,
        request: Request<v1::WatchVaultRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let read = |request: v1::WatchVaultRequest| {
            let watcher: Watcher = required("watcher", request.watcher)?;
            let named = |text: &String| name("providers", text, names::Provider::parse);
            let providers = request.providers.iter().map(named).collect::<Result<Vec<_>, _>>()?;
            Ok((watcher, providers, request.public_key, optional(request.from)?))
        };
        let (watcher, providers, public_key, from) =
            read(request).map_err(|cause: Malformed| malformed_request(&cause))?;
        trust::may_watch(&extensions, &providers)?;
        let updates =
            self.vault.watch(watcher, providers, public_key.into(), from).await.map_err(to_status)?;
        Ok(Response::new(messages(updates, self.stop.clone())))
    }

    async fn acknowledge(
        &self,
        request: Request<v1::AcknowledgeRequest>,
    ) -> Result<Response<v1::AcknowledgeResponse>, Status> {
        let (watcher, position) = acknowledged(request).map_err(|cause| malformed_request(&cause))?;
        self.vault.acknowledge(&watcher, position).await.map_err(to_status)?;
        Ok(Response::new(v1::AcknowledgeResponse {}))
    }
}

#[tonic::async_trait]
impl v1::callers_server::Callers for CallersService {
    type WatchStream = Messages<v1::WatchCallersResponse>;

    async fn watch(
        &self,
        request: Request<v1::WatchCallersRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let watcher = required("watcher", request.watcher).map_err(|cause| malformed_request(&cause))?;
        let from = optional(request.from).map_err(|cause| malformed_request(&cause))?;
        let updates = self.callers.watch(watcher, from).await.map_err(to_status)?;
        Ok(Response::new(messages(updates, self.stop.clone())))
    }

    async fn acknowledge(
        &self,
        request: Request<v1::AcknowledgeRequest>,
    ) -> Result<Response<v1::AcknowledgeResponse>, Status> {
        let (watcher, position) = acknowledged(request).map_err(|cause| malformed_request(&cause))?;
        self.callers.acknowledge(&watcher, position).await.map_err(to_status)?;
        Ok(Response::new(v1::AcknowledgeResponse {}))
    }
}

fn acknowledged(request: Request<v1::AcknowledgeRequest>) -> Result<(Watcher, Position), Malformed> {
    let request = request.into_inner();
    Ok((required("watcher", request.watcher)?, required("position", request.position)?))
}

/// Nothing is read ahead: tonic polls for a message when HTTP/2 has room for it.
fn messages<T, M>(updates: Updates<T>, stop: CancellationToken) -> Messages<M>
where
    T: Wire + Send + 'static,
    T::Message: prost::Message,
    M: Step<T> + Send + 'static,
{
    // An error ends the stream by itself; a watch that just ends means that the store is going away.
    let gone = stream::once(async { Err(to_status(StoreError::Unavailable)) });
    updates
        .take_until(stop.cancelled_owned())
        .flat_map(|update| {
            stream::iter(match update {
                Ok(update) => M::messages(update).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(to_status(error))],
            })
        })
        .chain(gone)
        .boxed()
}

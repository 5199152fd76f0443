//! [`Catalog`], [`Vault`] and [`Callers`] at a remote store: messages become the domain's updates again.

use futures_util::{StreamExt as _, stream};
use names::Provider;
use proto::store::v1;
use store::{
    Callers, Catalog, Position, PublishedCaller, PublishedEndpoint, SealedTarget, StoreError, Updates, Vault,
    Watcher,
};
use tonic::{Streaming, async_trait};

use super::{Remote, Trouble};
use crate::{
    convert::{Step, Wire},
    failure::{malformed_answer, of_read},
};

#[async_trait]
impl Catalog for Remote {
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedEndpoint>, StoreError> {
        let message =
            v1::WatchCatalogRequest { watcher: Some(watcher.to_wire()), from: from.map(Wire::to_wire) };
        self.trouble.set(None);
        let stream = self.catalog().watch(self.request(message)).await;
        let stream = stream.map_err(|status| self.trouble.of(&status))?;
        Ok(updates(stream.into_inner(), self.trouble.clone()))
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        let request = self.request(acknowledgement(watcher, position));
        self.catalog().acknowledge(request).await.map(drop).map_err(|status| of_read(&status))
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.get()
    }
}

#[async_trait]
impl Vault for Remote {
    async fn watch(
        &self,
        watcher: Watcher,
        providers: Vec<Provider>,
        public_key: Vec<u8>,
        from: Option<Position>,
    ) -> Result<Updates<SealedTarget>, StoreError> {
        let message = v1::WatchVaultRequest {
            watcher: Some(watcher.to_wire()),
            providers: providers.into_iter().map(Into::into).collect(),
            public_key: public_key.into(),
            from: from.map(Wire::to_wire),
        };
        self.trouble.set(None);
        let stream = self.vault().watch(self.request(message)).await;
        let stream = stream.map_err(|status| self.trouble.of(&status))?;
        Ok(updates(stream.into_inner(), self.trouble.clone()))
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        let request = self.request(acknowledgement(watcher, position));
        self.vault().acknowledge(request).await.map(drop).map_err(|status| of_read(&status))
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.get()
    }
}

#[async_trait]
impl Callers for Remote {
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedCaller>, StoreError> {
        let message =
            v1::WatchCallersRequest { watcher: Some(watcher.to_wire()), from: from.map(Wire::to_wire) };
        self.trouble.set(None);
        let stream = self.callers().watch(self.request(message)).await;
        let stream = stream.map_err(|status| self.trouble.of(&status))?;
        Ok(updates(stream.into_inner(), self.trouble.clone()))
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        let request = self.request(acknowledgement(watcher, position));
        self.callers().acknowledge(request).await.map(drop).map_err(|status| of_read(&status))
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.get()
    }
}

fn acknowledgement(watcher: &Watcher, position: Position) -> v1::AcknowledgeRequest {
    v1::AcknowledgeRequest { watcher: Some(watcher.clone().to_wire()), position: Some(position.to_wire()) }
}

/// Ends after its first error; a stream that ends without one ended because the store went away.
fn updates<T, M>(messages: Streaming<M>, trouble: Trouble) -> Updates<T>
where
    T: Wire + Send + 'static,
    M: Step<T> + Send + 'static,
{
    stream::unfold(Some((messages, trouble)), |watched| async {
        let (mut messages, trouble) = watched?;
        let update = match messages.next().await {
            Some(Ok(message)) => message.read().map_err(|cause| malformed_answer(&cause)),
            Some(Err(status)) => Err(trouble.of(&status)),
            None => {
                trouble.set(Some("it ended the watch".to_owned()));
                Err(StoreError::Unavailable)
            }
        };
        let rest = update.is_ok().then_some((messages, trouble));
        Some((update, rest))
    })
    .boxed()
}

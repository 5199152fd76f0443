//! What edges check callers with: every client key without the key, and the pepper.

use super::{Scope, begin};
use crate::{
    Callers, Keyed as _, Position, PublishedCaller, PublishedKey, Role, Store, StoreError, Updates, Watcher,
    store::Inner,
    tables::{ChangeKind, ChangeRow, ClientKeyRow, Read, convert},
};

#[async_trait::async_trait]
impl Callers for Store {
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedCaller>, StoreError> {
        begin(&self.inner, Keys { pepper: self.inner.pepper() }, watcher, String::new(), from).await
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        self.inner.acknowledged(watcher, position).await
    }
}

struct Keys {
    pepper: PublishedCaller,
}

/// What an item is made from.
enum Row {
    /// The pepper, which does not lie in the tables in the clear.
    Pepper,
    /// A key.
    Key(Box<ClientKeyRow>),
}

#[async_trait::async_trait]
impl Scope for Keys {
    type Item = PublishedCaller;
    type Row = Row;

    const ROLE: Role = Role::Callers;

    fn concerns(&self, change: &ChangeRow) -> bool {
        change.kind == ChangeKind::Callers
    }

    async fn count(&self, rows: &mut dyn Read) -> Result<usize, StoreError> {
        Ok(rows.client_keys().await?.len() + 1)
    }

    async fn all(&self, rows: &mut dyn Read) -> Result<Vec<(String, Row)>, StoreError> {
        let keys = rows.client_keys().await?.into_iter();
        let pepper = (self.pepper.key().to_owned(), Row::Pepper);
        Ok(std::iter::once(pepper)
            .chain(keys.map(|row| (row.key_id.clone(), Row::Key(Box::new(row)))))
            .collect())
    }

    async fn one(&self, rows: &mut dyn Read, key: &str) -> Result<Option<Row>, StoreError> {
        Ok(rows.client_key(key).await?.map(|row| Row::Key(Box::new(row))))
    }

    fn item(&self, _: &Inner, _: &Watcher, row: &Row) -> Result<PublishedCaller, StoreError> {
        match row {
            Row::Pepper => Ok(self.pepper.clone()),
            Row::Key(row) => Ok(PublishedCaller::Key(published(row)?)),
        }
    }
}

impl Inner {
    fn pepper(&self) -> PublishedCaller {
        PublishedCaller::Pepper(self.materials.client_pepper.clone())
    }
}

fn published(row: &ClientKeyRow) -> Result<PublishedKey, convert::Garbled> {
    Ok(PublishedKey {
        record: convert::record(row)?,
        owner: convert::label(&row.owner)?,
        scope: convert::scope(&row.scope)?,
    })
}

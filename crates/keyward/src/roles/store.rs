//! `keyward store`: the one process that has the database and the key-encryption keys.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use store::System;

use super::{
    followed::Background,
    said::{self, say},
    service, storage, telemetry_of,
    trusted::Trusted,
};
use crate::{
    command::{self, StoreAction},
    config::{Database, Ready, STORE_LISTEN, Sources},
    lifecycle::{Lifecycle, Patience, Signals},
};

/// Runs until told to stop, or does the one thing that was asked.
pub(crate) async fn run(arguments: command::Store) -> anyhow::Result<()> {
    let command::Store { action, listen, database_url_file, key_file, internal, configured } = arguments;
    let sources = Sources {
        config: configured.config,
        store_listen: listen,
        key_file,
        database_url_file,
        tls_dir: internal.tls_dir,
        insecure_internal: internal.insecure_internal,
        ..Sources::default()
    };
    let ready = sources.ready()?;
    let database = database(&ready)?;
    match action {
        Some(StoreAction::Migrate) => migrate(&database).await,
        Some(StoreAction::RenewEpoch) => renew_epoch(&database).await,
        None => serve(&ready, &database).await,
    }
}

/// Apart, the store is on Postgres, unless the configuration names a data folder.
fn database(ready: &Ready) -> anyhow::Result<Database> {
    match ready.database()? {
        Database::Embedded(_) if ready.written.store.data_dir.is_none() => bail!(
            "the store needs a database: give `--database-url-file` (a file that holds `postgres://…`), \
             or `store.data_dir` in the configuration file for an embedded one"
        ),
        database => Ok(database),
    }
}

async fn serve(ready: &Ready, database: &Database) -> anyhow::Result<()> {
    let telemetry = telemetry_of(ready, "keyward-store")?;
    let signals = Signals::listen()?;
    let mut background = Background::default();
    let trusted = Trusted::open(ready, trust::Expected::Store, &mut background)?;
    let listen = ready.written.store.listen.unwrap_or(STORE_LISTEN);
    let (socket, address) = service::bind(listen, &trusted).await?;
    let storage = storage::open(ready, database, false).await?;
    let lifecycle = Lifecycle::default();
    let store = Arc::new(storage.store.clone());
    let stopping = lifecycle.stopping.clone();
    let extract = Arc::new(service::store_span);
    let routes =
        store_grpc::serve(store.clone(), store.clone(), store.clone(), store, Some(extract), stopping).await;
    service::serve(&lifecycle, store_grpc::server(), routes, socket, &trusted);
    let scheme = trusted.scheme();
    say(&format!("listening on {scheme}://{address} (gRPC: store)\n{}", said::storage(&storage)));
    let patience = Patience { lame_duck: Duration::ZERO, drain_max: ready.drain_max };
    lifecycle.run(signals, patience, || ()).await;
    drop(background);
    storage.store.close().await;
    super::stop(telemetry).await;
    Ok(())
}

async fn migrate(database: &Database) -> anyhow::Result<()> {
    match database {
        Database::Postgres(url) => {
            let config = store_postgres::Config::new(url.clone());
            let run = store_postgres::migrate(&config).await.context("bring the database up to date")?;
            say(&format!("the database is up to date; {run} migrations were run\n"));
        }
        Database::Embedded(_) => {
            storage::tables(database).await?.close().await;
            say("the database is up to date\n");
        }
    }
    Ok(())
}

/// After a database was restored from a backup: who watched it before must not believe its revisions.
async fn renew_epoch(database: &Database) -> anyhow::Result<()> {
    let tables = storage::tables(database).await?;
    store::renew_epoch(tables.as_ref(), &System).await.context("renew the epoch")?;
    tables.close().await;
    say("the epoch is a new one: edges and forwarders will take everything anew\n");
    Ok(())
}

//! What `migrate` does, and what `open` refuses.

use store::tables::KeyCheckRow;
use store_postgres::{OpenError, Postgres, key_checks, migrate};

use crate::home::Database;

#[tokio::test]
async fn an_empty_database_is_refused_until_it_is_migrated() {
    let Some(database) = Database::create("migrate").await else { return };
    let error = Postgres::open(database.config()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotMigrated(_)), "{error:?}");
    assert!(error.to_string().contains("`keyward store migrate`"), "{error}");
    assert!(database.execute("SELECT 1 FROM meta").await.is_err(), "open makes no table");
    assert!(migrate(&database.config()).await.unwrap() > 0);
    assert_eq!(migrate(&database.config()).await.unwrap(), 0);
    Postgres::open(database.config()).await.unwrap();
}

#[tokio::test]
async fn of_many_that_migrate_at_once_all_succeed() {
    let Some(database) = Database::create("migrate at once").await else { return };
    let mut migrations = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let config = database.config();
        migrations.spawn(async move { migrate(&config).await });
    }
    for outcome in migrations.join_all().await {
        outcome.unwrap();
    }
    Postgres::open(database.config()).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_both() {
    let Some(database) = Database::create("newer schema").await else { return };
    migrate(&database.config()).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'later', TRUE, '', 0)";
    database.execute(newer).await.unwrap();
    for error in
        [Postgres::open(database.config()).await.unwrap_err(), migrate(&database.config()).await.unwrap_err()]
    {
        assert!(matches!(error, OpenError::Newer(9999)), "{error:?}");
        assert!(error.to_string().contains("`keyward store migrate`"), "{error}");
    }
}

#[tokio::test]
async fn a_migration_that_was_changed_is_refused() {
    let Some(database) = Database::create("changed migration").await else { return };
    migrate(&database.config()).await.unwrap();
    database.execute("UPDATE _sqlx_migrations SET checksum = ''").await.unwrap();
    assert!(matches!(migrate(&database.config()).await, Err(OpenError::Migration(_))));
    assert!(matches!(Postgres::open(database.config()).await, Err(OpenError::Migration(_))));
}

#[tokio::test]
async fn a_server_that_is_away_is_said_so_without_its_password() {
    let Some(database) = Database::create("away").await else { return };
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut config = database.config();
    config.url = format!("postgres://user:hunter2@127.0.0.1:{port}/x").into();
    let error = Postgres::open(config).await.unwrap_err();
    assert!(matches!(error, OpenError::Unavailable(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn order_is_by_bytes_also_where_the_database_has_a_locale() {
    let Some(database) = Database::create("locale").await else { return };
    // ICU is built into every packaged server; `und` orders letters before their case.
    let name = format!("{}_icu", database.name);
    let made = format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und'");
    database.on_cluster(&made).await;
    let database = database.renamed(name);
    migrate(&database.config()).await.unwrap();
    let tables = Postgres::open(database.config()).await.unwrap();
    let home = crate::home::Opened { tables: std::sync::Arc::new(tables), database };
    store::suite::tables::lists_are_in_order_of_time_then_bytes(&home).await;
    store::suite::tables::keys_are_in_order_of_bytes(&home).await;
}

#[tokio::test]
async fn keys_are_read_without_migrating() {
    let Some(database) = Database::create("keys before migrations").await else { return };
    assert_eq!(key_checks(&database.config()).await.unwrap(), []);
    // As an older program left it: a schema of which only this table is the same.
    database.execute("CREATE TABLE key_checks (kek_id TEXT, blob BYTEA, later TEXT)").await.unwrap();
    database.execute("INSERT INTO key_checks VALUES ('k1', '\\x01', '')").await.unwrap();
    let row = KeyCheckRow { kek_id: "k1".to_owned(), blob: vec![1] };
    assert_eq!(key_checks(&database.config()).await.unwrap(), [row]);
    assert!(database.execute("SELECT 1 FROM _sqlx_migrations").await.is_err(), "nothing was migrated");
}

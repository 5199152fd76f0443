//! The store's tables in Postgres.

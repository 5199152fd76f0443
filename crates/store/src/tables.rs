//! Rows in and out of a database: what each database crate implements, and nothing of the rules.
//!
//! An implementation holds sealed bytes only, knows no rule, and makes no decision but how a row is spelled in its SQL.
//! `store::suite::tables_suite` says what it must do; the rules stand once, in `store::Store`.

pub(crate) mod convert;
mod rows;

use names::Workspace;
use tokio::sync::watch;

pub use rows::{
    AuditRow, BindingRow, ChangeKind, ChangeRow, ClientKeyRow, DefinitionRow, EndpointRow, ExperimentRow,
    KeyCheckRow, MappingRow, MaterialRow, Meta, SealedRow, SecretRow, TagRow, WatcherRow,
};

/// A unique key of the tables. Each of them begins with the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// `secrets(workspace, name)`.
    SecretName,
    /// `model_definitions(workspace, name)`.
    DefinitionName,
    /// `endpoints(workspace, name)`.
    EndpointName,
    /// `mappings(workspace, endpoint_id, definition_id, linkage)`.
    MappingPart,
    /// `bindings(workspace, endpoint_id, resource_type, resource_id)`.
    Binding,
    /// `experiments(workspace, name)`.
    ExperimentName,
}

/// Why rows could not be read or written. Where it arises inside a transaction, nothing of that transaction stays.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// A unique key is taken.
    #[error("unique key is taken: {0:?}")]
    Taken(Constraint),
    /// The database is away, full, or did not answer within its limit; nothing was changed.
    #[error("the database is not available")]
    Unavailable(#[source] BoxError),
    /// A defect: bad SQL, a row that does not decode, a foreign key that the rules should have seen to.
    #[error("defect in the tables")]
    Defect(#[source] BoxError),
}

/// A cause, for the log only.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a commit did not end well.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Certainly not committed.
    #[error("not committed")]
    NotCommitted(#[source] TablesError),
    /// COMMIT was sent, and its outcome could not be learned, also not by asking the database afterwards.
    #[error("outcome of the commit is unknown")]
    Unknown,
}

/// Which mappings to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// All of the workspace.
    All,
    /// One, by its own id.
    Mapping(&'a str),
    /// Those of an endpoint.
    Endpoint(&'a str),
    /// Those of a model definition.
    Definition(&'a str),
    /// Those whose definition uses this secret.
    Secret(&'a str),
    /// Those whose definition has this provider.
    Provider(&'a str),
}

/// A database with Keyward's tables, its migrations run.
#[async_trait::async_trait]
pub trait Tables: Send + Sync + 'static {
    /// A consistent snapshot: everything read through it is as of one moment, before or after any commit as a whole.
    async fn read(&self, workspace: &Workspace) -> Result<Box<dyn Read>, TablesError>;

    /// A transaction that writes. There is one at a time in the whole database, from here to its end: SQLite by
    /// `BEGIN IMMEDIATE`, Postgres by taking the row of `meta` `FOR UPDATE` as its first statement. So commit order is
    /// revision order. Dropped without [`Write::commit`]: rolled back.
    async fn write(&self, workspace: &Workspace) -> Result<Box<dyn Write>, TablesError>;

    /// Notes that a watcher was seen (upsert by workspace, role, replica and provider). Not an administrative
    /// transaction: it waits for no other, where the database allows, and bumps no revision.
    async fn note_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError>;

    /// Removes a watcher that said goodbye; one that is not there is no error.
    async fn forget_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError>;

    /// Wakes whoever waits for a commit: the value changes after each commit that this process made, and, where the
    /// database can tell (Postgres `NOTIFY`), after those of other processes. A wake-up may be lost or come for nothing:
    /// whoever waits also polls.
    fn wakes(&self) -> watch::Receiver<u64>;

    /// Ends connections and gives up locks. Later calls answer [`TablesError::Unavailable`].
    async fn close(&self);
}

/// What can be read within a snapshot or a transaction. Lists are complete and ordered as said; texts are ordered by
/// their UTF-8 bytes (Postgres: `COLLATE "C"`). Everything but `meta` and `key_checks` is of the workspace that the
/// snapshot or transaction was opened for.
#[async_trait::async_trait]
pub trait Read: Send {
    /// The one row on the database itself. The migration makes it with zeros.
    async fn meta(&mut self) -> Result<Meta, TablesError>;
    /// All key-check values, by id of the key.
    async fn key_checks(&mut self) -> Result<Vec<KeyCheckRow>, TablesError>;

    /// One secret's public columns.
    async fn secret(&mut self, id: &str) -> Result<Option<SecretRow>, TablesError>;
    /// All secrets, by creation time, then id.
    async fn secrets(&mut self) -> Result<Vec<SecretRow>, TablesError>;
    /// One secret's sealed columns.
    async fn sealed(&mut self, secret_id: &str) -> Result<Option<SealedRow>, TablesError>;
    /// The sealed columns of all secrets of a provider, by secret id.
    async fn sealed_of(&mut self, provider: &str) -> Result<Vec<SealedRow>, TablesError>;

    /// One model definition.
    async fn definition(&mut self, id: &str) -> Result<Option<DefinitionRow>, TablesError>;
    /// All model definitions, by creation time, then id.
    async fn definitions(&mut self) -> Result<Vec<DefinitionRow>, TablesError>;

    /// One endpoint by id.
    async fn endpoint(&mut self, id: &str) -> Result<Option<EndpointRow>, TablesError>;
    /// One endpoint by name.
    async fn endpoint_by_name(&mut self, name: &str) -> Result<Option<EndpointRow>, TablesError>;
    /// All endpoints, by creation time, then id.
    async fn endpoints(&mut self) -> Result<Vec<EndpointRow>, TablesError>;

    /// Mappings with their definitions, by endpoint id, then ordinal.
    async fn mappings(&mut self, of: Of<'_>) -> Result<Vec<(MappingRow, DefinitionRow)>, TablesError>;
    /// Tags of one endpoint, or of all, by endpoint id, then key.
    async fn tags(&mut self, endpoint_id: Option<&str>) -> Result<Vec<TagRow>, TablesError>;
    /// Bindings of one endpoint, or of all, by creation time, then endpoint id, resource type and resource id.
    async fn bindings(&mut self, endpoint_id: Option<&str>) -> Result<Vec<BindingRow>, TablesError>;

    /// One experiment by number.
    async fn experiment(&mut self, id: i64) -> Result<Option<ExperimentRow>, TablesError>;
    /// One experiment by name.
    async fn experiment_by_name(&mut self, name: &str) -> Result<Option<ExperimentRow>, TablesError>;
    /// All experiments, by number.
    async fn experiments(&mut self) -> Result<Vec<ExperimentRow>, TablesError>;
    /// The highest number of an experiment, 0 where there is none.
    async fn last_experiment(&mut self) -> Result<i64, TablesError>;

    /// All key materials, by name, then serial.
    async fn key_materials(&mut self) -> Result<Vec<MaterialRow>, TablesError>;
    /// One client key by its id.
    async fn client_key(&mut self, key_id: &str) -> Result<Option<ClientKeyRow>, TablesError>;
    /// All client keys, by creation time, then id.
    async fn client_keys(&mut self) -> Result<Vec<ClientKeyRow>, TablesError>;

    /// At most `limit` rows of the change log with a revision above `revision`, in the order they were appended.
    async fn changes_since(&mut self, revision: i64, limit: i64) -> Result<Vec<ChangeRow>, TablesError>;
    /// At most `limit` audit rows with a `seq` above `seq`, by `seq`.
    async fn audit_since(&mut self, seq: i64, limit: i64) -> Result<Vec<AuditRow>, TablesError>;
    /// The audit row with the highest `seq`.
    async fn last_audit(&mut self) -> Result<Option<AuditRow>, TablesError>;
    /// Watchers seen at `since` (milliseconds since the Unix epoch) or later, by role, replica and provider.
    async fn watchers(&mut self, since: i64) -> Result<Vec<WatcherRow>, TablesError>;
}

/// What can be written within a transaction. `put_…` inserts, or updates the row of the same primary key.
#[async_trait::async_trait]
pub trait Write: Read {
    /// Replaces the one row on the database itself.
    async fn put_meta(&mut self, meta: Meta) -> Result<(), TablesError>;
    /// Puts a key-check value, by id of the key.
    async fn put_key_check(&mut self, row: &KeyCheckRow) -> Result<(), TablesError>;

    /// Puts a secret's public columns, by id. May answer [`Constraint::SecretName`].
    async fn put_secret(&mut self, row: &SecretRow) -> Result<(), TablesError>;
    /// Puts a secret's sealed columns, by secret id; the secret is there.
    async fn put_sealed(&mut self, row: &SealedRow) -> Result<(), TablesError>;
    /// Deletes a secret with its sealed columns; definitions that used it then have none. False: it was not there.
    async fn delete_secret(&mut self, id: &str) -> Result<bool, TablesError>;

    /// Puts a model definition, by id. `secret_name` is not written. May answer [`Constraint::DefinitionName`].
    async fn put_definition(&mut self, row: &DefinitionRow) -> Result<(), TablesError>;
    /// Deletes a model definition that no mapping uses. False: it was not there.
    async fn delete_definition(&mut self, id: &str) -> Result<bool, TablesError>;

    /// Puts an endpoint, by id. May answer [`Constraint::EndpointName`].
    async fn put_endpoint(&mut self, row: &EndpointRow) -> Result<(), TablesError>;
    /// Deletes an endpoint with its mappings, tags and bindings. False: it was not there.
    async fn delete_endpoint(&mut self, id: &str) -> Result<bool, TablesError>;

    /// Puts a mapping, by id. May answer [`Constraint::MappingPart`].
    async fn put_mapping(&mut self, row: &MappingRow) -> Result<(), TablesError>;
    /// Deletes a mapping. False: it was not there.
    async fn delete_mapping(&mut self, id: &str) -> Result<bool, TablesError>;

    /// Puts a tag, by endpoint and key.
    async fn put_tag(&mut self, row: &TagRow) -> Result<(), TablesError>;
    /// Deletes a tag. False: it was not there.
    async fn delete_tag(&mut self, endpoint_id: &str, key: &str) -> Result<bool, TablesError>;

    /// Inserts a binding. May answer [`Constraint::Binding`].
    async fn insert_binding(&mut self, row: &BindingRow) -> Result<(), TablesError>;
    /// Deletes a binding by its three keys. False: it was not there.
    async fn delete_binding(
        &mut self,
        endpoint_id: &str,
        resource_type: &str,
        resource_id: &str,
    ) -> Result<bool, TablesError>;

    /// Puts an experiment, by number. May answer [`Constraint::ExperimentName`].
    async fn put_experiment(&mut self, row: &ExperimentRow) -> Result<(), TablesError>;

    /// Puts a key material, by name and serial.
    async fn put_key_material(&mut self, row: &MaterialRow) -> Result<(), TablesError>;
    /// Puts a client key, by its id.
    async fn put_client_key(&mut self, row: &ClientKeyRow) -> Result<(), TablesError>;
    /// Deletes a client key. False: it was not there.
    async fn delete_client_key(&mut self, key_id: &str) -> Result<bool, TablesError>;

    /// Appends to the change log.
    async fn append_change(&mut self, row: &ChangeRow) -> Result<(), TablesError>;
    /// Deletes rows of the change log up to and with `meta.change_floor`, of every workspace. The database itself
    /// (a trigger) refuses every other deletion and every update there.
    async fn trim_changes(&mut self) -> Result<(), TablesError>;
    /// Appends to the audit log; `seq` is not taken from the row but counted by the database. The database itself (a
    /// trigger) refuses updates and deletions.
    async fn append_audit(&mut self, row: &AuditRow) -> Result<(), TablesError>;
    /// Deletes watchers last seen before `before` (milliseconds since the Unix epoch).
    async fn trim_watchers(&mut self, before: i64) -> Result<(), TablesError>;

    /// Commits, and wakes whoever waits for changes.
    async fn commit(self: Box<Self>) -> Result<(), CommitError>;
}

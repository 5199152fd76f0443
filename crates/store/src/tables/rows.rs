//! The shapes of rows. Plain values as they lie in columns: the rules parse them, once, in `convert`.
//!
//! Integers are `i64` (BIGINT), times are milliseconds since the Unix epoch, texts marked JSON are TEXT in both
//! databases, so that both give back the bytes they were given. The workspace is not in the rows: a snapshot or a
//! transaction has one.

/// The one row on the database itself (`meta`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// Drawn at random, above 0, when the database is first opened or was restored; 0 as the migration made it.
    pub epoch: i64,
    /// Counts administrative transactions.
    pub revision: i64,
    /// The change log is complete for revisions above this one.
    pub change_floor: i64,
}

/// A key-check value (`key_checks`): a fixed text sealed under one key-encryption key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheckRow {
    /// Id of the key.
    pub kek_id: String,
    /// The sealed text.
    pub blob: Vec<u8>,
}

/// A secret's public columns (`secrets`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// `s-…`, primary key.
    pub id: String,
    /// Unique within the workspace, never changed.
    pub name: String,
    /// JSON object, field name to mask.
    pub masked_values: String,
    /// Version of the sealed value, from 1.
    pub version: i64,
    /// Provider.
    pub provider: Option<String>,
    /// JSON object.
    pub auth_config: String,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub last_updated_by: Option<String>,
}

/// A secret's sealed columns (`sealed_values`), one row a secret, deleted with it: an old value is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The secret, primary key.
    pub secret_id: String,
    /// The version that these bytes were sealed for; the same as in `secrets`.
    pub version: i64,
    /// The hosts that it was sealed for, a JSON array; opens only with the very same ones.
    pub allowed_hosts: String,
    /// The format of the sealed bytes (`seal::Envelope::format`).
    pub format: i64,
    /// Id of the key-encryption key.
    pub kek_id: String,
    /// The data key, wrapped.
    pub wrapped_dek: Vec<u8>,
    /// The value and its allowed hosts, sealed.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for SealedRow {
    /// Without the bytes: sealed or not, they have no business in a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SealedRow")
            .field("secret_id", &self.secret_id)
            .field("version", &self.version)
            .field("kek_id", &self.kek_id)
            .finish_non_exhaustive()
    }
}

/// A model definition (`model_definitions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionRow {
    /// `d-…`, primary key.
    pub id: String,
    /// Unique within the workspace.
    pub name: String,
    /// The secret; set to NULL when it is deleted.
    pub secret_id: Option<String>,
    /// The secret's name: joined when read, not a column.
    pub secret_name: Option<String>,
    /// Provider.
    pub provider: String,
    /// The provider's own name of the model.
    pub model_name: String,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub last_updated_by: Option<String>,
}

/// An endpoint (`endpoints`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    /// `e-…`, primary key.
    pub id: String,
    /// Unique within the workspace.
    pub name: String,
    /// `REQUEST_BASED_TRAFFIC_SPLIT`.
    pub routing_strategy: Option<String>,
    /// JSON object.
    pub fallback_config: Option<String>,
    /// The experiment; it is there (foreign key).
    pub experiment_id: Option<i64>,
    /// Whether usage is tracked.
    pub usage_tracking: bool,
    /// The revision of its last change as published: of its own row, its mappings, definitions or secrets.
    pub revision: i64,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub last_updated_by: Option<String>,
}

/// A mapping of an endpoint to a model definition (`mappings`).
#[derive(Debug, Clone, PartialEq)]
pub struct MappingRow {
    /// `m-…`, primary key.
    pub id: String,
    /// The endpoint; deleted with it.
    pub endpoint_id: String,
    /// The definition; it cannot be deleted while this row is there.
    pub definition_id: String,
    /// Share; finite, above 0.
    pub weight: f64,
    /// `PRIMARY` or `FALLBACK`.
    pub linkage: String,
    /// Position among the fallbacks.
    pub fallback_order: Option<i64>,
    /// Order of creation within the endpoint: mappings made at once have the same time.
    pub ordinal: i64,
    /// Creation time.
    pub created_at: i64,
    /// Who created it.
    pub created_by: Option<String>,
}

/// A tag (`tags`), primary key endpoint and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The endpoint; deleted with it.
    pub endpoint_id: String,
    /// Key.
    pub key: String,
    /// Value.
    pub value: String,
}

/// A binding (`bindings`), primary key endpoint, resource type and resource id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingRow {
    /// The endpoint; deleted with it.
    pub endpoint_id: String,
    /// Kind of the resource.
    pub resource_type: String,
    /// The resource.
    pub resource_id: String,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub last_updated_by: Option<String>,
}

/// An experiment (`experiments`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentRow {
    /// Number, from 1, given by the rules; primary key.
    pub id: i64,
    /// Unique within the workspace.
    pub name: String,
    /// Where artifacts would lie.
    pub artifact_location: Option<String>,
    /// JSON array of `{key, value}`.
    pub tags: String,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
}

/// Random bytes that keys and chains are checked with, sealed (`key_materials`), primary key name and serial.
#[derive(Clone, PartialEq, Eq)]
pub struct MaterialRow {
    /// What it is for, e.g. `client_pepper`.
    pub name: String,
    /// Counts materials of one name, from 1.
    pub serial: i64,
    /// The format of the sealed bytes (`seal::Envelope::format`).
    pub format: i64,
    /// Id of the key-encryption key.
    pub kek_id: String,
    /// The data key, wrapped.
    pub wrapped_dek: Vec<u8>,
    /// The bytes, sealed.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for MaterialRow {
    /// Without the bytes, as [`SealedRow`].
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MaterialRow")
            .field("name", &self.name)
            .field("serial", &self.serial)
            .field("kek_id", &self.kek_id)
            .finish_non_exhaustive()
    }
}

/// An application's key (`client_keys`), without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKeyRow {
    /// The public part of the key, primary key.
    pub key_id: String,
    /// HMAC-SHA-256 of the whole key under a pepper, 32 bytes.
    pub mac: Vec<u8>,
    /// The serial of that pepper's material.
    pub pepper: i64,
    /// Whose it is.
    pub owner: String,
    /// What it is for, in the admin's words.
    pub note: Option<String>,
    /// JSON (`access::Scope`).
    pub scope: String,
    /// It counts until just before then.
    pub expires_at: Option<i64>,
    /// It was replaced, and counts until just before then.
    pub retires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// The key that replaces it.
    pub replaced_by: Option<String>,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub last_updated_by: Option<String>,
}

impl std::fmt::Debug for ClientKeyRow {
    /// Without the MAC: of no use without the pepper, and of none in a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientKeyRow")
            .field("key_id", &self.key_id)
            .field("owner", &self.owner)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

/// What a row of the change log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// An endpoint as edges see it; the key is the endpoint's id.
    Catalog,
    /// A target as forwarders see it; the key is the mapping's id.
    Vault,
    /// A client key as edges see it; the key is the key's id.
    Callers,
}

impl ChangeKind {
    /// As it lies in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Vault => "vault",
            Self::Callers => "callers",
        }
    }

    /// From the column.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Catalog, Self::Vault, Self::Callers].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One line of the change log (`change_log`, append-only): this item may look different as of this revision. Whether it
/// is new, changed or gone is read from the state itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// The revision of the transaction.
    pub revision: i64,
    /// What changed.
    pub kind: ChangeKind,
    /// Which one.
    pub key: String,
    /// For a target: whose. Empty for an endpoint.
    pub provider: String,
}

/// One line of the audit log (`audit`, append-only).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Counted by the database, from 1; 0 on its way in.
    pub seq: i64,
    /// When.
    pub at: i64,
    /// Who.
    pub actor: Option<String>,
    /// What kind of actor: `admin`, `store`.
    pub actor_kind: String,
    /// What was done, e.g. `secret.create`.
    pub action: String,
    /// To which object: its id.
    pub object: String,
    /// Which version of it, where objects have versions.
    pub object_version: Option<i64>,
    /// How it ended; a change that did not is not written with the change's transaction, so this is `ok` so far.
    pub outcome: String,
    /// The request that asked.
    pub request_id: String,
    /// The revision of the transaction.
    pub revision: i64,
    /// Where from: an address, if there was one.
    pub source: Option<String>,
    /// JSON object of what changed, without any value of a secret.
    pub detail: String,
    /// The MAC of the row before it; zeros before the first.
    pub prev: Vec<u8>,
    /// The MAC over that and this row.
    pub mac: Vec<u8>,
}

/// What is known of a watcher (`watchers`), primary key role, replica and provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatcherRow {
    /// `edge`, `forwarder` or `callers`.
    pub role: String,
    /// Its name among replicas.
    pub replica: String,
    /// The provider of a forwarder; empty for an edge.
    pub provider: String,
    /// The epoch that it applied; 0: nothing yet.
    pub epoch: i64,
    /// The revision that it applied.
    pub revision: i64,
    /// When it was last seen, by the store's clock.
    pub seen_at: i64,
}

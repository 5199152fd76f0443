//! Rows as they come from the database. Columns are read in the order in which the lists here name them.

use sqlx::{Decode, Postgres, Row as _, Type, postgres::PgRow};
use store::tables::{
    AuditRow, BindingRow, ChangeKind, ChangeRow, ClientKeyRow, DefinitionRow, EndpointRow, ExperimentRow,
    KeyCheckRow, MappingRow, MaterialRow, Meta, SealedRow, SecretRow, TablesError, TagRow, WatcherRow,
};

use crate::error::tables_error;

/// Reads one column after the other.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, sqlx::Error> {
        let at = self.next;
        self.next += 1;
        self.row.try_get(at)
    }
}

/// A row of a table, from its columns.
pub(crate) trait FromColumns: Sized {
    /// Takes as many columns as the table's list names.
    fn take(columns: &mut Columns<'_>) -> Result<Self, sqlx::Error>;
}

/// One row of an answer.
pub(crate) fn one<T: FromColumns>(row: &PgRow) -> Result<T, TablesError> {
    T::take(&mut Columns { row, next: 0 }).map_err(tables_error)
}

/// All rows of an answer.
pub(crate) fn all<T: FromColumns>(rows: &[PgRow]) -> Result<Vec<T>, TablesError> {
    rows.iter().map(one).collect()
}

impl FromColumns for i64 {
    fn take(columns: &mut Columns<'_>) -> Result<Self, sqlx::Error> {
        columns.take()
    }
}

impl<A: FromColumns, B: FromColumns> FromColumns for (A, B) {
    fn take(columns: &mut Columns<'_>) -> Result<Self, sqlx::Error> {
        Ok((A::take(columns)?, B::take(columns)?))
    }
}

/// A table's columns: as a list for statements, and as how its row is made of them, in the same order.
macro_rules! row {
    ($list:ident, $row:ident { $first:ident: $column:literal $(, $field:ident: $next:literal)* $(,)? }) => {
        macro_rules! $list {
            () => {
                concat!($column $(, ", ", $next)*)
            };
        }

        impl FromColumns for $row {
            fn take(columns: &mut Columns<'_>) -> Result<Self, sqlx::Error> {
                // The fields of a struct literal are evaluated in the order in which they are written.
                Ok(Self { $first: columns.take()? $(, $field: columns.take()?)* })
            }
        }
    };
}

row!(meta_columns, Meta { epoch: "epoch", revision: "revision", change_floor: "change_floor" });

row!(key_check_columns, KeyCheckRow { kek_id: "kek_id", blob: "blob" });

row!(
    secret_columns,
    SecretRow {
        id: "id",
        name: "name",
        masked_values: "masked_values",
        version: "version",
        provider: "provider",
        auth_config: "auth_config",
        created_at: "created_at",
        last_updated_at: "last_updated_at",
        created_by: "created_by",
        last_updated_by: "last_updated_by",
    }
);

row!(
    sealed_columns,
    SealedRow {
        secret_id: "v.secret_id",
        version: "v.version",
        allowed_hosts: "v.allowed_hosts",
        format: "v.format",
        kek_id: "v.kek_id",
        wrapped_dek: "v.wrapped_dek",
        sealed: "v.sealed",
    }
);

row!(
    definition_columns,
    DefinitionRow {
        id: "d.id",
        name: "d.name",
        secret_id: "d.secret_id",
        secret_name: "s.name",
        provider: "d.provider",
        model_name: "d.model_name",
        created_at: "d.created_at",
        last_updated_at: "d.last_updated_at",
        created_by: "d.created_by",
        last_updated_by: "d.last_updated_by",
    }
);

row!(
    endpoint_columns,
    EndpointRow {
        id: "id",
        name: "name",
        routing_strategy: "routing_strategy",
        fallback_config: "fallback_config",
        experiment_id: "experiment_id",
        usage_tracking: "usage_tracking",
        revision: "revision",
        created_at: "created_at",
        last_updated_at: "last_updated_at",
        created_by: "created_by",
        last_updated_by: "last_updated_by",
    }
);

row!(
    mapping_columns,
    MappingRow {
        id: "m.id",
        endpoint_id: "m.endpoint_id",
        definition_id: "m.definition_id",
        weight: "m.weight",
        linkage: "m.linkage",
        fallback_order: "m.fallback_order",
        ordinal: "m.ordinal",
        created_at: "m.created_at",
        created_by: "m.created_by",
    }
);

row!(tag_columns, TagRow { endpoint_id: "endpoint_id", key: "key", value: "value" });

row!(
    binding_columns,
    BindingRow {
        endpoint_id: "endpoint_id",
        resource_type: "resource_type",
        resource_id: "resource_id",
        created_at: "created_at",
        last_updated_at: "last_updated_at",
        created_by: "created_by",
        last_updated_by: "last_updated_by",
    }
);

row!(
    experiment_columns,
    ExperimentRow {
        id: "id",
        name: "name",
        artifact_location: "artifact_location",
        tags: "tags",
        created_at: "created_at",
        last_updated_at: "last_updated_at",
    }
);

row!(
    material_columns,
    MaterialRow {
        name: "name",
        serial: "serial",
        format: "format",
        kek_id: "kek_id",
        wrapped_dek: "wrapped_dek",
        sealed: "sealed",
    }
);

row!(
    client_key_columns,
    ClientKeyRow {
        key_id: "key_id",
        mac: "mac",
        pepper: "pepper",
        owner: "owner",
        note: "note",
        scope: "scope",
        expires_at: "expires_at",
        retires_at: "retires_at",
        revoked_at: "revoked_at",
        replaced_by: "replaced_by",
        created_at: "created_at",
        last_updated_at: "last_updated_at",
        created_by: "created_by",
        last_updated_by: "last_updated_by",
    }
);

row!(
    audit_columns,
    AuditRow {
        seq: "seq",
        at: "at",
        actor: "actor",
        actor_kind: "actor_kind",
        action: "action",
        object: "object",
        object_version: "object_version",
        outcome: "outcome",
        request_id: "request_id",
        revision: "revision",
        source: "source",
        detail: "detail",
        prev: "prev",
        mac: "mac",
    }
);

row!(
    watcher_columns,
    WatcherRow {
        role: "role",
        replica: "replica",
        provider: "provider",
        epoch: "epoch",
        revision: "revision",
        seen_at: "seen_at",
    }
);

/// As the others, but that its kind is a word.
macro_rules! change_columns {
    () => {
        "revision, kind, key, provider"
    };
}

impl FromColumns for ChangeRow {
    fn take(columns: &mut Columns<'_>) -> Result<Self, sqlx::Error> {
        let revision = columns.take()?;
        let kind: String = columns.take()?;
        let kind =
            ChangeKind::parse(&kind).ok_or_else(|| sqlx::Error::Decode("unknown kind of change".into()))?;
        Ok(Self { revision, kind, key: columns.take()?, provider: columns.take()? })
    }
}

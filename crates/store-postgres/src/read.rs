//! Reading, within a snapshot or a transaction.

use store::tables::{
    AuditRow, BindingRow, ChangeRow, ClientKeyRow, DefinitionRow, EndpointRow, ExperimentRow, KeyCheckRow,
    MappingRow, MaterialRow, Meta, Of, Read, SealedRow, SecretRow, TablesError, TagRow, WatcherRow,
};

use crate::{
    rows::{FromColumns, all, one},
    session::{Session, Statement},
};

/// `SELECT` with the columns of a row.
macro_rules! select {
    ($columns:ident, $rest:literal) => {
        concat!("SELECT ", $columns!(), " ", $rest)
    };
}

/// Definitions are read with the name of their secret.
macro_rules! select_definitions {
    ($rest:literal) => {
        select_definitions!(definition_columns, "model_definitions d", $rest)
    };
    ($columns:ident, $from:literal, $rest:literal) => {
        concat!(
            "SELECT ", $columns!(), " FROM ", $from,
            " LEFT JOIN secrets s ON s.workspace = d.workspace AND s.id = d.secret_id WHERE d.workspace = $1 ", $rest
        )
    };
}

/// Mappings are read with their definitions.
macro_rules! select_mappings {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            mapping_columns!(),
            ", ",
            definition_columns!(),
            " FROM mappings m",
            " JOIN model_definitions d ON d.workspace = m.workspace AND d.id = m.definition_id",
            " LEFT JOIN secrets s ON s.workspace = d.workspace AND s.id = d.secret_id",
            " WHERE m.workspace = $1 ",
            $condition,
            " ORDER BY m.endpoint_id, m.ordinal"
        )
    };
}

impl Session {
    async fn first<T: FromColumns>(&mut self, statement: Statement<'_>) -> Result<Option<T>, TablesError> {
        self.rows(statement).await?.first().map(one).transpose()
    }

    async fn list<T: FromColumns>(&mut self, statement: Statement<'_>) -> Result<Vec<T>, TablesError> {
        all(&self.rows(statement).await?)
    }
}

#[async_trait::async_trait]
impl Read for Session {
    async fn meta(&mut self) -> Result<Meta, TablesError> {
        let meta = self.first(sqlx::query(select!(meta_columns, "FROM meta"))).await?;
        meta.ok_or_else(|| TablesError::Defect("the table `meta` is empty".into()))
    }

    async fn key_checks(&mut self) -> Result<Vec<KeyCheckRow>, TablesError> {
        self.list(sqlx::query(select!(key_check_columns, "FROM key_checks ORDER BY kek_id"))).await
    }

    async fn secret(&mut self, id: &str) -> Result<Option<SecretRow>, TablesError> {
        let statement = self.query(select!(secret_columns, "FROM secrets WHERE workspace = $1 AND id = $2"));
        self.first(statement.bind(id)).await
    }

    async fn secrets(&mut self) -> Result<Vec<SecretRow>, TablesError> {
        let statement = select!(secret_columns, "FROM secrets WHERE workspace = $1 ORDER BY created_at, id");
        self.list(self.query(statement)).await
    }

    async fn sealed(&mut self, secret_id: &str) -> Result<Option<SealedRow>, TablesError> {
        let statement =
            select!(sealed_columns, "FROM sealed_values v WHERE v.workspace = $1 AND v.secret_id = $2");
        self.first(self.query(statement).bind(secret_id)).await
    }

    async fn sealed_of(&mut self, provider: &str) -> Result<Vec<SealedRow>, TablesError> {
        let statement = select!(
            sealed_columns,
            "FROM sealed_values v JOIN secrets s ON s.workspace = v.workspace AND s.id = v.secret_id \
             WHERE v.workspace = $1 AND s.provider = $2 ORDER BY v.secret_id"
        );
        self.list(self.query(statement).bind(provider)).await
    }

    async fn definition(&mut self, id: &str) -> Result<Option<DefinitionRow>, TablesError> {
        self.first(self.query(select_definitions!("AND d.id = $2")).bind(id)).await
    }

    async fn definitions(&mut self) -> Result<Vec<DefinitionRow>, TablesError> {
        self.list(self.query(select_definitions!("ORDER BY d.created_at, d.id"))).await
    }

    async fn endpoint(&mut self, id: &str) -> Result<Option<EndpointRow>, TablesError> {
        let statement =
            self.query(select!(endpoint_columns, "FROM endpoints WHERE workspace = $1 AND id = $2"));
        self.first(statement.bind(id)).await
    }

    async fn endpoint_by_name(&mut self, name: &str) -> Result<Option<EndpointRow>, TablesError> {
        let statement =
            self.query(select!(endpoint_columns, "FROM endpoints WHERE workspace = $1 AND name = $2"));
        self.first(statement.bind(name)).await
    }

    async fn endpoints(&mut self) -> Result<Vec<EndpointRow>, TablesError> {
        let statement =
            select!(endpoint_columns, "FROM endpoints WHERE workspace = $1 ORDER BY created_at, id");
        self.list(self.query(statement)).await
    }

    async fn mappings(&mut self, of: Of<'_>) -> Result<Vec<(MappingRow, DefinitionRow)>, TablesError> {
        let statement = match of {
            Of::All => self.query(select_mappings!("")),
            Of::Mapping(id) => self.query(select_mappings!("AND m.id = $2")).bind(id),
            Of::Endpoint(id) => self.query(select_mappings!("AND m.endpoint_id = $2")).bind(id),
            Of::Definition(id) => self.query(select_mappings!("AND m.definition_id = $2")).bind(id),
            Of::Secret(id) => self.query(select_mappings!("AND d.secret_id = $2")).bind(id),
            Of::Provider(provider) => self.query(select_mappings!("AND d.provider = $2")).bind(provider),
        };
        self.list(statement).await
    }

    async fn tags(&mut self, endpoint_id: Option<&str>) -> Result<Vec<TagRow>, TablesError> {
        let statement = select!(
            tag_columns,
            "FROM tags WHERE workspace = $1 AND ($2::text IS NULL OR endpoint_id = $2) ORDER BY endpoint_id, key"
        );
        self.list(self.query(statement).bind(endpoint_id)).await
    }

    async fn bindings(&mut self, endpoint_id: Option<&str>) -> Result<Vec<BindingRow>, TablesError> {
        let statement = select!(
            binding_columns,
            "FROM bindings WHERE workspace = $1 AND ($2::text IS NULL OR endpoint_id = $2) \
             ORDER BY created_at, endpoint_id, resource_type, resource_id"
        );
        self.list(self.query(statement).bind(endpoint_id)).await
    }

    async fn experiment(&mut self, id: i64) -> Result<Option<ExperimentRow>, TablesError> {
        let statement =
            self.query(select!(experiment_columns, "FROM experiments WHERE workspace = $1 AND id = $2"));
        self.first(statement.bind(id)).await
    }

    async fn experiment_by_name(&mut self, name: &str) -> Result<Option<ExperimentRow>, TablesError> {
        let statement = select!(experiment_columns, "FROM experiments WHERE workspace = $1 AND name = $2");
        self.first(self.query(statement).bind(name)).await
    }

    async fn experiments(&mut self) -> Result<Vec<ExperimentRow>, TablesError> {
        let statement = select!(experiment_columns, "FROM experiments WHERE workspace = $1 ORDER BY id");
        self.list(self.query(statement)).await
    }

    async fn last_experiment(&mut self) -> Result<i64, TablesError> {
        let statement = self.query("SELECT COALESCE(MAX(id), 0) FROM experiments WHERE workspace = $1");
        Ok(self.first(statement).await?.unwrap_or(0))
    }

    async fn key_materials(&mut self) -> Result<Vec<MaterialRow>, TablesError> {
        let statement =
            select!(material_columns, "FROM key_materials WHERE workspace = $1 ORDER BY name, serial");
        self.list(self.query(statement)).await
    }

    async fn client_key(&mut self, key_id: &str) -> Result<Option<ClientKeyRow>, TablesError> {
        let statement =
            self.query(select!(client_key_columns, "FROM client_keys WHERE workspace = $1 AND key_id = $2"));
        self.first(statement.bind(key_id)).await
    }

    async fn client_keys(&mut self) -> Result<Vec<ClientKeyRow>, TablesError> {
        let statement =
            select!(client_key_columns, "FROM client_keys WHERE workspace = $1 ORDER BY created_at, key_id");
        self.list(self.query(statement)).await
    }

    async fn changes_since(&mut self, revision: i64, limit: i64) -> Result<Vec<ChangeRow>, TablesError> {
        let statement = select!(
            change_columns,
            "FROM change_log WHERE workspace = $1 AND revision > $2 ORDER BY revision, seq LIMIT $3"
        );
        self.list(self.query(statement).bind(revision).bind(limit)).await
    }

    async fn audit_since(&mut self, seq: i64, limit: i64) -> Result<Vec<AuditRow>, TablesError> {
        let statement =
            select!(audit_columns, "FROM audit WHERE workspace = $1 AND seq > $2 ORDER BY seq LIMIT $3");
        self.list(self.query(statement).bind(seq).bind(limit)).await
    }

    async fn last_audit(&mut self) -> Result<Option<AuditRow>, TablesError> {
        let statement = select!(audit_columns, "FROM audit WHERE workspace = $1 ORDER BY seq DESC LIMIT 1");
        self.first(self.query(statement)).await
    }

    async fn watchers(&mut self, since: i64) -> Result<Vec<WatcherRow>, TablesError> {
        let statement = select!(
            watcher_columns,
            "FROM watchers WHERE workspace = $1 AND seen_at >= $2 ORDER BY role, replica, provider"
        );
        self.list(self.query(statement).bind(since)).await
    }
}

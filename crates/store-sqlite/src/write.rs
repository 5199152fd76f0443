//! Writing, within a transaction.

use store::tables::{
    AuditRow, BindingRow, ChangeRow, ClientKeyRow, CommitError, DefinitionRow, EndpointRow, ExperimentRow,
    KeyCheckRow, MappingRow, MaterialRow, Meta, SealedRow, SecretRow, TablesError, TagRow, Write,
};

use crate::session::{Session, Statement};

impl Session {
    async fn put(&mut self, statement: Statement<'_>) -> Result<(), TablesError> {
        self.execute(statement).await.map(drop)
    }

    async fn delete(&mut self, statement: Statement<'_>) -> Result<bool, TablesError> {
        Ok(self.execute(statement).await? > 0)
    }
}

#[async_trait::async_trait]
impl Write for Session {
    async fn put_meta(&mut self, meta: Meta) -> Result<(), TablesError> {
        let statement = sqlx::query("UPDATE meta SET epoch = ?1, revision = ?2, change_floor = ?3");
        self.put(statement.bind(meta.epoch).bind(meta.revision).bind(meta.change_floor)).await
    }

    async fn put_key_check(&mut self, row: &KeyCheckRow) -> Result<(), TablesError> {
        let statement = sqlx::query(
            "INSERT INTO key_checks (kek_id, blob) VALUES (?1, ?2) \
             ON CONFLICT (kek_id) DO UPDATE SET blob = excluded.blob",
        );
        self.put(statement.bind(&row.kek_id).bind(&row.blob)).await
    }

    async fn put_secret(&mut self, row: &SecretRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO secrets (workspace, id, name, masked_values, version, provider, auth_config, created_at, \
             last_updated_at, created_by, last_updated_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
             ON CONFLICT (workspace, id) DO UPDATE SET name = excluded.name, masked_values = excluded.masked_values, \
             version = excluded.version, provider = excluded.provider, auth_config = excluded.auth_config, \
             created_at = excluded.created_at, last_updated_at = excluded.last_updated_at, \
             created_by = excluded.created_by, last_updated_by = excluded.last_updated_by",
        );
        let statement = statement.bind(&row.id).bind(&row.name).bind(&row.masked_values).bind(row.version);
        let statement = statement.bind(&row.provider).bind(&row.auth_config).bind(row.created_at);
        let statement = statement.bind(row.last_updated_at).bind(&row.created_by).bind(&row.last_updated_by);
        self.put(statement).await
    }

    async fn put_sealed(&mut self, row: &SealedRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO sealed_values (workspace, secret_id, version, allowed_hosts, format, kek_id, wrapped_dek, \
             sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT (workspace, secret_id) DO UPDATE SET version = excluded.version, \
             allowed_hosts = excluded.allowed_hosts, format = excluded.format, kek_id = excluded.kek_id, \
             wrapped_dek = excluded.wrapped_dek, sealed = excluded.sealed",
        );
        let statement =
            statement.bind(&row.secret_id).bind(row.version).bind(&row.allowed_hosts).bind(row.format);
        self.put(statement.bind(&row.kek_id).bind(&row.wrapped_dek).bind(&row.sealed)).await
    }

    async fn delete_secret(&mut self, id: &str) -> Result<bool, TablesError> {
        self.delete(self.query("DELETE FROM secrets WHERE workspace = ?1 AND id = ?2").bind(id)).await
    }

    async fn put_definition(&mut self, row: &DefinitionRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO model_definitions (workspace, id, name, secret_id, provider, model_name, created_at, \
             last_updated_at, created_by, last_updated_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (workspace, id) DO UPDATE SET name = excluded.name, secret_id = excluded.secret_id, \
             provider = excluded.provider, model_name = excluded.model_name, created_at = excluded.created_at, \
             last_updated_at = excluded.last_updated_at, created_by = excluded.created_by, \
             last_updated_by = excluded.last_updated_by",
        );
        let statement = statement.bind(&row.id).bind(&row.name).bind(&row.secret_id).bind(&row.provider);
        let statement = statement.bind(&row.model_name).bind(row.created_at).bind(row.last_updated_at);
        self.put(statement.bind(&row.created_by).bind(&row.last_updated_by)).await
    }

    async fn delete_definition(&mut self, id: &str) -> Result<bool, TablesError> {
        self.delete(self.query("DELETE FROM model_definitions WHERE workspace = ?1 AND id = ?2").bind(id))
            .await
    }

    async fn put_endpoint(&mut self, row: &EndpointRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO endpoints (workspace, id, name, routing_strategy, fallback_config, experiment_id, \
             usage_tracking, revision, created_at, last_updated_at, created_by, last_updated_by) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT (workspace, id) DO UPDATE SET name = excluded.name, \
             routing_strategy = excluded.routing_strategy, fallback_config = excluded.fallback_config, \
             experiment_id = excluded.experiment_id, usage_tracking = excluded.usage_tracking, \
             revision = excluded.revision, created_at = excluded.created_at, \
             last_updated_at = excluded.last_updated_at, created_by = excluded.created_by, \
             last_updated_by = excluded.last_updated_by",
        );
        let statement = statement.bind(&row.id).bind(&row.name).bind(&row.routing_strategy);
        let statement = statement.bind(&row.fallback_config).bind(row.experiment_id).bind(row.usage_tracking);
        let statement = statement.bind(row.revision).bind(row.created_at).bind(row.last_updated_at);
        self.put(statement.bind(&row.created_by).bind(&row.last_updated_by)).await
    }

    async fn delete_endpoint(&mut self, id: &str) -> Result<bool, TablesError> {
        self.delete(self.query("DELETE FROM endpoints WHERE workspace = ?1 AND id = ?2").bind(id)).await
    }

    async fn put_mapping(&mut self, row: &MappingRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO mappings (workspace, id, endpoint_id, definition_id, weight, linkage, fallback_order, \
             ordinal, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (workspace, id) DO UPDATE SET endpoint_id = excluded.endpoint_id, \
             definition_id = excluded.definition_id, weight = excluded.weight, linkage = excluded.linkage, \
             fallback_order = excluded.fallback_order, ordinal = excluded.ordinal, \
             created_at = excluded.created_at, created_by = excluded.created_by",
        );
        let statement =
            statement.bind(&row.id).bind(&row.endpoint_id).bind(&row.definition_id).bind(row.weight);
        let statement = statement.bind(&row.linkage).bind(row.fallback_order).bind(row.ordinal);
        self.put(statement.bind(row.created_at).bind(&row.created_by)).await
    }

    async fn delete_mapping(&mut self, id: &str) -> Result<bool, TablesError> {
        self.delete(self.query("DELETE FROM mappings WHERE workspace = ?1 AND id = ?2").bind(id)).await
    }

    async fn put_tag(&mut self, row: &TagRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO tags (workspace, endpoint_id, key, value) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (workspace, endpoint_id, key) DO UPDATE SET value = excluded.value",
        );
        self.put(statement.bind(&row.endpoint_id).bind(&row.key).bind(&row.value)).await
    }

    async fn delete_tag(&mut self, endpoint_id: &str, key: &str) -> Result<bool, TablesError> {
        let statement = self.query("DELETE FROM tags WHERE workspace = ?1 AND endpoint_id = ?2 AND key = ?3");
        self.delete(statement.bind(endpoint_id).bind(key)).await
    }

    async fn insert_binding(&mut self, row: &BindingRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO bindings (workspace, endpoint_id, resource_type, resource_id, created_at, last_updated_at, \
             created_by, last_updated_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        );
        let statement = statement.bind(&row.endpoint_id).bind(&row.resource_type).bind(&row.resource_id);
        let statement = statement.bind(row.created_at).bind(row.last_updated_at);
        self.put(statement.bind(&row.created_by).bind(&row.last_updated_by)).await
    }

    async fn delete_binding(
        &mut self,
        endpoint_id: &str,
        resource_type: &str,
        resource_id: &str,
    ) -> Result<bool, TablesError> {
        let statement = self.query(
            "DELETE FROM bindings WHERE workspace = ?1 AND endpoint_id = ?2 AND resource_type = ?3 \
             AND resource_id = ?4",
        );
        self.delete(statement.bind(endpoint_id).bind(resource_type).bind(resource_id)).await
    }

    async fn put_experiment(&mut self, row: &ExperimentRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO experiments (workspace, id, name, artifact_location, tags, created_at, last_updated_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (workspace, id) DO UPDATE SET name = excluded.name, \
             artifact_location = excluded.artifact_location, tags = excluded.tags, \
             created_at = excluded.created_at, last_updated_at = excluded.last_updated_at",
        );
        let statement = statement.bind(row.id).bind(&row.name).bind(&row.artifact_location).bind(&row.tags);
        self.put(statement.bind(row.created_at).bind(row.last_updated_at)).await
    }

    async fn put_key_material(&mut self, row: &MaterialRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO key_materials (workspace, name, serial, format, kek_id, wrapped_dek, sealed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (workspace, name, serial) DO UPDATE SET \
             format = excluded.format, kek_id = excluded.kek_id, wrapped_dek = excluded.wrapped_dek, \
             sealed = excluded.sealed",
        );
        let statement = statement.bind(&row.name).bind(row.serial).bind(row.format).bind(&row.kek_id);
        self.put(statement.bind(&row.wrapped_dek).bind(&row.sealed)).await
    }

    async fn put_client_key(&mut self, row: &ClientKeyRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO client_keys (workspace, key_id, mac, pepper, owner, note, scope, expires_at, \
             retires_at, revoked_at, replaced_by, created_at, last_updated_at, created_by, \
             last_updated_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
             ?15) ON CONFLICT (workspace, key_id) DO UPDATE SET mac = excluded.mac, pepper = \
             excluded.pepper, owner = excluded.owner, note = excluded.note, scope = excluded.scope, \
             expires_at = excluded.expires_at, retires_at = excluded.retires_at, revoked_at = \
             excluded.revoked_at, replaced_by = excluded.replaced_by, created_at = \
             excluded.created_at, last_updated_at = excluded.last_updated_at, created_by = \
             excluded.created_by, last_updated_by = excluded.last_updated_by",
        );
        let statement = statement.bind(&row.key_id).bind(&row.mac).bind(row.pepper).bind(&row.owner);
        let statement = statement.bind(&row.note).bind(&row.scope).bind(row.expires_at).bind(row.retires_at);
        let statement = statement
            .bind(row.revoked_at)
            .bind(&row.replaced_by)
            .bind(row.created_at)
            .bind(row.last_updated_at);
        self.put(statement.bind(&row.created_by).bind(&row.last_updated_by)).await
    }

    async fn delete_client_key(&mut self, key_id: &str) -> Result<bool, TablesError> {
        let statement = self.query("DELETE FROM client_keys WHERE workspace = ?1 AND key_id = ?2");
        self.delete(statement.bind(key_id)).await
    }

    async fn append_change(&mut self, row: &ChangeRow) -> Result<(), TablesError> {
        let statement = self.query(
            "INSERT INTO change_log (workspace, revision, kind, key, provider) VALUES (?1, ?2, ?3, ?4, ?5)",
        );
        self.put(statement.bind(row.revision).bind(row.kind.as_str()).bind(&row.key).bind(&row.provider))
            .await
    }

    async fn trim_changes(&mut self) -> Result<(), TablesError> {
        // The trigger looks at the same floor.
        self.put(sqlx::query("DELETE FROM change_log WHERE revision <= (SELECT change_floor FROM meta)"))
            .await
    }

    async fn append_audit(&mut self, row: &AuditRow) -> Result<(), TablesError> {
        // One writer at a time: the highest number is known, and a number is never left out as a sequence would.
        let statement = self.query(
            "INSERT INTO audit (workspace, seq, at, actor, actor_kind, action, object, object_version, outcome, \
             request_id, revision, source, detail, prev, mac) \
             SELECT ?1, COALESCE(MAX(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 \
             FROM audit WHERE workspace = ?1",
        );
        let statement = statement.bind(row.at).bind(&row.actor).bind(&row.actor_kind).bind(&row.action);
        let statement = statement.bind(&row.object).bind(row.object_version).bind(&row.outcome);
        let statement =
            statement.bind(&row.request_id).bind(row.revision).bind(&row.source).bind(&row.detail);
        self.put(statement.bind(&row.prev).bind(&row.mac)).await
    }

    async fn trim_watchers(&mut self, before: i64) -> Result<(), TablesError> {
        let statement = self.query("DELETE FROM watchers WHERE workspace = ?1 AND seen_at < ?2");
        self.put(statement.bind(before)).await
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.end(true).await
    }
}

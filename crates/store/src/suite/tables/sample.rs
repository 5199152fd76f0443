//! Rows to begin with: each is complete, and refers to the others by fixed ids.

use crate::tables::{
    AuditRow, BindingRow, ChangeKind, ChangeRow, ClientKeyRow, DefinitionRow, EndpointRow, ExperimentRow,
    MappingRow, MaterialRow, SealedRow, SecretRow, TagRow, WatcherRow, Write,
};

pub(super) fn secret(id: &str, name: &str) -> SecretRow {
    SecretRow {
        id: id.to_owned(),
        name: name.to_owned(),
        masked_values: r#"{"api_key": "AIz…9x"}"#.to_owned(),
        version: 3,
        provider: Some("gemini".to_owned()),
        auth_config: r#"{"z":"1",  "a":"2"}"#.to_owned(),
        created_at: 1_760_000_000_001,
        last_updated_at: 1_760_000_000_002,
        created_by: Some("ann".to_owned()),
        last_updated_by: None,
    }
}

pub(super) fn sealed(secret_id: &str) -> SealedRow {
    SealedRow {
        secret_id: secret_id.to_owned(),
        version: 3,
        allowed_hosts: r#"["a.example","b.example"]"#.to_owned(),
        format: 1,
        kek_id: "k1".to_owned(),
        wrapped_dek: vec![0, 255, 1],
        sealed: (0..=255).collect(),
    }
}

pub(super) fn definition(id: &str, name: &str) -> DefinitionRow {
    DefinitionRow {
        id: id.to_owned(),
        name: name.to_owned(),
        secret_id: None,
        secret_name: None,
        provider: "gemini".to_owned(),
        model_name: "gemini-2.5-flash".to_owned(),
        created_at: 5,
        last_updated_at: 6,
        created_by: None,
        last_updated_by: Some("bob".to_owned()),
    }
}

pub(super) fn endpoint(id: &str, name: &str) -> EndpointRow {
    EndpointRow {
        id: id.to_owned(),
        name: name.to_owned(),
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: true,
        revision: 9,
        created_at: 7,
        last_updated_at: 8,
        created_by: Some("ann".to_owned()),
        last_updated_by: None,
    }
}

pub(super) fn mapping(id: &str, endpoint_id: &str, definition_id: &str) -> MappingRow {
    MappingRow {
        id: id.to_owned(),
        endpoint_id: endpoint_id.to_owned(),
        definition_id: definition_id.to_owned(),
        weight: 0.1 + 0.2,
        linkage: "PRIMARY".to_owned(),
        fallback_order: None,
        ordinal: 1,
        created_at: 10,
        created_by: None,
    }
}

pub(super) fn tag(endpoint_id: &str, key: &str, value: &str) -> TagRow {
    TagRow { endpoint_id: endpoint_id.to_owned(), key: key.to_owned(), value: value.to_owned() }
}

pub(super) fn binding(endpoint_id: &str, resource_id: &str) -> BindingRow {
    BindingRow {
        endpoint_id: endpoint_id.to_owned(),
        resource_type: "scorer".to_owned(),
        resource_id: resource_id.to_owned(),
        created_at: 11,
        last_updated_at: 12,
        created_by: None,
        last_updated_by: Some("cy".to_owned()),
    }
}

pub(super) fn experiment(id: i64, name: &str) -> ExperimentRow {
    ExperimentRow {
        id,
        name: name.to_owned(),
        artifact_location: None,
        tags: r#"[{"key": "k","value":"v"}]"#.to_owned(),
        created_at: 13,
        last_updated_at: 14,
    }
}

pub(super) fn material(name: &str, serial: i64) -> MaterialRow {
    MaterialRow {
        name: name.to_owned(),
        serial,
        format: 1,
        kek_id: "k1".to_owned(),
        wrapped_dek: vec![9, 0, 255],
        sealed: (0..=255).rev().collect(),
    }
}

/// With what may be missing, missing.
pub(super) fn client_key(key_id: &str) -> ClientKeyRow {
    ClientKeyRow {
        key_id: key_id.to_owned(),
        mac: (0..32).collect(),
        pepper: 1,
        owner: "search".to_owned(),
        note: None,
        scope: r#"{"only":  {}}"#.to_owned(),
        expires_at: None,
        retires_at: None,
        revoked_at: None,
        replaced_by: None,
        created_at: 16,
        last_updated_at: 17,
        created_by: Some("ann".to_owned()),
        last_updated_by: None,
    }
}

pub(super) fn change(revision: i64, key: &str) -> ChangeRow {
    ChangeRow { revision, kind: ChangeKind::Catalog, key: key.to_owned(), provider: String::new() }
}

/// As the database gives it back with that number.
pub(super) fn audit(seq: i64, object: &str) -> AuditRow {
    AuditRow {
        seq,
        at: 15,
        actor: Some("ann".to_owned()),
        actor_kind: "admin".to_owned(),
        action: "secret.create".to_owned(),
        object: object.to_owned(),
        object_version: Some(3),
        outcome: "ok".to_owned(),
        request_id: "r1".to_owned(),
        revision: 2,
        source: Some("127.0.0.1".to_owned()),
        detail: r#"{"b":1,"a":2}"#.to_owned(),
        prev: vec![0; 32],
        mac: (0..32).collect(),
    }
}

pub(super) fn watcher(role: &str, replica: &str, seen_at: i64) -> WatcherRow {
    WatcherRow {
        role: role.to_owned(),
        replica: replica.to_owned(),
        provider: String::new(),
        epoch: 4,
        revision: 5,
        seen_at,
    }
}

/// Secret `s-1`, definition `d-1` that uses it, endpoint `e-1`, mapping `m-1` between them, a tag and a binding.
pub(super) async fn put_family(rows: &mut dyn Write) {
    rows.put_secret(&secret("s-1", "key")).await.unwrap();
    rows.put_sealed(&sealed("s-1")).await.unwrap();
    rows.put_definition(&used_definition()).await.unwrap();
    rows.put_endpoint(&endpoint("e-1", "chat")).await.unwrap();
    rows.put_mapping(&mapping("m-1", "e-1", "d-1")).await.unwrap();
    rows.put_tag(&tag("e-1", "team", "red")).await.unwrap();
    rows.insert_binding(&binding("e-1", "r-1")).await.unwrap();
}

/// `d-1` of [`put_family`]; `secret_name` is as it is read.
pub(super) fn used_definition() -> DefinitionRow {
    DefinitionRow {
        secret_id: Some("s-1".to_owned()),
        secret_name: Some("key".to_owned()),
        ..definition("d-1", "flash")
    }
}

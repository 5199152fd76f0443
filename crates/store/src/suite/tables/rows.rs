//! Rows as such: in, out, changed, deleted, refused.

use super::{Home, assert_defect, reader, sample, writer};
use crate::tables::{
    BindingRow, ClientKeyRow, DefinitionRow, EndpointRow, ExperimentRow, KeyCheckRow, MappingRow, Meta, Of,
    Read, SecretRow, Write,
};

/// A migrated database has its one row of `meta`, with zeros, and no other.
pub async fn a_new_database_holds_nothing(home: &impl Home) {
    let mut rows = reader(home).await;
    assert_eq!(rows.meta().await.unwrap(), Meta::default());
    assert!(rows.key_checks().await.unwrap().is_empty());
    assert!(rows.secrets().await.unwrap().is_empty());
    assert!(rows.sealed_of("gemini").await.unwrap().is_empty());
    assert!(rows.definitions().await.unwrap().is_empty());
    assert!(rows.endpoints().await.unwrap().is_empty());
    assert!(rows.mappings(Of::All).await.unwrap().is_empty());
    assert!(rows.tags(None).await.unwrap().is_empty());
    assert!(rows.bindings(None).await.unwrap().is_empty());
    assert!(rows.experiments().await.unwrap().is_empty());
    assert_eq!(rows.last_experiment().await.unwrap(), 0);
    assert!(rows.key_materials().await.unwrap().is_empty());
    assert!(rows.client_keys().await.unwrap().is_empty());
    assert!(rows.changes_since(0, 10).await.unwrap().is_empty());
    assert_eq!(rows.last_audit().await.unwrap(), None);
    assert!(rows.audit_since(0, 10).await.unwrap().is_empty());
    assert!(rows.watchers(0).await.unwrap().is_empty());
    assert_eq!(rows.secret("s-1").await.unwrap(), None);
    assert_eq!(rows.endpoint_by_name("chat").await.unwrap(), None);
}

/// Every kind of row, every column, within the transaction and after it.
pub async fn rows_come_back_as_they_were_put(home: &impl Home) {
    let mut rows = writer(home).await;
    let meta = Meta { epoch: i64::MAX, revision: 7, change_floor: 3 };
    rows.put_meta(meta).await.unwrap();
    rows.put_key_check(&key_check()).await.unwrap();
    sample::put_family(rows.as_mut()).await;
    rows.put_experiment(&full_experiment()).await.unwrap();
    rows.put_endpoint(&full_endpoint()).await.unwrap();
    rows.put_mapping(&fallback()).await.unwrap();
    put_keys(rows.as_mut()).await;
    assert_all(rows.as_mut(), meta).await;
    rows.commit().await.unwrap();
    assert_all(reader(home).await.as_mut(), meta).await;
}

async fn put_keys(rows: &mut dyn Write) {
    for row in [sample::material("b", 1), sample::material("a", 2), sample::material("a", 1)] {
        rows.put_key_material(&row).await.unwrap();
    }
    rows.put_client_key(&ClientKeyRow { mac: vec![0; 32], ..full_key() }).await.unwrap();
    rows.put_client_key(&full_key()).await.unwrap();
    rows.put_client_key(&sample::client_key("ab12cd34")).await.unwrap();
}

/// Younger than the one without what may be missing.
fn full_key() -> ClientKeyRow {
    ClientKeyRow {
        note: Some("for tests".to_owned()),
        expires_at: Some(18),
        retires_at: Some(i64::MAX),
        revoked_at: Some(20),
        replaced_by: Some("ab12cd34".to_owned()),
        created_at: 21,
        created_by: None,
        last_updated_by: Some("bob".to_owned()),
        ..sample::client_key("AB12cd34")
    }
}

fn key_check() -> KeyCheckRow {
    KeyCheckRow { kek_id: "k1".to_owned(), blob: vec![0, 1, 254] }
}

fn full_experiment() -> ExperimentRow {
    ExperimentRow { artifact_location: Some("s3://x".to_owned()), ..sample::experiment(4, "traces") }
}

fn full_endpoint() -> EndpointRow {
    EndpointRow {
        routing_strategy: Some("REQUEST_BASED_TRAFFIC_SPLIT".to_owned()),
        fallback_config: Some(r#"{ "max_attempts":2}"#.to_owned()),
        experiment_id: Some(4),
        usage_tracking: false,
        ..sample::endpoint("e-1", "chat")
    }
}

fn fallback() -> MappingRow {
    MappingRow {
        linkage: "FALLBACK".to_owned(),
        fallback_order: Some(2),
        weight: f64::MIN_POSITIVE,
        ordinal: 2,
        created_by: Some("ann".to_owned()),
        ..sample::mapping("m-2", "e-1", "d-1")
    }
}

async fn assert_all<R: Read + ?Sized>(rows: &mut R, meta: Meta) {
    let (secret, definition) = (sample::secret("s-1", "key"), sample::used_definition());
    assert_eq!(rows.meta().await.unwrap(), meta);
    assert_eq!(rows.key_checks().await.unwrap(), [key_check()]);
    let materials = [sample::material("a", 1), sample::material("a", 2), sample::material("b", 1)];
    assert_eq!(rows.key_materials().await.unwrap(), materials);
    assert_eq!(rows.client_key("AB12cd34").await.unwrap(), Some(full_key()));
    assert_eq!(rows.client_key("ab12CD34").await.unwrap(), None);
    assert_eq!(rows.client_keys().await.unwrap(), [sample::client_key("ab12cd34"), full_key()]);
    assert_eq!(rows.secret("s-1").await.unwrap(), Some(secret.clone()));
    assert_eq!(rows.secrets().await.unwrap(), [secret]);
    assert_eq!(rows.sealed("s-1").await.unwrap(), Some(sample::sealed("s-1")));
    assert_eq!(rows.sealed_of("gemini").await.unwrap(), [sample::sealed("s-1")]);
    assert!(rows.sealed_of("openai").await.unwrap().is_empty());
    assert_eq!(rows.definition("d-1").await.unwrap(), Some(definition.clone()));
    assert_eq!(rows.definitions().await.unwrap(), std::slice::from_ref(&definition));
    assert_eq!(rows.endpoint("e-1").await.unwrap(), Some(full_endpoint()));
    assert_eq!(rows.endpoint_by_name("chat").await.unwrap(), Some(full_endpoint()));
    assert_eq!(rows.endpoints().await.unwrap(), [full_endpoint()]);
    let mappings = [(sample::mapping("m-1", "e-1", "d-1"), definition.clone()), (fallback(), definition)];
    assert_eq!(rows.mappings(Of::All).await.unwrap(), mappings);
    assert_eq!(rows.tags(Some("e-1")).await.unwrap(), [sample::tag("e-1", "team", "red")]);
    assert_eq!(rows.bindings(Some("e-1")).await.unwrap(), [sample::binding("e-1", "r-1")]);
    assert!(rows.tags(Some("e-2")).await.unwrap().is_empty());
    assert!(rows.bindings(Some("e-2")).await.unwrap().is_empty());
    assert_eq!(rows.experiment(4).await.unwrap(), Some(full_experiment()));
    assert_eq!(rows.experiment_by_name("traces").await.unwrap(), Some(full_experiment()));
    assert_eq!(rows.experiments().await.unwrap(), [full_experiment()]);
    assert_eq!(rows.last_experiment().await.unwrap(), 4);
}

/// Quotes, what SQL takes for a wildcard, white space, other scripts, composed and not, the longest, the empty one.
pub async fn odd_texts_come_back_byte_for_byte(home: &impl Home) {
    let long = "ü".repeat(100_000);
    let odd = [
        "",
        " ",
        "'; DROP TABLE tags; --",
        "%_\\",
        "\t\r\n",
        "é",
        "e\u{301}",
        "😀 \u{202e}",
        "\u{ffff}",
        "\\u0000",
    ];
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    for text in odd.into_iter().chain([long.as_str()]) {
        rows.put_tag(&sample::tag("e-1", "odd", text)).await.unwrap();
        let read = rows.tags(Some("e-1")).await.unwrap();
        assert_eq!(read.iter().find(|tag| tag.key == "odd").unwrap().value, text);
    }
    for text in odd {
        rows.put_tag(&sample::tag("e-1", text, "")).await.unwrap();
    }
    rows.commit().await.unwrap();
    let read = reader(home).await.tags(Some("e-1")).await.unwrap();
    for text in odd {
        assert!(read.iter().any(|tag| tag.key == text), "{text:?}");
    }
}

/// The row of the same primary key is changed, all of it, and what hangs on it stays.
pub async fn a_put_of_the_same_key_updates(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    let secret =
        SecretRow { version: 4, provider: None, created_by: None, ..sample::secret("s-1", "renamed") };
    rows.put_secret(&secret).await.unwrap();
    rows.put_key_check(&key_check()).await.unwrap();
    let check = KeyCheckRow { blob: vec![7], ..key_check() };
    rows.put_key_check(&check).await.unwrap();
    rows.put_endpoint(&sample::endpoint("e-1", "talk")).await.unwrap();
    rows.put_tag(&sample::tag("e-1", "team", "blue")).await.unwrap();
    rows.commit().await.unwrap();

    let mut rows = reader(home).await;
    assert_eq!(rows.secrets().await.unwrap(), [secret]);
    assert_eq!(rows.sealed("s-1").await.unwrap(), Some(sample::sealed("s-1")));
    assert_eq!(rows.definition("d-1").await.unwrap().unwrap().secret_name.as_deref(), Some("renamed"));
    assert_eq!(rows.key_checks().await.unwrap(), [check]);
    assert_eq!(rows.endpoints().await.unwrap(), [sample::endpoint("e-1", "talk")]);
    assert_eq!(rows.tags(None).await.unwrap(), [sample::tag("e-1", "team", "blue")]);
    assert_eq!(rows.mappings(Of::Endpoint("e-1")).await.unwrap().len(), 1);
}

/// A secret takes its sealed value and leaves definitions without one; an endpoint takes mappings, tags and bindings.
pub async fn what_is_deleted_takes_its_parts_along(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    assert!(rows.delete_secret("s-1").await.unwrap());
    assert_eq!(rows.sealed("s-1").await.unwrap(), None);
    assert_eq!(rows.definition("d-1").await.unwrap(), Some(sample::definition("d-1", "flash")));
    assert!(rows.delete_endpoint("e-1").await.unwrap());
    assert!(rows.mappings(Of::All).await.unwrap().is_empty());
    assert!(rows.tags(None).await.unwrap().is_empty());
    assert!(rows.bindings(None).await.unwrap().is_empty());
    assert!(rows.delete_definition("d-1").await.unwrap());
    rows.commit().await.unwrap();
    let mut rows = reader(home).await;
    assert!(rows.secrets().await.unwrap().is_empty());
    assert!(rows.definitions().await.unwrap().is_empty());
    assert!(rows.endpoints().await.unwrap().is_empty());
}

/// And that is no error: the answer says so.
pub async fn what_is_not_there_is_not_deleted(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    assert!(!rows.delete_secret("s-2").await.unwrap());
    assert!(!rows.delete_definition("d-2").await.unwrap());
    assert!(!rows.delete_endpoint("e-2").await.unwrap());
    assert!(!rows.delete_mapping("m-2").await.unwrap());
    assert!(!rows.delete_tag("e-1", "TEAM").await.unwrap());
    assert!(!rows.delete_binding("e-1", "scorer", "R-1").await.unwrap());
    assert!(rows.delete_tag("e-1", "team").await.unwrap());
    assert!(rows.delete_binding("e-1", "scorer", "r-1").await.unwrap());
    assert!(rows.delete_mapping("m-1").await.unwrap());
    assert!(!rows.delete_mapping("m-1").await.unwrap());
}

/// The rules see to it; the database holds them to it.
pub async fn a_definition_in_use_stays(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.commit().await.unwrap();
    assert_defect(writer(home).await.delete_definition("d-1").await);
    assert!(reader(home).await.definition("d-1").await.unwrap().is_some());
}

/// Foreign keys are on.
pub async fn rows_that_refer_to_nothing_are_refused(home: &impl Home) {
    assert_defect(writer(home).await.put_sealed(&sample::sealed("s-1")).await);
    assert_defect(writer(home).await.put_definition(&sample::used_definition()).await);
    assert_defect(writer(home).await.put_mapping(&sample::mapping("m-1", "e-1", "d-1")).await);
    assert_defect(writer(home).await.put_tag(&sample::tag("e-1", "k", "v")).await);
    assert_defect(writer(home).await.insert_binding(&sample::binding("e-1", "r-1")).await);
    let endpoint = EndpointRow { experiment_id: Some(1), ..sample::endpoint("e-1", "chat") };
    assert_defect(writer(home).await.put_endpoint(&endpoint).await);
}

/// Weights that cannot be shared by, words that are none, versions and numbers that do not count.
pub async fn values_out_of_range_are_refused(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.commit().await.unwrap();
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let row = MappingRow { weight, ..sample::mapping("m-1", "e-1", "d-1") };
        assert_defect(writer(home).await.put_mapping(&row).await);
    }
    let row = MappingRow { linkage: "primary".to_owned(), ..sample::mapping("m-1", "e-1", "d-1") };
    assert_defect(writer(home).await.put_mapping(&row).await);
    assert_defect(
        writer(home).await.put_secret(&SecretRow { version: 0, ..sample::secret("s-9", "x") }).await,
    );
    assert_defect(writer(home).await.put_experiment(&sample::experiment(0, "none")).await);
}

/// Postgres has no text with a NUL, so no database has.
pub async fn a_nul_is_refused(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.commit().await.unwrap();
    assert_defect(writer(home).await.put_tag(&sample::tag("e-1", "a\0b", "v")).await);
    assert_defect(writer(home).await.put_tag(&sample::tag("e-1", "k", "\0")).await);
    assert_defect(writer(home).await.put_secret(&sample::secret("s-2", "key\0")).await);
    assert_defect(writer(home).await.put_experiment(&sample::experiment(1, "a\0")).await);
    let binding = BindingRow { resource_type: "\0".to_owned(), ..sample::binding("e-1", "r-2") };
    assert_defect(writer(home).await.insert_binding(&binding).await);
    assert_eq!(reader(home).await.tags(None).await.unwrap(), [sample::tag("e-1", "team", "red")]);
}

/// Each [`Of`] finds what it says and nothing else.
pub async fn mappings_are_found_by_everything_they_hang_on(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    let other = DefinitionRow { provider: "openai".to_owned(), ..sample::definition("d-2", "gpt") };
    rows.put_definition(&other).await.unwrap();
    rows.put_endpoint(&sample::endpoint("e-2", "talk")).await.unwrap();
    rows.put_mapping(&sample::mapping("m-2", "e-2", "d-2")).await.unwrap();
    rows.put_mapping(&sample::mapping("m-3", "e-2", "d-1")).await.unwrap();
    let cases: [(Of<'_>, &[&str]); 10] = [
        (Of::All, &["m-1", "m-2", "m-3"]),
        (Of::Mapping("m-2"), &["m-2"]),
        (Of::Mapping("m-9"), &[]),
        (Of::Endpoint("e-2"), &["m-2", "m-3"]),
        (Of::Definition("d-1"), &["m-1", "m-3"]),
        (Of::Definition("d-9"), &[]),
        (Of::Secret("s-1"), &["m-1", "m-3"]),
        (Of::Secret("s-9"), &[]),
        (Of::Provider("openai"), &["m-2"]),
        (Of::Provider("gemini"), &["m-1", "m-3"]),
    ];
    for (of, expected) in cases {
        let mut found: Vec<_> = rows.mappings(of).await.unwrap().into_iter().map(|(row, _)| row.id).collect();
        found.sort();
        assert_eq!(found, expected, "{of:?}");
    }
}

//! The order of lists: times, then UTF-8 bytes, whatever the database's locale.

use super::{Home, sample, writer};
use crate::tables::{
    BindingRow, DefinitionRow, EndpointRow, KeyCheckRow, MappingRow, Of, SecretRow, WatcherRow,
};

/// In order of their UTF-8 bytes. A locale puts `B` after `a` and `_` elsewhere; UTF-16 puts the last two the other way.
const BYTES: [&str; 9] = ["B", "Z", "a", "a b", "a-b", "a_b", "ab", "é", "\u{ffff}"];

/// In some other order, so that it is not the order of insertion.
fn shuffled() -> impl Iterator<Item = &'static str> {
    ["é", "ab", "\u{ffff}", "a", "Z", "a_b", "B", "a-b", "a b"].into_iter()
}

/// Secrets, definitions, endpoints and bindings: by creation time, then by bytes; experiments by number.
pub async fn lists_are_in_order_of_time_then_bytes(home: &impl Home) {
    let mut rows = writer(home).await;
    for id in shuffled() {
        rows.put_secret(&SecretRow { created_at: 2, ..sample::secret(id, id) }).await.unwrap();
        rows.put_definition(&DefinitionRow { created_at: 2, ..sample::definition(id, id) }).await.unwrap();
        rows.put_endpoint(&EndpointRow { created_at: 2, ..sample::endpoint(id, id) }).await.unwrap();
    }
    for id in shuffled() {
        rows.insert_binding(&BindingRow { created_at: 2, ..sample::binding("a", id) }).await.unwrap();
    }
    rows.put_secret(&SecretRow { created_at: 1, ..sample::secret("zz", "zz") }).await.unwrap();
    rows.put_definition(&DefinitionRow { created_at: 1, ..sample::definition("zz", "zz") }).await.unwrap();
    rows.put_endpoint(&EndpointRow { created_at: 1, ..sample::endpoint("zz", "zz") }).await.unwrap();
    rows.insert_binding(&BindingRow { created_at: 1, ..sample::binding("zz", "zz") }).await.unwrap();

    let expected: Vec<_> = std::iter::once("zz").chain(BYTES).collect();
    let ids: Vec<_> = rows.secrets().await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, expected);
    let ids: Vec<_> = rows.definitions().await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, expected);
    let ids: Vec<_> = rows.endpoints().await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, expected);
    let ids: Vec<_> = rows.bindings(None).await.unwrap().into_iter().map(|row| row.resource_id).collect();
    assert_eq!(ids, expected);

    for id in [10, 9, 100] {
        rows.put_experiment(&sample::experiment(id, &id.to_string())).await.unwrap();
    }
    let ids: Vec<_> = rows.experiments().await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, [9, 10, 100]);
}

/// Key checks, sealed values, tags and watchers: by their keys.
pub async fn keys_are_in_order_of_bytes(home: &impl Home) {
    let mut rows = writer(home).await;
    rows.put_endpoint(&sample::endpoint("e-1", "chat")).await.unwrap();
    rows.put_endpoint(&sample::endpoint("e-0", "talk")).await.unwrap();
    rows.put_tag(&sample::tag("e-1", "A", "")).await.unwrap();
    for key in shuffled() {
        rows.put_key_check(&KeyCheckRow { kek_id: key.to_owned(), blob: vec![1] }).await.unwrap();
        rows.put_secret(&sample::secret(key, key)).await.unwrap();
        rows.put_sealed(&sample::sealed(key)).await.unwrap();
        rows.put_tag(&sample::tag("e-0", key, "")).await.unwrap();
    }
    let keys: Vec<_> = rows.key_checks().await.unwrap().into_iter().map(|row| row.kek_id).collect();
    assert_eq!(keys, BYTES);
    let keys: Vec<_> = rows.sealed_of("gemini").await.unwrap().into_iter().map(|row| row.secret_id).collect();
    assert_eq!(keys, BYTES);
    let keys: Vec<_> = rows.tags(None).await.unwrap().into_iter().map(|row| row.key).collect();
    assert_eq!(keys, BYTES.into_iter().chain(["A"]).collect::<Vec<_>>());
    rows.commit().await.unwrap();

    let tables = home.tables();
    for key in shuffled() {
        let row = WatcherRow { provider: key.to_owned(), ..sample::watcher("forwarder", "one", 1) };
        tables.note_watcher(&super::workspace(), &row).await.unwrap();
    }
    tables.note_watcher(&super::workspace(), &sample::watcher("edge", "two", 1)).await.unwrap();
    let watchers = super::reader(home).await.watchers(0).await.unwrap();
    assert_eq!(watchers[0].role, "edge");
    let keys: Vec<_> = watchers[1..].iter().map(|row| row.provider.as_str()).collect();
    assert_eq!(keys, BYTES);
}

/// By endpoint, then by ordinal: neither id nor time tells them apart.
pub async fn mappings_are_in_order_of_creation(home: &impl Home) {
    let mut rows = writer(home).await;
    rows.put_endpoint(&sample::endpoint("e-2", "talk")).await.unwrap();
    rows.put_endpoint(&sample::endpoint("e-1", "chat")).await.unwrap();
    let put = [("m-5", "e-2", 1), ("m-4", "e-1", 10), ("m-3", "e-1", 2), ("m-1", "e-1", 9)];
    for (id, endpoint, ordinal) in put {
        let definition = format!("d-{id}");
        rows.put_definition(&sample::definition(&definition, id)).await.unwrap();
        let row = MappingRow { ordinal, ..sample::mapping(id, endpoint, &definition) };
        rows.put_mapping(&row).await.unwrap();
    }
    let ids: Vec<_> = rows.mappings(Of::All).await.unwrap().into_iter().map(|(row, _)| row.id).collect();
    assert_eq!(ids, ["m-3", "m-1", "m-4", "m-5"]);
    let ids: Vec<_> =
        rows.mappings(Of::Endpoint("e-1")).await.unwrap().into_iter().map(|(row, _)| row.id).collect();
    assert_eq!(ids, ["m-3", "m-1", "m-4"]);
}

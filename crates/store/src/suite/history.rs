//! One change is one transaction: its revision, its place in the log, its audit row, or nothing.

use futures_util::future::join_all;

use super::{
    House, Opened,
    given::{CANARY, caller, fallback, new_definition, new_endpoint, new_secret, primary},
};
use crate::{
    DefinitionChange, EndpointChange, NewBinding, NewExperiment, NewSecret, SecretChange, StoreError, Tag,
    tables::{ChangeRow, Meta},
};

/// The others are told so; not one of them leaves a trace.
pub async fn of_fifty_creates_of_one_name_one_wins(house: House) {
    let opened = house.open().await;
    let caller = caller();
    let creates = (0..50).map(|_| opened.seams.admin.create_secret(&caller, new_secret("key")));
    let answers = join_all(creates).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    let taken = Err(StoreError::AlreadyExists("Secret with name 'key' already exists".to_owned()));
    let lost = answers.iter().filter(|answer| **answer == taken).count();
    assert_eq!((won, lost), (1, 49), "{answers:?}");
    assert_eq!(opened.seams.admin.secrets(None).await.unwrap().len(), 1);
    assert_eq!(opened.audit().await.len(), 1);
}

/// Without gaps, and in the order of the audit log.
pub async fn commit_order_is_revision_order(house: House) {
    let opened = house.open().await;
    let caller = caller();
    let names: Vec<String> = (0..20).map(|number| format!("key-{number}")).collect();
    let creates = names.iter().map(|name| opened.seams.admin.create_secret(&caller, new_secret(name)));
    let mut made: Vec<_> = join_all(creates)
        .await
        .into_iter()
        .map(|answer| answer.map(|written| (written.receipt.revision, written.value.id.to_string())).unwrap())
        .collect();
    made.sort();
    let revisions: Vec<u64> = made.iter().map(|(revision, _)| *revision).collect();
    assert_eq!(revisions, (1..=20).collect::<Vec<u64>>());
    let audit = opened.audit().await;
    assert!(audit.is_sorted_by_key(|row| row.seq));
    let logged: Vec<_> = audit.into_iter().map(|row| (row.revision.unsigned_abs(), row.object)).collect();
    assert_eq!(logged, made);
}

/// Who, when, what, to what, for which request; never a value.
pub async fn every_change_has_its_audit_row(house: House) {
    let opened = house.open().await;
    let expected = change_everything(&opened).await;
    let audit = opened.audit().await;
    let actions: Vec<&str> = audit.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, expected);
    let revisions: Vec<i64> = audit.iter().map(|row| row.revision).collect();
    assert_eq!(revisions, (1..=i64::try_from(expected.len()).unwrap()).collect::<Vec<_>>());
    for row in &audit {
        assert_eq!((row.actor.as_deref(), row.request_id.as_str()), (Some("ada"), "request-1"));
        assert_eq!(row.outcome, "ok");
        assert!(row.at > 0 && !row.object.is_empty());
        assert!(row.detail.starts_with('{') && !row.detail.contains(&CANARY[4..]), "{}", row.detail);
    }
}

/// One of each; the actions in their order.
async fn change_everything(opened: &Opened) -> Vec<&'static str> {
    let (caller, admin) = (caller(), &opened.seams.admin);
    let (secret, definition, endpoint) = opened.all_three().await;
    let value = Some([("api_key".to_owned(), format!("{CANARY}2").into())].into());
    let change = SecretChange { id: secret.id.clone(), value, auth_config: None };
    admin.update_secret(&caller, change).await.unwrap();
    let id = definition.id.clone();
    let change = DefinitionChange { id, name: None, secret_id: None, provider: None, model_name: None };
    admin.update_definition(&caller, change).await.unwrap();
    let change = EndpointChange {
        id: endpoint.id.clone(),
        name: None,
        models: None,
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: Some(false),
    };
    admin.update_endpoint(&caller, change).await.unwrap();
    admin.attach(&caller, &endpoint.id, fallback(&definition.id, None)).await.unwrap();
    let tag = Tag { key: "k".to_owned(), value: "v".to_owned() };
    admin.set_tag(&caller, &endpoint.id, tag).await.unwrap();
    admin.delete_tag(&caller, &endpoint.id, "k").await.unwrap();
    let binding = NewBinding {
        endpoint_id: endpoint.id.clone(),
        resource_type: "scorer".to_owned(),
        resource_id: "r".to_owned(),
    };
    admin.create_binding(&caller, binding.clone()).await.unwrap();
    admin.delete_binding(&caller, binding).await.unwrap();
    admin.detach(&caller, &endpoint.id, &definition.id).await.unwrap();
    admin.delete_endpoint(&caller, &endpoint.id).await.unwrap();
    admin.delete_definition(&caller, &definition.id).await.unwrap();
    admin.delete_secret(&caller, &secret.id).await.unwrap();
    let name = names::Label::parse("Gateway").unwrap();
    let new = NewExperiment { name, artifact_location: None, tags: vec![] };
    admin.create_experiment(&caller, new).await.unwrap();
    vec![
        "secret.create",
        "model_definition.create",
        "endpoint.create",
        "secret.update",
        "model_definition.update",
        "endpoint.update",
        "endpoint.attach",
        "endpoint.set_tag",
        "endpoint.delete_tag",
        "endpoint.bind",
        "endpoint.unbind",
        "endpoint.detach",
        "endpoint.delete",
        "model_definition.delete",
        "secret.delete",
        "experiment.create",
    ]
}

/// No row, no revision, nothing in a log, also where it had written something before it was refused.
pub async fn a_refused_change_leaves_nothing(house: House) {
    let opened = house.open().await;
    let (secret, definition, endpoint) = opened.all_three().await;
    let (caller, admin) = (caller(), &opened.seams.admin);
    let before = (state(&house).await, opened.audit().await);
    let endpoints = admin.endpoints(None).await.unwrap();

    let free = NewSecret { value: [].into(), ..new_secret("other") };
    admin.create_secret(&caller, free).await.unwrap_err();
    admin.create_secret(&caller, new_secret("key")).await.unwrap_err();
    admin.create_definition(&caller, new_definition("flash", &secret.id)).await.unwrap_err();
    admin.delete_definition(&caller, &definition.id).await.unwrap_err();
    admin.attach(&caller, &endpoint.id, primary(&definition.id)).await.unwrap_err();
    let mut tracked = new_endpoint("chat", vec![primary(&definition.id)]);
    tracked.usage_tracking = true;
    admin.create_endpoint(&caller, tracked).await.unwrap_err();

    assert_eq!((state(&house).await, opened.audit().await), before);
    assert_eq!(admin.endpoints(None).await.unwrap(), endpoints);
    assert_eq!(admin.experiments().await.unwrap(), []);
    assert_eq!(admin.secrets(None).await.unwrap().len(), 1);
}

async fn state(house: &House) -> (Meta, Vec<ChangeRow>) {
    let mut rows = house.tables.read(&names::Workspace::default()).await.unwrap();
    (rows.meta().await.unwrap(), rows.changes_since(0, 10_000).await.unwrap())
}

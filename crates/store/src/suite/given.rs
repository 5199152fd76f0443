//! What cases have in common: callers, things to be made, and watchers.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use names::{
    Actor, EndpointId, EndpointName, Label, ModelDefinitionId, ModelName, Provider, RequestId, SecretId,
};
use seal::handover::KeyPair;
use tokio::task::JoinSet;

use super::{Opened, Seams};
use crate::{
    AtEdge, AtForwarder, Caller, Endpoint, Held, Keyed, Linkage, MappingSpec, ModelDefinition, NewDefinition,
    NewEndpoint, NewSecret, Pace, Position, PublishedEndpoint, Receipt, Role, SealedTarget, Secret, Settings,
    System, Update, Updates, Watcher, follow,
};

/// How long a case waits for what must come before it fails.
const COMES_WITHIN: Duration = Duration::from_mins(1);

/// A provider's key that must turn up nowhere.
pub(super) const CANARY: &str = "AIzaSyCANARY-0123456789abcdefghijklmnop";

pub(super) fn caller() -> Caller {
    Caller { actor: Some(Actor::parse("ada").unwrap()), request_id: RequestId::parse("request-1").unwrap() }
}

pub(super) fn label(name: &str) -> Label {
    Label::parse(name).unwrap()
}

pub(super) fn gemini() -> Provider {
    Provider::parse("gemini").unwrap()
}

pub(super) fn new_secret(name: &str) -> NewSecret {
    NewSecret {
        name: label(name),
        value: [("api_key".to_owned(), CANARY.into())].into(),
        provider: Some(gemini()),
        auth_config: [].into(),
    }
}

pub(super) fn new_definition(name: &str, secret: &SecretId) -> NewDefinition {
    NewDefinition {
        name: label(name),
        secret_id: secret.clone(),
        provider: gemini(),
        model_name: ModelName::parse("gemini-2.5-flash").unwrap(),
    }
}

pub(super) fn primary(definition: &ModelDefinitionId) -> MappingSpec {
    MappingSpec {
        definition_id: definition.clone(),
        linkage: Linkage::Primary,
        weight: 1.0,
        fallback_order: None,
    }
}

pub(super) fn fallback(definition: &ModelDefinitionId, order: Option<i32>) -> MappingSpec {
    MappingSpec { linkage: Linkage::Fallback, fallback_order: order, ..primary(definition) }
}

pub(super) fn new_endpoint(name: &str, models: Vec<MappingSpec>) -> NewEndpoint {
    NewEndpoint {
        name: endpoint_name(name),
        models,
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: false,
    }
}

pub(super) fn endpoint_name(name: &str) -> EndpointName {
    EndpointName::parse(name).unwrap()
}

impl Opened {
    pub(super) async fn secret(&self, name: &str) -> Secret {
        self.seams.admin.create_secret(&caller(), new_secret(name)).await.unwrap().value
    }

    pub(super) async fn definition(&self, name: &str, secret: &SecretId) -> ModelDefinition {
        self.seams.admin.create_definition(&caller(), new_definition(name, secret)).await.unwrap().value
    }

    pub(super) async fn endpoint(&self, name: &str, definition: &ModelDefinitionId) -> Endpoint {
        let new = new_endpoint(name, vec![primary(definition)]);
        self.seams.admin.create_endpoint(&caller(), new).await.unwrap().value
    }

    /// A secret, a definition and an endpoint.
    pub(super) async fn all_three(&self) -> (Secret, ModelDefinition, Endpoint) {
        let secret = self.secret("key").await;
        let definition = self.definition("flash", &secret.id).await;
        let endpoint = self.endpoint("chat", &definition.id).await;
        (secret, definition, endpoint)
    }

    /// Lets enough happen that whatever does not wait for this task has gone by.
    pub(super) async fn goes_on(&self) {
        for _ in 0..50 {
            self.seams.admin.secrets(None).await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn delete_endpoint(&self, id: &EndpointId) -> Receipt {
        self.seams.admin.delete_endpoint(&caller(), id).await.unwrap()
    }
}

/// Patient with watchers, and without heartbeats in between: what a case waits for comes by itself.
pub(super) fn settings() -> Settings {
    Settings {
        apply_wait_max: COMES_WITHIN,
        order_wait_max: COMES_WITHIN,
        heartbeat: Duration::from_hours(1),
        ..Settings::default()
    }
}

pub(super) fn edge(replica: &str) -> Watcher {
    Watcher { role: Role::Edge, replica: replica.to_owned() }
}

/// An edge, as it watches who may call.
pub(super) fn gate(replica: &str) -> Watcher {
    Watcher { role: Role::Callers, replica: replica.to_owned() }
}

pub(super) fn forwarder(replica: &str) -> Watcher {
    Watcher { role: Role::Forwarder, replica: replica.to_owned() }
}

impl Seams {
    pub(super) async fn edge(&self, replica: &str, from: Option<Position>) -> Updates<PublishedEndpoint> {
        self.catalog.watch(edge(replica), from).await.unwrap()
    }

    pub(super) async fn forwarder(
        &self,
        replica: &str,
        pair: &KeyPair,
        from: Option<Position>,
    ) -> Updates<SealedTarget> {
        let key = pair.public_key().to_vec();
        self.vault.watch(forwarder(replica), vec![gemini()], key, from).await.unwrap()
    }
}

/// The next update, which must come.
pub(super) async fn next<T>(updates: &mut Updates<T>) -> Update<T> {
    comes(updates.next()).await.unwrap().unwrap()
}

/// A whole snapshot: its items and its position.
pub(super) async fn snapshot<T: std::fmt::Debug>(updates: &mut Updates<T>) -> (Vec<T>, Position) {
    let begin = next(updates).await;
    assert!(matches!(begin, Update::SnapshotBegin), "{begin:?}");
    let mut items = Vec::new();
    loop {
        match next(updates).await {
            Update::SnapshotPart(part) => items.extend(part),
            Update::SnapshotEnd(position) => return (items, position),
            other => panic!("not part of a snapshot: {other:?}"),
        }
    }
}

/// The next delta, past heartbeats: its position, upserts and removals.
pub(super) async fn delta<T: std::fmt::Debug>(updates: &mut Updates<T>) -> (Position, Vec<T>, Vec<String>) {
    loop {
        match next(updates).await {
            Update::Delta { position, upserts, removed } => return (position, upserts, removed),
            Update::Heartbeat { .. } => {}
            other => panic!("not a delta: {other:?}"),
        }
    }
}

/// Waits for what must come.
pub(super) async fn comes<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(COMES_WITHIN, future).await.unwrap()
}

/// A follower, for as long as this lives.
pub(super) struct Following<T> {
    pub(super) held: Arc<Held<T>>,
    _tasks: JoinSet<()>,
}

pub(super) fn follow_catalog(seams: &Seams, replica: &str) -> Following<PublishedEndpoint> {
    following(AtEdge { catalog: Arc::clone(&seams.catalog), watcher: edge(replica) })
}

pub(super) fn follow_vault(seams: &Seams, replica: &str, pair: &KeyPair) -> Following<SealedTarget> {
    let vault = Arc::clone(&seams.vault);
    let public_key = pair.public_key().to_vec();
    following(AtForwarder { vault, watcher: forwarder(replica), providers: vec![gemini()], public_key })
}

fn following<S: crate::Source>(source: S) -> Following<S::Item> {
    let held = Arc::new(Held::default());
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(source, Arc::clone(&held), Pace::default(), Arc::new(System), Some, |_| ()));
    Following { held, _tasks: tasks }
}

impl<T: Keyed> Following<T> {
    /// Waits until what is held is as it should be.
    pub(super) async fn holds(&self, so: impl Fn(&Held<T>) -> bool) {
        let mut positions = self.held.positions();
        while !so(&self.held) {
            comes(positions.changed()).await.unwrap();
        }
    }
}

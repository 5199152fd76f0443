//! A store that notes what it is asked, and answers values in which every field is set, or every one that may is not.

use std::sync::Arc;

use access::{Key, KeyId, Kind, Pepper, PepperId, Record, Scope};
use futures_util::{StreamExt as _, stream};
use names::{
    Actor, EndpointId, EndpointName, Label, MappingId, ModelDefinitionId, ModelName, Provider, SecretId,
};
use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use store::{
    Admin, AuditEntry, AuditFault, AuditLog, AuditVerdict, Binding, Caller, Callers, Catalog, ClientKey,
    ClientKeyChange, ClientKeys, DefinitionChange, Endpoint, EndpointChange, EndpointRef, Experiment,
    FallbackConfig, Linkage, ListDefinitions, Mapping, MappingSpec, MintedKey, ModelDefinition, NewBinding,
    NewClientKey, NewDefinition, NewEndpoint, NewExperiment, NewSecret, Position, PublishedCaller,
    PublishedEndpoint, PublishedKey, PublishedPepper, PublishedTarget, Receipt, Role, RoutingStrategy,
    SealedTarget, Secret, SecretChange, SecretValue, StoreError, Tag, Update, Updates, Vault, Watcher,
    Written,
};

/// Notes, answers, and fails when told to.
#[derive(Default)]
pub(crate) struct Fake {
    notes: Mutex<Vec<String>>,
    pub(crate) failure: Mutex<Option<StoreError>>,
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    fn asked(&self, method: &str, with: &(dyn std::fmt::Debug + Sync)) -> Result<(), StoreError> {
        self.notes.lock().push(note(method, with));
        self.failure.lock().clone().map_or(Ok(()), Err)
    }

    pub(crate) fn last(&self) -> String {
        self.notes.lock().pop().expect("it was asked")
    }
}

/// What is noted of a question.
pub(crate) fn note(method: &str, with: &dyn std::fmt::Debug) -> String {
    format!("{method} {with:?}")
}

/// A secret's values, which its `Debug` does not show.
pub(crate) fn plain(value: &SecretValue) -> Vec<(String, String)> {
    value.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect()
}

#[async_trait::async_trait]
impl Admin for Fake {
    async fn create_secret(&self, caller: &Caller, new: NewSecret) -> Result<Written<Secret>, StoreError> {
        self.asked("create_secret", &(caller, plain(&new.value), &new))?;
        Ok(written(secret()))
    }

    async fn secret(&self, id: &SecretId) -> Result<Secret, StoreError> {
        self.asked("secret", &(id,))?;
        Ok(secret())
    }

    async fn secrets(&self, provider: Option<&Provider>) -> Result<Vec<Secret>, StoreError> {
        self.asked("secrets", &(provider,))?;
        Ok(vec![secret(), bare_secret()])
    }

    async fn update_secret(
        &self,
        caller: &Caller,
        change: SecretChange,
    ) -> Result<Written<Secret>, StoreError> {
        self.asked("update_secret", &(caller, change.value.as_ref().map(plain), &change))?;
        Ok(written(bare_secret()))
    }

    async fn delete_secret(&self, caller: &Caller, id: &SecretId) -> Result<Receipt, StoreError> {
        self.asked("delete_secret", &(caller, id))?;
        Ok(receipt())
    }

    async fn create_definition(
        &self,
        caller: &Caller,
        new: NewDefinition,
    ) -> Result<Written<ModelDefinition>, StoreError> {
        self.asked("create_definition", &(caller, new))?;
        Ok(written(definition()))
    }

    async fn definition(&self, id: &ModelDefinitionId) -> Result<ModelDefinition, StoreError> {
        self.asked("definition", &(id,))?;
        Ok(definition())
    }

    async fn definitions(&self, filter: &ListDefinitions) -> Result<Vec<ModelDefinition>, StoreError> {
        self.asked("definitions", &(filter,))?;
        Ok(vec![definition(), bare_definition()])
    }

    async fn update_definition(
        &self,
        caller: &Caller,
        change: DefinitionChange,
    ) -> Result<Written<ModelDefinition>, StoreError> {
        self.asked("update_definition", &(caller, change))?;
        Ok(written(bare_definition()))
    }

    async fn delete_definition(
        &self,
        caller: &Caller,
        id: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError> {
        self.asked("delete_definition", &(caller, id))?;
        Ok(receipt())
    }

    async fn create_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<Written<Endpoint>, StoreError> {
        self.asked("create_endpoint", &(caller, new))?;
        Ok(written(endpoint()))
    }

    async fn endpoint(&self, which: &EndpointRef) -> Result<Endpoint, StoreError> {
        self.asked("endpoint", &(which,))?;
        Ok(endpoint())
    }

    async fn endpoints(&self, provider: Option<&Provider>) -> Result<Vec<Endpoint>, StoreError> {
        self.asked("endpoints", &(provider,))?;
        Ok(vec![endpoint(), bare_endpoint()])
    }

    async fn update_endpoint(
        &self,
        caller: &Caller,
        change: EndpointChange,
    ) -> Result<Written<Endpoint>, StoreError> {
        self.asked("update_endpoint", &(caller, change))?;
        Ok(written(bare_endpoint()))
    }

    async fn delete_endpoint(&self, caller: &Caller, id: &EndpointId) -> Result<Receipt, StoreError> {
        self.asked("delete_endpoint", &(caller, id))?;
        Ok(receipt())
    }

    async fn attach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        spec: MappingSpec,
    ) -> Result<Written<Mapping>, StoreError> {
        self.asked("attach", &(caller, endpoint, spec))?;
        Ok(written(mapping()))
    }

    async fn detach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        definition: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError> {
        self.asked("detach", &(caller, endpoint, definition))?;
        Ok(receipt())
    }

    async fn create_binding(&self, caller: &Caller, new: NewBinding) -> Result<Written<Binding>, StoreError> {
        self.asked("create_binding", &(caller, new))?;
        Ok(written(binding()))
    }

    async fn delete_binding(&self, caller: &Caller, which: NewBinding) -> Result<Receipt, StoreError> {
        self.asked("delete_binding", &(caller, which))?;
        Ok(receipt())
    }

    async fn bindings(
        &self,
        endpoint: Option<&EndpointId>,
        resource_type: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<Vec<Binding>, StoreError> {
        self.asked("bindings", &(endpoint, resource_type, resource_id))?;
        Ok(vec![binding()])
    }

    async fn set_tag(&self, caller: &Caller, endpoint: &EndpointId, tag: Tag) -> Result<Receipt, StoreError> {
        self.asked("set_tag", &(caller, endpoint, tag))?;
        Ok(receipt())
    }

    async fn delete_tag(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        key: &str,
    ) -> Result<Receipt, StoreError> {
        self.asked("delete_tag", &(caller, endpoint, key))?;
        Ok(receipt())
    }

    async fn create_experiment(
        &self,
        caller: &Caller,
        new: NewExperiment,
    ) -> Result<Written<Experiment>, StoreError> {
        self.asked("create_experiment", &(caller, new))?;
        Ok(written(experiment()))
    }

    async fn experiment(&self, id: u64) -> Result<Experiment, StoreError> {
        self.asked("experiment", &(id,))?;
        Ok(experiment())
    }

    async fn experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        self.asked("experiment_by_name", &(name,))?;
        Ok(experiment())
    }

    async fn experiments(&self) -> Result<Vec<Experiment>, StoreError> {
        self.asked("experiments", &())?;
        Ok(vec![experiment()])
    }
}

#[async_trait::async_trait]
impl Catalog for Fake {
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedEndpoint>, StoreError> {
        self.asked("watch", &(watcher, from))?;
        Ok(stream::iter(every_update(&[published(), bare_published()]))
            .map(Ok)
            .chain(stream::pending())
            .boxed())
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        self.asked("acknowledge", &(watcher, position))
    }
}

#[async_trait::async_trait]
impl Vault for Fake {
    async fn watch(
        &self,
        watcher: Watcher,
        providers: Vec<Provider>,
        public_key: Vec<u8>,
        from: Option<Position>,
    ) -> Result<Updates<SealedTarget>, StoreError> {
        self.asked("watch", &(watcher, providers, public_key, from))?;
        Ok(stream::iter(every_update(&[sealed()])).map(Ok).chain(stream::pending()).boxed())
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        self.asked("acknowledge", &(watcher, position))
    }
}

#[async_trait::async_trait]
impl Callers for Fake {
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedCaller>, StoreError> {
        self.asked("watch", &(watcher, from))?;
        Ok(stream::iter(every_update(&callers())).map(Ok).chain(stream::pending()).boxed())
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        self.asked("acknowledge", &(watcher, position))
    }
}

#[async_trait::async_trait]
impl AuditLog for Fake {
    async fn audit(&self, since: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.asked("audit", &(since, limit))?;
        Ok(entries().to_vec())
    }

    async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        self.asked("verify_audit", &())?;
        Ok(verdict())
    }
}

pub(crate) fn entries() -> [AuditEntry; 2] {
    let full = AuditEntry {
        seq: 1,
        at: -2,
        actor: Some("ada".into()),
        actor_kind: "admin".into(),
        action: "secret.create".into(),
        object: "s-1".into(),
        outcome: "ok".into(),
        request_id: "r".into(),
        revision: i64::MAX,
        detail: "{}".into(),
    };
    [full.clone(), AuditEntry { actor: None, ..full }]
}

pub(crate) fn verdict() -> AuditVerdict {
    AuditVerdict { seq: 7, mac: "00ff".into(), first_bad: Some(AuditFault { seq: 8, why: "it is".into() }) }
}

#[async_trait::async_trait]
impl ClientKeys for Fake {
    async fn create_client_key(
        &self,
        caller: &Caller,
        new: NewClientKey,
    ) -> Result<Written<MintedKey>, StoreError> {
        self.asked("create_client_key", &(caller, new))?;
        Ok(written(MintedKey { key: client_key(), shown_once: shown_once() }))
    }

    async fn client_key(&self, key_id: &KeyId) -> Result<ClientKey, StoreError> {
        self.asked("client_key", &(key_id,))?;
        Ok(client_key())
    }

    async fn client_keys(&self, owner: Option<&Label>) -> Result<Vec<ClientKey>, StoreError> {
        self.asked("client_keys", &(owner,))?;
        Ok(vec![client_key(), bare_client_key()])
    }

    async fn update_client_key(
        &self,
        caller: &Caller,
        change: ClientKeyChange,
    ) -> Result<Written<ClientKey>, StoreError> {
        self.asked("update_client_key", &(caller, change))?;
        Ok(written(bare_client_key()))
    }

    async fn rotate_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
        overlap_ms: i64,
    ) -> Result<Written<MintedKey>, StoreError> {
        self.asked("rotate_client_key", &(caller, key_id, overlap_ms))?;
        Ok(written(MintedKey { key: bare_client_key(), shown_once: shown_once() }))
    }

    async fn revoke_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
    ) -> Result<Written<ClientKey>, StoreError> {
        self.asked("revoke_client_key", &(caller, key_id))?;
        Ok(written(client_key()))
    }

    async fn delete_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<Receipt, StoreError> {
        self.asked("delete_client_key", &(caller, key_id))?;
        Ok(receipt())
    }
}

pub(crate) fn shown_once() -> Key {
    Key::mint(Kind::Client, 7, &[5; 32])
}

pub(crate) fn scope() -> Scope {
    let tags = [("team", "red"), ("team", "blue"), ("empty", "")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Scope::only([EndpointName::parse("chat").unwrap()], tags).unwrap()
}

pub(crate) fn client_key() -> ClientKey {
    ClientKey {
        key_id: KeyId::from_random(7),
        owner: label("search"),
        note: Some("tests".into()),
        scope: scope(),
        expires_at: Some(i64::MAX),
        retires_at: Some(2),
        revoked_at: Some(-3),
        replaced_by: Some(KeyId::from_random(8)),
        created_at: 4,
        last_updated_at: 5,
        created_by: Some(actor("ada")),
        last_updated_by: Some(actor("bob")),
    }
}

pub(crate) fn bare_client_key() -> ClientKey {
    ClientKey {
        note: None,
        scope: Scope::All,
        expires_at: None,
        retires_at: None,
        revoked_at: None,
        replaced_by: None,
        created_by: None,
        last_updated_by: None,
        ..client_key()
    }
}

/// A pepper, a key with everything, and one without what may be missing.
pub(crate) fn callers() -> [PublishedCaller; 3] {
    let material: Vec<u8> = (0..32).collect();
    let pepper = Pepper::derive(PepperId(3), &material, Kind::Client).unwrap();
    let bare = Record::of(&shown_once(), &pepper);
    let full = Record {
        not_before_ms: Some(1),
        expires_at_ms: Some(2),
        retires_at_ms: Some(3),
        revoked_at_ms: Some(4),
        ..bare.clone()
    };
    let empty = Scope::only([], []).unwrap();
    [
        PublishedCaller::Pepper(PublishedPepper::new(PepperId(3), material)),
        PublishedCaller::Key(PublishedKey { record: full, owner: label("search"), scope: scope() }),
        PublishedCaller::Key(PublishedKey { record: bare, owner: label("x"), scope: empty }),
    ]
}

/// One of each kind.
pub(crate) fn every_update<T: Clone>(items: &[T]) -> Vec<Update<T>> {
    vec![
        Update::SnapshotBegin,
        Update::SnapshotPart(items.to_vec()),
        Update::SnapshotEnd(position(1)),
        Update::Delta {
            position: position(2),
            upserts: items.to_vec(),
            removed: vec!["a".into(), "b".into()],
        },
        Update::Heartbeat { position: position(u64::MAX), items: 77 },
    ]
}

pub(crate) fn position(revision: u64) -> Position {
    Position { epoch: u64::MAX - 1, revision }
}

pub(crate) fn provider() -> Provider {
    Provider::parse("gemini").unwrap()
}

fn actor(name: &str) -> Actor {
    Actor::parse(name).unwrap()
}

fn label(name: &str) -> Label {
    Label::parse(name).unwrap()
}

pub(crate) fn written<T>(value: T) -> Written<T> {
    Written { value, receipt: receipt() }
}

pub(crate) fn receipt() -> Receipt {
    let watcher = |role, replica: &str| Watcher { role, replica: replica.to_owned() };
    let not_applied = vec![watcher(Role::Edge, "edge-1"), watcher(Role::Forwarder, "forwarder-2")];
    Receipt { revision: u64::MAX, not_applied }
}

pub(crate) fn secret() -> Secret {
    Secret {
        id: SecretId::from_random(1),
        name: label("a key \u{1F511}"),
        masked_values: [("api_key".to_owned(), "AIz...wxyz".to_owned())].into(),
        version: 2,
        provider: Some(provider()),
        auth_config: [("api_base".to_owned(), "https://example.com".to_owned())].into(),
        created_at: 3,
        last_updated_at: 4,
        created_by: Some(actor("five")),
        last_updated_by: Some(actor("six")),
    }
}

pub(crate) fn bare_secret() -> Secret {
    Secret {
        masked_values: [].into(),
        provider: None,
        auth_config: [].into(),
        created_by: None,
        last_updated_by: None,
        ..secret()
    }
}

pub(crate) fn definition() -> ModelDefinition {
    ModelDefinition {
        id: ModelDefinitionId::from_random(10),
        name: label("a model"),
        secret: Some((SecretId::from_random(11), label("its key"))),
        provider: provider(),
        model_name: ModelName::parse("gemini-2.5-flash").unwrap(),
        created_at: 12,
        last_updated_at: -13,
        created_by: Some(actor("fourteen")),
        last_updated_by: Some(actor("fifteen")),
    }
}

pub(crate) fn bare_definition() -> ModelDefinition {
    ModelDefinition { secret: None, created_by: None, last_updated_by: None, ..definition() }
}

pub(crate) fn mapping() -> Mapping {
    Mapping {
        id: MappingId::from_random(20),
        endpoint_id: EndpointId::from_random(21),
        definition: definition(),
        weight: 0.1,
        linkage: Linkage::Fallback,
        fallback_order: Some(-22),
        created_at: 23,
        created_by: Some(actor("twenty-four")),
    }
}

fn bare_mapping() -> Mapping {
    Mapping { linkage: Linkage::Primary, fallback_order: None, created_by: None, ..mapping() }
}

pub(crate) fn tag() -> Tag {
    Tag { key: "team".to_owned(), value: "blue".to_owned() }
}

pub(crate) fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::from_random(30),
        name: EndpointName::parse("chat").unwrap(),
        mappings: vec![bare_mapping(), mapping()],
        tags: vec![tag(), Tag { key: "empty".to_owned(), value: String::new() }],
        routing_strategy: Some(RoutingStrategy::RequestBasedTrafficSplit),
        fallback_config: Some(FallbackConfig { sequential: true, max_attempts: Some(2) }),
        experiment_id: Some(31),
        usage_tracking: true,
        created_at: 32,
        last_updated_at: 33,
        created_by: Some(actor("thirty-four")),
        last_updated_by: Some(actor("thirty-five")),
    }
}

pub(crate) fn bare_endpoint() -> Endpoint {
    Endpoint {
        mappings: vec![],
        tags: vec![],
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: false,
        created_by: None,
        last_updated_by: None,
        ..endpoint()
    }
}

pub(crate) fn binding() -> Binding {
    Binding {
        endpoint_id: EndpointId::from_random(40),
        resource_type: "scorer".to_owned(),
        resource_id: "41".to_owned(),
        created_at: 42,
        last_updated_at: 43,
        created_by: Some(actor("forty-four")),
        last_updated_by: Some(actor("forty-five")),
    }
}

pub(crate) fn experiment() -> Experiment {
    Experiment {
        id: 50,
        name: label("gateway/chat"),
        artifact_location: Some("mlflow-artifacts:/1".to_owned()),
        tags: vec![tag()],
        created_at: 51,
        last_updated_at: 52,
    }
}

pub(crate) fn published() -> PublishedEndpoint {
    let target = |linkage, weight| PublishedTarget {
        mapping: MappingId::from_random(60),
        provider: provider(),
        model: ModelName::parse("gemini-2.5-pro").unwrap(),
        linkage,
        weight,
        secret: (linkage == Linkage::Primary).then(|| (SecretId::from_random(71), 72)),
    };
    PublishedEndpoint {
        id: EndpointId::from_random(61),
        name: EndpointName::parse("chat").unwrap(),
        targets: vec![target(Linkage::Primary, 0.3), target(Linkage::Fallback, 1.0)],
        without_secret: Some(2),
        routing_strategy: Some(RoutingStrategy::RequestBasedTrafficSplit),
        fallback_config: Some(FallbackConfig { sequential: false, max_attempts: None }),
        tags: [("team".to_owned(), "red".to_owned()), ("empty".to_owned(), String::new())].into(),
        created_at: 62,
        revision: 63,
    }
}

pub(crate) fn bare_published() -> PublishedEndpoint {
    PublishedEndpoint {
        targets: vec![],
        without_secret: None,
        tags: [].into(),
        routing_strategy: None,
        fallback_config: None,
        ..published()
    }
}

pub(crate) fn sealed() -> SealedTarget {
    SealedTarget {
        mapping: MappingId::from_random(70),
        endpoint: EndpointName::parse("chat").unwrap(),
        provider: provider(),
        model: ModelName::parse("gemini-2.5-pro").unwrap(),
        secret_id: SecretId::from_random(71),
        secret_version: 72,
        auth_config: [("api_base".to_owned(), "https://example.com".to_owned())].into(),
        sealed: vec![0, 255, 128],
    }
}

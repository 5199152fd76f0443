//! What forwarders watch: the targets of their providers, each with its secret sealed to the forwarder that asks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use names::{EndpointName, MappingId, ModelName, Provider, SecretId};
use seal::{Payload, handover};
use serde_json::json;

use super::{Scope, begin};
use crate::{
    Position, Role, SealedTarget, Store, StoreError, Updates, Vault, Watcher,
    store::Inner,
    tables::{
        AuditRow, ChangeKind, ChangeRow, DefinitionRow, MappingRow, Of, Read, SealedRow, SecretRow, convert,
    },
};

#[async_trait::async_trait]
impl Vault for Store {
    async fn watch(
        &self,
        watcher: Watcher,
        providers: Vec<Provider>,
        public_key: Vec<u8>,
        from: Option<Position>,
    ) -> Result<Updates<SealedTarget>, StoreError> {
        check_key(&public_key)?;
        let providers: BTreeSet<_> = providers.iter().map(ToString::to_string).collect();
        if providers.is_empty() {
            return Err(StoreError::Invalid("providers: at least one must be named".to_owned()));
        }
        let named = providers.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        begin(&self.inner, Targets { providers, public_key }, watcher, named, from).await
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        self.inner.acknowledged(watcher, position).await
    }
}

/// Refused at the door instead of at the first secret: seals nothing to it.
fn check_key(public_key: &[u8]) -> Result<(), StoreError> {
    let info = handover::Info { provider: "", mapping: "", secret_id: "", secret_version: 0, replica: "" };
    let nothing = Payload::new(BTreeMap::new(), Vec::new());
    match handover::seal_to(public_key, &info, &nothing) {
        Ok(_) => Ok(()),
        Err(seal::SealError::BadPublicKey) => {
            Err(StoreError::Invalid("public_key is not an X25519 public key of 32 bytes".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

struct Targets {
    providers: BTreeSet<String>,
    public_key: Vec<u8>,
}

/// A target with all that is sealed for it.
struct Row {
    mapping: MappingRow,
    definition: DefinitionRow,
    endpoint: String,
    secret: Arc<(SecretRow, SealedRow)>,
}

#[async_trait::async_trait]
impl Scope for Targets {
    type Item = SealedTarget;
    type Row = Row;

    const ROLE: Role = Role::Forwarder;

    fn concerns(&self, change: &ChangeRow) -> bool {
        change.kind == ChangeKind::Vault && self.providers.contains(&change.provider)
    }

    async fn count(&self, rows: &mut dyn Read) -> Result<usize, StoreError> {
        let mapped = self.mapped(rows).await?;
        Ok(mapped.iter().filter(|(_, definition)| definition.secret_id.is_some()).count())
    }

    async fn all(&self, rows: &mut dyn Read) -> Result<Vec<(String, Row)>, StoreError> {
        let endpoints = rows.endpoints().await?.into_iter();
        let endpoints: HashMap<_, _> = endpoints.map(|row| (row.id, row.name)).collect();
        let mapped = self.mapped(rows).await?;
        let concerned: BTreeSet<_> = mapped.iter().map(|(_, row)| row.provider.as_str()).collect();
        let mut sealed = HashMap::new();
        for provider in concerned {
            sealed
                .extend(rows.sealed_of(provider).await?.into_iter().map(|row| (row.secret_id.clone(), row)));
        }
        let mut secrets = HashMap::new();
        for row in rows.secrets().await? {
            if let Some(sealed) = sealed.remove(&row.id) {
                secrets.insert(row.id.clone(), Arc::new((row, sealed)));
            }
        }
        let mut all = Vec::new();
        for (mapping, definition) in mapped {
            let Some(id) = &definition.secret_id else { continue };
            let parts = (secrets.get(id).cloned(), endpoints.get(&mapping.endpoint_id).cloned());
            let (Some(secret), Some(endpoint)) = parts else { return Err(torn(&mapping)) };
            all.push((mapping.id.clone(), Row { mapping, definition, endpoint, secret }));
        }
        Ok(all)
    }

    async fn one(&self, rows: &mut dyn Read, key: &str) -> Result<Option<Row>, StoreError> {
        let Some((mapping, definition)) = rows.mappings(Of::Mapping(key)).await?.pop() else {
            return Ok(None);
        };
        let Some(id) = definition.secret_id.clone() else { return Ok(None) };
        if !self.providers.contains(&definition.provider) {
            return Ok(None);
        }
        let secret = (rows.secret(&id).await?, rows.sealed(&id).await?);
        let (Some(secret), Some(sealed)) = secret else { return Err(torn(&mapping)) };
        let Some(endpoint) = rows.endpoint(&mapping.endpoint_id).await? else { return Err(torn(&mapping)) };
        let secret = Arc::new((secret, sealed));
        Ok(Some(Row { mapping, definition, endpoint: endpoint.name, secret }))
    }

    fn item(&self, inner: &Inner, watcher: &Watcher, row: &Row) -> Result<SealedTarget, StoreError> {
        let (secret, sealed) = row.secret.as_ref();
        let payload = inner.open_secret(secret, sealed)?;
        let secret_version = convert::revision(secret.version)?;
        let info = handover::Info {
            provider: &row.definition.provider,
            mapping: &row.mapping.id,
            secret_id: &secret.id,
            secret_version,
            replica: &watcher.replica,
        };
        let blob = handover::seal_to(&self.public_key, &info, &payload)?;
        Ok(target(row, secret_version, blob)?)
    }

    /// Every handing of a secret to a forwarder is in the audit log, before it happens; no revision comes of it.
    async fn handing(
        &self,
        inner: &Inner,
        watcher: &Watcher,
        at: Position,
        items: &[SealedTarget],
    ) -> Result<(), StoreError> {
        let secrets: BTreeMap<_, _> =
            items.iter().map(|item| (item.secret_id.as_str(), item.secret_version)).collect();
        if secrets.is_empty() {
            return Ok(());
        }
        let providers: BTreeSet<_> = items.iter().map(|item| item.provider.as_str()).collect();
        let mut rows = inner.tables.write(&inner.settings.workspace).await?;
        let row = AuditRow {
            seq: 0,
            at: inner.clock.now_ms(),
            actor: None,
            actor_kind: "store".to_owned(),
            action: "secret.handover".to_owned(),
            object: watcher.replica.clone(),
            object_version: None,
            outcome: "ok".to_owned(),
            request_id: String::new(),
            revision: convert::to_column(at.revision),
            source: None,
            detail: json!({"providers": providers, "versions": secrets}).to_string(),
            prev: Vec::new(),
            mac: Vec::new(),
        };
        inner.append_audit(rows.as_mut(), row).await?;
        Ok(rows.commit().await?)
    }
}

impl Targets {
    /// The mappings of the providers that are watched, with their definitions.
    async fn mapped(&self, rows: &mut dyn Read) -> Result<Vec<(MappingRow, DefinitionRow)>, StoreError> {
        let mut providers = self.providers.iter();
        let (Some(one), None) = (providers.next(), providers.next()) else {
            let mut mapped = rows.mappings(Of::All).await?;
            mapped.retain(|(_, definition)| self.providers.contains(&definition.provider));
            return Ok(mapped);
        };
        Ok(rows.mappings(Of::Provider(one)).await?)
    }
}

fn target(row: &Row, secret_version: u64, sealed: Vec<u8>) -> Result<SealedTarget, convert::Garbled> {
    let (secret, _) = row.secret.as_ref();
    Ok(SealedTarget {
        mapping: MappingId::parse(&row.mapping.id)?,
        endpoint: EndpointName::parse(&row.endpoint)?,
        provider: Provider::parse(&row.definition.provider)?,
        model: ModelName::parse(&row.definition.model_name)?,
        secret_id: SecretId::parse(&secret.id)?,
        secret_version,
        auth_config: convert::map(&secret.auth_config)?,
        sealed,
    })
}

/// A row that others refer to is missing: the rules and the foreign keys do not let that happen.
fn torn(mapping: &MappingRow) -> StoreError {
    tracing::error!(mapping.id = mapping.id, "the rows of a target do not belong together");
    StoreError::Internal
}

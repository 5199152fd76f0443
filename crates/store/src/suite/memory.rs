//! Tables in memory: a database for tests that are not about one.
//!
//! It keeps every promise of [`Tables`] within one process: one writer, snapshots, unique keys, foreign keys, order.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use names::Workspace;
use parking_lot::Mutex;
use tokio::sync::{Mutex as TurnMutex, OwnedMutexGuard, watch};

use super::tables::Home;
use crate::tables::{
    AuditRow, BindingRow, ChangeRow, ClientKeyRow, CommitError, Constraint, DefinitionRow, EndpointRow,
    ExperimentRow, KeyCheckRow, MappingRow, MaterialRow, Meta, Of, Read, SealedRow, SecretRow, Tables,
    TablesError, TagRow, WatcherRow, Write,
};

/// An empty database of one case, for `store_suite!`.
#[expect(clippy::unused_async, reason = "stands where others need to wait")]
pub async fn home(_case: &'static str) -> Option<Memory> {
    Some(Memory::default())
}

#[async_trait::async_trait]
impl Home for Memory {
    fn tables(&self) -> Arc<dyn Tables> {
        Arc::new(self.clone())
    }

    async fn tamper(&self, _statement: &'static str) -> Result<(), String> {
        Err("no statement reaches it".to_owned())
    }
}

/// A database that is gone with its last clone.
#[derive(Clone, Default)]
pub struct Memory {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<Arc<State>>,
    turn: Arc<TurnMutex<()>>,
    wakes: watch::Sender<u64>,
    away: AtomicBool,
}

#[derive(Clone, Default)]
struct State {
    meta: Meta,
    key_checks: BTreeMap<String, KeyCheckRow>,
    spaces: HashMap<String, Arc<Space>>,
}

/// The rows of one workspace.
#[derive(Clone, Default)]
struct Space {
    secrets: BTreeMap<String, SecretRow>,
    sealed: BTreeMap<String, SealedRow>,
    definitions: BTreeMap<String, DefinitionRow>,
    endpoints: BTreeMap<String, EndpointRow>,
    mappings: BTreeMap<String, MappingRow>,
    tags: BTreeMap<(String, String), TagRow>,
    bindings: BTreeMap<(String, String, String), BindingRow>,
    experiments: BTreeMap<i64, ExperimentRow>,
    materials: BTreeMap<(String, i64), MaterialRow>,
    client_keys: BTreeMap<String, ClientKeyRow>,
    changes: Vec<ChangeRow>,
    audit: Vec<AuditRow>,
    watchers: BTreeMap<(String, String, String), WatcherRow>,
}

impl Memory {
    /// Whether it answers: a database that is away answers nothing, and loses nothing.
    pub fn set_away(&self, away: bool) {
        self.inner.away.store(away, Ordering::SeqCst);
    }

    fn edit<T>(&self, workspace: &Workspace, change: impl FnOnce(&mut Space) -> T) -> T {
        let mut state = self.inner.state.lock();
        let spaces = &mut Arc::make_mut(&mut state).spaces;
        change(Arc::make_mut(spaces.entry(workspace.to_string()).or_default()))
    }

    fn answers(&self) -> Result<(), TablesError> {
        if self.inner.away.load(Ordering::SeqCst) {
            return Err(TablesError::Unavailable("it is away".into()));
        }
        Ok(())
    }

    fn view(&self, workspace: &Workspace) -> View {
        let state = Arc::clone(&self.inner.state.lock());
        View { state: State::clone(&state), workspace: workspace.to_string() }
    }
}

#[async_trait::async_trait]
impl Tables for Memory {
    async fn read(&self, workspace: &Workspace) -> Result<Box<dyn Read>, TablesError> {
        self.answers()?;
        Ok(Box::new(self.view(workspace)))
    }

    async fn write(&self, workspace: &Workspace) -> Result<Box<dyn Write>, TablesError> {
        self.answers()?;
        let turn = Arc::clone(&self.inner.turn).lock_owned().await;
        Ok(Box::new(Transaction {
            memory: self.clone(),
            view: self.view(workspace),
            trim: i64::MIN,
            _turn: turn,
        }))
    }

    async fn note_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError> {
        self.answers()?;
        self.edit(workspace, |space| space.watchers.insert(watcher_key(row), row.clone()));
        Ok(())
    }

    async fn forget_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError> {
        self.answers()?;
        self.edit(workspace, |space| space.watchers.remove(&watcher_key(row)));
        Ok(())
    }

    fn wakes(&self) -> watch::Receiver<u64> {
        self.inner.wakes.subscribe()
    }

    async fn close(&self) {
        self.set_away(true);
    }
}

fn watcher_key(row: &WatcherRow) -> (String, String, String) {
    (row.role.clone(), row.replica.clone(), row.provider.clone())
}

/// A state as of one moment.
struct View {
    state: State,
    workspace: String,
}

impl View {
    fn space(&self) -> Arc<Space> {
        self.state.spaces.get(&self.workspace).cloned().unwrap_or_default()
    }

    fn edit(&mut self) -> &mut Space {
        Arc::make_mut(self.state.spaces.entry(self.workspace.clone()).or_default())
    }

    fn joined(space: &Space, row: &DefinitionRow) -> DefinitionRow {
        let secret = row.secret_id.as_ref().and_then(|id| space.secrets.get(id));
        DefinitionRow { secret_name: secret.map(|secret| secret.name.clone()), ..row.clone() }
    }
}

fn limited<T: Clone>(rows: impl Iterator<Item = T>, limit: i64) -> Vec<T> {
    rows.take(usize::try_from(limit).unwrap_or(0)).collect()
}

#[async_trait::async_trait]
impl Read for View {
    async fn meta(&mut self) -> Result<Meta, TablesError> {
        Ok(self.state.meta)
    }

    async fn key_checks(&mut self) -> Result<Vec<KeyCheckRow>, TablesError> {
        Ok(self.state.key_checks.values().cloned().collect())
    }

    async fn secret(&mut self, id: &str) -> Result<Option<SecretRow>, TablesError> {
        Ok(self.space().secrets.get(id).cloned())
    }

    async fn secrets(&mut self) -> Result<Vec<SecretRow>, TablesError> {
        let mut rows: Vec<_> = self.space().secrets.values().cloned().collect();
        rows.sort_by_key(|row| row.created_at);
        Ok(rows)
    }

    async fn sealed(&mut self, secret_id: &str) -> Result<Option<SealedRow>, TablesError> {
        Ok(self.space().sealed.get(secret_id).cloned())
    }

    async fn sealed_of(&mut self, provider: &str) -> Result<Vec<SealedRow>, TablesError> {
        let space = self.space();
        let of = |row: &&SealedRow| {
            space
                .secrets
                .get(&row.secret_id)
                .is_some_and(|secret| secret.provider.as_deref() == Some(provider))
        };
        Ok(space.sealed.values().filter(of).cloned().collect())
    }

    async fn definition(&mut self, id: &str) -> Result<Option<DefinitionRow>, TablesError> {
        let space = self.space();
        Ok(space.definitions.get(id).map(|row| Self::joined(&space, row)))
    }

    async fn definitions(&mut self) -> Result<Vec<DefinitionRow>, TablesError> {
        let space = self.space();
        let mut rows: Vec<_> = space.definitions.values().map(|row| Self::joined(&space, row)).collect();
        rows.sort_by_key(|row| row.created_at);
        Ok(rows)
    }

    async fn endpoint(&mut self, id: &str) -> Result<Option<EndpointRow>, TablesError> {
        Ok(self.space().endpoints.get(id).cloned())
    }

    async fn endpoint_by_name(&mut self, name: &str) -> Result<Option<EndpointRow>, TablesError> {
        Ok(self.space().endpoints.values().find(|row| row.name == name).cloned())
    }

    async fn endpoints(&mut self) -> Result<Vec<EndpointRow>, TablesError> {
        let mut rows: Vec<_> = self.space().endpoints.values().cloned().collect();
        rows.sort_by_key(|row| row.created_at);
        Ok(rows)
    }

    async fn mappings(&mut self, of: Of<'_>) -> Result<Vec<(MappingRow, DefinitionRow)>, TablesError> {
        let space = self.space();
        let mut rows = Vec::new();
        for mapping in space.mappings.values() {
            let Some(definition) = space.definitions.get(&mapping.definition_id) else {
                return Err(defect("a mapping without its definition"));
            };
            let wanted = match of {
                Of::All => true,
                Of::Mapping(id) => mapping.id == id,
                Of::Endpoint(id) => mapping.endpoint_id == id,
                Of::Definition(id) => mapping.definition_id == id,
                Of::Secret(id) => definition.secret_id.as_deref() == Some(id),
                Of::Provider(provider) => definition.provider == provider,
            };
            if wanted {
                rows.push((mapping.clone(), Self::joined(&space, definition)));
            }
        }
        rows.sort_by(|(a, _), (b, _)| (&a.endpoint_id, a.ordinal).cmp(&(&b.endpoint_id, b.ordinal)));
        Ok(rows)
    }

    async fn tags(&mut self, endpoint_id: Option<&str>) -> Result<Vec<TagRow>, TablesError> {
        let mut rows: Vec<_> = self.space().tags.values().cloned().collect();
        rows.retain(|row| endpoint_id.is_none_or(|id| row.endpoint_id == id));
        Ok(rows)
    }

    async fn bindings(&mut self, endpoint_id: Option<&str>) -> Result<Vec<BindingRow>, TablesError> {
        let mut rows: Vec<_> = self.space().bindings.values().cloned().collect();
        rows.retain(|row| endpoint_id.is_none_or(|id| row.endpoint_id == id));
        rows.sort_by_key(|row| row.created_at);
        Ok(rows)
    }

    async fn experiment(&mut self, id: i64) -> Result<Option<ExperimentRow>, TablesError> {
        Ok(self.space().experiments.get(&id).cloned())
    }

    async fn experiment_by_name(&mut self, name: &str) -> Result<Option<ExperimentRow>, TablesError> {
        Ok(self.space().experiments.values().find(|row| row.name == name).cloned())
    }

    async fn experiments(&mut self) -> Result<Vec<ExperimentRow>, TablesError> {
        Ok(self.space().experiments.values().cloned().collect())
    }

    async fn last_experiment(&mut self) -> Result<i64, TablesError> {
        Ok(self.space().experiments.keys().next_back().copied().unwrap_or(0))
    }

    async fn key_materials(&mut self) -> Result<Vec<MaterialRow>, TablesError> {
        Ok(self.space().materials.values().cloned().collect())
    }

    async fn client_key(&mut self, key_id: &str) -> Result<Option<ClientKeyRow>, TablesError> {
        Ok(self.space().client_keys.get(key_id).cloned())
    }

    async fn client_keys(&mut self) -> Result<Vec<ClientKeyRow>, TablesError> {
        let mut rows: Vec<_> = self.space().client_keys.values().cloned().collect();
        rows.sort_by_key(|row| row.created_at);
        Ok(rows)
    }

    async fn changes_since(&mut self, revision: i64, limit: i64) -> Result<Vec<ChangeRow>, TablesError> {
        Ok(limited(self.space().changes.iter().filter(|row| row.revision > revision).cloned(), limit))
    }

    async fn audit_since(&mut self, seq: i64, limit: i64) -> Result<Vec<AuditRow>, TablesError> {
        Ok(limited(self.space().audit.iter().filter(|row| row.seq > seq).cloned(), limit))
    }

    async fn last_audit(&mut self) -> Result<Option<AuditRow>, TablesError> {
        Ok(self.space().audit.last().cloned())
    }

    async fn watchers(&mut self, since: i64) -> Result<Vec<WatcherRow>, TablesError> {
        Ok(self.space().watchers.values().filter(|row| row.seen_at >= since).cloned().collect())
    }
}

fn defect(said: &'static str) -> TablesError {
    TablesError::Defect(said.into())
}

fn unique(taken: bool, constraint: Constraint) -> Result<(), TablesError> {
    if taken { Err(TablesError::Taken(constraint)) } else { Ok(()) }
}

fn there(there: bool, said: &'static str) -> Result<(), TablesError> {
    if there { Ok(()) } else { Err(defect(said)) }
}

/// Its own copy of the state, which takes the place of the old one at the commit.
struct Transaction {
    memory: Memory,
    view: View,
    /// Watchers last seen before this go with the commit.
    trim: i64,
    _turn: OwnedMutexGuard<()>,
}

#[async_trait::async_trait]
impl Write for Transaction {
    async fn put_meta(&mut self, meta: Meta) -> Result<(), TablesError> {
        self.view.state.meta = meta;
        Ok(())
    }

    async fn put_key_check(&mut self, row: &KeyCheckRow) -> Result<(), TablesError> {
        self.view.state.key_checks.insert(row.kek_id.clone(), row.clone());
        Ok(())
    }

    async fn put_secret(&mut self, row: &SecretRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        let taken = space.secrets.values().any(|other| other.name == row.name && other.id != row.id);
        unique(taken, Constraint::SecretName)?;
        space.secrets.insert(row.id.clone(), row.clone());
        Ok(())
    }

    async fn put_sealed(&mut self, row: &SealedRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        there(space.secrets.contains_key(&row.secret_id), "a value without its secret")?;
        space.sealed.insert(row.secret_id.clone(), row.clone());
        Ok(())
    }

    async fn delete_secret(&mut self, id: &str) -> Result<bool, TablesError> {
        let space = self.view.edit();
        space.sealed.remove(id);
        for row in space.definitions.values_mut() {
            row.secret_id = row.secret_id.take().filter(|secret| secret != id);
        }
        Ok(space.secrets.remove(id).is_some())
    }

    async fn put_definition(&mut self, row: &DefinitionRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        let taken = space.definitions.values().any(|other| other.name == row.name && other.id != row.id);
        unique(taken, Constraint::DefinitionName)?;
        let known = row.secret_id.as_ref().is_none_or(|id| space.secrets.contains_key(id));
        there(known, "a definition without its secret")?;
        space.definitions.insert(row.id.clone(), DefinitionRow { secret_name: None, ..row.clone() });
        Ok(())
    }

    async fn delete_definition(&mut self, id: &str) -> Result<bool, TablesError> {
        let space = self.view.edit();
        there(space.mappings.values().all(|row| row.definition_id != id), "a mapping uses it")?;
        Ok(space.definitions.remove(id).is_some())
    }

    async fn put_endpoint(&mut self, row: &EndpointRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        let taken = space.endpoints.values().any(|other| other.name == row.name && other.id != row.id);
        unique(taken, Constraint::EndpointName)?;
        let known = row.experiment_id.is_none_or(|id| space.experiments.contains_key(&id));
        there(known, "an endpoint without its experiment")?;
        space.endpoints.insert(row.id.clone(), row.clone());
        Ok(())
    }

    async fn delete_endpoint(&mut self, id: &str) -> Result<bool, TablesError> {
        let space = self.view.edit();
        space.mappings.retain(|_, row| row.endpoint_id != id);
        space.tags.retain(|_, row| row.endpoint_id != id);
        space.bindings.retain(|_, row| row.endpoint_id != id);
        Ok(space.endpoints.remove(id).is_some())
    }

    async fn put_mapping(&mut self, row: &MappingRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        let part =
            |row: &MappingRow| (row.endpoint_id.clone(), row.definition_id.clone(), row.linkage.clone());
        let taken = space.mappings.values().any(|other| part(other) == part(row) && other.id != row.id);
        unique(taken, Constraint::MappingPart)?;
        there(space.endpoints.contains_key(&row.endpoint_id), "a mapping without its endpoint")?;
        there(space.definitions.contains_key(&row.definition_id), "a mapping without its definition")?;
        space.mappings.insert(row.id.clone(), row.clone());
        Ok(())
    }

    async fn delete_mapping(&mut self, id: &str) -> Result<bool, TablesError> {
        Ok(self.view.edit().mappings.remove(id).is_some())
    }

    async fn put_tag(&mut self, row: &TagRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        there(space.endpoints.contains_key(&row.endpoint_id), "a tag without its endpoint")?;
        space.tags.insert((row.endpoint_id.clone(), row.key.clone()), row.clone());
        Ok(())
    }

    async fn delete_tag(&mut self, endpoint_id: &str, key: &str) -> Result<bool, TablesError> {
        Ok(self.view.edit().tags.remove(&(endpoint_id.to_owned(), key.to_owned())).is_some())
    }

    async fn insert_binding(&mut self, row: &BindingRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        let key = (row.endpoint_id.clone(), row.resource_type.clone(), row.resource_id.clone());
        unique(space.bindings.contains_key(&key), Constraint::Binding)?;
        there(space.endpoints.contains_key(&row.endpoint_id), "a binding without its endpoint")?;
        space.bindings.insert(key, row.clone());
        Ok(())
    }

    async fn delete_binding(
        &mut self,
        endpoint_id: &str,
        resource_type: &str,
        resource_id: &str,
    ) -> Result<bool, TablesError> {
        let key = (endpoint_id.to_owned(), resource_type.to_owned(), resource_id.to_owned());
        Ok(self.view.edit().bindings.remove(&key).is_some())
    }

    async fn put_experiment(&mut self, row: &ExperimentRow) -> Result<(), TablesError> {
        let space = self.view.edit();
        let taken = space.experiments.values().any(|other| other.name == row.name && other.id != row.id);
        unique(taken, Constraint::ExperimentName)?;
        space.experiments.insert(row.id, row.clone());
        Ok(())
    }

    async fn put_key_material(&mut self, row: &MaterialRow) -> Result<(), TablesError> {
        self.view.edit().materials.insert((row.name.clone(), row.serial), row.clone());
        Ok(())
    }

    async fn put_client_key(&mut self, row: &ClientKeyRow) -> Result<(), TablesError> {
        self.view.edit().client_keys.insert(row.key_id.clone(), row.clone());
        Ok(())
    }

    async fn delete_client_key(&mut self, key_id: &str) -> Result<bool, TablesError> {
        Ok(self.view.edit().client_keys.remove(key_id).is_some())
    }

    async fn append_change(&mut self, row: &ChangeRow) -> Result<(), TablesError> {
        self.view.edit().changes.push(row.clone());
        Ok(())
    }

    async fn trim_changes(&mut self) -> Result<(), TablesError> {
        let floor = self.view.state.meta.change_floor;
        for space in self.view.state.spaces.values_mut() {
            Arc::make_mut(space).changes.retain(|row| row.revision > floor);
        }
        Ok(())
    }

    async fn append_audit(&mut self, row: &AuditRow) -> Result<(), TablesError> {
        let counted: usize = self.view.state.spaces.values().map(|space| space.audit.len()).sum();
        let seq = i64::try_from(counted + 1).map_err(|_| defect("too many audit rows"))?;
        self.view.edit().audit.push(AuditRow { seq, ..row.clone() });
        Ok(())
    }

    async fn trim_watchers(&mut self, before: i64) -> Result<(), TablesError> {
        self.trim = before;
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        self.memory.answers().map_err(CommitError::NotCommitted)?;
        {
            let mut current = self.memory.inner.state.lock();
            // Watchers are noted past transactions: theirs are the rows of now, less those that are trimmed.
            for (workspace, now) in &current.spaces {
                let space = Arc::make_mut(self.view.state.spaces.entry(workspace.clone()).or_default());
                space.watchers.clone_from(&now.watchers);
                if *workspace == self.view.workspace {
                    space.watchers.retain(|_, row| row.seen_at >= self.trim);
                }
            }
            *current = Arc::new(self.view.state);
        }
        self.memory.inner.wakes.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }
}

/// What is read within a transaction is its own copy.
macro_rules! read_own {
    ($($name:ident($($argument:ident: $type:ty),*) -> $row:ty;)*) => {
        #[async_trait::async_trait]
        impl Read for Transaction {
            $(async fn $name(&mut self, $($argument: $type),*) -> Result<$row, TablesError> {
                self.view.$name($($argument),*).await
            })*
        }
    };
}

read_own! {
    meta() -> Meta;
    key_checks() -> Vec<KeyCheckRow>;
    secret(id: &str) -> Option<SecretRow>;
    secrets() -> Vec<SecretRow>;
    sealed(secret_id: &str) -> Option<SealedRow>;
    sealed_of(provider: &str) -> Vec<SealedRow>;
    definition(id: &str) -> Option<DefinitionRow>;
    definitions() -> Vec<DefinitionRow>;
    endpoint(id: &str) -> Option<EndpointRow>;
    endpoint_by_name(name: &str) -> Option<EndpointRow>;
    endpoints() -> Vec<EndpointRow>;
    mappings(of: Of<'_>) -> Vec<(MappingRow, DefinitionRow)>;
    tags(endpoint_id: Option<&str>) -> Vec<TagRow>;
    bindings(endpoint_id: Option<&str>) -> Vec<BindingRow>;
    experiment(id: i64) -> Option<ExperimentRow>;
    experiment_by_name(name: &str) -> Option<ExperimentRow>;
    experiments() -> Vec<ExperimentRow>;
    last_experiment() -> i64;
    key_materials() -> Vec<MaterialRow>;
    client_key(key_id: &str) -> Option<ClientKeyRow>;
    client_keys() -> Vec<ClientKeyRow>;
    changes_since(revision: i64, limit: i64) -> Vec<ChangeRow>;
    audit_since(seq: i64, limit: i64) -> Vec<AuditRow>;
    last_audit() -> Option<AuditRow>;
    watchers(since: i64) -> Vec<WatcherRow>;
}

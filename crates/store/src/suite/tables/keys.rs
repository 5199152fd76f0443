//! Unique keys: which one is taken, for whom, and who wins.

use names::Workspace;
use tokio::task::JoinSet;

use super::{Home, reader, sample, workspace, writer};
use crate::tables::{CommitError, Constraint, MappingRow, Of, SecretRow, TablesError, Write};

#[track_caller]
fn assert_taken(answer: Result<(), TablesError>, constraint: Constraint) {
    let error = answer.unwrap_err();
    assert!(matches!(error, TablesError::Taken(taken) if taken == constraint), "{error:?}");
}

async fn put_family_and_experiment(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.put_experiment(&sample::experiment(1, "traces")).await.unwrap();
    rows.commit().await.unwrap();
}

/// Each unique key answers with its own [`Constraint`].
pub async fn a_taken_key_says_which(home: &impl Home) {
    put_family_and_experiment(home).await;
    let taken = writer(home).await.put_secret(&sample::secret("s-2", "key")).await;
    assert_taken(taken, Constraint::SecretName);
    let taken = writer(home).await.put_definition(&sample::definition("d-2", "flash")).await;
    assert_taken(taken, Constraint::DefinitionName);
    let taken = writer(home).await.put_endpoint(&sample::endpoint("e-2", "chat")).await;
    assert_taken(taken, Constraint::EndpointName);
    let taken = writer(home).await.put_mapping(&sample::mapping("m-2", "e-1", "d-1")).await;
    assert_taken(taken, Constraint::MappingPart);
    let taken = writer(home).await.insert_binding(&sample::binding("e-1", "r-1")).await;
    assert_taken(taken, Constraint::Binding);
    let taken = writer(home).await.put_experiment(&sample::experiment(2, "traces")).await;
    assert_taken(taken, Constraint::ExperimentName);

    // The other part of the same pair, and names that differ in case only, are others.
    let mut rows = writer(home).await;
    let fallback = MappingRow { linkage: "FALLBACK".to_owned(), ..sample::mapping("m-2", "e-1", "d-1") };
    rows.put_mapping(&fallback).await.unwrap();
    rows.put_secret(&sample::secret("s-2", "KEY")).await.unwrap();
    rows.put_secret(&sample::secret("s-3", "key ")).await.unwrap();
    rows.commit().await.unwrap();
}

/// A row that is there cannot take the name of another.
pub async fn an_update_cannot_take_a_key_either(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.put_definition(&sample::definition("d-2", "pro")).await.unwrap();
    rows.put_endpoint(&sample::endpoint("e-2", "talk")).await.unwrap();
    rows.commit().await.unwrap();
    let taken = writer(home).await.put_definition(&sample::definition("d-2", "flash")).await;
    assert_taken(taken, Constraint::DefinitionName);
    let taken = writer(home).await.put_endpoint(&sample::endpoint("e-2", "chat")).await;
    assert_taken(taken, Constraint::EndpointName);
    assert_eq!(reader(home).await.endpoint("e-2").await.unwrap(), Some(sample::endpoint("e-2", "talk")));
}

/// Whoever is first has it; every other is told that it is taken.
pub async fn of_many_creates_of_one_name_one_wins(home: &impl Home) {
    let mut creates = JoinSet::new();
    for number in 0..12 {
        let tables = home.tables();
        creates.spawn(async move {
            let mut rows = tables.write(&workspace()).await.unwrap();
            rows.put_secret(&sample::secret(&format!("s-{number}"), "key")).await?;
            rows.commit().await.map_err(|error| match error {
                CommitError::NotCommitted(error) => error,
                CommitError::Unknown => panic!("the outcome is unknown"),
            })
        });
    }
    let outcomes = creates.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        assert_taken(outcome, Constraint::SecretName);
    }
    assert_eq!(reader(home).await.secrets().await.unwrap().len(), 1);
}

/// The same names, ids and numbers stand in each; nothing done in one shows in another.
pub async fn workspaces_do_not_see_each_other(home: &impl Home) {
    put_family_and_experiment(home).await;
    let mut rows = writer(home).await;
    rows.put_key_material(&sample::material("a", 1)).await.unwrap();
    rows.put_client_key(&sample::client_key("ab12cd34")).await.unwrap();
    rows.commit().await.unwrap();
    let other = Workspace::parse("other").unwrap();
    let mut rows = home.tables().write(&other).await.unwrap();
    assert!(rows.secrets().await.unwrap().is_empty());
    assert!(rows.endpoint("e-1").await.unwrap().is_none());
    assert!(rows.mappings(Of::Secret("s-1")).await.unwrap().is_empty());
    assert_eq!(rows.last_experiment().await.unwrap(), 0);
    assert!(rows.client_keys().await.unwrap().is_empty() && rows.key_materials().await.unwrap().is_empty());
    assert!(!rows.delete_client_key("ab12cd34").await.unwrap());
    assert!(!rows.delete_endpoint("e-1").await.unwrap());
    assert!(!rows.delete_secret("s-1").await.unwrap());
    sample::put_family(rows.as_mut()).await;
    rows.put_secret(&SecretRow { version: 8, ..sample::secret("s-1", "key") }).await.unwrap();
    rows.put_experiment(&sample::experiment(1, "traces")).await.unwrap();
    log(rows.as_mut()).await;
    rows.commit().await.unwrap();
    home.tables().note_watcher(&other, &sample::watcher("edge", "other-1", 1)).await.unwrap();

    let mut rows = reader(home).await;
    assert_eq!(rows.secrets().await.unwrap(), [sample::secret("s-1", "key")]);
    assert_eq!(rows.mappings(Of::All).await.unwrap().len(), 1);
    assert_eq!(rows.tags(None).await.unwrap().len(), 1);
    assert!(rows.changes_since(0, 9).await.unwrap().is_empty());
    assert!(rows.audit_since(0, 9).await.unwrap().is_empty());
    assert!(rows.watchers(0).await.unwrap().is_empty());
    drop(rows);

    let mut rows = writer(home).await;
    assert!(rows.delete_secret("s-1").await.unwrap());
    assert!(rows.delete_endpoint("e-1").await.unwrap());
    assert!(rows.delete_client_key("ab12cd34").await.unwrap());
    rows.commit().await.unwrap();
    let mut rows = home.tables().read(&other).await.unwrap();
    assert_eq!(rows.secret("s-1").await.unwrap().unwrap().version, 8);
    assert_eq!(rows.sealed_of("gemini").await.unwrap().len(), 1);
    assert_eq!(rows.mappings(Of::Endpoint("e-1")).await.unwrap().len(), 1);
}

async fn log(rows: &mut dyn Write) {
    rows.append_change(&sample::change(1, "e-1")).await.unwrap();
    rows.append_audit(&sample::audit(0, "e-1")).await.unwrap();
}

//! A database that goes away and comes back.

use std::{sync::Arc, time::Duration};

use names::{Actor, Label, RequestId};
use seal::{Kek, KekId, Keyring};
use store::{
    Admin as _, ApiBasePolicy, AtEdge, Caller, Held, NewExperiment, Pace, Parts, Progress, Role, Settings,
    Store, StoreError, System, Watcher, follow, suite::memory::Memory,
};
use tokio::{sync::mpsc, task::JoinSet};

struct AnyHost;

#[async_trait::async_trait]
impl ApiBasePolicy for AnyHost {
    async fn allowed_hosts(&self, _: &str) -> Result<Vec<String>, String> {
        Err("no api_base here".to_owned())
    }
}

async fn open(memory: &Memory) -> Store {
    let parts = Parts {
        tables: Arc::new(memory.clone()),
        keyring: Keyring::new(Kek::generate(KekId::parse("k1").unwrap()).unwrap()),
        policy: Arc::new(AnyHost),
        clock: Arc::new(System),
        entropy: Arc::new(System),
    };
    // Looks often, so that a watch notices that the database is away.
    let settings = Settings { poll: Duration::from_millis(10), ..Settings::default() };
    Store::open(parts, settings).await.unwrap()
}

fn caller() -> Caller {
    Caller { actor: Some(Actor::parse("ada").unwrap()), request_id: RequestId::from_random(1) }
}

fn experiment(name: &str) -> NewExperiment {
    NewExperiment { name: Label::parse(name).unwrap(), artifact_location: None, tags: vec![] }
}

async fn comes<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_mins(1), future).await.unwrap()
}

#[tokio::test]
async fn a_follower_keeps_what_it_holds_and_comes_back() {
    let memory = Memory::default();
    let store = open(&memory).await;
    store.create_experiment(&caller(), experiment("1")).await.unwrap();
    let watcher = Watcher { role: Role::Edge, replica: "edge-1".to_owned() };
    let source = AtEdge { catalog: Arc::new(store.clone()), watcher };
    let held = Arc::new(Held::default());
    let (tell, mut told) = mpsc::channel(1_000);
    let pace = Pace { retry_first: Duration::from_millis(1), ..Pace::default() };
    let mut tasks = JoinSet::new();
    let following = follow(source, Arc::clone(&held), pace, Arc::new(System), Some, move |progress| {
        tell.try_send(progress).unwrap();
    });
    tasks.spawn(following);
    let first = loop {
        if let Progress::Reached(position) = comes(told.recv()).await.unwrap() {
            break position;
        }
    };
    assert_eq!(first.revision, 1);

    memory.set_away(true);
    while comes(told.recv()).await.unwrap() != Progress::Lost(StoreError::Unavailable) {}
    assert_eq!(held.position(), Some(first), "what is held stays");
    let refused = store.create_experiment(&caller(), experiment("2")).await.unwrap_err();
    assert_eq!(refused, StoreError::Unavailable);

    memory.set_away(false);
    while comes(told.recv()).await.unwrap() != Progress::Subscribed {}
    let written = store.create_experiment(&caller(), experiment("2")).await.unwrap();
    assert_eq!((written.receipt.revision, written.receipt.not_applied), (2, vec![]));
    assert_eq!(held.revision(), 2);
}

#[tokio::test]
async fn a_closed_store_ends_its_watches() {
    let memory = Memory::default();
    let store = open(&memory).await;
    let watcher = Watcher { role: Role::Edge, replica: "edge-1".to_owned() };
    let mut updates = store::Catalog::watch(&store, watcher.clone(), None).await.unwrap();
    let mut watching = JoinSet::new();
    watching.spawn(async move {
        loop {
            match futures_util::StreamExt::next(&mut updates).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("it says why it ends"),
            }
        }
    });
    comes(store.close()).await;
    assert_eq!(comes(watching.join_next()).await.unwrap().unwrap(), StoreError::Unavailable);
    let refused = store::Catalog::watch(&store, watcher, None).await.err();
    assert_eq!(refused, Some(StoreError::Unavailable));
}

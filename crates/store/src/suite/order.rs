//! Who is waited for, who is named, and who is told first.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use seal::handover::KeyPair;
use tokio::task::JoinSet;

use super::{
    House,
    given::{
        caller, comes, delta, edge, follow_catalog, follow_vault, forwarder, new_endpoint, new_secret,
        primary, settings, snapshot,
    },
};
use crate::{PublishedEndpoint, SealedTarget, Settings, Updates};

/// The answer comes after the acknowledgement.
pub async fn a_create_waits_for_live_watchers(house: House) {
    let opened = house.open_with(settings()).await;
    let mut updates = opened.seams.edge("edge-1", None).await;
    let (_, position) = snapshot(&mut updates).await;
    opened.seams.catalog.acknowledge(&edge("edge-1"), position).await.unwrap();
    let answered = Arc::new(Mutex::new(false));
    let (admin, done) = (opened.seams.admin.clone(), Arc::clone(&answered));
    let mut creating = JoinSet::new();
    creating.spawn(async move {
        let written = admin.create_secret(&caller(), new_secret("key")).await.unwrap();
        *done.lock() = true;
        written.receipt
    });
    let (position, ..) = delta(&mut updates).await;
    // The change is committed and told. Enough goes by for an answer that would not wait.
    opened.goes_on().await;
    assert!(!*answered.lock(), "the answer came before the acknowledgement");
    opened.seams.catalog.acknowledge(&edge("edge-1"), position).await.unwrap();
    let receipt = comes(creating.join_next()).await.unwrap().unwrap();
    assert_eq!((receipt.revision, receipt.not_applied), (position.revision, vec![]));
}

/// After a bounded wait; the change stands.
pub async fn who_has_not_applied_is_named(house: House) {
    let settings = Settings { apply_wait_max: Duration::from_millis(50), ..settings() };
    let opened = house.open_with(settings).await;
    let pair = KeyPair::generate().unwrap();
    let mut slow = opened.seams.edge("edge-slow", None).await;
    let mut silent = opened.seams.forwarder("forwarder-silent", &pair, None).await;
    let quick = follow_catalog(&opened.seams, "edge-quick");
    snapshot(&mut slow).await;
    snapshot(&mut silent).await;
    quick.holds(|held| held.position().is_some()).await;
    let mut late =
        opened.seams.admin.create_secret(&caller(), new_secret("key")).await.unwrap().receipt.not_applied;
    // The quick one may be late too where the machine is slow.
    late.retain(|watcher| *watcher != edge("edge-quick"));
    assert_eq!(late, [edge("edge-slow"), forwarder("forwarder-silent")]);
    assert_eq!(opened.seams.admin.secrets(None).await.unwrap().len(), 1);
}

/// A watch that ended is not named, once that was noticed.
pub async fn a_goodbye_is_not_waited_for(house: House) {
    let settings = Settings { apply_wait_max: Duration::from_millis(50), ..settings() };
    let opened = house.open_with(settings).await;
    let mut updates = opened.seams.edge("edge-1", None).await;
    snapshot(&mut updates).await;
    drop(updates);
    let noticed = async {
        let mut number = 0;
        loop {
            number += 1;
            let new = new_secret(&format!("key-{number}"));
            let receipt = opened.seams.admin.create_secret(&caller(), new).await.unwrap().receipt;
            if receipt.not_applied.is_empty() {
                break;
            }
        }
    };
    comes(noticed).await;
    let mut rows = house.tables.read(&names::Workspace::default()).await.unwrap();
    assert_eq!(rows.watchers(0).await.unwrap(), []);
}

/// They are known by their rows only.
pub async fn watchers_of_other_replicas_are_waited_for(house: House) {
    let here = house.open_with(Settings { apply_wait_max: Duration::from_millis(50), ..settings() }).await;
    let there = house.open_with(settings()).await;
    let mut updates = there.seams.edge("edge-there", None).await;
    let (_, position) = snapshot(&mut updates).await;
    there.seams.catalog.acknowledge(&edge("edge-there"), position).await.unwrap();
    let receipt = here.seams.admin.create_secret(&caller(), new_secret("1")).await.unwrap().receipt;
    assert_eq!(receipt.not_applied, [edge("edge-there")]);
    drop(updates);

    let patient = house.open_with(settings()).await;
    let pair = KeyPair::generate().unwrap();
    let (edge, vault) =
        (follow_catalog(&there.seams, "edge-there"), follow_vault(&there.seams, "forwarder-there", &pair));
    edge.holds(|held| held.revision() == 1).await;
    vault.holds(|held| held.revision() == 1).await;
    let receipt = patient.seams.admin.create_secret(&caller(), new_secret("2")).await.unwrap().receipt;
    assert_eq!(receipt.not_applied, []);
    assert_eq!((edge.held.revision(), vault.held.revision()), (2, 2));
}

type Steps = Arc<Mutex<Vec<&'static str>>>;

/// So that no call is planned for a target that its forwarder has not heard of.
pub async fn forwarders_learn_of_a_target_before_edges(house: House) {
    let opened = house.open_with(settings()).await;
    let secret = opened.secret("key").await;
    let definition = opened.definition("flash", &secret.id).await;
    let (mut edges, mut forwarders) = both(&opened.seams).await;
    let steps = Steps::default();
    let caller = caller();
    let create =
        opened.seams.admin.create_endpoint(&caller, new_endpoint("chat", vec![primary(&definition.id)]));
    let edge_side = async {
        let (position, upserts, _) = delta(&mut edges).await;
        assert_eq!(upserts.len(), 1);
        steps.lock().push("edge was told");
        opened.seams.catalog.acknowledge(&edge("edge-1"), position).await.unwrap();
    };
    let forwarder_side = async {
        let (position, upserts, _) = delta(&mut forwarders).await;
        assert_eq!(upserts.len(), 1);
        // Enough goes by for an edge that would be told at once.
        opened.goes_on().await;
        steps.lock().push("forwarder serves it");
        opened.seams.vault.acknowledge(&forwarder("forwarder-1"), position).await.unwrap();
    };
    comes(async { tokio::join!(create, edge_side, forwarder_side) }).await.0.unwrap();
    assert_eq!(*steps.lock(), ["forwarder serves it", "edge was told"]);
}

/// So that no call is planned for a target that its forwarder has forgotten.
pub async fn edges_leave_a_target_before_forwarders(house: House) {
    let opened = house.open_with(settings()).await;
    let (_, _, endpoint) = opened.all_three().await;
    let (mut edges, mut forwarders) = both(&opened.seams).await;
    let steps = Steps::default();
    let caller = caller();
    let delete = opened.seams.admin.delete_endpoint(&caller, &endpoint.id);
    let edge_side = async {
        let (position, _, removed) = delta(&mut edges).await;
        assert_eq!(removed, [endpoint.id.to_string()]);
        opened.goes_on().await;
        steps.lock().push("edge left it");
        opened.seams.catalog.acknowledge(&edge("edge-1"), position).await.unwrap();
    };
    let forwarder_side = async {
        loop {
            let (position, _, removed) = delta(&mut forwarders).await;
            opened.seams.vault.acknowledge(&forwarder("forwarder-1"), position).await.unwrap();
            if !removed.is_empty() {
                assert_eq!(removed, [endpoint.mappings[0].id.to_string()]);
                steps.lock().push("forwarder forgot it");
                return;
            }
        }
    };
    comes(async { tokio::join!(delete, edge_side, forwarder_side) }).await.0.unwrap();
    assert_eq!(*steps.lock(), ["edge left it", "forwarder forgot it"]);
}

/// One side that hangs does not keep the other from what it needs.
pub async fn the_wait_for_order_is_bounded(house: House) {
    let short = Duration::from_millis(50);
    let opened =
        house.open_with(Settings { apply_wait_max: short, order_wait_max: short, ..settings() }).await;
    let secret = opened.secret("key").await;
    let definition = opened.definition("flash", &secret.id).await;
    let (mut edges, mut forwarders) = both(&opened.seams).await;
    let endpoint = opened.endpoint("chat", &definition.id).await;
    let (_, upserts, _) = delta(&mut edges).await;
    assert_eq!(upserts[0].id, endpoint.id);
    assert_eq!(delta(&mut forwarders).await.1.len(), 1);
    opened.delete_endpoint(&endpoint.id).await;
    let removed = async {
        loop {
            let (.., removed) = delta(&mut forwarders).await;
            if !removed.is_empty() {
                return removed;
            }
        }
    };
    assert_eq!(comes(removed).await, [endpoint.mappings[0].id.to_string()]);
}

/// An edge and a forwarder that hold what there is.
async fn both(seams: &super::Seams) -> (Updates<PublishedEndpoint>, Updates<SealedTarget>) {
    let mut edges = seams.edge("edge-1", None).await;
    let (_, position) = snapshot(&mut edges).await;
    seams.catalog.acknowledge(&edge("edge-1"), position).await.unwrap();
    let pair = KeyPair::generate().unwrap();
    let mut forwarders = seams.forwarder("forwarder-1", &pair, None).await;
    let (_, position) = snapshot(&mut forwarders).await;
    seams.vault.acknowledge(&forwarder("forwarder-1"), position).await.unwrap();
    (edges, forwarders)
}

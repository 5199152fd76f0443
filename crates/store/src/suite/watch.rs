//! What watchers are told: snapshots, deltas, heartbeats, and secrets that only they can open.

use std::time::Duration;

use names::{Provider, Workspace};
use seal::handover::{Info, KeyPair};
use secrecy::ExposeSecret as _;

use super::{
    House,
    given::{
        CANARY, caller, delta, edge, endpoint_name, follow_catalog, follow_vault, forwarder, gemini,
        new_definition, new_secret, next, settings, snapshot,
    },
};
use crate::{
    EndpointChange, NewDefinition, NewSecret, Position, SealedTarget, SecretChange, Settings, StoreError,
    System, Update, renew_epoch,
};

/// So that no message holds the whole state.
pub async fn a_new_watcher_gets_a_snapshot_in_parts(house: House) {
    let opened = house.open_with(Settings { part: 2, ..settings() }).await;
    let (_, definition, _) = opened.all_three().await;
    for name in ["b", "c", "d", "e"] {
        opened.endpoint(name, &definition.id).await;
    }
    let mut updates = opened.seams.edge("edge-1", None).await;
    assert_eq!(next(&mut updates).await, Update::SnapshotBegin);
    let mut names = Vec::new();
    for expected in [2, 2, 1] {
        let Update::SnapshotPart(part) = next(&mut updates).await else { panic!("a part comes") };
        assert_eq!(part.len(), expected);
        names.extend(part.into_iter().map(|endpoint| endpoint.name.to_string()));
    }
    assert_eq!(names, ["chat", "b", "c", "d", "e"]);
    let Update::SnapshotEnd(position) = next(&mut updates).await else { panic!("the end comes") };
    assert_eq!(position.revision, 7);
    assert!(position.epoch > 0);
    // It goes on from there.
    opened.seams.catalog.acknowledge(&edge("edge-1"), position).await.unwrap();
    drop(updates);
    let mut updates = opened.seams.edge("edge-1", Some(position)).await;
    assert_eq!(next(&mut updates).await, Update::Heartbeat { position, items: 5 });
}

/// New, changed and gone, all at once, and nothing else.
pub async fn one_that_knows_gets_what_changed(house: House) {
    let opened = house.open_with(settings()).await;
    let (_, definition, chat) = opened.all_three().await;
    let gone = opened.endpoint("gone", &definition.id).await;
    opened.endpoint("same", &definition.id).await;
    let (_, from) = snapshot(&mut opened.seams.edge("edge-1", None).await).await;
    let fleeting = opened.endpoint("fleeting", &definition.id).await;
    let change = EndpointChange {
        id: chat.id.clone(),
        name: Some(endpoint_name("talk")),
        models: None,
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: None,
    };
    opened.seams.admin.update_endpoint(&caller(), change).await.unwrap();
    opened.delete_endpoint(&gone.id).await;
    let new = opened.endpoint("new", &definition.id).await;
    let last = opened.delete_endpoint(&fleeting.id).await.revision;

    let mut updates = opened.seams.edge("edge-1", Some(from)).await;
    let (position, upserts, mut removed) = delta(&mut updates).await;
    assert_eq!(position, Position { revision: last, ..from });
    let mut changed: Vec<_> =
        upserts.iter().map(|endpoint| (endpoint.name.as_str(), endpoint.revision)).collect();
    changed.sort_unstable();
    assert_eq!(changed, [("new", last - 1), ("talk", last - 3)]);
    let mut expected = [gone.id.to_string(), fleeting.id.to_string()];
    removed.sort();
    expected.sort();
    assert_eq!(removed, expected);
    let published = upserts.iter().find(|endpoint| endpoint.id == new.id).unwrap();
    assert_eq!(published.targets[0].mapping, new.mappings[0].id);
    assert_eq!(
        (&published.targets[0].provider, published.targets[0].model.as_str()),
        (&gemini(), "gemini-2.5-flash")
    );
}

/// Only the last brings the new position; together they are the change.
pub async fn a_large_delta_comes_in_pieces(house: House) {
    let opened = house.open_with(Settings { part: 2, ..settings() }).await;
    let (_, definition, _) = opened.all_three().await;
    let (_, from) = snapshot(&mut opened.seams.edge("edge-1", None).await).await;
    for name in ["b", "c", "d"] {
        opened.endpoint(name, &definition.id).await;
    }
    let mut updates = opened.seams.edge("edge-1", Some(from)).await;
    let (first, mut upserts, _) = delta(&mut updates).await;
    assert_eq!((first, upserts.len()), (from, 2));
    let (second, rest, _) = delta(&mut updates).await;
    assert_eq!((second.revision, rest.len()), (from.revision + 3, 1));
    upserts.extend(rest);
    let mut names: Vec<_> = upserts.iter().map(|endpoint| endpoint.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["b", "c", "d"]);
}

/// By number of revisions, or because the change log does not reach back that far.
pub async fn one_too_far_behind_gets_a_snapshot(house: House) {
    let few = house.open_with(Settings { delta_max: 2, ..settings() }).await;
    let (_, definition, _) = few.all_three().await;
    let (_, from) = snapshot(&mut few.seams.edge("edge-1", None).await).await;
    few.endpoint("b", &definition.id).await;
    few.endpoint("c", &definition.id).await;
    let (_, upserts, _) = delta(&mut few.seams.edge("edge-1", Some(from)).await).await;
    assert_eq!(upserts.len(), 2);
    few.endpoint("d", &definition.id).await;
    let (items, _) = snapshot(&mut few.seams.edge("edge-1", Some(from)).await).await;
    assert_eq!(items.len(), 4);

    let short = house.open_with(Settings { retained: 2, ..settings() }).await;
    short.endpoint("e", &definition.id).await;
    let mut rows = house.tables.read(&Workspace::default()).await.unwrap();
    let floor = rows.meta().await.unwrap().change_floor;
    assert!(rows.changes_since(0, 1_000).await.unwrap().iter().all(|row| row.revision > floor));
    drop(rows);
    let forgotten = Position { revision: u64::try_from(floor - 1).unwrap(), ..from };
    let (items, _) = snapshot(&mut short.seams.edge("edge-1", Some(forgotten)).await).await;
    assert_eq!(items.len(), 5);
}

/// A restored backup: revisions that were reached before say nothing.
pub async fn another_epoch_brings_a_snapshot(house: House) {
    let opened = house.open_with(settings()).await;
    opened.all_three().await;
    let mut running = opened.seams.edge("edge-1", None).await;
    let (_, before) = snapshot(&mut running).await;
    renew_epoch(house.tables.as_ref(), &System).await.unwrap();
    let (items, after) = snapshot(&mut running).await;
    assert_eq!(items.len(), 1);
    assert!(after.epoch != before.epoch && after.revision == before.revision);
    let (items, again) = snapshot(&mut opened.seams.edge("edge-2", Some(before)).await).await;
    assert_eq!((items.len(), again), (1, after));
    let ahead = Position { revision: after.revision + 5, ..after };
    let (items, _) = snapshot(&mut opened.seams.edge("edge-3", Some(ahead)).await).await;
    assert_eq!(items.len(), 1, "one that knows more than there is");
}

/// So that a watcher can tell that it drifted; and they come by themselves.
pub async fn heartbeats_tell_the_number_of_items(house: House) {
    let opened = house.open_with(Settings { heartbeat: Duration::from_millis(20), ..settings() }).await;
    let (_, definition, _) = opened.all_three().await;
    let mut updates = opened.seams.edge("edge-1", None).await;
    let (_, position) = snapshot(&mut updates).await;
    for _ in 0..3 {
        assert_eq!(next(&mut updates).await, Update::Heartbeat { position, items: 1 });
    }
    drop(updates);
    let pair = KeyPair::generate().unwrap();
    let mut updates = opened.seams.forwarder("forwarder-1", &pair, None).await;
    let (_, position) = snapshot(&mut updates).await;
    assert_eq!(next(&mut updates).await, Update::Heartbeat { position, items: 1 });
    drop(updates);
    opened.endpoint("b", &definition.id).await;
}

/// At the door, with a reason.
pub async fn a_watcher_that_cannot_be_is_refused(house: House) {
    let opened = house.open_with(settings()).await;
    let seams = &opened.seams;
    let key = KeyPair::generate().unwrap().public_key().to_vec();
    let refused = [
        seams.catalog.watch(forwarder("a"), None).await.err(),
        seams.catalog.watch(edge(""), None).await.err(),
        seams.catalog.watch(edge(&"a".repeat(129)), None).await.err(),
        seams.vault.watch(edge("a"), vec![gemini()], key.clone(), None).await.err(),
        seams.vault.watch(forwarder("a"), vec![gemini()], key[1..].to_vec(), None).await.err(),
        seams.vault.watch(forwarder("a"), vec![gemini()], vec![0; 32], None).await.err(),
    ];
    for refused in refused {
        assert!(matches!(refused, Some(StoreError::Invalid(_))), "{refused:?}");
    }
}

/// The targets of its provider, each sealed to its key and bound to what it is for.
pub async fn a_forwarder_opens_its_own_secrets_only(house: House) {
    let opened = house.open_with(settings()).await;
    let (secret, _, endpoint) = opened.all_three().await;
    let openai = Provider::parse("openai").unwrap();
    let other = NewSecret { provider: Some(openai.clone()), ..new_secret("other") };
    let other = opened.seams.admin.create_secret(&caller(), other).await.unwrap().value;
    let definition = NewDefinition { provider: openai, ..new_definition("gpt", &other.id) };
    let definition = opened.seams.admin.create_definition(&caller(), definition).await.unwrap().value;
    opened.endpoint("other", &definition.id).await;

    let pair = KeyPair::generate().unwrap();
    let (targets, _) = snapshot(&mut opened.seams.forwarder("forwarder-1", &pair, None).await).await;
    assert_eq!(targets.len(), 1);
    let target = &targets[0];
    assert_eq!((&target.mapping, &target.endpoint), (&endpoint.mappings[0].id, &endpoint.name));
    assert_eq!((&target.secret_id, target.secret_version), (&secret.id, 1));
    assert_eq!(opened_key(&pair, "forwarder-1", target).as_deref(), Some(CANARY));
    assert_eq!(opened_key(&pair, "forwarder-2", target), None, "it is bound to who asked");
    assert_eq!(opened_key(&KeyPair::generate().unwrap(), "forwarder-1", target), None);
    let shown = format!("{target:?}");
    assert!(!target.sealed.windows(6).any(|bytes| bytes == b"CANARY") && !shown.contains("CANARY"));
    let (published, _) = snapshot(&mut opened.seams.edge("edge-1", None).await).await;
    assert_eq!(published.len(), 2);
    assert!(!format!("{published:?}").contains("CANARY"));
}

/// One process may be the forwarder of several providers; it gets the targets of those it names and no others.
pub async fn a_forwarder_of_several_gets_what_it_names(house: House) {
    let opened = house.open_with(settings()).await;
    opened.all_three().await;
    let mut wanted = vec![gemini()];
    for name in ["openai", "anthropic"] {
        let provider = Provider::parse(name).unwrap();
        let secret = NewSecret { provider: Some(provider.clone()), ..new_secret(name) };
        let secret = opened.seams.admin.create_secret(&caller(), secret).await.unwrap().value;
        let definition = NewDefinition { provider: provider.clone(), ..new_definition(name, &secret.id) };
        let definition = opened.seams.admin.create_definition(&caller(), definition).await.unwrap().value;
        opened.endpoint(name, &definition.id).await;
        wanted.push(provider);
    }
    wanted.pop();
    let pair = KeyPair::generate().unwrap();
    let watch = |providers: Vec<Provider>| {
        opened.seams.vault.watch(forwarder("forwarder-1"), providers, pair.public_key().to_vec(), None)
    };
    let (targets, _) = snapshot(&mut watch(wanted).await.unwrap()).await;
    let mut providers: Vec<_> = targets.iter().map(|target| target.provider.as_str()).collect();
    providers.sort_unstable();
    assert_eq!(providers, ["gemini", "openai"]);
    for target in &targets {
        assert_eq!(opened_key(&pair, "forwarder-1", target).as_deref(), Some(CANARY));
    }
    assert!(matches!(watch(Vec::new()).await, Err(StoreError::Invalid(_))));
}

/// With the hosts it may be sent to.
pub async fn a_new_value_reaches_the_forwarder(house: House) {
    let opened = house.open_with(settings()).await;
    let (secret, ..) = opened.all_three().await;
    let pair = KeyPair::generate().unwrap();
    let vault = follow_vault(&opened.seams, "forwarder-1", &pair);
    vault.holds(|held| held.len() == 1).await;
    let change = SecretChange {
        id: secret.id,
        value: Some([("api_key".to_owned(), "the-new-one".into())].into()),
        auth_config: Some([("api_base".to_owned(), "https://Eu.example/v1beta".to_owned())].into()),
    };
    let written = opened.seams.admin.update_secret(&caller(), change).await.unwrap();
    assert_eq!(written.receipt.not_applied, []);
    let target = vault.held.all().pop().unwrap();
    assert_eq!(target.secret_version, 2);
    assert_eq!(target.auth_config["api_base"], "https://Eu.example/v1beta");
    let payload = pair.open(&info("forwarder-1", &target), &target.sealed).unwrap();
    assert_eq!(payload.fields["api_key"].expose_secret(), "the-new-one");
    assert_eq!(payload.allowed_hosts, ["eu.example"]);
}

/// From edges, whose endpoint stays without them, and from forwarders.
pub async fn a_deleted_secret_takes_its_targets_away(house: House) {
    let opened = house.open_with(settings()).await;
    let (secret, ..) = opened.all_three().await;
    let pair = KeyPair::generate().unwrap();
    let catalog = follow_catalog(&opened.seams, "edge-1");
    let vault = follow_vault(&opened.seams, "forwarder-1", &pair);
    catalog.holds(|held| held.get("chat").is_some_and(|endpoint| endpoint.targets.len() == 1)).await;
    vault.holds(|held| held.len() == 1).await;
    let receipt = opened.seams.admin.delete_secret(&caller(), &secret.id).await.unwrap();
    assert_eq!(receipt.not_applied, []);
    assert_eq!(catalog.held.get("chat").unwrap().targets, []);
    vault.holds(crate::Held::is_empty).await;
}

/// A row that was tampered with keeps no other from being served, and nobody from being in step.
pub async fn a_secret_that_does_not_open_is_left_out(house: House) {
    let opened = house.open_with(Settings { heartbeat: Duration::from_millis(20), ..settings() }).await;
    let (secret, ..) = opened.all_three().await;
    let good = opened.secret("good").await;
    let definition = opened.definition("good", &good.id).await;
    opened.endpoint("good", &definition.id).await;
    let mut rows = house.tables.write(&Workspace::default()).await.unwrap();
    let mut sealed = rows.sealed(secret.id.as_str()).await.unwrap().unwrap();
    r#"["attacker.example"]"#.clone_into(&mut sealed.allowed_hosts);
    rows.put_sealed(&sealed).await.unwrap();
    rows.commit().await.unwrap();
    let pair = KeyPair::generate().unwrap();
    let mut updates = opened.seams.forwarder("forwarder-1", &pair, None).await;
    let (targets, position) = snapshot(&mut updates).await;
    let endpoints: Vec<_> = targets.iter().map(|target| target.endpoint.as_str()).collect();
    assert_eq!(endpoints, ["good"]);
    assert_eq!(next(&mut updates).await, Update::Heartbeat { position, items: 1 });
}

/// Each time, by whom and which versions; without a revision of its own.
pub async fn a_handover_is_in_the_audit_log(house: House) {
    let opened = house.open_with(settings()).await;
    let (secret, ..) = opened.all_three().await;
    let pair = KeyPair::generate().unwrap();
    let (_, position) = snapshot(&mut opened.seams.forwarder("forwarder-1", &pair, None).await).await;
    assert_eq!(position.revision, 3);
    let mut rows = opened.store.audit_since(0, 1_000).await.unwrap();
    rows.retain(|row| row.action == "secret.handover");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].object.as_str(), rows[0].revision), ("forwarder-1", 3));
    assert!(rows[0].detail.contains(secret.id.as_str()) && !rows[0].detail.contains("CANARY"));
    let mut again = opened.seams.forwarder("forwarder-1", &pair, Some(position)).await;
    assert_eq!(next(&mut again).await, Update::Heartbeat { position, items: 1 });
    assert_eq!(opened.store.audit_since(rows[0].seq, 10).await.unwrap(), [], "nothing was handed over");
}

/// What is promised to admins, through the follower that edges and forwarders use.
pub async fn a_follower_holds_a_change_when_its_answer_comes(house: House) {
    let opened = house.open_with(settings()).await;
    let secret = opened.secret("key").await;
    let definition = opened.definition("flash", &secret.id).await;
    let pair = KeyPair::generate().unwrap();
    let catalog = follow_catalog(&opened.seams, "edge-1");
    let vault = follow_vault(&opened.seams, "forwarder-1", &pair);
    catalog.holds(|held| held.revision() == 2).await;
    vault.holds(|held| held.revision() == 2).await;
    for number in 0..5 {
        let name = format!("chat-{number}");
        let made = opened.endpoint(&name, &definition.id).await;
        assert_eq!(catalog.held.get(&name).unwrap().id, made.id);
        let target = vault.held.get(made.mappings[0].id.as_str()).unwrap();
        assert_eq!(opened_key(&pair, "forwarder-1", &target).as_deref(), Some(CANARY));
        opened.delete_endpoint(&made.id).await;
        assert!(catalog.held.get(&name).is_none());
    }
    vault.holds(crate::Held::is_empty).await;
}

/// A heartbeat tells it.
pub async fn a_follower_that_drifted_takes_a_snapshot(house: House) {
    let opened = house.open_with(Settings { heartbeat: Duration::from_millis(20), ..settings() }).await;
    opened.all_three().await;
    let catalog = follow_catalog(&opened.seams, "edge-1");
    catalog.holds(|held| held.len() == 1).await;
    let position = catalog.held.position().unwrap();
    catalog.held.replace(position, []);
    catalog.holds(|held| held.get("chat").is_some()).await;
    assert_eq!(catalog.held.position(), Some(position));
}

fn info<'a>(replica: &'a str, target: &'a SealedTarget) -> Info<'a> {
    Info {
        provider: target.provider.as_str(),
        mapping: target.mapping.as_str(),
        secret_id: target.secret_id.as_str(),
        secret_version: target.secret_version,
        replica,
    }
}

fn opened_key(pair: &KeyPair, replica: &str, target: &SealedTarget) -> Option<String> {
    let payload = pair.open(&info(replica, target), &target.sealed).ok()?;
    Some(payload.fields["api_key"].expose_secret().to_owned())
}

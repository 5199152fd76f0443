//! Client keys: made, shown once, changed, replaced, revoked; and what edges are told of them.

use access::{Key, KeyId, Kind, PepperId, Reason, Scope, Verifier};
use futures_util::StreamExt as _;

use super::{
    House, Opened,
    given::{caller, comes, delta, endpoint_name, gate, label, settings, snapshot},
};
use crate::{
    AtGate, ClientKeyChange, Expiry, Held, MintedKey, NewClientKey, Pace, PublishedCaller, PublishedKey,
    StoreError, System, Tag, follow,
};

const HOUR_MS: i64 = 3_600_000;
/// Long after every time of the house's clock.
const LATER: i64 = 1_900_000_000_000;
/// A time of the house's clock.
const NOW: i64 = 1_764_000_100_000;

fn new_key(owner: &str) -> NewClientKey {
    NewClientKey { owner: label(owner), note: Some("tests".to_owned()), scope: Scope::All, expires_at: None }
}

fn change_of(key_id: KeyId) -> ClientKeyChange {
    ClientKeyChange { key_id, note: None, scope: None, expires_at: None }
}

impl Opened {
    async fn key(&self, owner: &str) -> MintedKey {
        self.seams.admin.create_client_key(&caller(), new_key(owner)).await.unwrap().value
    }

    /// What edges are told, whole.
    async fn told(&self) -> Vec<PublishedCaller> {
        snapshot(&mut self.seams.callers.watch(gate("gate"), None).await.unwrap()).await.0
    }
}

/// Checks a key against what edges were told.
fn check(told: &[PublishedCaller], presented: &str, now_ms: i64) -> Result<PublishedKey, Reason> {
    let mut peppers = told.iter().filter_map(|item| match item {
        PublishedCaller::Pepper(pepper) => Some(pepper),
        PublishedCaller::Key(_) => None,
    });
    let pepper = peppers.next().unwrap();
    assert_eq!((pepper.id(), peppers.count()), (PepperId(1), 0));
    let verifier = Verifier::new(Kind::Client, pepper.of_clients().unwrap());
    let find = |id: &KeyId| {
        told.iter().filter_map(PublishedCaller::as_key).find(|published| published.record.key_id == *id)
    };
    let found = verifier.check(presented.as_bytes(), find, now_ms);
    found.cloned().map_err(|refused| refused.reason())
}

/// The answer of its creation alone has it; edges know it by its MAC; the audit log by its id.
pub async fn a_client_key_is_shown_once(house: House) {
    let opened = house.open().await;
    let minted = opened.key("search").await;
    let text = minted.shown_once.expose();
    assert!(
        Key::parse(Kind::Client, text.as_bytes()).is_ok() && minted.shown_once.key_id() == minted.key.key_id
    );
    assert_eq!((minted.key.owner.as_str(), minted.key.note.as_deref()), ("search", Some("tests")));
    let admin = &opened.seams.admin;
    assert_eq!(admin.client_key(&minted.key.key_id).await.unwrap(), minted.key);
    assert_eq!(admin.client_keys(None).await.unwrap(), std::slice::from_ref(&minted.key));
    assert_eq!(admin.client_keys(Some(&label("other"))).await.unwrap(), []);
    let told = opened.told().await;
    assert_eq!(check(&told, text, NOW).unwrap().owner.as_str(), "search");
    // What an edge is told is not the key, nor can it be made into one.
    let secret_part = &text[text.len() - 50..text.len() - 7];
    let everything = format!("{told:?} {} {:?}", serde_json::to_string(&told).unwrap(), opened.audit().await);
    assert!(!everything.contains(secret_part), "{everything}");
    assert!(format!("{minted:?}").contains("_…") && !format!("{minted:?}").contains(secret_part));
}

/// Two stores over one database, the one after the other, make the same MACs: the pepper is made once.
pub async fn key_material_is_made_once(house: House) {
    let first = house.open().await;
    let second = house.open().await;
    let (one, other) = (first.key("a").await, second.key("b").await);
    for opened in [&first, &second] {
        let told = opened.told().await;
        assert!(check(&told, one.shown_once.expose(), NOW).is_ok());
        assert!(check(&told, other.shown_once.expose(), NOW).is_ok());
    }
    let rows = house.tables.read(&names::Workspace::default()).await.unwrap().key_materials().await.unwrap();
    let names: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.serial)).collect();
    assert_eq!(names, [("audit_key", 1), ("client_pepper", 1)]);
}

/// Limits, ends in the future, and keys that are not there.
pub async fn a_client_key_has_rules(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    for wrong in [
        NewClientKey { note: Some("x".repeat(1_001)), ..new_key("a") },
        NewClientKey { note: Some("a\0".to_owned()), ..new_key("a") },
        NewClientKey { expires_at: Some(1), ..new_key("a") },
    ] {
        let refused = admin.create_client_key(&caller(), wrong).await.unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    }
    let nobody = KeyId::from_random(7);
    let missing = StoreError::NotFound(format!("client key not found (key_id='{nobody}')"));
    assert_eq!(admin.client_key(&nobody).await.unwrap_err(), missing);
    assert_eq!(admin.revoke_client_key(&caller(), &nobody).await.unwrap_err(), missing);
    assert_eq!(admin.rotate_client_key(&caller(), &nobody, 0).await.unwrap_err(), missing);
    assert_eq!(admin.delete_client_key(&caller(), &nobody).await.unwrap_err(), missing);
    let change = admin.update_client_key(&caller(), change_of(nobody)).await;
    assert_eq!(change.unwrap_err(), missing);

    let key = opened.key("a").await.key;
    let live = admin.delete_client_key(&caller(), &key.key_id).await.unwrap_err();
    assert!(matches!(live, StoreError::FailedPrecondition(_)), "{live:?}");
    for overlap in [-1, 91 * 24 * HOUR_MS] {
        let refused = admin.rotate_client_key(&caller(), &key.key_id, overlap).await.unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    }
}

/// Note, scope and end change; the key and its owner stay.
pub async fn a_client_key_is_changed(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let minted = opened.key("a").await;
    let only = Scope::only([endpoint_name("chat")], [("team".to_owned(), "red".to_owned())]).unwrap();
    let change = ClientKeyChange {
        note: Some(String::new()),
        scope: Some(only.clone()),
        expires_at: Some(Expiry::At(LATER)),
        ..change_of(minted.key.key_id)
    };
    let changed = admin.update_client_key(&caller(), change).await.unwrap().value;
    assert_eq!((changed.note, changed.expires_at), (None, Some(LATER)));
    let told = opened.told().await;
    assert_eq!(check(&told, minted.shown_once.expose(), NOW).unwrap().scope, only);
    assert_eq!(check(&told, minted.shown_once.expose(), LATER), Err(Reason::Expired));
    let change = ClientKeyChange { expires_at: Some(Expiry::Never), ..change_of(minted.key.key_id) };
    let changed = admin.update_client_key(&caller(), change).await.unwrap().value;
    assert_eq!((changed.expires_at, changed.scope), (None, only));
}

/// The new key counts at once, the old one through the overlap; it is replaced once.
pub async fn a_rotated_client_key_overlaps(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let old = opened.key("a").await;
    let new = admin.rotate_client_key(&caller(), &old.key.key_id, HOUR_MS).await.unwrap().value;
    assert_eq!(
        (&new.key.owner, &new.key.note, &new.key.scope),
        (&old.key.owner, &old.key.note, &old.key.scope)
    );
    let replaced = admin.client_key(&old.key.key_id).await.unwrap();
    assert_eq!(replaced.replaced_by, Some(new.key.key_id));
    let end = replaced.retires_at.unwrap();
    let told = opened.told().await;
    assert!(check(&told, new.shown_once.expose(), end).is_ok());
    assert!(check(&told, old.shown_once.expose(), end - 1).is_ok());
    assert_eq!(check(&told, old.shown_once.expose(), end), Err(Reason::Retired));
    let again = admin.rotate_client_key(&caller(), &old.key.key_id, 0).await.unwrap_err();
    assert!(matches!(again, StoreError::FailedPrecondition(_)), "{again:?}");
}

/// It counts no more, whatever is done to it later; then it may be deleted.
pub async fn a_revoked_client_key_stays_revoked(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let minted = opened.key("a").await;
    let id = minted.key.key_id;
    let revoked = admin.revoke_client_key(&caller(), &id).await.unwrap().value;
    assert!(revoked.revoked_at.is_some());
    let again = admin.revoke_client_key(&caller(), &id).await.unwrap().value;
    assert_eq!(again.revoked_at, revoked.revoked_at);
    let change = ClientKeyChange { expires_at: Some(Expiry::At(LATER)), ..change_of(id) };
    admin.update_client_key(&caller(), change).await.unwrap();
    assert_eq!(check(&opened.told().await, minted.shown_once.expose(), 0), Err(Reason::Revoked));
    let rotated = admin.rotate_client_key(&caller(), &id, 0).await.unwrap_err();
    assert!(matches!(rotated, StoreError::FailedPrecondition(_)), "{rotated:?}");
    admin.delete_client_key(&caller(), &id).await.unwrap();
    assert_eq!(check(&opened.told().await, minted.shown_once.expose(), 0), Err(Reason::Unknown));
}

/// When a revocation is answered, every edge that lives refuses the key.
pub async fn a_follower_knows_of_a_revocation_when_its_answer_comes(house: House) {
    let opened = house.open_with(settings()).await;
    let minted = opened.key("a").await;
    let held = std::sync::Arc::new(Held::default());
    let source = AtGate { callers: opened.seams.callers.clone(), watcher: gate("gate-1") };
    let mut tasks = tokio::task::JoinSet::new();
    let (state, entropy) = (held.clone(), std::sync::Arc::new(System));
    tasks.spawn(follow(source, state, Pace::default(), entropy, Some, |_| ()));
    comes(held.positions().wait_for(Option::is_some)).await.unwrap();
    let all = || held.all().iter().map(|item| PublishedCaller::clone(item)).collect::<Vec<_>>();
    assert!(check(&all(), minted.shown_once.expose(), NOW).is_ok());
    let written = opened.seams.admin.revoke_client_key(&caller(), &minted.key.key_id).await.unwrap();
    assert_eq!(written.receipt.not_applied, []);
    assert_eq!(check(&all(), minted.shown_once.expose(), NOW), Err(Reason::Revoked));
}

/// A watch tells of one key at a time, and of a deleted one that it is gone; a watch of endpoints tells their tags.
pub async fn changes_of_keys_and_tags_are_pushed(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let (.., endpoint) = opened.all_three().await;
    let mut keys = opened.seams.callers.watch(gate("gate"), None).await.unwrap();
    let mut endpoints = opened.seams.edge("edge", None).await;
    snapshot(&mut keys).await;
    snapshot(&mut endpoints).await;
    let minted = opened.key("a").await;
    let id = minted.key.key_id;
    let (_, upserts, removed) = delta(&mut keys).await;
    assert_eq!((upserts.len(), removed), (1, vec![]));
    assert_eq!(upserts[0].as_key().unwrap().record.key_id, id);
    admin.revoke_client_key(&caller(), &id).await.unwrap();
    assert!(delta(&mut keys).await.1[0].as_key().unwrap().record.revoked_at_ms.is_some());
    admin.delete_client_key(&caller(), &id).await.unwrap();
    assert_eq!(delta(&mut keys).await.2, [id.to_string()]);

    let tag = Tag { key: "team".to_owned(), value: "red".to_owned() };
    admin.set_tag(&caller(), &endpoint.id, tag).await.unwrap();
    loop {
        if let Some(published) = delta(&mut endpoints).await.1.pop() {
            assert_eq!(published.tags, [("team".to_owned(), "red".to_owned())].into());
            break;
        }
    }
    drop(keys.next());
}

//! A database and its keys: what opens it, what does not, and that a refusal changes nothing.

use names::Workspace;

use super::{House, given::CANARY, kek, keyring};
use crate::{
    OpenError, Settings, StoreError, System, keys_of, renew_epoch,
    tables::{KeyCheckRow, Meta},
};

/// Before that it has none: who makes a key asks first.
pub async fn a_new_database_takes_the_key_it_is_opened_with(house: House) {
    assert_eq!(keys_of(house.tables.as_ref()).await, Ok(vec![]));
    house.open().await;
    assert_eq!(keys_of(house.tables.as_ref()).await, Ok(vec!["k202611-1".to_owned()]));
    let (meta, _) = state(&house).await;
    assert!(meta.epoch > 0);
    let before = state(&house).await;
    house.open().await;
    assert_eq!(state(&house).await, before, "opening again changes nothing");
}

/// A key of the same id that is another key.
pub async fn a_wrong_key_is_refused_and_nothing_is_changed(house: House) {
    let opened = house.open().await;
    let secret = opened.secret("key").await;
    let before = state(&house).await;
    let wrong =
        seal::Kek::from_bytes(kek(1).id().clone(), &[b"x".repeat(31), b"y".to_vec()].concat()).unwrap();
    let refused = house.try_open(seal::Keyring::new(wrong), Settings::default()).await.unwrap_err();
    assert!(matches!(&refused, OpenError::WrongKey { id } if id == "k202611-1"), "{refused:?}");
    assert!(refused.to_string().contains("another key with the same id"), "{refused}");
    assert_eq!(state(&house).await, before);
    assert_eq!(opened.seams.admin.secret(&secret.id).await.unwrap(), secret);
}

/// A key that was made because the right one was not found.
pub async fn a_newly_made_key_is_refused(house: House) {
    house.open().await;
    let before = state(&house).await;
    let refused = house.try_open(keyring(2), Settings::default()).await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::OtherKeys { id, needed } if id == "k202611-2" && needed == "k202611-1"),
        "{refused:?}"
    );
    let said = "KEK `k202611-2` does not open this database, which needs `k202611-1`; nothing was changed";
    assert_eq!(refused.to_string(), said);
    assert_eq!(state(&house).await, before);
}

/// And what the first has sealed still opens.
pub async fn a_second_key_is_taken_beside_the_first(house: House) {
    let opened = house.open().await;
    let free = crate::NewSecret { provider: None, ..super::given::new_secret("free") };
    let secret = opened.seams.admin.create_secret(&super::given::caller(), free).await.unwrap().value;
    let both = keyring(2).with(kek(1)).unwrap();
    let store = house.try_open(both, Settings::default()).await.unwrap();
    assert_eq!(keys_of(house.tables.as_ref()).await.unwrap(), ["k202611-1", "k202611-2"]);
    // Its first definition seals it again, by the second key.
    let new = super::given::new_definition("flash", &secret.id);
    crate::Admin::create_definition(&store, &super::given::caller(), new).await.unwrap();
    assert_eq!(crate::Admin::secret(&store, &secret.id).await.unwrap().version, 2);
    let by_first_alone = opened.seams.admin.update_secret(&super::given::caller(), new_value(&secret)).await;
    assert!(by_first_alone.is_ok(), "a new value needs no old key");
}

fn new_value(secret: &crate::Secret) -> crate::SecretChange {
    let value = Some([("api_key".to_owned(), CANARY.into())].into());
    crate::SecretChange { id: secret.id.clone(), value, auth_config: None }
}

/// The revision goes on: only the epoch tells watchers that it means something else.
pub async fn a_restore_draws_a_new_epoch(house: House) {
    house.open().await.secret("key").await;
    let (before, _) = state(&house).await;
    assert_eq!(renew_epoch(house.tables.as_ref(), &System).await, Ok::<(), StoreError>(()));
    let (after, _) = state(&house).await;
    assert!(after.epoch > 0 && after.epoch != before.epoch);
    assert_eq!(Meta { epoch: before.epoch, ..after }, before);
}

async fn state(house: &House) -> (Meta, Vec<KeyCheckRow>) {
    let mut rows = house.tables.read(&Workspace::default()).await.unwrap();
    (rows.meta().await.unwrap(), rows.key_checks().await.unwrap())
}

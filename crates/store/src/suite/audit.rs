//! The audit log as admins read it, and its chain.

use super::{
    House,
    given::{CANARY, caller, new_secret},
};

/// Pages by number; nothing of a secret in them; the chain holds over changes, hand-overs and a second store.
pub async fn the_audit_log_is_read_and_verified(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let empty = admin.verify_audit().await.unwrap();
    assert_eq!((empty.seq, empty.mac.as_str(), empty.first_bad), (0, "0".repeat(64).as_str(), None));
    opened.all_three().await;
    house.open().await.seams.admin.create_secret(&caller(), new_secret("other")).await.unwrap();
    let all = admin.audit(0, 1_000).await.unwrap();
    let actions: Vec<_> = all.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["secret.create", "model_definition.create", "endpoint.create", "secret.create"]);
    assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((all[0].actor.as_deref(), all[0].actor_kind.as_str()), (Some("ada"), "admin"));
    assert!(!format!("{all:?}").contains(&CANARY[4..]));
    assert_eq!(admin.audit(1, 2).await.unwrap(), all[1..3]);
    assert_eq!(admin.audit(4, 9).await.unwrap(), []);
    let verdict = admin.verify_audit().await.unwrap();
    assert_eq!((verdict.seq, verdict.mac.len(), verdict.first_bad), (4, 64, None));
}

//! Every question about client keys and the audit log, and what its answer is, over the wire.

use access::{KeyId, Scope};
use names::{Actor, Label, RequestId};
use store::{AuditLog as _, Caller, ClientKeyChange, ClientKeys as _, Expiry, NewClientKey};
use store_grpc::Remote;
use tokio_util::sync::CancellationToken;

use crate::{
    fake::{Fake, bare_client_key, client_key, entries, note, receipt, scope, shown_once, verdict},
    homes::{duplex, routes},
};

fn caller() -> Caller {
    Caller { actor: Some(Actor::parse("ada").unwrap()), request_id: RequestId::from_random(1) }
}

#[tokio::test]
async fn keys_and_questions_come_through_whole() {
    let fake = Fake::new();
    let (channel, _serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    let (remote, caller, id) = (Remote::new(channel, None), caller(), KeyId::from_random(7));
    let owner = Label::parse("search").unwrap();

    for new in [
        NewClientKey { owner: owner.clone(), note: Some("n".into()), scope: scope(), expires_at: Some(9) },
        NewClientKey { owner: owner.clone(), note: None, scope: Scope::All, expires_at: None },
    ] {
        let made = remote.create_client_key(&caller, new.clone()).await.unwrap();
        assert_eq!(fake.last(), note("create_client_key", &(&caller, new)));
        assert_eq!((made.value.key, made.receipt), (client_key(), receipt()));
        assert_eq!(made.value.shown_once.expose(), shown_once().expose());
    }
    assert_eq!(remote.client_key(&id).await.unwrap(), client_key());
    assert_eq!(fake.last(), note("client_key", &(id,)));
    for owner in [None, Some(&owner)] {
        assert_eq!(remote.client_keys(owner).await.unwrap(), [client_key(), bare_client_key()]);
        assert_eq!(fake.last(), note("client_keys", &(owner,)));
    }
    let empty = Scope::only([], []).unwrap();
    for (scope, expires_at) in [
        (None, None),
        (Some(Scope::All), Some(Expiry::Never)),
        (Some(scope()), Some(Expiry::At(-1))),
        (Some(empty), None),
    ] {
        let change = ClientKeyChange { key_id: id, note: Some(String::new()), scope, expires_at };
        let changed = remote.update_client_key(&caller, change.clone()).await.unwrap();
        assert_eq!(fake.last(), note("update_client_key", &(&caller, change)));
        assert_eq!(changed.value, bare_client_key());
    }
    let rotated = remote.rotate_client_key(&caller, &id, 77).await.unwrap().value;
    assert_eq!(fake.last(), note("rotate_client_key", &(&caller, id, 77)));
    assert_eq!((rotated.key, rotated.shown_once.key_id()), (bare_client_key(), shown_once().key_id()));
    assert_eq!(remote.revoke_client_key(&caller, &id).await.unwrap().value, client_key());
    assert_eq!(fake.last(), note("revoke_client_key", &(&caller, id)));
    assert_eq!(remote.delete_client_key(&caller, &id).await.unwrap(), receipt());
    assert_eq!(fake.last(), note("delete_client_key", &(&caller, id)));
}

#[tokio::test]
async fn the_audit_log_comes_through_whole() {
    let fake = Fake::new();
    let (channel, _serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    let remote = Remote::new(channel, None);
    assert_eq!(remote.audit(3, 4).await.unwrap(), entries());
    assert_eq!(fake.last(), note("audit", &(3, 4)));
    assert_eq!(remote.verify_audit().await.unwrap(), verdict());
}

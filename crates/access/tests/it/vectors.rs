//! Formats pinned to values of another implementation: `tests/vectors.py`, with Python's hmac, hashlib and zlib. A changed
//! value here means that stored keys no longer verify.

use access::{
    Key, Kind, Mac, Pepper, PepperId,
    audit::{AuditKey, Chain, Head, Row},
};

const CLIENT: &str = "kw_UfDVRKBz_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf_2ZlQfO";
const ADMIN: &str = "kwa_UfDVRKBz_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf_2ohviB";

fn counting(from: u8) -> [u8; 32] {
    std::array::from_fn(|at| from + u8::try_from(at).unwrap())
}

fn key(kind: Kind) -> Key {
    Key::mint(kind, 0x0123_4567_89ab_cdef, &counting(0))
}

fn hex(mac: Mac) -> String {
    hex::encode(mac.as_bytes())
}

#[test]
fn keys() {
    assert_eq!(key(Kind::Client).expose(), CLIENT);
    assert_eq!(key(Kind::Admin).expose(), ADMIN);
    assert_eq!(key(Kind::Client).masked(), "kw_UfDVRKBz_…");
    assert_eq!(Kind::Admin.masked(key(Kind::Admin).key_id()), "kwa_UfDVRKBz_…");
}

#[test]
fn macs_of_keys() {
    let plain = Pepper::new(PepperId(7), &counting(32)).unwrap();
    let plain = plain.mac(&key(Kind::Client));
    assert_eq!(hex(plain), "8a2e176d82e8d1f3bcf28d233dc68811c7bc50d17a2b6594a8e9e8f0dbf79b27");
    for (kind, expected) in [
        (Kind::Client, "26eb5fd913b85fa62d4cca8c297bf0a26750b14b73f15fe12f8d73a17107abc1"),
        (Kind::Admin, "346820b939057e856ecf563c5ba01d9b6b5f242edc762fbfc4b6e7d3241c587a"),
    ] {
        let pepper = Pepper::derive(PepperId(7), &counting(32), kind).unwrap();
        assert_eq!(hex(pepper.mac(&key(kind))), expected);
    }
}

#[test]
fn chain() {
    let full = Row {
        workspace: "default",
        seq: 1,
        at_ms: 1_700_000_000_000,
        actor: Some("anna"),
        actor_kind: "admin",
        action: "secret.create",
        object: "s-1",
        object_version: Some(1),
        outcome: "ok",
        request_id: "r-1",
        revision: 9,
        source: Some("192.0.2.1"),
        detail: "{}",
    };
    let sparse = Row { seq: 2, actor: None, object_version: None, source: None, ..full };
    let audit_key = AuditKey::derive(&counting(32), "default").unwrap();
    let mut chain = Chain::after(&audit_key, Head::START);
    let [first, second] = [full, sparse].map(|row| chain.append(&row).unwrap());
    assert_eq!(first.0, Mac::ZERO);
    assert_eq!(hex(first.1), "f2a4d306b0a5b57e106e5fec6bb17f27b71b118d27d04e04c59fef0a07257a88");
    assert_eq!(second.0, first.1);
    assert_eq!(hex(second.1), "25266ab04da7efcba6b45ec42a4cd4e74a760906830bbc9a98bb43de83333fcb");
}

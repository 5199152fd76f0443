//! Hand-over: a pinned vector, every byte tampered with, every part of the binding swapped, key files.

use std::os::unix::fs::PermissionsExt as _;

use secrecy::ExposeSecret as _;

use super::*;
use crate::aead::tests::Counting;

const INFO: Info<'static> = Info {
    provider: "gemini",
    mapping: "m-00000000000000000000000000000001",
    secret_id: "s-00000000000000000000000000000001",
    secret_version: 3,
    replica: "forwarder-gemini-1",
};

fn payload() -> Payload {
    Payload::new([("api_key".to_owned(), "AIza-CANARY".into())].into(), vec!["a.example".to_owned()])
}

fn pair() -> KeyPair {
    let private: Vec<u8> = (0..32).collect();
    KeyPair::from_bytes(private.as_slice().try_into().unwrap()).unwrap()
}

#[test]
fn what_was_sealed_opens_and_no_two_seals_are_alike() {
    let pair = KeyPair::generate().unwrap();
    let first = seal_to(pair.public_key(), &INFO, &payload()).unwrap();
    let second = seal_to(pair.public_key(), &INFO, &payload()).unwrap();
    assert_ne!(first, second);
    let opened = pair.open(&INFO, &first).unwrap();
    assert_eq!(opened.fields["api_key"].expose_secret(), "AIza-CANARY");
    assert_eq!(opened.allowed_hosts, ["a.example"]);
    assert!(!first.windows(6).any(|window| window == b"CANARY"));
}

/// The format of version 1: a forwarder's snapshot must open after an upgrade.
#[test]
fn format_1_is_pinned() {
    let blob = seal_with(pair().public_key(), &INFO, &payload(), Counting(100)).unwrap();
    let vector = include_str!("../../vectors/handover-1").trim();
    assert_eq!(hex::encode(&blob), vector);
    assert!(pair().open(&INFO, &hex::decode(vector).unwrap()).is_ok());
}

#[test]
fn no_byte_can_be_changed_cut_or_added() {
    let pair = pair();
    let good = seal_to(pair.public_key(), &INFO, &payload()).unwrap();
    for index in 0..good.len() {
        let mut changed = good.clone();
        changed[index] ^= 1;
        assert!(pair.open(&INFO, &changed).is_err(), "byte {index}");
        assert!(pair.open(&INFO, &good[..index]).is_err(), "cut at {index}");
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert!(pair.open(&INFO, &longer).is_err());
}

#[test]
fn another_target_another_replica_or_another_key_does_not_open_it() {
    let pair = pair();
    let blob = seal_to(pair.public_key(), &INFO, &payload()).unwrap();
    for wrong in [
        Info { provider: "openai", ..INFO },
        Info { mapping: "m-00000000000000000000000000000002", ..INFO },
        Info { secret_id: "s-00000000000000000000000000000002", ..INFO },
        Info { secret_version: 2, ..INFO },
        Info { replica: "forwarder-gemini-2", ..INFO },
    ] {
        assert_eq!(pair.open(&wrong, &blob).unwrap_err(), SealError::NotAuthentic, "{wrong:?}");
    }
    let other = KeyPair::generate().unwrap();
    assert_eq!(other.open(&INFO, &blob).unwrap_err(), SealError::NotAuthentic);
}

#[test]
fn a_public_key_that_is_none_is_refused() {
    for wrong in [&[][..], &[1; 31], &[1; 33], &[0; 32]] {
        assert_eq!(seal_to(wrong, &INFO, &payload()).unwrap_err(), SealError::BadPublicKey, "{wrong:?}");
    }
}

#[test]
fn without_randomness_nothing_is_sealed() {
    struct Dry;
    impl Random for Dry {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), SealError> {
            Err(SealError::NoRandomness)
        }
    }
    let refused = seal_with(pair().public_key(), &INFO, &payload(), Dry).unwrap_err();
    assert_eq!(refused, SealError::NoRandomness);
}

#[test]
fn a_pair_lives_in_a_private_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("forwarder.key");
    let made = KeyPair::load_or_create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(KeyPair::load_or_create(&path).unwrap().public_key(), made.public_key());
    assert!(matches!(made.to_file(&path), Err(KeyFileError::Exists(_))));
    std::fs::write(&path, "keyward-forwarder-key-v1 CANARY").unwrap();
    let error = KeyPair::load(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::NotAKey { .. }));
    assert!(!format!("{error} {error:?}").contains("CANARY"));
    assert_eq!(format!("{made:?}"), "KeyPair { .. }");
}

//! Envelopes: a pinned vector, every byte tampered with, every part of the cell swapped, rotation.

use secrecy::ExposeSecret as _;

use super::*;
use crate::aead::tests::Counting;

const ID: &str = "s-00000000000000000000000000000001";

fn kek(id: &str, first: u8) -> Kek {
    let bytes: Vec<u8> = (first..first + 32).collect();
    Kek::from_bytes(KekId::parse(id).unwrap(), &bytes).unwrap()
}

fn hosts() -> Vec<String> {
    vec!["generativelanguage.googleapis.com".to_owned(), "b.example".to_owned()]
}

fn cell(hosts: &[String]) -> Cell<'_> {
    Cell {
        workspace: "default",
        secret_id: ID,
        name: "gemini-key",
        provider: Some("gemini"),
        version: 3,
        allowed_hosts: hosts,
    }
}

fn payload() -> Payload {
    Payload::new([("api_key".to_owned(), "AIza-CANARY-0123456789".into())].into(), hosts())
}

#[test]
fn what_was_sealed_opens_and_no_two_seals_are_alike() {
    let hosts = hosts();
    let keyring = Keyring::new(kek("k202611-1", 0));
    let first = keyring.seal(&cell(&hosts), &payload()).unwrap();
    let second = keyring.seal(&cell(&hosts), &payload()).unwrap();
    assert_ne!(first.sealed, second.sealed);
    assert_ne!(first.wrapped_dek, second.wrapped_dek);
    let opened = keyring.open(&cell(&hosts), &first).unwrap();
    assert_eq!(opened.fields["api_key"].expose_secret(), "AIza-CANARY-0123456789");
    assert_eq!(opened.allowed_hosts, hosts);
}

/// The format of version 1, for good: rows that were sealed so must open for as long as there is a Keyward.
#[test]
fn format_1_is_pinned() {
    let hosts = hosts();
    let envelope = seal_with(&kek("k202611-1", 0), &cell(&hosts), &payload(), &mut Counting(100)).unwrap();
    assert_eq!(
        hex::encode(&envelope.wrapped_dek),
        include_str!("../../vectors/envelope-1.wrapped_dek").trim()
    );
    assert_eq!(hex::encode(&envelope.sealed), include_str!("../../vectors/envelope-1.sealed").trim());
}

#[test]
fn no_byte_can_be_changed_cut_or_added() {
    let hosts = hosts();
    let keyring = Keyring::new(kek("k202611-1", 0));
    let good = keyring.seal(&cell(&hosts), &payload()).unwrap();
    let refused = |envelope: &Envelope| keyring.open(&cell(&hosts), envelope).is_err();
    let parts: [fn(&mut Envelope) -> &mut Vec<u8>; 2] =
        [|envelope| &mut envelope.sealed, |envelope| &mut envelope.wrapped_dek];
    for part in parts {
        for index in 0..part(&mut good.clone()).len() {
            for bit in 0..8 {
                let mut changed = good.clone();
                part(&mut changed)[index] ^= 1 << bit;
                assert!(refused(&changed), "byte {index}, bit {bit}");
            }
            let mut cut = good.clone();
            part(&mut cut).truncate(index);
            assert!(refused(&cut), "cut at {index}");
        }
        let mut longer = good.clone();
        part(&mut longer).push(0);
        assert!(refused(&longer));
    }
}

#[test]
fn no_part_of_the_cell_can_be_changed() {
    let hosts = hosts();
    let keyring = Keyring::new(kek("k202611-1", 0));
    let envelope = keyring.seal(&cell(&hosts), &payload()).unwrap();
    let other_hosts = vec!["attacker.example".to_owned()];
    let fewer_hosts = hosts[..1].to_vec();
    let good = cell(&hosts);
    for wrong in [
        Cell { workspace: "other", ..good },
        Cell { secret_id: "s-00000000000000000000000000000002", ..good },
        Cell { name: "gemini-key2", ..good },
        Cell { provider: Some("openai"), ..good },
        Cell { provider: None, ..good },
        Cell { version: 2, ..good },
        Cell { allowed_hosts: &other_hosts, ..good },
        Cell { allowed_hosts: &fewer_hosts, ..good },
        Cell { allowed_hosts: &[], ..good },
    ] {
        assert_eq!(keyring.open(&wrong, &envelope).unwrap_err(), SealError::NotAuthentic, "{wrong:?}");
    }
    let reordered: Vec<String> = hosts.iter().rev().cloned().collect();
    assert!(keyring.open(&Cell { allowed_hosts: &reordered, ..good }, &envelope).is_ok());
}

#[test]
fn parts_of_two_rows_cannot_be_mixed() {
    let hosts = hosts();
    let keyring = Keyring::new(kek("k202611-1", 0));
    let other_cell = Cell { secret_id: "s-00000000000000000000000000000002", ..cell(&hosts) };
    let ours = keyring.seal(&cell(&hosts), &payload()).unwrap();
    let theirs = keyring.seal(&other_cell, &payload()).unwrap();
    for mixed in [
        Envelope { sealed: theirs.sealed.clone(), ..ours.clone() },
        Envelope { wrapped_dek: theirs.wrapped_dek.clone(), ..ours.clone() },
        theirs.clone(),
    ] {
        assert_eq!(keyring.open(&cell(&hosts), &mixed).unwrap_err(), SealError::NotAuthentic);
    }
}

#[test]
fn the_key_is_the_one_named_and_no_other() {
    let hosts = hosts();
    let keyring = Keyring::new(kek("k202611-1", 0)).with(kek("k202611-2", 50)).unwrap();
    let envelope = keyring.seal(&cell(&hosts), &payload()).unwrap();
    let renamed = Envelope { kek_id: KekId::parse("k202611-2").unwrap(), ..envelope.clone() };
    assert_eq!(keyring.open(&cell(&hosts), &renamed).unwrap_err(), SealError::NotAuthentic);
    let unknown = Envelope { kek_id: KekId::parse("k202611-3").unwrap(), ..envelope.clone() };
    assert!(matches!(keyring.open(&cell(&hosts), &unknown), Err(SealError::UnknownKey(_))));
    // The same bytes under another id do not open it either: the id is part of the wrap.
    let same_bytes = Keyring::new(kek("k202611-2", 0));
    let renamed = Envelope { kek_id: KekId::parse("k202611-2").unwrap(), ..envelope.clone() };
    assert_eq!(same_bytes.open(&cell(&hosts), &renamed).unwrap_err(), SealError::NotAuthentic);
    let newer = Envelope { format: 2, ..envelope };
    assert_eq!(keyring.open(&cell(&hosts), &newer).unwrap_err(), SealError::UnknownFormat(2));
}

#[test]
fn rotation_opens_the_old_and_rewraps_without_touching_the_payload() {
    let hosts = hosts();
    let old = Keyring::new(kek("k202611-1", 0)).seal(&cell(&hosts), &payload()).unwrap();
    let keyring = Keyring::new(kek("k202612-1", 50)).with(kek("k202611-1", 0)).unwrap();
    assert!(keyring.open(&cell(&hosts), &old).is_ok());
    let rewrapped = keyring.rewrap(&cell(&hosts), &old).unwrap().unwrap();
    assert_eq!(rewrapped.kek_id.as_str(), "k202612-1");
    assert_eq!(rewrapped.sealed, old.sealed);
    assert_eq!(keyring.rewrap(&cell(&hosts), &rewrapped).unwrap(), None);
    let only_new = Keyring::new(kek("k202612-1", 50));
    assert!(only_new.open(&cell(&hosts), &rewrapped).is_ok());
    assert!(matches!(only_new.open(&cell(&hosts), &old), Err(SealError::UnknownKey(_))));
    assert!(matches!(only_new.rewrap(&cell(&hosts), &old), Err(SealError::UnknownKey(_))));
}

#[test]
fn a_host_in_the_row_that_was_not_sealed_does_not_pass() {
    // Sealed with a cell that lies about the payload's hosts: a defect of the sealer, refused at opening.
    let keyring = Keyring::new(kek("k202611-1", 0));
    let lie = vec!["attacker.example".to_owned()];
    let envelope = keyring.seal(&cell(&lie), &payload()).unwrap();
    assert_eq!(keyring.open(&cell(&lie), &envelope).unwrap_err(), SealError::NotAuthentic);
}

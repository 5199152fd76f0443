//! Every reason of refusal: its name inside, its sameness outside, its work.

use std::{cell::Cell, collections::HashMap};

use super::*;

const NOW: i64 = 1_000;

fn pepper(id: u32) -> Pepper {
    Pepper::derive(PepperId(id), &(0..32).collect::<Vec<u8>>(), Kind::Client).unwrap()
}

fn key(id: u64) -> Key {
    Key::mint(Kind::Client, id, &[9; 32])
}

struct House {
    verifier: Verifier,
    records: HashMap<KeyId, Record>,
}

/// One key of each standing, by number.
fn house() -> House {
    let verifier = Verifier::new(Kind::Client, pepper(2)).with(pepper(1)).unwrap();
    let live = |id| verifier.record(&key(id));
    let records = [
        live(1),
        Record::of(&key(2), &pepper(1)),
        Record { retires_at_ms: Some(NOW + 1), ..live(3) },
        Record { not_before_ms: Some(NOW + 1), ..live(4) },
        Record { expires_at_ms: Some(NOW), ..live(5) },
        Record { retires_at_ms: Some(NOW), ..live(6) },
        Record { revoked_at_ms: Some(NOW + 60_000), ..live(7) },
        Record::of(&key(8), &pepper(3)),
    ];
    House { verifier, records: records.into_iter().map(|record| (record.key_id, record)).collect() }
}

impl House {
    /// The outcome, how often it looked up, and how many MACs it computed.
    fn check(&self, presented: &[u8]) -> (Result<KeyId, Refused>, u32, u32) {
        let lookups = Cell::new(0);
        work::take_macs();
        let outcome = self.verifier.check(
            presented,
            |id| {
                lookups.set(lookups.get() + 1);
                self.records.get(id)
            },
            NOW,
        );
        (outcome.map(|record| record.key_id), lookups.get(), work::take_macs())
    }
}

/// What is refused for each reason, several of some.
fn refused() -> Vec<(Vec<u8>, Reason)> {
    let text = |key: Key| key.expose().as_bytes().to_vec();
    let mut typo = text(key(1));
    typo[20] ^= 1;
    vec![
        (Vec::new(), Reason::Malformed),
        (b"dummy".to_vec(), Reason::Malformed),
        (vec![b'x'; 16 * 1024], Reason::Malformed),
        (typo, Reason::Malformed),
        (text(Key::mint(Kind::Admin, 1, &[9; 32])), Reason::Malformed),
        (text(key(99)), Reason::Unknown),
        (text(key(8)), Reason::NoPepper),
        (text(Key::mint(Kind::Client, 1, &[8; 32])), Reason::Mismatch),
        // The wrong key of a revoked id learns nothing of the revocation.
        (text(Key::mint(Kind::Client, 7, &[8; 32])), Reason::Mismatch),
        (text(key(4)), Reason::NotYet),
        (text(key(5)), Reason::Expired),
        (text(key(6)), Reason::Retired),
        (text(key(7)), Reason::Revoked),
    ]
}

#[test]
fn keys_that_count_are_accepted_also_under_an_older_pepper_and_in_the_overlap() {
    let house = house();
    for number in [1, 2, 3] {
        assert_eq!(house.check(key(number).expose().as_bytes()).0, Ok(key(number).key_id()), "{number}");
    }
}

#[test]
fn every_reason_has_its_name_inside() {
    let house = house();
    for (presented, reason) in refused() {
        let refused = house.check(&presented).0.unwrap_err();
        assert_eq!(refused.reason(), reason);
        assert_eq!(refused.key_id().is_some(), reason != Reason::Malformed);
    }
    for reason in Reason::ALL {
        assert!(refused().iter().any(|(_, of)| *of == reason), "{} is not tried", reason.as_str());
    }
}

#[test]
fn every_reason_is_one_answer_outside() {
    let house = house();
    for (presented, _) in refused() {
        let refused = house.check(&presented).0.unwrap_err();
        assert_eq!(
            (refused.to_string().as_str(), refused.fault()),
            ("the credential is not accepted", Fault::Unauthenticated)
        );
    }
}

#[test]
fn every_reason_is_the_same_work_as_success() {
    let house = house();
    let good = key(1).expose().as_bytes().to_vec();
    for presented in refused().into_iter().map(|(presented, _)| presented).chain([good]) {
        let (_, lookups, macs) = house.check(&presented);
        assert_eq!((lookups, macs), (1, 1));
    }
}

#[test]
fn a_record_of_nobodys_id_accepts_no_junk() {
    let mut house = house();
    house.records.insert(KeyId::NOBODY, house.verifier.record(&key(0)));
    assert_eq!(house.check(b"junk").0.unwrap_err().reason(), Reason::Malformed);
    assert_eq!(house.check(key(0).expose().as_bytes()).0, Ok(KeyId::NOBODY));
}

#[test]
fn an_id_stands_for_one_pepper() {
    let verifier = house().verifier;
    for taken in [1, 2] {
        assert_eq!(verifier.clone().with(pepper(taken)).err(), Some(MaterialError::TakenId));
    }
}

#[test]
fn nothing_shows_what_is_secret() {
    let house = house();
    let shown = format!("{:?} {:?} {:?}", house.verifier, house.records, key(1));
    let mac = hex::encode(house.records[&key(1).key_id()].mac.as_bytes());
    assert!(!shown.contains(&key(1).expose()[12..55]) && !shown.contains(&mac));
    assert!(shown.ends_with(&format!("kw_{}_…", key(1).key_id())));
}

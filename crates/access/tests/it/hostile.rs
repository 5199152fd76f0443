//! What callers may send instead of a key: any bytes, any change of a good one.

use access::{
    Key, KeyId, Kind, Pepper, PepperId, Place, Presented, PresentedError, Reason, Record, Verifier,
};
use proptest::prelude::*;

fn verifier(kind: Kind) -> Verifier {
    let material: Vec<u8> = (0..32).collect();
    Verifier::new(kind, Pepper::derive(PepperId(1), &material, kind).unwrap())
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Client), Just(Kind::Admin)]
}

fn other(kind: Kind) -> Kind {
    if kind == Kind::Client { Kind::Admin } else { Kind::Client }
}

fn place() -> impl Strategy<Value = Place> {
    prop::sample::select(&Place::ALL[..])
}

/// What no key is: bytes, and texts that look like one.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "kwa?_[0-9A-Za-z]{7,9}_[0-9A-Za-z]{42,44}_[0-9A-Za-z]{5,7}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn a_key_is_read_as_it_was_made(kind in kind(), bits: u64, secret: [u8; 32]) {
        let key = Key::mint(kind, bits, &secret);
        prop_assert_eq!(key.expose().len(), kind.length());
        let read = Key::parse(kind, key.expose().as_bytes()).unwrap();
        prop_assert_eq!((read.expose(), read.key_id(), read.kind()), (key.expose(), key.key_id(), kind));
        prop_assert_eq!(KeyId::parse(key.key_id().as_str()), Ok(KeyId::from_random(bits)));
        prop_assert!(Key::parse(other(kind), key.expose().as_bytes()).is_err());
        let shown = format!("{key:?} {}", key.masked());
        prop_assert!(!shown.contains(&key.expose()[13..]));
    }

    #[test]
    fn two_secrets_are_two_keys(one: [u8; 32], two: [u8; 32]) {
        let [first, second] = [one, two].map(|secret| Key::mint(Kind::Client, 1, &secret));
        prop_assert_eq!(one == two, first.expose() == second.expose());
    }

    #[test]
    fn junk_is_refused_whatever_it_is(kind in kind(), junk in junk()) {
        prop_assert!(Key::parse(kind, &junk).is_err());
        let refused = verifier(kind).check::<Record>(&junk, |_| None, 0).unwrap_err();
        prop_assert_eq!(refused.reason(), Reason::Malformed);
    }

    #[test]
    fn only_the_whole_key_is_accepted(secret: [u8; 32], cut in 0..62_usize, more in prop::collection::vec(any::<u8>(), 1..9)) {
        let key = Key::mint(Kind::Client, 5, &secret);
        let verifier = verifier(Kind::Client);
        let record = verifier.record(&key);
        let check = |presented: &[u8]| verifier.check(presented, |_| Some(&record), 0).is_ok();
        let text = key.expose().as_bytes();
        prop_assert!(check(text));
        prop_assert!(!check(&text[..cut]) && !check(&text[cut + 1..]));
        prop_assert!(!check(&[text, &more].concat()) && !check(&[&more, text].concat()));
    }

    #[test]
    fn a_good_key_of_another_secret_is_a_mismatch(one: [u8; 32], two: [u8; 32]) {
        prop_assume!(one != two);
        let verifier = verifier(Kind::Client);
        let record = verifier.record(&Key::mint(Kind::Client, 5, &one));
        let presented = Key::mint(Kind::Client, 5, &two);
        let refused = verifier.check(presented.expose().as_bytes(), |_| Some(&record), 0).unwrap_err();
        prop_assert_eq!((refused.reason(), refused.key_id()), (Reason::Mismatch, Some(record.key_id)));
    }

    #[test]
    fn any_values_in_any_places(values in prop::collection::vec((place(), prop::collection::vec(any::<u8>(), 0..40)), 0..6)) {
        let _ = Presented::on_data_plane(values.iter().map(|(place, value)| (*place, &value[..])));
        let _ = Presented::on_admin_plane(values.iter().map(|(_, value)| &value[..]));
    }

    #[test]
    fn one_key_in_many_places_is_one_and_another_beside_it_is_too_many(
        key in "[!-+./0-~]{1,80}", intruder in "[!-+./0-~]{1,80}",
        places in prop::collection::vec(place(), 1..6), at in 0..6_usize, there in place(),
    ) {
        let spelled = |place: Place, key: &str| {
            (place, if place == Place::Authorization { format!("bEaReR {key}") } else { key.to_owned() })
        };
        let mut values: Vec<(Place, String)> = places.iter().map(|place| spelled(*place, &key)).collect();
        let find = |values: &[(Place, String)]| {
            let values = values.iter().map(|(place, value)| (*place, value.as_bytes()));
            Presented::on_data_plane(values).map(|found| found.map(|found| found.as_bytes().to_vec()))
        };
        prop_assert_eq!(find(&values), Ok(Some(key.clone().into_bytes())));
        values.insert(at.min(values.len()), spelled(there, &intruder));
        let expected = if key == intruder { Ok(Some(key.into_bytes())) } else { Err(PresentedError::Ambiguous) };
        prop_assert_eq!(find(&values), expected);
    }
}

#[test]
fn every_single_byte_of_a_key_matters() {
    for kind in Kind::ALL {
        let key = Key::mint(kind, 77, &[42; 32]);
        for at in 0..kind.length() {
            for byte in 0..=u8::MAX {
                let mut changed = key.expose().as_bytes().to_vec();
                changed[at] = byte;
                assert_eq!(
                    Key::parse(kind, &changed).is_ok(),
                    changed == key.expose().as_bytes(),
                    "{at} {byte}"
                );
            }
        }
    }
}

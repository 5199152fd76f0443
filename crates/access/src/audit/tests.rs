//! Every way to alter a chain, and the row that it is found at.

use super::*;

const MATERIAL: &[u8] = b"material of at least thirty-two bytes";

/// A row that owns its texts, so that tests can alter any byte of it.
#[derive(Clone, Debug, PartialEq)]
struct Owned {
    texts: [Vec<u8>; 7],
    optional: [Option<Vec<u8>>; 2],
    numbers: [i64; 3],
    version: Option<i64>,
    prev: Vec<u8>,
    mac: Vec<u8>,
}

impl Owned {
    fn stored(&self) -> Stored<'_> {
        fn text(bytes: &[u8]) -> &str {
            std::str::from_utf8(bytes).unwrap()
        }
        let [workspace, actor_kind, action, object, outcome, request_id, detail] =
            [0, 1, 2, 3, 4, 5, 6].map(|at| text(&self.texts[at]));
        let [actor, source] = [0, 1].map(|at| self.optional[at].as_deref().map(text));
        let [seq, at_ms, revision] = self.numbers;
        let row = Row {
            workspace,
            seq,
            at_ms,
            actor,
            actor_kind,
            action,
            object,
            object_version: self.version,
            outcome,
            request_id,
            revision,
            source,
            detail,
        };
        Stored { row, prev: &self.prev, mac: &self.mac }
    }
}

fn key() -> AuditKey {
    AuditKey::derive(MATERIAL, "default").unwrap()
}

/// A chain of `count` rows, with and without what may be missing.
fn rows(count: i64) -> Vec<Owned> {
    let key = key();
    let mut chain = Chain::after(&key, Head::START);
    let row = |seq: i64| {
        let object = format!("s-{seq:032x}");
        let texts = ["default", "admin", "secret.create", &object, "ok", "req-1", r#"{"name":"gemini"}"#];
        let some = seq % 2 == 0;
        let mut row = Owned {
            texts: texts.map(|text| text.as_bytes().to_vec()),
            optional: [some.then(|| b"anna".to_vec()), some.then(|| b"192.0.2.1".to_vec())],
            numbers: [seq, 1_700_000_000_000 + seq, seq * 3],
            version: some.then_some(seq),
            prev: Vec::new(),
            mac: Vec::new(),
        };
        let (prev, mac) = chain.append(&row.stored().row).unwrap();
        row.prev = prev.as_bytes().to_vec();
        row.mac = mac.as_bytes().to_vec();
        row
    };
    (1..=count).map(row).collect()
}

fn verified(rows: &[Owned]) -> Result<Head, FirstBad> {
    verify(&key(), Head::START, rows.iter().map(Owned::stored))
}

fn first_bad(rows: &[Owned]) -> Option<i64> {
    verified(rows).err().map(|bad| bad.seq)
}

#[test]
fn what_was_written_verifies_in_one_go_and_in_pages() {
    let rows = rows(6);
    let whole = verified(&rows).unwrap();
    assert_eq!((whole.seq, whole.mac.as_bytes().to_vec()), (6, rows[5].mac.clone()));
    let half = verified(&rows[..2]).unwrap();
    assert_eq!(verify(&key(), half, rows[2..].iter().map(Owned::stored)), Ok(whole));
    assert_eq!(verified(&[]), Ok(Head::START));
}

/// Every copy of the row with one byte of one field changed, and with what may be missing there or gone.
fn alterations(row: &Owned) -> Vec<Owned> {
    let mut all = Vec::new();
    let mut alter = |change: &dyn Fn(&mut Owned)| {
        let mut altered = row.clone();
        change(&mut altered);
        all.push(altered);
    };
    for field in 0..row.texts.len() {
        for at in 0..row.texts[field].len() {
            alter(&|row| row.texts[field][at] ^= 1);
        }
        alter(&|row| row.texts[field].push(b'x'));
        alter(&|row| row.texts[field].truncate(row.texts[field].len() - 1));
    }
    for field in 0..row.optional.len() {
        for at in 0..row.optional[field].as_ref().map_or(0, Vec::len) {
            alter(&|row| row.optional[field].as_mut().unwrap()[at] ^= 1);
        }
        // From nothing to an empty text, or from a text to nothing.
        alter(&|row| row.optional[field] = row.optional[field].is_none().then(Vec::new));
    }
    for bit in 0..64 {
        for field in 0..row.numbers.len() {
            alter(&|row| row.numbers[field] ^= 1 << bit);
        }
        alter(&|row| row.version = row.version.map(|version| version ^ (1 << bit)).or(Some(1 << bit)));
    }
    alter(&|row| row.version = row.version.is_none().then_some(0));
    for at in 0..Mac::LEN {
        for bit in 0..8 {
            alter(&|row| row.prev[at] ^= 1 << bit);
            alter(&|row| row.mac[at] ^= 1 << bit);
        }
    }
    alter(&|row| row.mac.truncate(Mac::LEN - 1));
    alter(&|row| row.prev.clear());
    all
}

#[test]
fn any_changed_byte_of_any_field_is_found_at_its_row() {
    let good = rows(4);
    for at in 0..good.len() {
        for altered in alterations(&good[at]) {
            assert_ne!(altered, good[at]);
            let mut rows = good.clone();
            rows[at] = altered;
            assert_eq!(first_bad(&rows), Some(good[at].numbers[0]), "{:?}", rows[at]);
        }
    }
}

#[test]
fn bytes_moved_between_neighbouring_fields_are_found() {
    let good = rows(2);
    for field in 0..good[0].texts.len() - 1 {
        let mut rows = good.clone();
        let moved = rows[0].texts[field].pop().unwrap();
        rows[0].texts[field + 1].insert(0, moved);
        assert_eq!(first_bad(&rows), Some(1), "{field}");
    }
}

#[test]
fn a_removed_row_is_found_at_its_place() {
    for at in 0..4 {
        let mut rows = rows(5);
        rows.remove(at);
        let seq = i64::try_from(at).unwrap() + 1;
        assert_eq!(verified(&rows), Err(FirstBad { seq, why: Why::Missing { found: seq + 1 } }));
        // Also when those behind it were counted anew.
        for (place, row) in rows.iter_mut().enumerate().skip(at) {
            row.numbers[0] = i64::try_from(place).unwrap() + 1;
        }
        assert_eq!(first_bad(&rows), Some(seq));
    }
}

#[test]
fn rows_removed_at_the_end_show_in_the_head() {
    let rows = rows(5);
    let kept = verified(&rows).unwrap();
    assert_ne!(verified(&rows[..4]).unwrap(), kept);
}

#[test]
fn a_swapped_pair_is_found_at_its_first_place() {
    for (one, other) in [(0, 1), (0, 3), (2, 3), (1, 3)] {
        let good = rows(4);
        let mut swapped = good.clone();
        swapped.swap(one, other);
        assert_eq!(first_bad(&swapped), Some(good[one].numbers[0]));
        // Also when each took the other's number, or the other's number and its chaining too.
        swapped[one].numbers[0] = good[one].numbers[0];
        swapped[other].numbers[0] = good[other].numbers[0];
        assert_eq!(first_bad(&swapped), Some(good[one].numbers[0]));
        for at in [one, other] {
            swapped[at].prev.clone_from(&good[at].prev);
            swapped[at].mac.clone_from(&good[at].mac);
        }
        assert_eq!(first_bad(&swapped), Some(good[one].numbers[0]));
    }
}

#[test]
fn a_repeated_or_inserted_row_is_found() {
    let mut rows = rows(3);
    rows.insert(1, rows[0].clone());
    assert_eq!(verified(&rows), Err(FirstBad { seq: 2, why: Why::Missing { found: 1 } }));
}

#[test]
fn another_key_or_workspace_verifies_nothing() {
    let rows = rows(2);
    for (material, workspace) in
        [(&b"other material, thirty-two bytes.."[..], "default"), (MATERIAL, "other")]
    {
        let key = AuditKey::derive(material, workspace).unwrap();
        let bad = verify(&key, Head::START, rows.iter().map(Owned::stored)).unwrap_err();
        assert_eq!(bad, FirstBad { seq: 1, why: Why::Row });
    }
}

#[test]
fn a_row_out_of_turn_is_not_appended() {
    let key = key();
    let rows = rows(2);
    let mut chain = Chain::after(&key, Head::START);
    assert!(chain.append(&rows[1].stored().row).is_err());
    assert_eq!(chain.head(), Head::START);
}

#[test]
fn weak_material_is_refused() {
    assert_eq!(AuditKey::derive(&[1; 31], "w").err(), Some(MaterialError::TooShort));
    assert_eq!(AuditKey::derive(&[], "w").err(), Some(MaterialError::TooShort));
    assert_eq!(AuditKey::derive(&[0; 64], "w").err(), Some(MaterialError::NotRandom));
}

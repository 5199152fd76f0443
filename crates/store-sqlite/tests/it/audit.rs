//! The chain of the audit log over a real database: whatever single byte is changed, its row is named.

use std::{fmt::Write as _, sync::Arc};

use names::{Label, RequestId};
use seal::{Kek, KekId, Keyring};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use store::{
    Admin as _, ApiBasePolicy, AuditLog as _, Caller, NewExperiment, Parts, Settings, Store, System, Tag,
    suite::tables::Home as _,
};

use crate::home::{Folder, home};

/// Columns that hold text or bytes.
const BYTES: [&str; 10] = [
    "actor",
    "actor_kind",
    "action",
    "object",
    "outcome",
    "request_id",
    "detail",
    "prev",
    "mac",
    "workspace",
];
/// Columns that hold numbers.
const NUMBERS: [&str; 3] = ["seq", "at", "revision"];
const ROWS: i64 = 6;

struct Any;

#[async_trait::async_trait]
impl ApiBasePolicy for Any {
    async fn allowed_hosts(&self, _: &str) -> Result<Vec<String>, String> {
        Err("none".to_owned())
    }
}

async fn store(folder: &Folder) -> Store {
    let mut bytes = [7; 32];
    bytes[0] = 1;
    let kek = Kek::from_bytes(KekId::parse("k1").unwrap(), &bytes);
    let parts = Parts {
        tables: folder.tables(),
        keyring: Keyring::new(kek.unwrap()),
        policy: Arc::new(Any),
        clock: Arc::new(System),
        entropy: Arc::new(System),
    };
    let store = Store::open(parts, Settings::default()).await.unwrap();
    for number in 0..ROWS {
        let caller = Caller {
            actor: Some(names::Actor::parse("ann").unwrap()),
            request_id: RequestId::from_random(7),
        };
        let new = NewExperiment {
            name: Label::parse(&format!("experiment {number}")).unwrap(),
            artifact_location: None,
            tags: Vec::<Tag>::new(),
        };
        store.create_experiment(&caller, new).await.unwrap();
    }
    store
}

#[tokio::test]
async fn any_single_changed_byte_names_its_row() {
    let folder = home("audit").await.unwrap();
    let store = store(&folder).await;
    assert_eq!(store.verify_audit().await.unwrap().seq, ROWS);
    let options = SqliteConnectOptions::new().filename(folder.file());
    let mut hand = SqliteConnection::connect_with(&options).await.unwrap();
    for trigger in ["audit_no_update", "audit_no_delete"] {
        run(&mut hand, format!("DROP TRIGGER {trigger}")).await;
    }

    let mut tried = 0;
    for seq in [1, 3, ROWS] {
        for column in BYTES {
            let select =
                format!("SELECT CAST({column} AS BLOB), typeof({column}) FROM audit WHERE seq = {seq}");
            let row = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_one(&mut hand).await.unwrap();
            let (original, kind): (Vec<u8>, String) = (row.get(0), row.get(1));
            // The first, the last, and some between.
            let step = (original.len() / 5).max(1);
            let offsets = (0..original.len()).step_by(step).chain([original.len() - 1]);
            for (offset, flip) in offsets.flat_map(|offset| [(offset, 1_u8), (offset, 0x80)]) {
                let mut changed = original.clone();
                changed[offset] ^= flip;
                put(&mut hand, seq, column, &kind, &changed).await;
                assert_bad(&store, seq, &format!("{column} {offset} {flip}")).await;
                // A workspace that is another one is found by its number there.
                let place = if column == "workspace" { &changed } else { &b"default"[..].to_vec() };
                put_in(&mut hand, place, seq, column, &kind, &original).await;
                tried += 1;
            }
        }
        for column in NUMBERS {
            for bit in [0, 3, 40] {
                let original =
                    format!("UPDATE audit SET {column} = {column} + {} WHERE seq = {seq}", 1_i64 << bit);
                if column == "seq" {
                    let far = 1_000 + (1_i64 << bit);
                    run(&mut hand, format!("UPDATE audit SET seq = {far} WHERE seq = {seq}")).await;
                    assert_bad(&store, seq, "seq").await;
                    run(&mut hand, format!("UPDATE audit SET seq = {seq} WHERE seq = {far}")).await;
                } else {
                    run(&mut hand, original).await;
                    assert_bad(&store, seq, column).await;
                    let back =
                        format!("UPDATE audit SET {column} = {column} - {} WHERE seq = {seq}", 1_i64 << bit);
                    run(&mut hand, back).await;
                }
                tried += 1;
            }
        }
        for column in ["object_version", "source"] {
            run(&mut hand, format!("UPDATE audit SET {column} = 1 WHERE seq = {seq}")).await;
            assert_bad(&store, seq, column).await;
            run(&mut hand, format!("UPDATE audit SET {column} = NULL WHERE seq = {seq}")).await;
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(store.verify_audit().await.unwrap().first_bad, None, "everything was put back");
    run(&mut hand, "DELETE FROM audit WHERE seq = 2".to_owned()).await;
    assert_bad(&store, 2, "deleted").await;
}

async fn assert_bad(store: &Store, seq: i64, what: &str) {
    let verdict = store.verify_audit().await.unwrap();
    let bad = verdict.first_bad.unwrap_or_else(|| panic!("{what} of row {seq} was not noticed"));
    assert_eq!((bad.seq, verdict.seq), (seq, seq - 1), "{what}: {}", bad.why);
}

async fn put(hand: &mut SqliteConnection, seq: i64, column: &str, kind: &str, bytes: &[u8]) {
    put_in(hand, b"default", seq, column, kind, bytes).await;
}

async fn put_in(hand: &mut SqliteConnection, place: &[u8], seq: i64, column: &str, kind: &str, bytes: &[u8]) {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    let statement = format!(
        "UPDATE audit SET {column} = CAST(x'{}' AS {kind}) WHERE seq = {seq} AND workspace = CAST(x'{}' AS TEXT)",
        hex(bytes),
        hex(place)
    );
    run(hand, statement).await;
}

async fn run(hand: &mut SqliteConnection, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(hand).await.unwrap();
}

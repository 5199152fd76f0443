//! Reads the table of deliberate differences beside the recordings, so that it cannot say what is not so.

use std::collections::BTreeMap;

/// One row: what MLflow answers, what Keyward answers (status and `error_code`), and how its message goes.
pub(super) struct Difference {
    pub(super) mlflow: String,
    pub(super) keyward: String,
    pub(super) message: String,
}

/// The rows by recording and case, e.g. `3.17.2 raw.unknown_route`.
pub(super) fn all() -> BTreeMap<String, Difference> {
    let table = include_str!("../../golden/mlflow/differences.md");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let all: BTreeMap<_, _> = rows.map(row).collect();
    assert!(!all.is_empty());
    all
}

fn row(line: &str) -> (String, Difference) {
    let cells: Vec<_> = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let [case, mlflow, keyward, message, why] =
        cells.try_into().unwrap_or_else(|_| panic!("five cells: {line}"));
    assert!(!why.is_empty(), "a reason: {line}");
    let plain = |cell: String| cell.trim_matches('`').to_owned();
    (plain(case), Difference { mlflow: plain(mlflow), keyward: plain(keyward), message: plain(message) })
}

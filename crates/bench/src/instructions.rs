//! Instructions in user space that a unary request costs, counted by callgrind: the figure that repeats on any machine.
//!
//! A subject runs twice, with a different number of requests; the difference of the two counts knows nothing of its start
//! and its end.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::{
    measure,
    subject::{Ground, Kind},
};

/// Connections of the load tool. Under valgrind the subject is always the slow one, so it is at saturation.
const CONNECTIONS: usize = 16;
/// Requests before the first that is counted, so that both runs have their connections and caches.
const FIRST: usize = 320;

/// Instructions of one request. `profiles`: where callgrind's files are kept, if they are.
pub(crate) async fn of(
    kind: Kind,
    ground: &Ground,
    requests: usize,
    profiles: Option<&Path>,
) -> anyhow::Result<Option<u64>> {
    let folder = tempfile::tempdir()?;
    let folder = profiles.unwrap_or(folder.path());
    std::fs::create_dir_all(folder).context("the folder of profiles")?;
    let file = |length: &str| folder.join(format!("{} {length}.callgrind", kind.name()).replace(' ', "-"));
    let less = run(kind, ground, FIRST, file("short")).await.context("the shorter run")?;
    let more = run(kind, ground, FIRST + requests, file("long")).await.context("the longer run")?;
    // What the load tool rounds away when it shares requests among its connections is not made.
    let made = (FIRST + requests) / CONNECTIONS * CONNECTIONS - FIRST / CONNECTIONS * CONNECTIONS;
    ensure!(made > 0, "too few requests to count: give at least {CONNECTIONS}");
    Ok(less.zip(more).map(|(less, more)| more.saturating_sub(less) / made as u64))
}

/// Instructions of a whole process that answered `requests`.
async fn run(kind: Kind, ground: &Ground, requests: usize, file: PathBuf) -> anyhow::Result<Option<u64>> {
    let Some(mut subject) = kind.start(ground, Some(file.clone())).await? else { return Ok(None) };
    measure::within(measure::unary(&subject, ground, CONNECTIONS, requests)).await?;
    for process in subject.processes.drain(..) {
        process.end().await?;
    }
    let counts = std::fs::read_to_string(&file).context("what callgrind wrote")?;
    let total = counts.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    Ok(Some(total.context("callgrind's totals")?.trim().parse()?))
}

//! The measurements that every subject goes through.

use std::time::Duration;

use anyhow::Context as _;

use crate::{
    Run,
    load::{self, Outcome},
    process::Used,
    subject::{Ground, Subject},
};

/// Streams read at once for the highest chunk rate, and chunks of each.
pub(crate) const FAST: (usize, usize) = (16, 20_000);
/// Requests a second for the added latency.
pub(crate) const PACE: u32 = 500;
/// No measurement takes longer; one that does ends the run.
const MEASUREMENT_MAX: Duration = Duration::from_mins(3);

/// One subject in one round. What the upstream itself has no process for is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    /// Resident memory after the start, in MB.
    pub(crate) idle: Option<f64>,
    /// CPU time of a request at saturation, in µs.
    pub(crate) unary_cpu: Option<f64>,
    /// Requests a second at saturation, on the wall's clock.
    pub(crate) unary_rate: Option<f64>,
    /// Latency at [`PACE`], in µs: p50 and p99.
    pub(crate) latency: [Option<f64>; 2],
    /// CPU time of a chunk of paced streams, in µs.
    pub(crate) chunk_cpu: Option<f64>,
    /// Chunks a second that were reached with paced streams.
    pub(crate) chunk_rate: Option<f64>,
    /// Resident memory of an open stream, in KiB.
    pub(crate) stream_memory: Option<f64>,
    /// Chunks a second of CPU time, at full speed.
    pub(crate) fast_rate: Option<f64>,
}

/// Everything once. Streams go first: what requests leave behind in the allocator would hide what streams take.
pub(crate) async fn all(run: &Run, ground: &Ground, subject: &Subject) -> anyhow::Result<Row> {
    let mut row = Row { idle: used(subject)?.map(|used| count(used.resident) / 1e6), ..Row::default() };
    within(unary(subject, ground, 1, 50)).await.context("the first calls")?;
    streams(run, ground, subject, &mut row).await.context("streams")?;
    within(unary(subject, ground, run.connections, run.requests / 10)).await.context("warm up")?;

    let before = used(subject)?;
    let outcome =
        within(unary(subject, ground, run.connections, run.requests)).await.context("saturation")?;
    row.unary_cpu = per(before, used(subject)?, outcome.calls());
    row.unary_rate = Some(count(outcome.calls()) / outcome.took.as_secs_f64());

    let target = subject.target(&ground.models.unary, false);
    let outcome = within(load::paced(&subject.url, &target, PACE, run.paced)).await.context("latency")?;
    row.latency = [0.5, 0.99].map(|share| Some(outcome.quantile(share).as_secs_f64() * 1e6));

    let target = subject.target(&ground.models.fast, true);
    let before = used(subject)?;
    within(load::saturate(&subject.url, &target, FAST.0, FAST.0)).await.context("fast streams")?;
    row.fast_rate = per(before, used(subject)?, (FAST.0 * FAST.1) as u64).map(|micros| 1e6 / micros);
    Ok(row)
}

/// Unary calls as fast as they go.
pub(crate) async fn unary(
    subject: &Subject,
    ground: &Ground,
    connections: usize,
    requests: usize,
) -> anyhow::Result<Outcome> {
    let target = subject.target(&ground.models.unary, false);
    load::saturate(&subject.url, &target, connections, requests).await
}

async fn streams(run: &Run, ground: &Ground, subject: &Subject, row: &mut Row) -> anyhow::Result<()> {
    let target = subject.target(&ground.models.paced, true);
    let before = used(subject)?;
    let mut midway = None;
    let open = load::streams(&subject.url, &target, run.streams, || {
        midway = used(subject)?;
        Ok(())
    });
    let outcome = within(open).await?;
    let chunks = (run.streams * run.chunks) as u64;
    row.chunk_cpu = per(before, used(subject)?, chunks);
    let longest = outcome.quantile(1.0).as_secs_f64();
    row.chunk_rate = Some(count(chunks) / longest);
    row.stream_memory = before.zip(midway).map(|(before, midway)| {
        count(midway.resident.saturating_sub(before.resident)) / 1024.0 / count(run.streams as u64)
    });
    Ok(())
}

fn used(subject: &Subject) -> anyhow::Result<Option<Used>> {
    subject.used()
}

/// Microseconds of CPU time for each of `number`.
fn per(before: Option<Used>, after: Option<Used>, number: u64) -> Option<f64> {
    let (before, after) = before.zip(after)?;
    Some((after.cpu.saturating_sub(before.cpu)).as_secs_f64() * 1e6 / count(number))
}

fn count(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let count = number as f64;
    count
}

/// Ends a measurement that does not end.
pub(crate) async fn within<T>(measurement: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(MEASUREMENT_MAX, measurement).await.context("it did not end in time")?
}

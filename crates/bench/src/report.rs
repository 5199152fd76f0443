//! Runs every subject through the same measurements and prints one table.

use std::time::Duration;

use anyhow::Context as _;

use crate::{
    Run, load,
    process::{OTHERS, Process},
    subject::{self, Models, Subject},
};

/// One row.
struct Row {
    name: &'static str,
    idle: Option<u64>,
    unary_cpu: Option<f64>,
    unary_rate: f64,
    paced: [Duration; 3],
    chunk_cpu: Option<f64>,
    stream_memory: Option<u64>,
    fast_rate: Option<f64>,
}

/// Streams read at once for the highest chunk rate, and chunks of each.
const FAST: (usize, usize) = (16, 20_000);

/// Measures everything.
pub(crate) async fn run(run: &Run) -> anyhow::Result<()> {
    let this = std::env::current_exe().context("this binary")?;
    let upstream = Process::start(OTHERS, &this, &["upstream"], &[]).await?;
    let models = Models {
        unary: "u".to_owned(),
        paced: format!("s-{}-100", run.chunks),
        fast: format!("s-{}-0", FAST.1),
    };
    let mut rows = Vec::new();
    let mut missing = Vec::new();
    rows.push(measure(run, &subject::direct(&upstream.url), &models).await?);
    match subject::nginx(&upstream.url).await? {
        Some(nginx) => rows.push(measure(run, &nginx, &models).await?),
        None => missing.push("nginx is not installed: its row is missing"),
    }
    rows.push(measure(run, &subject::bare(&upstream.url).await?, &models).await?);
    rows.push(measure(run, &subject::keyward(&run.keyward, &upstream.url, &models).await?, &models).await?);
    print(run, &rows);
    for line in missing {
        println!("{line}");
    }
    Ok(())
}

async fn measure(run: &Run, subject: &Subject, models: &Models) -> anyhow::Result<Row> {
    println!("measuring: {}", subject.name);
    let (url, unary) = (&subject.url, subject.target(&models.unary, false));
    let idle = resident(subject)?;
    load::saturate(url, &unary, run.connections, run.requests / 10).await.context("warm up")?;

    let before = cpu(subject)?;
    let outcome =
        load::saturate(url, &unary, run.connections, run.requests).await.context("unary at saturation")?;
    let unary_cpu = per(before, cpu(subject)?, outcome.latencies.len());
    let unary_rate = rate(outcome.latencies.len(), outcome.took);

    let outcome = load::paced(url, &unary, 500, run.paced).await.context("unary at 500 a second")?;
    let paced = [0.5, 0.99, 0.999].map(|share| outcome.quantile(share));

    let target = subject.target(&models.paced, true);
    let (before, memory_before) = (cpu(subject)?, resident(subject)?);
    let mut memory = None;
    load::streams(url, &target, run.streams, || {
        memory = resident(subject)?;
        Ok(())
    })
    .await
    .context("streams")?;
    let chunk_cpu = per(before, cpu(subject)?, run.streams * run.chunks);
    let stream_memory = memory
        .zip(memory_before)
        .map(|(with, without)| with.saturating_sub(without) / u64::try_from(run.streams).unwrap_or(1).max(1));

    let target = subject.target(&models.fast, true);
    let before = cpu(subject)?;
    load::saturate(url, &target, FAST.0, FAST.0).await.context("streams as fast as they go")?;
    let fast_rate = per(before, cpu(subject)?, FAST.0 * FAST.1).map(|micros| 1e6 / micros);

    Ok(Row { name: subject.name, idle, unary_cpu, unary_rate, paced, chunk_cpu, stream_memory, fast_rate })
}

fn cpu(subject: &Subject) -> anyhow::Result<Option<Duration>> {
    subject.process.as_ref().map(|process| Ok(process.used()?.cpu)).transpose()
}

fn resident(subject: &Subject) -> anyhow::Result<Option<u64>> {
    subject.process.as_ref().map(|process| Ok(process.used()?.resident)).transpose()
}

/// Microseconds of CPU time for each of `count`.
fn per(before: Option<Duration>, after: Option<Duration>, count: usize) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let count = count as f64;
    before.zip(after).map(|(before, after)| (after.saturating_sub(before)).as_secs_f64() * 1e6 / count)
}

fn rate(count: usize, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let count = count as f64;
    count / took.as_secs_f64()
}

fn print(run: &Run, rows: &[Row]) {
    println!(
        "\n{} connections at saturation, {} requests; {} streams of {} chunks, ten a second; 1 KiB answers, 0.7 KiB questions,",
        run.connections, run.requests, run.streams, run.chunks
    );
    println!(
        "HTTP/1.1 keep-alive, no TLS. Measured process on its own processor. CPU is user + system time of the process.\n"
    );
    println!(
        "| | CPU µs per request | requests/s | latency at 500/s, µs: p50 / p99 / p99.9 | CPU µs per chunk | KiB per stream | chunks per CPU second | idle MB |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for row in rows {
        let [p50, p99, p999] = row.paced.map(|latency| latency.as_micros());
        println!(
            "| {} | {} | {:.0} | {p50} / {p99} / {p999} | {} | {} | {} | {} |",
            row.name,
            cell(row.unary_cpu.map(|value| format!("{value:.1}"))),
            row.unary_rate,
            cell(row.chunk_cpu.map(|value| format!("{value:.1}"))),
            cell(row.stream_memory.map(|bytes| format!("{}", bytes / 1024))),
            cell(row.fast_rate.map(|rate| format!("{rate:.0}"))),
            cell(row.idle.map(|bytes| format!("{}", bytes / 1_000_000))),
        );
    }
    let of = |name: &str| rows.iter().find(|row| row.name.starts_with(name));
    if let (Some(bare), Some(ours)) = (of("axum"), of("keyward")) {
        let ratio = |ours: Option<f64>, bare: Option<f64>| {
            ours.zip(bare).map(|(ours, bare)| format!("{:.2}", ours / bare))
        };
        println!(
            "\nkeyward against axum + reqwest in this run: {} × CPU per request (goal ≤ 1.5), {} × CPU per chunk (goal ≤ 1.2)",
            cell(ratio(ours.unary_cpu, bare.unary_cpu)),
            cell(ratio(ours.chunk_cpu, bare.chunk_cpu)),
        );
    }
}

fn cell(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

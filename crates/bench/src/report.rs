//! Runs every subject through the same measurements, round after round, and prints what was measured.

use anyhow::Context as _;

use crate::{
    Run, binary, conditions, instructions,
    measure::{self, FAST, PACE, Row},
    process::{self, Processor, Start},
    subject::{Ground, Kind, Models},
};

/// A subject and what was measured of it in every round.
struct Rows {
    kind: Kind,
    rounds: Vec<Row>,
    instructions: Option<u64>,
}

/// Takes one figure out of a row.
type Cell = fn(&Row) -> Option<f64>;

/// Measures everything.
pub(crate) async fn run(run: &Run) -> anyhow::Result<()> {
    let keyward = binary::keyward(run.keyward.as_deref()).await?;
    let this = std::env::current_exe().context("this binary")?;
    let upstream = Start { processor: Processor::Others, ..Start::measured(&this, &["upstream"]) };
    let upstream = upstream.start().await?;
    let models = Models {
        unary: "u".to_owned(),
        paced: format!("s-{}-100", run.chunks),
        fast: format!("s-{}-0", FAST.1),
    };
    let ground = Ground { upstream: upstream.url.clone(), keyward, models };
    let wanted = |kind: &Kind| run.only.as_ref().is_none_or(|only| kind.name().contains(only));
    let mut all: Vec<Rows> = Kind::ALL
        .into_iter()
        .filter(wanted)
        .map(|kind| Rows { kind, rounds: Vec::new(), instructions: None })
        .collect();
    let mut loads = vec![conditions::load()];
    for round in 1..=run.rounds.max(1) {
        // Subject after subject in every round, so that a busy minute of the machine does not fall on one of them alone.
        for rows in &mut all {
            measure(run, &ground, rows, round)
                .await
                .with_context(|| format!("measure {}", rows.kind.name()))?;
        }
        loads.push(conditions::load());
    }
    count(run, &ground, &mut all).await?;
    print(run, &all, &loads);
    Ok(())
}

async fn measure(run: &Run, ground: &Ground, rows: &mut Rows, round: usize) -> anyhow::Result<()> {
    let Some(subject) = rows.kind.start(ground, None).await? else {
        println!("round {round}: {} is not installed", rows.kind.name());
        return Ok(());
    };
    println!("round {round}: {}", rows.kind.name());
    rows.rounds.push(measure::all(run, ground, &subject).await?);
    Ok(())
}

async fn count(run: &Run, ground: &Ground, all: &mut [Rows]) -> anyhow::Result<()> {
    if run.counted == 0 || !process::counts_instructions() {
        println!("instructions are not counted: valgrind is not installed, or `--counted 0` was given");
        return Ok(());
    }
    for rows in all.iter_mut().filter(|rows| matches!(rows.kind, Kind::Bare | Kind::Serve | Kind::Quiet)) {
        println!("counting instructions: {}", rows.kind.name());
        let counted = instructions::of(rows.kind, ground, run.counted, run.profiles.as_deref()).await;
        rows.instructions = counted.with_context(|| format!("count those of {}", rows.kind.name()))?;
    }
    Ok(())
}

impl Rows {
    /// The middle of the rounds.
    fn middle(&self, cell: impl Fn(&Row) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(cell).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    /// The lowest and the highest of the rounds.
    fn span(&self, cell: impl Fn(&Row) -> Option<f64>) -> Option<(f64, f64)> {
        let values = || self.rounds.iter().filter_map(&cell);
        Some((values().min_by(f64::total_cmp)?, values().max_by(f64::total_cmp)?))
    }
}

/// Each cell is the middle of the rounds; where noise shows, the lowest and the highest stand beside it.
fn print(run: &Run, all: &[Rows], loads: &[String]) {
    println!();
    for line in conditions::lines() {
        println!("{line}");
    }
    println!(
        "{} rounds by fresh processes, the middle of them shown (lowest – highest beside it); {} connections and {} requests at saturation; {} streams of {} chunks, ten a second each; {} streams of {} chunks at full speed; {} requests at {PACE}/s.",
        run.rounds, run.connections, run.requests, run.streams, run.chunks, FAST.0, FAST.1, run.paced,
    );
    println!("Load average of the machine before each round and at the end: {}.\n", loads.join(", "));
    unary(all);
    println!();
    streams(all);
    println!();
    goals(all);
}

fn unary(all: &[Rows]) {
    let direct = all.iter().find(|rows| rows.kind == Kind::Direct);
    println!(
        "| one call, unary | CPU µs | requests/s | added p50 / p99 at {PACE}/s, µs | instructions | idle MB |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for rows in all.iter().filter(|rows| !rows.rounds.is_empty()) {
        let added = [0, 1].map(|at: usize| {
            let of = |rows: &Rows| rows.middle(|row| row.latency[at]);
            let added = direct.and_then(of).zip(of(rows)).map(|(direct, ours)| ours - direct);
            cell(added.filter(|_| rows.kind != Kind::Direct), 0)
        });
        println!(
            "| {} | {} | {} | {} / {} | {} | {} |",
            rows.kind.name(),
            spread(rows, |row| row.unary_cpu),
            cell(rows.middle(|row| row.unary_rate), 0),
            added[0],
            added[1],
            rows.instructions.map_or_else(none, |instructions| instructions.to_string()),
            cell(rows.middle(|row| row.idle), 1),
        );
    }
    if let Some(direct) = direct {
        let [p50, p99] = [0, 1].map(|at: usize| cell(direct.middle(|row| row.latency[at]), 0));
        println!("\nThe upstream's own p50 / p99, to which the others add: {p50} / {p99} µs.");
    }
}

fn streams(all: &[Rows]) {
    println!(
        "| streams | CPU µs per chunk | chunks/s reached | KiB per stream | chunks per CPU second, full speed |"
    );
    println!("|---|--:|--:|--:|--:|");
    for rows in all.iter().filter(|rows| !rows.rounds.is_empty()) {
        println!(
            "| {} | {} | {} | {} | {} |",
            rows.kind.name(),
            spread(rows, |row| row.chunk_cpu),
            cell(rows.middle(|row| row.chunk_rate), 0),
            spread(rows, |row| row.stream_memory),
            cell(rows.middle(|row| row.fast_rate), 0),
        );
    }
}

/// What this run says of each goal; a ratio is one between rows of this run.
fn goals(all: &[Rows]) {
    let of = |kind: Kind| all.iter().find(|rows| rows.kind == kind && !rows.rounds.is_empty());
    let value = |kind: Kind, cell: Cell| of(kind).and_then(|rows| rows.middle(cell));
    let ratio = |kind: Kind, cell: Cell| {
        value(kind, cell).zip(value(Kind::Bare, cell)).map(|(ours, bare)| ours / bare)
    };
    let (unary, chunk): (Cell, Cell) = (|row| row.unary_cpu, |row| row.chunk_cpu);
    println!("| goal | this run |\n|---|--:|");
    let instructions = of(Kind::Serve).and_then(|rows| rows.instructions);
    for (goal, measured) in [
        ("serve: CPU per request ≤ 1.5 × axum + reqwest", cell(ratio(Kind::Serve, unary), 2)),
        ("the same, without the log line", cell(ratio(Kind::Quiet, unary), 2)),
        ("serve: CPU per chunk ≤ 1.2 × axum + reqwest", cell(ratio(Kind::Serve, chunk), 2)),
        (
            "serve: ≤ 130,000 instructions per request",
            instructions.map_or_else(none, |count| count.to_string()),
        ),
        ("serve: ≤ 64 KiB per open stream", cell(value(Kind::Serve, |row| row.stream_memory), 1)),
        ("serve: ≤ 40 MB idle", cell(value(Kind::Serve, |row| row.idle), 1)),
        ("serve: ≥ 124,000 chunks per CPU second", cell(value(Kind::Serve, |row| row.fast_rate), 0)),
        ("edge + forwarder: ≤ 150 µs CPU per request", cell(value(Kind::Apart, unary), 1)),
        ("edge + forwarder: ≤ 35 µs CPU per chunk", cell(value(Kind::Apart, chunk), 1)),
    ] {
        println!("| {goal} | {measured} |");
    }
}

fn spread(rows: &Rows, of: Cell) -> String {
    match (rows.middle(of), rows.span(of)) {
        (Some(middle), Some((low, high))) => format!("{middle:.1} ({low:.1} – {high:.1})"),
        _ => none(),
    }
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(none, |value| format!("{value:.digits$}"))
}

fn none() -> String {
    "–".to_owned()
}

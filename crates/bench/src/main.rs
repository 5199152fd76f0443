//! What a call costs: Keyward beside a bare axum + reqwest proxy, beside nginx where it is installed, and beside the
//! upstream called directly, all in one run on one machine.
//!
//! CPU time of the measured processes (user + system, from `/proc/PID/stat`) is the figure that holds on a noisy machine;
//! wall-clock figures are printed as what they are. The load tool and the upstream run on one processor, the measured
//! processes on another, where there are two and `taskset` is there to say so. Every run is bounded in count and time.
#![expect(clippy::print_stdout, reason = "a command-line tool whose output is its product")]

mod bare;
mod binary;
mod conditions;
mod instructions;
mod keyward;
mod load;
mod measure;
mod process;
mod report;
mod subject;
mod upstream;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Measures what a call costs")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure everything and print the tables
    Run(Run),
    /// The bare proxy (axum + reqwest) that Keyward is compared with
    Bare {
        /// Where to send everything
        #[arg(long)]
        upstream: String,
    },
    /// The upstream: 1 KiB answers, and streams of about 260-byte chunks
    Upstream,
}

/// How much to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// A release binary of Keyward; without it, one is built from this workspace
    #[arg(long)]
    keyward: Option<PathBuf>,
    /// How often everything is measured, each time by fresh processes; the tables show the middle
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Unary requests at saturation
    #[arg(long, default_value_t = 30_000)]
    requests: usize,
    /// Connections at saturation
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Streams open at once
    #[arg(long, default_value_t = 1_000)]
    streams: usize,
    /// Chunks of each stream, ten a second
    #[arg(long, default_value_t = 40)]
    chunks: usize,
    /// Requests at 500 a second, for the added latency
    #[arg(long, default_value_t = 2_500)]
    paced: usize,
    /// Requests whose instructions are counted, where valgrind is installed; 0: do not count
    #[arg(long, default_value_t = 1_000)]
    counted: usize,
    /// Keep what callgrind wrote in this folder, for `callgrind_annotate`
    #[arg(long)]
    profiles: Option<PathBuf>,
    /// Measure only what has this in its name
    #[arg(long)]
    only: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let command = CommandLine::parse().command;
    if matches!(command, Command::Run(_)) {
        // Before the runtime's threads are there, so that they are on it too.
        process::stay_beside_the_measured();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(async {
        match command {
            Command::Run(run) => report::run(&run).await,
            Command::Bare { upstream } => bare::serve(upstream).await,
            Command::Upstream => upstream::serve().await,
        }
    })
}

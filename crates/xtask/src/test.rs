//! `cargo xtask test`: does its own set-up, runs every test, cleans up, says what could not run here.

mod clients;
mod doc;
mod not_run;
mod postgres;
mod runner;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;
use not_run::NotRun;
use postgres::Cluster;

/// What to test.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Tests that take a sample of a large set take all of it (`KEYWARD_TEST_ALL=1`).
    #[arg(long)]
    all: bool,
    /// Fails where something is not run that `crates/xtask/not-run.allowed` does not name, as CI does.
    #[arg(long)]
    strict: bool,
    /// Only these crates.
    #[arg(short, long)]
    package: Vec<String>,
    /// Only tests whose name contains one of these.
    filters: Vec<String>,
}

/// Variables that tests read. `crates/e2e` and the database crates name them too.
mod variable {
    /// URL of a superuser on a cluster where every test makes its own database.
    pub(super) const POSTGRES_URL: &str = "KEYWARD_TEST_POSTGRES_URL";
    /// Set instead of the URL: why there is no cluster. Tests that need one return.
    pub(super) const POSTGRES_MISSING: &str = "KEYWARD_TEST_POSTGRES_MISSING";
    /// The folder of the pinned clients: `dec2025/bin/python`, `now/bin/python`, `node/node_modules`.
    pub(super) const CLIENTS: &str = "KEYWARD_TEST_CLIENTS";
    /// A file to which a test that cannot run here appends a line `name: reason`.
    pub(super) const NOT_RUN: &str = "KEYWARD_TEST_NOT_RUN";
    /// Set to 1 by `--all`.
    pub(super) const ALL: &str = "KEYWARD_TEST_ALL";
}

/// Sets up, runs, cleans up, reports. The runner's own summary is the last thing on stdout.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut not_run = NotRun::new(workspace)?;
    let clients = clients::prepare(workspace, &mut not_run)?;
    build(workspace, options)?;
    let documented = doc::run(workspace, options)?;

    let mut tests = runner::command(workspace, options);
    tests.env(variable::CLIENTS, clients).env(variable::NOT_RUN, not_run.file());
    if options.all {
        tests.env(variable::ALL, "1");
    }
    // Started last, stopped when it goes out of scope: on success, failure, a signal, a panic.
    let cluster = Cluster::start();
    match &cluster {
        Ok(cluster) => tests.env(variable::POSTGRES_URL, cluster.url()),
        Err(error) => {
            let reason = format!("{error:#}");
            not_run.add("postgres", &reason);
            tests.env(variable::POSTGRES_MISSING, reason)
        }
    };
    let tested = runner::run(tests, runner::Summary::of(workspace))?;
    drop(cluster);

    let grown = not_run.report(workspace)?;
    for line in documented.summary.iter().chain(&tested.summary) {
        println!("{line}");
    }
    let passed = documented.passed && tested.passed && !(options.strict && grown);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds tests and programs in one go: one set of features, and the programs that end-to-end tests start are there.
fn build(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut build = workspace.cargo();
    build.args(["build", "--bins", "--tests"]);
    select(&mut build, options);
    if !build.status().context("cargo build")?.success() {
        bail!("the workspace does not build");
    }
    Ok(())
}

/// The crates that were asked for, and with `e2e` those whose programs it starts. Every step takes the same ones:
/// another choice would mean other features, and dependencies built once more.
fn select(command: &mut std::process::Command, options: &Options) {
    if options.package.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.package {
        command.args(["--package", package]);
    }
    if options.package.iter().any(|package| package == "e2e") {
        command.args(["--package", "keyward", "--package", "provider-sim"]);
    }
}

//! Workspace chores: `cargo xtask test`, `lint`, `tidy`. No tool needs to be installed first.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to who runs it")]

mod lint;
mod machine;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use workspace::Workspace;

/// Workspace chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs the tests: makes a throw-away Postgres, installs the pinned clients, builds, runs, cleans up.
    Test(test::Options),
    /// Checks format, clippy and `tidy`.
    Lint,
    /// Holds the workspace to the rules of the house that no other tool knows.
    Tidy,
}

fn main() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match Arguments::parse().chore {
        Chore::Test(options) => test::run(&workspace, &options),
        Chore::Lint => lint::run(&workspace),
        Chore::Tidy => tidy::run(&workspace),
    }
}

//! Examples in doc comments and in the READMEs that are doc comments, which nextest does not run.

use anyhow::Result;

use super::{
    Options,
    runner::{self, Outcome, Summary},
};
use crate::workspace::Workspace;

/// Runs those of the crates that were asked for, with the same choice of crates as the build, and so the same features.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    let mut command = workspace.cargo();
    command.args(["test", "--doc", "--no-fail-fast"]);
    if options.package.is_empty() {
        command.arg("--workspace");
    }
    let mut libraries = workspace.metadata.workspace_packages();
    libraries.retain(|package| package.targets.iter().any(cargo_metadata::Target::is_lib));
    libraries.retain(|package| options.package.iter().any(|name| package.name == *name));
    if libraries.is_empty() && !options.package.is_empty() {
        return Ok(Outcome { passed: true, summary: Vec::new() });
    }
    for package in libraries {
        command.args(["--package", &package.name]);
    }
    command.arg("--").args(&options.filters);
    let mut outcome = runner::run(command, Summary::Libtest)?;
    // Most crates have none, which is not worth a line.
    outcome.summary.retain(|line| !line.contains("ok. 0 passed"));
    Ok(outcome)
}

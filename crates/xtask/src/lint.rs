//! `cargo xtask lint`: format, clippy, tidy; all of them run, then any failure fails.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::{tidy, workspace::Workspace};

/// Runs the three; each says itself what is wrong.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let format = cargo(workspace, &["fmt", "--all", "--check"])?;
    let clippy = cargo(workspace, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    let tidy = tidy::run(workspace)? == ExitCode::SUCCESS;
    Ok(if format && clippy && tidy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Result<bool> {
    let status = workspace.cargo().args(arguments).status();
    Ok(status.with_context(|| format!("cargo {}", arguments[0]))?.success())
}

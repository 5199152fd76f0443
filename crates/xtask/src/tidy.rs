//! `cargo xtask tidy`: rules of the house that no other tool knows. Every message says why the rule is there.

mod bans;
mod examples;
mod floors;
mod migrations;
mod paths;
mod rooms;
mod sources;

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

/// What was found, to be told together at the end.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    breaches: Vec<String>,
    remarks: Vec<String>,
}

impl Findings {
    /// A rule was broken: `where_: what (why)`.
    pub(crate) fn breach(&mut self, place: &str, what: &str, why: &str) {
        self.breaches.push(format!("{place}: {what} ({why})"));
    }

    /// Something to think about, which fails nothing.
    pub(crate) fn remark(&mut self, place: &str, what: &str) {
        self.remarks.push(format!("{place}: {what}"));
    }
}

/// Holds the workspace to every rule and tells all breaches at once.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut findings = Findings::default();
    let files = workspace.files()?;
    rooms::check(workspace, &mut findings);
    bans::check(workspace, &mut findings)?;
    sources::check(workspace, &files, &mut findings)?;
    paths::check(workspace, &files, &mut findings)?;
    migrations::check(workspace, &files, &mut findings)?;
    examples::check(workspace, &files, &mut findings);

    for remark in &findings.remarks {
        println!("remark: {remark}");
    }
    for breach in &findings.breaches {
        println!("untidy: {breach}");
    }
    println!(
        "tidy: {} files, {} breaches, {} remarks",
        files.len(),
        findings.breaches.len(),
        findings.remarks.len()
    );
    Ok(if findings.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

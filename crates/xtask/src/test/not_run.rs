//! What could not be tested on this machine, by name and with the reason: never skipped silently.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

/// The list, filled by the set-up and, through a file, by tests.
#[derive(Debug)]
pub(crate) struct NotRun {
    file: PathBuf,
    reasons: BTreeMap<String, String>,
}

impl NotRun {
    /// An empty list and an empty file for the tests.
    pub(crate) fn new(workspace: &Workspace) -> Result<Self> {
        let file = workspace.target().join("not-run");
        fs::create_dir_all(workspace.target()).context("the target folder")?;
        fs::write(&file, "").with_context(|| file.display().to_string())?;
        Ok(Self { file, reasons: BTreeMap::new() })
    }

    /// Where tests append `name: reason`.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Something is not there.
    pub(crate) fn add(&mut self, name: &str, reason: &str) {
        self.reasons.insert(name.to_owned(), reason.to_owned());
    }

    /// Prints the list; whether it holds more than `crates/xtask/not-run.allowed`.
    pub(crate) fn report(mut self, workspace: &Workspace) -> Result<bool> {
        let told = fs::read_to_string(&self.file).with_context(|| self.file.display().to_string())?;
        self.reasons.extend(told.lines().map(entry));
        let allowed = workspace.root().join("crates/xtask/not-run.allowed");
        let allowed = fs::read_to_string(&allowed).with_context(|| allowed.display().to_string())?;
        let mut grown = false;
        for (name, reason) in &self.reasons {
            println!("not run on this machine: {name}: {reason}");
            if !is_allowed(&allowed, name) {
                grown = true;
                println!("  `{name}` is not in crates/xtask/not-run.allowed: CI must run it");
            }
        }
        Ok(grown)
    }
}

fn entry(line: &str) -> (String, String) {
    let (name, reason) = line.split_once(": ").unwrap_or((line, "no reason given"));
    (name.to_owned(), reason.to_owned())
}

fn is_allowed(allowed: &str, name: &str) -> bool {
    allowed.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).any(|line| line == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_allowed() {
        let allowed = "# a comment\nnginx  # not on every machine\n";
        assert!(is_allowed(allowed, "nginx"));
        assert!(!is_allowed(allowed, "postgres"));
    }

    #[test]
    fn a_test_tells_its_name_and_reason() {
        assert_eq!(entry("nginx: not installed: really"), ("nginx".into(), "not installed: really".into()));
    }
}

//! Examples in doc comments, which nextest does not run.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::{
    Options,
    runner::{self, Outcome, Summary},
};
use crate::workspace::Workspace;

/// Runs those of the crates that have any; rustdoc takes a second a crate even where there is nothing to do.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    let mut command = workspace.cargo();
    command.args(["test", "--doc", "--no-fail-fast"]);
    let mut any = false;
    for package in workspace.metadata.workspace_packages() {
        let asked = options.package.is_empty() || options.package.iter().any(|name| package.name == *name);
        let is_library = package.targets.iter().any(cargo_metadata::Target::is_lib);
        let source = package.manifest_path.with_file_name("src");
        if asked && is_library && has_examples(source.as_std_path())? {
            command.args(["--package", &package.name]);
            any = true;
        }
    }
    if !any {
        return Ok(Outcome { passed: true, summary: Vec::new() });
    }
    command.arg("--").args(&options.filters);
    runner::run(command, Summary::Libtest)
}

fn has_examples(folder: &Path) -> Result<bool> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let found = if path.is_dir() {
            has_examples(&path)?
        } else {
            path.extension().is_some_and(|extension| extension == "rs")
                && has_example(&fs::read_to_string(&path).with_context(|| path.display().to_string())?)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a doc comment holds a block that rustdoc would run.
fn has_example(source: &str) -> bool {
    let mut inside = false;
    source.lines().any(|line| {
        let line = line.trim_start();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim_start);
        let Some(language) = text.and_then(|text| text.strip_prefix("```")) else { return false };
        inside = !inside;
        inside && matches!(language.split(',').next(), Some("" | "rust" | "no_run" | "should_panic"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_blocks_are_no_examples() {
        assert!(!has_example("/// ```text\n/// a drawing\n/// ```\n"));
        assert!(has_example("/// ```text\n/// ```\n/// ```\n/// assert!(true);\n/// ```\n"));
        assert!(!has_example("let a = \"```\";\n"));
    }
}

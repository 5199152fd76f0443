//! Rules on Rust files: a first sentence, a length, no `mod.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::Findings;
use crate::workspace::Workspace;

/// A file fits a sitting.
const LINES_MEANT: usize = 400;
/// More than this is never one topic.
const LINES_MAX: usize = 600;

/// Checks every Rust file.
pub(crate) fn check(workspace: &Workspace, files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let source =
            fs::read_to_string(workspace.root().join(file)).with_context(|| file.display().to_string())?;
        one(file, &source, findings);
    }
    Ok(())
}

fn one(file: &Path, source: &str, findings: &mut Findings) {
    let place = file.display().to_string();
    if !source.starts_with("//! ") {
        findings.breach(&place, "does not begin with `//! `", "one sentence says what a file is for");
    }
    if file.file_name().is_some_and(|name| name == "mod.rs") {
        findings.breach(&place, "is a `mod.rs`", "`room.rs` beside `room/`: a tab is named after its topic");
    }
    let lines = if is_test(file) { 0 } else { lines(source) };
    if lines > LINES_MAX {
        let what = format!("has {lines} lines without its tests, more than {LINES_MAX}");
        findings.breach(&place, &what, "a file is one topic and fits a sitting");
    } else if lines > LINES_MEANT {
        findings
            .remark(&place, &format!("has {lines} lines without its tests; {LINES_MEANT} is the sitting"));
    }
}

/// Tests are data first, and data may be long.
fn is_test(file: &Path) -> bool {
    let named = |name: &str| file.iter().any(|part| part == name);
    named("tests") || named("suite") || named("tests.rs") || named("suite.rs")
}

/// Lines before the tests at the end of the file.
fn lines(source: &str) -> usize {
    source.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(file: &str, source: &str) -> Vec<String> {
        let mut findings = Findings::default();
        one(Path::new(file), source, &mut findings);
        findings.breaches
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        assert_eq!(breaches("a.rs", "//! About a.\n"), [""; 0]);
        assert_eq!(breaches("a.rs", "use b;\n").len(), 1);
        assert_eq!(breaches("a/mod.rs", "//! About a.\n").len(), 1);
    }

    #[test]
    fn tests_do_not_count_for_its_length() {
        let long = format!("//! About a.\n{}", "// x\n".repeat(LINES_MAX));
        assert_eq!(breaches("a.rs", &long).len(), 1);
        assert_eq!(breaches("tests/it/a.rs", &long), [""; 0]);
        let tested = format!("//! About a.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "// x\n".repeat(LINES_MAX));
        assert_eq!(breaches("a.rs", &tested), [""; 0]);
    }
}

//! No committed file may name a folder of the machine it was written on, or where a lock file's packages came from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::Findings;
use crate::{machine, workspace::Workspace};

/// Files in which any URL of a package is one of somebody's registry or mirror.
const LOCKS: [&str; 4] = ["package-lock.json", "requirements.txt", ".npmrc", "pip.conf"];

/// Looks through every file that is text.
pub(crate) fn check(workspace: &Workspace, files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    let named = forbidden(workspace.root());
    for file in files {
        let bytes = fs::read(workspace.root().join(file)).with_context(|| file.display().to_string())?;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let place = |at: usize| format!("{}:{}", file.display(), at + 1);
        for (at, line) in text.lines().enumerate() {
            for name in named.iter().filter(|name| mentions(line, name)) {
                let what = format!("names `{name}`");
                findings.breach(&place(at), &what, "what is committed is the same on every machine");
            }
            if names_registry(file, line) {
                let why = "where packages come from is configuration of the machine that installs them";
                findings.breach(&place(at), "names a package registry", why);
            }
        }
    }
    Ok(())
}

/// This checkout, what lies beside it, and the home folder of who runs this.
fn forbidden(root: &Path) -> Vec<String> {
    // In pieces, so that this file does not name it.
    let mut forbidden = vec![["..", "shared"].join("/")];
    let deep = |path: &Path| path.components().count() > 2;
    let neighbour = root.parent().map(|parent| parent.join("shared"));
    forbidden.extend(
        [Some(root.to_owned()), neighbour]
            .into_iter()
            .flatten()
            .filter(|path| deep(path))
            .map(|path| text(&path)),
    );
    if let Some(home) = machine::variable("HOME").map(PathBuf::from) {
        forbidden.extend([".cargo", ".rustup", ".cache", ".pyenv"].map(|folder| text(&home.join(folder))));
    }
    forbidden
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Whether a line names the path or something below it.
fn mentions(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let continues = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        !before.is_some_and(|letter| continues(letter) || letter == '.') && !after.is_some_and(continues)
    })
}

fn names_registry(file: &Path, line: &str) -> bool {
    let line = line.trim();
    let is_lock = file.file_name().is_some_and(|name| LOCKS.iter().any(|lock| name == *lock));
    let is_location =
        ["\"resolved\":", "--index-url", "--extra-index-url", "--find-links", "-i ", "-f ", "registry="];
    let foreign_crates = file.ends_with("Cargo.lock")
        && line.starts_with("source = ")
        && !line.contains("registry+https://github.com/rust-lang/crates.io-index");
    foreign_crates || (is_lock && is_location.iter().any(|start| line.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_at_its_borders() {
        assert!(mentions("cd /home/ann/keyward && make", "/home/ann/keyward"));
        assert!(mentions("`/home/ann/keyward/target`", "/home/ann/keyward"));
        assert!(!mentions("/home/ann/keyward-site", "/home/ann/keyward"));
        assert!(!mentions("/srv/home/ann/keywards", "/home/ann/keyward"));
    }

    #[test]
    fn a_lock_file_does_not_say_where_packages_came_from() {
        let lock = Path::new("clients/package-lock.json");
        assert!(names_registry(lock, "      \"resolved\": \"https://mirror.example/a.tgz\","));
        assert!(!names_registry(lock, "      \"url\": \"https://funding.example\""));
        assert!(names_registry(Path::new("requirements.txt"), "--index-url https://mirror.example/simple"));
        assert!(!names_registry(Path::new("README.md"), "--index-url"));
    }
}

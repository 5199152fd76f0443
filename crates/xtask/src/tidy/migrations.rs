//! Released migrations never change: databases out there have run them, and sqlx refuses one that differs.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::Findings;
use crate::workspace::Workspace;

/// `sha256  path` for each migration of a release, as `sha256sum migrations/*/*.sql` prints them.
const RELEASED: &str = "migrations/checksums";

/// Compares what was released with what is there; says which version numbers stand twice.
pub(crate) fn check(workspace: &Workspace, files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    let list = workspace.root().join(RELEASED);
    let list = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    for (sum, path) in released(&list) {
        let found = fs::read(workspace.root().join(path)).map(|bytes| checksum(&bytes)).ok();
        if found.as_deref() != Some(sum) {
            let what =
                if found.is_some() { "was changed after its release" } else { "was released and is gone" };
            findings.breach(path, what, "databases have run it as it was; write a new migration");
        }
    }
    let migrations: Vec<_> =
        files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "sql")).collect();
    for pair in migrations.windows(2) {
        if version(pair[0]).is_some() && version(pair[0]) == version(pair[1]) {
            let what = format!("has the version of {}", pair[0].display());
            findings.breach(
                &pair[1].display().to_string(),
                &what,
                "migrations run in the order of their versions",
            );
        }
    }
    Ok(())
}

fn released(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = list.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once("  "))
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The folder and the number that the name begins with.
fn version(file: &Path) -> Option<(&Path, u64)> {
    let name = file.file_name()?.to_str()?;
    Some((file.parent()?, name.split_once('_')?.0.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_reads_as_sha256sum_prints() {
        let list = "# none before 1.0\nabc  migrations/sqlite/0001_first.sql\n";
        assert_eq!(released(list).collect::<Vec<_>>(), [("abc", "migrations/sqlite/0001_first.sql")]);
    }

    #[test]
    fn checksums_are_sha256() {
        assert_eq!(checksum(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn a_version_belongs_to_its_folder() {
        assert_eq!(version(Path::new("a/0001_x.sql")), version(Path::new("a/0001_y.sql")));
        assert_ne!(version(Path::new("a/0001_x.sql")), version(Path::new("b/0001_x.sql")));
    }
}

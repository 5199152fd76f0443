//! The workspace that the chores work on.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

/// Where it lies and what cargo knows of it.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// What `cargo metadata` says.
    pub(crate) metadata: Metadata,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Self> {
        let metadata = MetadataCommand::new().exec().context("cargo metadata")?;
        Ok(Self { metadata })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// `cargo` in the root, the same that runs this chore.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(crate::machine::variable("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(self.root());
        command
    }

    /// Files that are or would be committed, relative to the root, in order.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let output = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(self.root())
            .output()
            .context("git ls-files")?;
        ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
        let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut files: Vec<_> = listing.split_terminator('\0').map(PathBuf::from).collect();
        files.sort();
        files.dedup();
        // A file that was deleted and not yet committed is listed, but is not there.
        files.retain(|file| self.root().join(file).is_file());
        Ok(files)
    }
}

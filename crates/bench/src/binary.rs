//! The binary that is measured: the one that was named, or one built from this workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tokio::process::Command;

/// Finds or builds it.
pub(crate) async fn keyward(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        ensure!(path.is_file(), "there is no file `{}`; build it: cargo build --release", path.display());
        return path.canonicalize().context("its full path");
    }
    if cfg!(debug_assertions) {
        bail!(
            "figures of a debug build say nothing: cargo run --release -p bench -- run (or name a release binary: --keyward FILE)"
        );
    }
    println!("building keyward (release)");
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--package", "keyward", "--bin", "keyward"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .await
        .context("run cargo; without it, name a release binary: --keyward FILE")?;
    ensure!(built.success(), "keyward does not build; name a release binary that does: --keyward FILE");
    // Cargo puts both binaries into one folder.
    let beside = std::env::current_exe().context("this binary")?.with_file_name("keyward");
    ensure!(beside.is_file(), "cargo built no `{}`; name it: --keyward FILE", beside.display());
    Ok(beside)
}

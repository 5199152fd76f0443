//! Crates that may not be built: the part of `deny.toml` that needs no cargo-deny.

use anyhow::Result;

use super::Findings;
use crate::{machine::quietly, workspace::Workspace};

const BANNED: [&str; 4] = ["ring", "openssl", "openssl-sys", "native-tls"];

/// Looks at the crates that are built, on any platform. `Cargo.lock` and `cargo metadata` also list those that a
/// dependency could use and no feature asks for; `cargo tree` does not.
pub(crate) fn check(workspace: &Workspace, findings: &mut Findings) -> Result<()> {
    let mut tree = workspace.cargo();
    tree.args([
        "tree",
        "--workspace",
        "--target",
        "all",
        "--edges",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    for name in banned(&quietly(&mut tree)?) {
        let why = "one library for TLS and cryptography: aws-lc-rs through rustls";
        let what = format!("`{name}` is built; `cargo tree --target all --invert {name}` says for whom");
        findings.breach("Cargo.lock", &what, why);
    }
    Ok(())
}

fn banned(tree: &str) -> impl Iterator<Item = &'static str> {
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    BANNED.into_iter().filter(move |banned| names.contains(banned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_crate_itself_is_banned() {
        let tree = "keyward v0.1.0 (/src)\nring v0.17.14\nstring v0.3.0\nnative-tls-helper v1.0.0\n";
        assert_eq!(banned(tree).collect::<Vec<_>>(), ["ring"]);
    }
}

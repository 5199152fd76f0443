//! What this machine has for end-to-end tests. The one place of this crate that reads the environment.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// Variables that `cargo xtask test` sets.
mod variable {
    pub(super) const POSTGRES_URL: &str = "KEYWARD_TEST_POSTGRES_URL";
    pub(super) const POSTGRES_MISSING: &str = "KEYWARD_TEST_POSTGRES_MISSING";
    pub(super) const CLIENTS: &str = "KEYWARD_TEST_CLIENTS";
    pub(super) const ALL: &str = "KEYWARD_TEST_ALL";
}

#[expect(clippy::disallowed_methods, reason = "set by `cargo xtask test`, or the machine's own PATH")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Whether tests that take a sample are to take everything.
pub fn all() -> bool {
    variable(variable::ALL).is_some_and(|value| value == "1")
}

/// The machine's PATH.
pub(crate) fn path() -> OsString {
    variable("PATH").unwrap_or_default()
}

/// The `keyward` program that was built beside these tests.
pub fn keyward() -> Result<PathBuf> {
    let program = target()?.join("debug/keyward");
    if !program.is_file() {
        bail!(
            "`{}` is not built: run `cargo xtask test -p e2e`, or `cargo build -p keyward`",
            program.display()
        );
    }
    Ok(program)
}

/// The target folder: tests run from `target/debug/deps`.
fn target() -> Result<PathBuf> {
    let test = std::env::current_exe().context("the test's own path")?;
    Ok(test.ancestors().nth(3).context("tests run from target/debug/deps")?.to_owned())
}

/// A file of the pinned clients. None where it cannot be installed here, which `cargo xtask test` has named then.
pub(crate) fn client(file: &str) -> Result<Option<PathBuf>> {
    let given = variable(variable::CLIENTS).map(PathBuf::from);
    let folder = given.clone().map_or_else(|| target().map(|target| target.join("clients")), Ok)?;
    let found = Some(folder.join(file)).filter(|file| file.exists());
    if found.is_none() && given.is_none() {
        bail!("`{file}` is not installed: run `cargo xtask test` once");
    }
    Ok(found)
}

/// A file of this crate's `clients` folder.
pub(crate) fn script(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(file)
}

/// The URL of a Postgres superuser. None where there is no Postgres, which `cargo xtask test` has named then.
pub(crate) fn postgres() -> Result<Option<String>> {
    if let Some(url) = variable(variable::POSTGRES_URL) {
        return Ok(Some(url.into_string().ok().context("the URL is UTF-8")?));
    }
    if variable(variable::POSTGRES_MISSING).is_none() {
        bail!("no Postgres was started for this test: run `cargo xtask test -p e2e`");
    }
    Ok(None)
}

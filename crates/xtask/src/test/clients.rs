//! The pinned clients that end-to-end tests drive, installed under `target/clients` once per set of pins.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::not_run::NotRun;
use crate::{
    machine::{program, quietly},
    workspace::Workspace,
};

/// Folders of `crates/e2e/clients` that hold a `requirements.txt`.
const PYTHON: [&str; 2] = ["dec2025", "now"];
/// The folder that holds a `package.json` and its lock file.
const NODE: &str = "node";
/// The oldest Python that mlflow-skinny takes, as (major, minor).
const PYTHON_MIN: (u32, u32) = (3, 10);
/// The oldest Node that the pinned @google/genai takes.
const NODE_MIN: u32 = 20;
/// The file that says which pins an installation was made from; written last.
const STAMP: &str = "installed-from";

/// Installs what is missing or was pinned otherwise; what cannot be installed here is named in `not_run`.
pub(crate) fn prepare(workspace: &Workspace, not_run: &mut NotRun) -> Result<PathBuf> {
    let installed = workspace.target().join("clients");
    fs::create_dir_all(&installed).context("the clients' folder")?;
    let pinned = workspace.root().join("crates/e2e/clients");
    for name in PYTHON {
        if let Err(error) = python(&pinned.join(name), &installed.join(name)) {
            not_run.add(&format!("clients-{name}"), &format!("{error:#}"));
        }
    }
    if let Err(error) = node(&pinned.join(NODE), &installed.join(NODE)) {
        not_run.add("clients-node", &format!("{error:#}"));
    }
    Ok(installed)
}

/// A virtual environment with exactly the versions of `pins/requirements.txt`.
fn python(pins: &Path, installed: &Path) -> Result<()> {
    let requirements = pins.join("requirements.txt");
    let interpreter = program("python3").context("no `python3` on PATH")?;
    let version = quietly(Command::new(&interpreter).arg("--version"))?;
    ensure!(numbers(&version) >= Some(PYTHON_MIN), "`python3` is {}, 3.10 is needed", version.trim());
    let stamp = format!("{version}{}", read(&requirements)?);
    if is_installed(installed, &stamp) {
        return Ok(());
    }
    eprintln!("installing the clients of {}", requirements.display());
    clear(installed)?;
    quietly(Command::new(&interpreter).args(["-m", "venv"]).arg(installed))
        .context("cannot make a virtual environment (Debian: package python3-venv)")?;
    let pip = installed.join("bin/python");
    quietly(Command::new(pip).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))?;
    fs::write(installed.join(STAMP), stamp).context("the stamp")
}

/// `node_modules` with exactly the versions of the lock file.
fn node(pins: &Path, installed: &Path) -> Result<()> {
    let interpreter = program("node").context("no `node` on PATH")?;
    let npm = program("npm").context("no `npm` on PATH")?;
    let version = quietly(Command::new(interpreter).arg("--version"))?;
    let major = numbers(&version).map(|(major, _)| major);
    if major < Some(NODE_MIN) {
        bail!("`node` is {}, 20 is needed", version.trim());
    }
    let files = ["package.json", "package-lock.json"];
    let mut stamp = version;
    for file in files {
        stamp += &read(&pins.join(file))?;
    }
    if is_installed(installed, &stamp) {
        return Ok(());
    }
    eprintln!("installing the clients of {}", pins.display());
    clear(installed)?;
    fs::create_dir_all(installed).context("the folder")?;
    for file in files {
        fs::copy(pins.join(file), installed.join(file)).with_context(|| file.to_owned())?;
    }
    // No script of a package runs: these need none.
    let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    quietly(Command::new(npm).args(options).current_dir(installed))?;
    fs::write(installed.join(STAMP), stamp).context("the stamp")
}

fn is_installed(folder: &Path, stamp: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|found| found == stamp)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| file.display().to_string())
}

/// Major and minor of `Python 3.11.7` or `v20.20.2`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let digits = version.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let mut parts = digits.split('.').map(|part| part.trim().parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(numbers("v20.20.2\n"), Some((20, 20)));
        assert!(numbers("Python 3.9.2") < Some(PYTHON_MIN));
        assert_eq!(numbers("no digits"), None);
    }
}

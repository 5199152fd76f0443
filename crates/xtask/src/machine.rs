//! What this machine has: programs, accounts, variables. The one place of `xtask` that reads the environment.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "a chore asks the machine it runs on: PATH, HOME, CARGO")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A program on PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

/// Whether it is a file that may be run by somebody.
pub(crate) fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// An account of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: String,
    /// Its number.
    pub(crate) user: u32,
    /// The number of its group.
    pub(crate) group: u32,
}

impl Account {
    /// The first of these accounts that the machine has.
    pub(crate) fn first_of(names: &[&str]) -> Result<Self> {
        let table = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        let found = names.iter().find_map(|name| Self::in_table(&table, name));
        found.with_context(|| format!("none of the accounts {} is there", names.join(", ")))
    }

    fn in_table(table: &str, name: &str) -> Option<Self> {
        let fields: Vec<_> =
            table.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
        let number = |at: usize| fields.get(at).and_then(|field| field.parse().ok());
        Some(Self { name: name.to_owned(), user: number(2)?, group: number(3)? })
    }
}

/// Runs a command to its end; its output is the error's text when it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<String> {
    let what =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run `{what}`"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        bail!("`{what}`: {}: {}", output.status, lines[lines.len().saturating_sub(5)..].join("; "));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_its_line() {
        let table = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        let account = Account::in_table(table, "postgres").unwrap();
        assert_eq!(account, Account { name: "postgres".into(), user: 101, group: 104 });
        assert_eq!(Account::in_table(table, "nobody"), None);
    }

    #[test]
    fn a_failure_carries_what_the_program_said() {
        let error = quietly(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh`: exit status: 3: one; two");
    }
}

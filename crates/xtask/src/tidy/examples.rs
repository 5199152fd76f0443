//! Every example of a configuration file must be one that the program takes.

use std::{path::PathBuf, process::Command};

use super::Findings;
use crate::{
    machine::{is_executable, quietly},
    workspace::Workspace,
};

/// Asks `keyward check` about every `deploy/**/*.toml`, where the program was built.
pub(crate) fn check(workspace: &Workspace, files: &[PathBuf], findings: &mut Findings) {
    let program = workspace.target().join("debug/keyward");
    for file in files {
        if !file.starts_with("deploy") || file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let place = file.display().to_string();
        if !is_executable(&program) {
            findings.remark(&place, "not checked: `keyward` is not built yet");
            continue;
        }
        let mut command = Command::new(&program);
        command.args(["check", "--config"]).arg(workspace.root().join(file));
        if let Err(error) = quietly(&mut command) {
            findings.breach(&place, &format!("{error:#}"), "an example that does not work teaches nothing");
        }
    }
}

//! The pinned clients, run as an application runs them.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{machine, process::Run};

/// An SDK of Google's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    /// google-genai of December 2025.
    Python2025,
    /// google-genai of today.
    Python,
    /// @google/genai of today.
    JavaScript,
}

impl Sdk {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Python2025, Self::Python, Self::JavaScript];

    /// Those for Python.
    pub const PYTHON: [Self; 2] = [Self::Python2025, Self::Python];

    fn python(self) -> Option<&'static str> {
        match self {
            Self::Python2025 => Some("dec2025/bin/python"),
            Self::Python => Some("now/bin/python"),
            Self::JavaScript => None,
        }
    }
}

/// Makes the calls at `base_url` one after the other; what came of each. None where the SDK cannot be installed here.
pub async fn calls(sdk: Sdk, folder: &Path, base_url: &str, cases: &[Value]) -> Result<Option<Vec<Value>>> {
    let asked = json!({ "base_url": base_url, "cases": cases }).to_string();
    let Some((program, run)) = driver(sdk)? else { return Ok(None) };
    let finished = run.finish(&program, folder, asked.as_bytes()).await?;
    let said = finished.success().with_context(|| format!("{sdk:?}"))?;
    let outcomes: Vec<Value> =
        serde_json::from_str(&said).with_context(|| format!("{sdk:?} said: {said}"))?;
    anyhow::ensure!(outcomes.len() == cases.len(), "{sdk:?}: {} outcomes of {}", outcomes.len(), cases.len());
    Ok(Some(outcomes))
}

fn driver(sdk: Sdk) -> Result<Option<(std::path::PathBuf, Run)>> {
    if let Some(python) = sdk.python() {
        let program = machine::client(python)?;
        return Ok(program.map(|program| (program, Run::default().with(machine::script("calls.py")))));
    }
    let Some(modules) = machine::client("node/node_modules")? else { return Ok(None) };
    let node = modules.with_file_name("");
    let run = Run::default().with("node").with(machine::script("calls.mjs")).variable("KEYWARD_NODE", node);
    // Found on PATH, as a shell would.
    Ok(Some((Path::new("/usr/bin/env").to_owned(), run)))
}

/// Runs a script of `clients/` with MLflow's client of the same time as `sdk`; what it printed.
pub async fn mlflow(
    sdk: Sdk,
    folder: &Path,
    script: &str,
    variables: &[(&str, &str)],
) -> Result<Option<String>> {
    let python = sdk.python().context("MLflow's client is for Python")?;
    let Some(program) = machine::client(python)? else { return Ok(None) };
    let mut run = Run::default().with(machine::script(script));
    // It would repeat a call that was answered with 5xx for minutes; a test wants to see the first answer.
    run = run.variable("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0").variable("GIT_PYTHON_REFRESH", "quiet");
    for (name, value) in variables {
        run = run.variable(name, value);
    }
    let finished = run.finish(&program, folder, b"").await?;
    finished.success().map(Some).with_context(|| format!("{script} with {sdk:?}"))
}

//! The pinned clients, run as an application runs them.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{machine, process::Run};

/// A client's language and age: Google's SDK of it, for [`others`] those of `OpenAI` and Anthropic.
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
    driven(sdk, "calls", folder, &json!({ "base_url": base_url, "cases": cases }), cases.len()).await
}

/// The same with the SDKs of `OpenAI` and Anthropic, for Python or JavaScript. `urls` has the base URL of each by name.
pub async fn others(sdk: Sdk, folder: &Path, urls: &Value, cases: &[Value]) -> Result<Option<Vec<Value>>> {
    driven(sdk, "sdks", folder, &json!({ "urls": urls, "cases": cases }), cases.len()).await
}

/// Runs the driver of that name, and takes so many outcomes from it.
async fn driven(
    sdk: Sdk,
    driver: &str,
    folder: &Path,
    asked: &Value,
    count: usize,
) -> Result<Option<Vec<Value>>> {
    let Some((program, run)) = command(sdk, driver)? else { return Ok(None) };
    let finished = run.finish(&program, folder, asked.to_string().as_bytes()).await?;
    let said = finished.success().with_context(|| format!("{sdk:?}"))?;
    let outcomes: Vec<Value> =
        serde_json::from_str(&said).with_context(|| format!("{sdk:?} said: {said}"))?;
    anyhow::ensure!(outcomes.len() == count, "{sdk:?}: {} outcomes of {count}", outcomes.len());
    Ok(Some(outcomes))
}

fn command(sdk: Sdk, driver: &str) -> Result<Option<(std::path::PathBuf, Run)>> {
    if let Some(python) = sdk.python() {
        let script = machine::script(&format!("{driver}.py"));
        return Ok(machine::client(python)?.map(|program| (program, Run::default().with(script))));
    }
    let Some(modules) = machine::client("node/node_modules")? else { return Ok(None) };
    let node = modules.with_file_name("");
    let script = machine::script(&format!("{driver}.mjs"));
    let run = Run::default().with("node").with(script).variable("KEYWARD_NODE", node);
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

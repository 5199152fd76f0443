//! Keyward as a subject: in one process, and as an edge and a forwarder with the store beside them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    process::{Processor, Start},
    subject::{Ground, Models, Subject},
};

/// What stands before `/v1beta/…`.
const PREFIX: &str = "/gateway/gemini";
/// How long an edge may take to have its catalog.
const READY_MAX: Duration = Duration::from_mins(1);

/// `keyward serve` on a fresh data folder, with one endpoint for each model of the upstream.
pub(crate) async fn serve(ground: &Ground, log: &str, counts: Option<PathBuf>) -> anyhow::Result<Subject> {
    let home = Home::make(ground, log)?;
    let (data, key) = (home.file("data"), home.file("kek.key"));
    let start =
        home.start("serve", &["serve", "--listen", "127.0.0.1:0", "--data-dir", &data, "--key-file", &key]);
    let process = Start { counts, ..start }.start().await?;
    ready(&process.url).await?;
    publish(&process.url, &ground.upstream, &ground.models).await?;
    let url = process.url.clone();
    Ok(Subject {
        url,
        prefix: PREFIX,
        processes: vec![process],
        _folder: Some(home.folder),
        ..Subject::default()
    })
}

/// `keyward edge` and `keyward forwarder gemini`, both measured; the store, which no call asks anything, is not.
pub(crate) async fn apart(ground: &Ground) -> anyhow::Result<Subject> {
    let home = Home::make(ground, "info")?;
    let (config, key, node) = (home.file("keyward.toml"), home.file("kek.key"), home.file("keys/node.key"));
    std::fs::create_dir(home.file("keys"))?;
    std::fs::write(&config, format!("[store]\ndata_dir = {:?}\n", home.file("data")))?;
    let arguments = ["store", "--listen", "127.0.0.1:0", "--key-file", &key, "--config", &config];
    let store = Start { processor: Processor::Others, ..home.start("store", &arguments) }.start().await?;
    let arguments =
        ["forwarder", "gemini", "--listen", "127.0.0.1:0", "--node-key", &node, "--store", &store.url];
    let forwarder = home.start("forwarder", &arguments).start().await?;
    let named = format!("gemini={}", forwarder.url);
    let arguments = ["edge", "--listen", "127.0.0.1:0", "--store", &store.url, "--forwarder", &named];
    let edge = home.start("edge", &arguments).start().await?;
    ready(&edge.url).await?;
    publish(&edge.url, &ground.upstream, &ground.models).await?;
    let url = edge.url.clone();
    let (processes, others) = (vec![edge, forwarder], vec![store]);
    Ok(Subject { url, prefix: PREFIX, processes, _others: others, _folder: Some(home.folder) })
}

/// A folder for one installation, and what is the same for each of its processes.
struct Home<'a> {
    folder: TempDir,
    binary: &'a Path,
    log: &'a str,
}

impl<'a> Home<'a> {
    fn make(ground: &'a Ground, log: &'a str) -> anyhow::Result<Self> {
        Ok(Self { folder: tempfile::tempdir().context("a folder")?, binary: &ground.keyward, log })
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A role; its log lines go to a file, as those of a service do.
    fn start(&self, role: &str, arguments: &[&str]) -> Start<'a> {
        Start {
            environment: vec![
                ("KEYWARD_EGRESS_ALLOW", "http://127.0.0.0/8".to_owned()),
                ("KEYWARD_LOG", self.log.to_owned()),
                ("HOME", self.file("home")),
            ],
            errors: Some(self.folder.path().join(format!("{role}.log"))),
            ..Start::measured(self.binary, arguments)
        }
    }
}

async fn ready(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut looks = tokio::time::interval(Duration::from_millis(25));
    let ready = async {
        loop {
            looks.tick().await;
            let answer = client.get(format!("{url}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
        }
    };
    tokio::time::timeout(READY_MAX, ready).await.context("keyward did not become ready")
}

/// One secret, and an endpoint for each of the models.
async fn publish(url: &str, upstream: &str, models: &Models) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let post = async |path: &str, body: Value| -> anyhow::Result<Value> {
        let answer = client.post(format!("{url}/api/3.0/mlflow/gateway/{path}")).json(&body).send().await?;
        anyhow::ensure!(answer.status() == 200, "{path}: {}", answer.text().await?);
        Ok(answer.json().await?)
    };
    let secret = json!({ "secret_name": "bench", "provider": "gemini", "secret_value": { "api_key": "bench-key" },
        "auth_config": { "api_base": upstream } });
    let secret = post("secrets/create", secret).await?;
    for model in [&models.unary, &models.paced, &models.fast] {
        let definition = json!({ "name": model, "provider": "gemini", "model_name": model,
            "secret_id": secret["secret"]["secret_id"] });
        let definition = post("model-definitions/create", definition).await?;
        let id = &definition["model_definition"]["model_definition_id"];
        let endpoint = json!({ "name": model, "model_configs": [
            { "model_definition_id": id, "linkage_type": "PRIMARY", "weight": 1.0 }] });
        post("endpoints/create", endpoint).await?;
    }
    Ok(())
}

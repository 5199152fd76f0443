//! What is measured: each stands between the load tool and the same upstream.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{MEASURED, Process, pinned};

/// The models that the upstream knows, and so the endpoints that Keyward is given.
pub(crate) struct Models {
    /// Answers at once.
    pub unary: String,
    /// Streams at a pace.
    pub paced: String,
    /// Streams as fast as it goes.
    pub fast: String,
}

/// Something that stands in the way.
pub(crate) struct Subject {
    /// Its name in the table.
    pub name: &'static str,
    /// Its process; none for the upstream itself.
    pub process: Option<Process>,
    /// Where to call.
    pub url: String,
    /// What stands before `/v1beta/…` in its paths.
    pub prefix: &'static str,
    _folder: Option<TempDir>,
}

impl Subject {
    /// The path of a call.
    pub(crate) fn target(&self, model: &str, stream: bool) -> String {
        let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("{}/v1beta/models/{model}:{method}", self.prefix)
    }
}

/// The upstream itself.
pub(crate) fn direct(upstream: &str) -> Subject {
    Subject { name: "upstream, directly", process: None, url: upstream.to_owned(), prefix: "", _folder: None }
}

/// axum + reqwest.
pub(crate) async fn bare(upstream: &str) -> anyhow::Result<Subject> {
    let this = std::env::current_exe().context("this binary")?;
    let process = Process::start(MEASURED, &this, &["bare", "--upstream", upstream], &[]).await?;
    let url = process.url.clone();
    Ok(Subject { name: "axum + reqwest, bare", process: Some(process), url, prefix: "", _folder: None })
}

/// nginx, where it is installed.
pub(crate) async fn nginx(upstream: &str) -> anyhow::Result<Option<Subject>> {
    let Some(program) =
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].iter().map(Path::new).find(|path| path.exists())
    else {
        return Ok(None);
    };
    let folder = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let authority = upstream.trim_start_matches("http://");
    let configuration = format!(
        "daemon off; worker_processes 1; pid {0}/pid; error_log {0}/error.log; events {{ worker_connections 8192; }}\n\
         http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f;\n\
         uwsgi_temp_path {0}/u; scgi_temp_path {0}/s; keepalive_requests 1000000;\n\
         upstream u {{ server {authority}; keepalive 512; }}\n\
         server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://u; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_buffering off; }} }} }}",
        folder.path().display()
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let child =
        pinned(MEASURED, program).arg("-c").arg(&file).kill_on_drop(true).spawn().context("start nginx")?;
    let url = format!("http://127.0.0.1:{port}");
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let process = Some(Process::adopt(child, url.clone()));
    Ok(Some(Subject { name: "nginx", process, url, prefix: "", _folder: Some(folder) }))
}

/// `keyward serve` on a fresh data folder, with one endpoint for each model of the upstream.
pub(crate) async fn keyward(binary: &Path, upstream: &str, models: &Models) -> anyhow::Result<Subject> {
    let folder = tempfile::tempdir()?;
    let place = |name: &str| -> PathBuf { folder.path().join(name) };
    let (data, key) = (place("data"), place("key"));
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        data.to_str().context("a path in UTF-8")?,
        "--key-file",
        key.to_str().context("a path in UTF-8")?,
    ];
    // One line a call is logged as in production; the pipe's end is thrown away.
    let process =
        Process::start(MEASURED, binary, &arguments, &[("KEYWARD_EGRESS_ALLOW", "http://127.0.0.0/8")])
            .await?;
    let url = process.url.clone();
    publish(&url, upstream, models).await?;
    Ok(Subject {
        name: "keyward serve",
        process: Some(process),
        url,
        prefix: "/gateway/gemini",
        _folder: Some(folder),
    })
}

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

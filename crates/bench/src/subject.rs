//! What is measured: each stands between the load tool and the same upstream.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

use crate::{
    keyward,
    process::{Process, Start, Used},
};

/// The models that the upstream knows, and so the endpoints that Keyward is given.
pub(crate) struct Models {
    /// Answers at once.
    pub(crate) unary: String,
    /// Streams at a pace.
    pub(crate) paced: String,
    /// Streams as fast as it goes.
    pub(crate) fast: String,
}

/// What every subject is built from.
pub(crate) struct Ground {
    /// Where the upstream listens.
    pub(crate) upstream: String,
    /// The binary of Keyward.
    pub(crate) keyward: PathBuf,
    /// What the upstream answers to.
    pub(crate) models: Models,
}

/// The kinds, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Direct,
    Nginx,
    Bare,
    Serve,
    Quiet,
    Apart,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Direct, Self::Nginx, Self::Bare, Self::Serve, Self::Quiet, Self::Apart];

    /// Its name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "upstream, directly",
            Self::Nginx => "nginx",
            Self::Bare => "axum + reqwest, bare",
            Self::Serve => "keyward serve",
            Self::Quiet => "keyward serve, no log line a call",
            Self::Apart => "keyward edge + forwarder",
        }
    }

    /// Starts it; none where it is not installed. `counts`: under valgrind, which writes what it counted there.
    pub(crate) async fn start(
        self,
        ground: &Ground,
        counts: Option<PathBuf>,
    ) -> anyhow::Result<Option<Subject>> {
        match self {
            Self::Direct => Ok(Some(Subject { url: ground.upstream.clone(), ..Subject::default() })),
            Self::Nginx => nginx(&ground.upstream).await,
            Self::Bare => bare(&ground.upstream, counts).await.map(Some),
            Self::Serve => keyward::serve(ground, "info", counts).await.map(Some),
            Self::Quiet => keyward::serve(ground, "warn", counts).await.map(Some),
            Self::Apart => keyward::apart(ground).await.map(Some),
        }
    }
}

/// Something that stands in the way.
#[derive(Default)]
pub(crate) struct Subject {
    /// Its processes that are measured; none for the upstream itself.
    pub(crate) processes: Vec<Process>,
    /// Those that only have to be there.
    pub(crate) _others: Vec<Process>,
    /// Where to call.
    pub(crate) url: String,
    /// What stands before `/v1beta/…` in its paths.
    pub(crate) prefix: &'static str,
    /// Its files.
    pub(crate) _folder: Option<TempDir>,
}

impl Subject {
    /// The path of a call.
    pub(crate) fn target(&self, model: &str, stream: bool) -> String {
        let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("{}/v1beta/models/{model}:{method}", self.prefix)
    }

    /// What its measured processes used until now; none for the upstream itself.
    pub(crate) fn used(&self) -> anyhow::Result<Option<Used>> {
        if self.processes.is_empty() {
            return Ok(None);
        }
        let mut whole = Used::default();
        for process in &self.processes {
            let used = process.used()?;
            whole.cpu += used.cpu;
            whole.resident += used.resident;
        }
        Ok(Some(whole))
    }
}

/// axum + reqwest.
async fn bare(upstream: &str, counts: Option<PathBuf>) -> anyhow::Result<Subject> {
    let this = std::env::current_exe().context("this binary")?;
    let start = Start { counts, ..Start::measured(&this, &["bare", "--upstream", upstream]) };
    let process = start.start().await?;
    Ok(Subject { url: process.url.clone(), processes: vec![process], ..Subject::default() })
}

/// nginx, where it is installed.
async fn nginx(upstream: &str) -> anyhow::Result<Option<Subject>> {
    let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];
    let Some(program) = places.iter().map(Path::new).find(|path| path.exists()) else {
        return Ok(None);
    };
    let folder = tempfile::tempdir()?;
    // nginx cannot say which port the system picked for it: one that is free now is named to it.
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
    let start = Start::measured(program, &["-c", file.to_str().context("a path in UTF-8")?]);
    let url = format!("http://127.0.0.1:{port}");
    let process = Process::adopt(start.unheard()?, url.clone());
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(25));
    for _ in 0..400 {
        looks.tick().await;
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
    }
    Ok(Some(Subject { url, processes: vec![process], _folder: Some(folder), ..Subject::default() }))
}

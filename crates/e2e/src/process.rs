//! A program as a process of its own: what it prints is kept, what it promises to print is waited for, and it goes when
//! it is dropped.

use std::{ffi::OsStr, path::Path, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    sync::watch,
    task::JoinSet,
};

use crate::machine;

/// How long to wait for what is sure to come, on a busy machine, before the test fails.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes of output that are kept of one process; a process at trace level says a lot.
const OUTPUT_MAX: usize = 256 * 1024 * 1024;

/// A running program. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
    readers: JoinSet<()>,
}

/// What a program is to be run with.
#[derive(Debug, Default, Clone)]
pub struct Run {
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

#[derive(Debug)]
struct Output {
    bytes: Mutex<Vec<u8>>,
    grown: watch::Sender<()>,
}

impl Run {
    /// With these arguments, split at blanks.
    pub fn new(arguments: &str) -> Self {
        Self { arguments: arguments.split_whitespace().map(str::to_owned).collect(), variables: Vec::new() }
    }

    /// With one more argument, taken whole.
    pub fn with(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_string_lossy().into_owned());
        self
    }

    /// With a variable.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// The command in `folder`, which is its home too: nothing of this machine's user is read or written.
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(folder).env_clear().kill_on_drop(true);
        command.env("PATH", machine::path()).env("HOME", folder).envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it.
    pub fn start(&self, program: &Path, folder: &Path) -> Result<Process> {
        let name = format!("{} {}", program.display(), self.arguments.join(" "));
        let mut child = self.command(program, folder).spawn().with_context(|| format!("start {name}"))?;
        let output = Arc::new(Output { bytes: Mutex::default(), grown: watch::Sender::new(()) });
        let mut readers = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(read(stdout, Arc::clone(&output)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(read(stderr, Arc::clone(&output)));
        }
        Ok(Process { name, child, output, readers })
    }

    /// Runs it to its end with this on standard input. The result: its exit code, and what it printed on each.
    pub async fn finish(&self, program: &Path, folder: &Path, input: &[u8]) -> Result<Finished> {
        let mut command = self.command(program, folder);
        let mut child =
            command.stdin(Stdio::piped()).spawn().with_context(|| program.display().to_string())?;
        let mut stdin = child.stdin.take().context("standard input")?;
        let feed = async move {
            // A program that ends without reading breaks the pipe; its exit code tells why.
            let _ = stdin.write_all(input).await;
        };
        let done = async { tokio::join!(feed, child.wait_with_output()).1 };
        let output = tokio::time::timeout(PATIENCE * 4, done).await;
        let output =
            output.map_err(|_| anyhow!("{} {:?} does not end", program.display(), self.arguments))??;
        Ok(Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// What came of a program that was run to its end.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Finished {
    /// What it printed, if it ended well.
    pub fn success(self) -> Result<String> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => bail!("exit code {code:?}:\n{}\n{}", self.stdout, self.stderr),
        }
    }
}

impl Process {
    /// Everything that it printed so far, both streams as they came.
    pub fn output(&self) -> Vec<u8> {
        self.output.bytes.lock().clone()
    }

    /// The same as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output()).into_owned()
    }

    /// Waits until a line holds `mark`; the rest of that line behind it.
    pub async fn wait_for(&mut self, mark: &str) -> Result<String> {
        let mut grown = self.output.grown.subscribe();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            grown.mark_unchanged();
            let text = self.text();
            let found = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some((_, rest)) = found.clone().find_map(|line| line.split_once(mark)) {
                return Ok(rest.trim_end().to_owned());
            }
            tokio::select! {
                _ = grown.changed() => {}
                ended = self.child.wait() => bail!("{} ended ({ended:?}) and said:\n{}", self.name, self.text()),
                () = tokio::time::sleep_until(deadline) => {
                    bail!("{} did not say `{mark}`, but:\n{text}", self.name)
                }
            }
        }
    }

    /// Its number; none once it has ended.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().with_context(|| format!("{} has ended already", self.name))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.with_context(|| format!("{} has ended already", self.name))?;
        kill_process(id, signal).with_context(|| format!("signal {}", self.name))
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Ends it at once, as a crash does (SIGKILL), and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("kill {}", self.name))
    }

    /// Waits until it has ended and all it said was read; its exit code, none if a signal ended it.
    pub async fn ended(&mut self) -> Result<Option<i32>> {
        let done = async {
            let status = self.child.wait().await;
            while self.readers.join_next().await.is_some() {}
            status
        };
        let status = tokio::time::timeout(PATIENCE, done).await;
        let status = status.map_err(|_| anyhow!("{} does not end", self.name))??;
        Ok(status.code())
    }
}

async fn read(mut from: impl AsyncRead + Unpin, output: Arc<Output>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let mut bytes = output.bytes.lock();
        let room = OUTPUT_MAX.saturating_sub(bytes.len()).min(length);
        bytes.extend_from_slice(&buffer[..room]);
        drop(bytes);
        output.grown.send_replace(());
    }
}

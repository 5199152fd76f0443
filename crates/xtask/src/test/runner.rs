//! Runs the test runner: passes its output on as it comes, and keeps its closing lines for the end.

use std::{
    io::IsTerminal as _,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Child,
    signal::unix::{SignalKind, signal},
};

use super::{Options, select};
use crate::workspace::Workspace;

/// How long a runner that was told to stop may take before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether everything passed.
    pub(crate) passed: bool,
    /// The runner's closing lines.
    pub(crate) summary: Vec<String>,
}

/// What a runner's closing lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Summary {
    /// nextest: everything from `Summary [`, on stderr.
    Nextest,
    /// libtest: a line `test result:` for each binary, on stdout.
    Libtest,
}

impl Summary {
    /// That of the runner which [`command`] takes.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        if has_nextest(workspace) { Self::Nextest } else { Self::Libtest }
    }

    fn holds(self, line: &str, begun: bool) -> bool {
        match self {
            Self::Nextest => begun || (line.contains("Summary") && line.contains("run:")),
            Self::Libtest => line.starts_with("test result:"),
        }
    }
}

fn has_nextest(workspace: &Workspace) -> bool {
    let version = workspace.cargo().args(["nextest", "--version"]).output();
    version.is_ok_and(|output| output.status.success())
}

/// `cargo nextest run` where it is installed, else `cargo test`.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Command {
    let mut command = workspace.cargo();
    match Summary::of(workspace) {
        Summary::Nextest => {
            command.args(["nextest", "run", "--no-fail-fast"]);
            if std::io::stderr().is_terminal() {
                command.args(["--color", "always"]);
            }
            select(&mut command, options);
            if !options.package.is_empty() {
                // Of what was built, only the tests of what was asked for.
                let asked: Vec<_> =
                    options.package.iter().map(|package| format!("package({package})")).collect();
                command.args(["--filterset", &asked.join(" + ")]);
            }
            command.args(&options.filters);
        }
        Summary::Libtest => {
            command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
            select(&mut command, options);
            command.arg("--").args(&options.filters);
        }
    }
    command
}

/// Runs it to its end. A signal that ends this process ends the runner first.
pub(crate) fn run(command: Command, summary: Summary) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("runtime")?;
    runtime.block_on(follow(command, summary))
}

async fn follow(command: Command, summary: Summary) -> Result<Outcome> {
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("cannot start the test runner")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let output = async {
        let stdout = pass_on(stdout, |line| println!("{line}"), summary);
        let stderr = pass_on(stderr, |line| eprintln!("{line}"), summary);
        let (stdout, stderr) = tokio::join!(stdout, stderr);
        [stdout, stderr].concat()
    };
    tokio::pin!(output);
    tokio::select! {
        summary = &mut output => {
            let status = child.wait().await.context("the test runner")?;
            Ok(Outcome { passed: status.success(), summary })
        }
        // A terminal sends SIGINT to the runner as well.
        _ = interrupt.recv() => stop(&mut child, output, None).await,
        _ = terminate.recv() => stop(&mut child, output, Some(Signal::TERM)).await,
    }
}

/// Prints lines as they come, but for those of the summary, which it returns.
async fn pass_on(
    from: Option<impl AsyncRead + Unpin>,
    print: impl Fn(&str),
    summary: Summary,
) -> Vec<String> {
    let mut held = Vec::new();
    let Some(from) = from else { return held };
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\n');
        if summary.holds(text, !held.is_empty()) {
            held.push(text.to_owned());
        } else {
            print(text);
        }
        line.clear();
    }
    held
}

async fn stop(
    child: &mut Child,
    output: impl Future<Output = Vec<String>>,
    signal: Option<Signal>,
) -> Result<Outcome> {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let (Some(id), Some(signal)) = (id, signal) {
        kill_process(id, signal).context("cannot stop the test runner")?;
    }
    if tokio::time::timeout(STOP_TIMEOUT, output).await.is_err() {
        child.kill().await.context("cannot kill the test runner")?;
    }
    bail!("stopped by a signal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_closing_lines_of_nextest_are_kept() {
        let script =
            "echo '   Summary [ 0.1s] 2 tests run: 1 passed, 1 failed' >&2; echo '  FAIL x' >&2; exit 100";
        let outcome = run(shell(script), Summary::Nextest).unwrap();
        assert!(!outcome.passed);
        assert_eq!(outcome.summary, ["   Summary [ 0.1s] 2 tests run: 1 passed, 1 failed", "  FAIL x"]);
    }

    #[test]
    fn the_closing_lines_of_libtest_are_kept() {
        let outcome =
            run(shell("echo before; echo 'test result: ok. 1 passed'; echo after"), Summary::Libtest);
        let outcome = outcome.unwrap();
        assert!(outcome.passed);
        assert_eq!(outcome.summary, ["test result: ok. 1 passed"]);
    }
}

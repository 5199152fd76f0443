//! Child processes, and what the kernel says they used.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// How long a child may take to say where it listens.
const START_MAX: Duration = Duration::from_secs(60);

/// A running child. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens, e.g. `http://127.0.0.1:40000`.
    pub url: String,
}

/// What a process used until now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// User and system time.
    pub cpu: Duration,
    /// Resident memory, bytes.
    pub resident: u64,
}

/// The processor that the measured process runs on; the load tool and the upstream run on 0.
pub(crate) const MEASURED: &str = "1";
/// The processor of everything else.
pub(crate) const OTHERS: &str = "0";

impl Process {
    /// Starts `program`, pinned to a processor where `taskset` is there, and reads where it listens from its output.
    pub(crate) async fn start(
        processor: &str,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut command = pinned(processor, program);
        command.args(arguments).envs(environment.iter().copied());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let output = child.stdout.take().context("the child's output")?;
        let mut lines = BufReader::new(output).lines();
        let url = tokio::time::timeout(START_MAX, async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, rest)) = line.split_once("listening on ") {
                    return Ok(rest.split_whitespace().next().unwrap_or_default().to_owned());
                }
            }
            bail!("{} ended without saying where it listens", program.display())
        })
        .await
        .context("the child did not start in time")??;
        // Whatever else it prints is read and thrown away, so that a full pipe never stops it.
        #[expect(clippy::disallowed_methods, reason = "ends with the child's output")]
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url })
    }

    /// A child that was started otherwise and listens at `url`.
    pub(crate) fn adopt(child: Child, url: String) -> Self {
        Self { child, url }
    }

    /// What it used until now, its children included.
    pub(crate) fn used(&self) -> anyhow::Result<Used> {
        let root = self.child.id().context("the child ended")?;
        let mut used = Used { cpu: Duration::ZERO, resident: 0 };
        for pid in family(root)? {
            let one = of(pid)?;
            used.cpu += one.cpu;
            used.resident += one.resident;
        }
        Ok(used)
    }
}

/// The command, behind `taskset` where there is one.
pub(crate) fn pinned(processor: &str, program: &Path) -> Command {
    if Path::new("/usr/bin/taskset").exists() {
        let mut command = Command::new("/usr/bin/taskset");
        command.args(["-c", processor]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn family(root: u32) -> anyhow::Result<Vec<u32>> {
    let mut family = vec![root];
    let children = std::fs::read_to_string(format!("/proc/{root}/task/{root}/children")).unwrap_or_default();
    for child in children.split_whitespace() {
        family.extend(self::family(child.parse().context("a process id")?)?);
    }
    Ok(family)
}

fn of(pid: u32) -> anyhow::Result<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("read /proc/PID/stat")?;
    let fields = stat.rsplit_once(')').context("a name in /proc/PID/stat")?.1;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // Fields 14 and 15 of proc(5), counted from the state, which is field 3.
    let ticks =
        |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let cpu = Duration::from_micros((ticks(11) + ticks(12)) * 1_000_000 / per_second);
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).context("read /proc/PID/statm")?;
    let pages =
        statm.split_whitespace().nth(1).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    Ok(Used { cpu, resident: pages * u64::try_from(rustix::param::page_size())? })
}

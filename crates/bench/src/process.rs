//! Child processes, and what the kernel says they used.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// How long a child may take to say where it listens, and to end.
const PATIENCE: Duration = Duration::from_mins(2);
/// Runs a program on one processor.
const TASKSET: &str = "/usr/bin/taskset";
/// Counts instructions.
const VALGRIND: &str = "/usr/bin/valgrind";

/// Which processor a child is to run on, where there are two.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Processor {
    /// The one that nothing else of the benchmark runs on.
    Measured,
    /// The one of everything else.
    Others,
}

/// How a child is started.
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) processor: Processor,
    /// Where its standard error goes; nowhere without one.
    pub(crate) errors: Option<PathBuf>,
    /// The file that valgrind writes its counts to, if it runs under valgrind.
    pub(crate) counts: Option<PathBuf>,
}

/// A running child. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens, e.g. `http://127.0.0.1:40000`.
    pub(crate) url: String,
}

/// What a process used until now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Resident memory, bytes.
    pub(crate) resident: u64,
}

/// Whether children can be kept on processors of their own.
pub(crate) fn apart() -> bool {
    let processors = sched_getaffinity(None).map_or(1, |set| set.count());
    Path::new(TASKSET).exists() && (processors > 1 || ON_ONE.get().is_some())
}

/// Whether valgrind is here.
pub(crate) fn counts_instructions() -> bool {
    Path::new(VALGRIND).exists()
}

/// The processor that this process took, and the one that it left to what is measured.
static ON_ONE: std::sync::OnceLock<(usize, usize)> = std::sync::OnceLock::new();

/// Keeps this process, the load tool, on the first of its processors, where there is a second one.
pub(crate) fn stay_beside_the_measured() {
    let Ok(all) = sched_getaffinity(None) else { return };
    let mut processors = (0..CpuSet::MAX_CPU).filter(|processor| all.is_set(*processor));
    let (Some(first), Some(second)) = (processors.next(), processors.next()) else { return };
    let mut one = CpuSet::new();
    one.set(first);
    if sched_setaffinity(None, &one).is_ok() {
        let _ = ON_ONE.set((first, second));
    }
}

impl<'a> Start<'a> {
    /// `program` with nothing but `arguments`, measured.
    pub(crate) fn measured(program: &'a Path, arguments: &[&str]) -> Self {
        Self {
            program,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: Vec::new(),
            processor: Processor::Measured,
            errors: None,
            counts: None,
        }
    }

    /// Starts it; nothing is known of its address.
    pub(crate) fn unheard(&self) -> anyhow::Result<Child> {
        let mut command = self.command();
        let errors = match &self.errors {
            Some(file) => File::create(file).with_context(|| format!("make {}", file.display()))?.into(),
            None => Stdio::null(),
        };
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))
    }

    /// Starts it, and reads where it listens from its output.
    pub(crate) async fn start(&self) -> anyhow::Result<Process> {
        let mut child = self.unheard()?;
        let output = child.stdout.take().context("the child's output")?;
        let mut lines = BufReader::new(output).lines();
        let url = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, rest)) = line.split_once("listening on ") {
                    return Ok(rest.split_whitespace().next().unwrap_or_default().to_owned());
                }
            }
            let said = self.errors.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
            let said = said.unwrap_or_default();
            bail!("{} ended without saying where it listens: {said}", self.program.display())
        })
        .await
        .context("the child did not start in time")??;
        // Whatever else it prints is read and thrown away, so that a full pipe never stops it.
        #[expect(clippy::disallowed_methods, reason = "ends with the child's output")]
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Process { child, url })
    }

    /// The command line, behind `taskset` and valgrind where wanted.
    fn command(&self) -> Command {
        let mut words: Vec<std::ffi::OsString> = Vec::new();
        if let Some((first, second)) = ON_ONE.get().filter(|_| Path::new(TASKSET).exists()) {
            let processor = match self.processor {
                Processor::Measured => second,
                Processor::Others => first,
            };
            words.extend([TASKSET.into(), "-c".into(), processor.to_string().into()]);
        }
        if let Some(counts) = &self.counts {
            let file = format!("--callgrind-out-file={}", counts.display());
            words.extend([VALGRIND.into(), "--tool=callgrind".into(), file.into()]);
        }
        words.push(self.program.into());
        words.extend(self.arguments.iter().map(Into::into));
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }
}

impl Process {
    /// A child that listens at `url`.
    pub(crate) fn adopt(child: Child, url: String) -> Self {
        Self { child, url }
    }

    /// What it used until now, its children included.
    pub(crate) fn used(&self) -> anyhow::Result<Used> {
        let root = self.child.id().context("the child ended")?;
        let mut used = Used::default();
        for pid in family(root)? {
            let one = of(pid)?;
            used.cpu += one.cpu;
            used.resident += one.resident;
        }
        Ok(used)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(id.context("the child ended before it was told to")?, Signal::TERM)?;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.context("the child did not end in time")??;
        Ok(())
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

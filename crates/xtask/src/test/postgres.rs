//! A throw-away Postgres: made from the machine's own binaries, on a free port of 127.0.0.1, gone at the end.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::machine::{Account, is_executable, is_root, program, quietly};

const PREFIX: &str = "keyward-postgres-";
/// The superuser whom tests connect as.
const SUPERUSER: &str = "keyward";
/// How long a server may take to start: generous, the machine may be busy.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How often to look whether it started or stopped: Postgres tells neither.
const POLL: Duration = Duration::from_millis(20);
/// Another process may take the free port before the server does.
const ATTEMPTS: u32 = 3;
/// Nothing survives a test run, so nothing need survive a crash; many tests at once, each with its pools.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "listen_addresses=127.0.0.1",
    "log_min_messages=warning",
];

/// A running cluster. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub(crate) struct Cluster {
    server: Child,
    url: String,
    folder: TempDir,
}

impl Cluster {
    /// Finds the binaries (installs them on a Debian where this process may), makes a cluster, starts it.
    pub(crate) fn start() -> Result<Self> {
        let binaries = binaries()?;
        let account = is_root().then(|| Account::first_of(&["postgres", "nobody"])).transpose()?;
        sweep();
        let folder = folder(account.as_ref())?;
        let password = password()?;
        initialise(&binaries, account.as_ref(), folder.path(), &password)?;
        let mut attempt = 1;
        loop {
            let port = free_port()?;
            let mut server = launch(&binaries, account.as_ref(), folder.path(), port)?;
            match wait_until_ready(&mut server, folder.path()) {
                Ok(()) => {
                    let url = format!("postgres://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres");
                    return Ok(Self { server, url, folder });
                }
                Err(_) if attempt < ATTEMPTS => stop(&mut server),
                Err(error) => {
                    stop(&mut server);
                    return Err(error);
                }
            }
            attempt += 1;
        }
    }

    /// The URL of its superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        stop(&mut self.server);
        // Its files go with `folder`, which is dropped after this.
        debug_assert!(self.folder.path().is_dir(), "the folder outlives the server");
    }
}

/// The folder with `initdb` and `postgres`: on PATH, Debian's, what `pg_config` says, or newly installed.
fn binaries() -> Result<PathBuf> {
    if let Some(found) = find_binaries() {
        return Ok(found);
    }
    let debian = Path::new("/etc/debian_version").exists();
    let Some(apt) = program("apt-get").filter(|_| debian && is_root()) else {
        bail!("no `initdb` and `postgres` on this machine, and they can be installed only on Debian by root");
    };
    eprintln!("installing Postgres");
    let quiet = |arguments: &[&str]| {
        quietly(Command::new(&apt).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    quiet(&["update", "-qq"])?;
    quiet(&["install", "-y", "-qq", "--no-install-recommends", "postgresql"])?;
    find_binaries().context("the package `postgresql` was installed, but holds no `initdb` and `postgres`")
}

fn find_binaries() -> Option<PathBuf> {
    let path = program("initdb").and_then(|file| Some(file.parent()?.to_owned()));
    let configured = program("pg_config").and_then(|program| {
        let folder = quietly(Command::new(program).arg("--bindir")).ok()?;
        Some(PathBuf::from(folder.trim()))
    });
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    debian.sort();
    let newest_first = debian.into_iter().rev().map(|(_, folder)| folder);
    let complete =
        |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| is_executable(&folder.join(name)));
    path.into_iter().chain(newest_first).chain(configured).find(complete)
}

/// A folder that the server's account can reach and nobody else can read.
fn folder(account: Option<&Account>) -> Result<TempDir> {
    // TMPDIR of root may lie where another account cannot go.
    let parent = if account.is_some() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent).context("a temporary folder")?;
    fs::write(folder.path().join("owner"), std::process::id().to_string()).context("the owner's file")?;
    if let Some(account) = account {
        chown(folder.path(), Some(account.user), Some(account.group))
            .context("cannot give the folder away")?;
    }
    Ok(folder)
}

/// Removes what runs left behind that were killed before they could clean up.
fn sweep() {
    let parents = [PathBuf::from("/tmp"), std::env::temp_dir()];
    for entry in parents.iter().filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let owner = fs::read_to_string(entry.path().join("owner")).ok();
        let owner = owner.and_then(|owner| Pid::from_raw(owner.parse().ok()?));
        if is_ours && owner.is_some_and(|owner| test_kill_process(owner).is_err()) {
            // Somebody else's run may sweep at the same time: whoever is second finds nothing.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

fn initialise(binaries: &Path, account: Option<&Account>, folder: &Path, password: &str) -> Result<()> {
    let file = folder.join("password");
    fs::write(&file, password).context("the password's file")?;
    if let Some(account) = account {
        chown(&file, Some(account.user), Some(account.group)).context("cannot give the file away")?;
    }
    let mut command = as_account(account, &binaries.join("initdb"))?;
    command.arg("--pgdata").arg(folder.join("data")).arg("--pwfile").arg(&file).current_dir(folder);
    command.args([
        "--username",
        SUPERUSER,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    ]);
    quietly(&mut command)?;
    fs::remove_file(file).context("the password's file")
}

/// The port is free now; the server binds it a moment later.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

fn launch(binaries: &Path, account: Option<&Account>, folder: &Path, port: u16) -> Result<Child> {
    let log = fs::File::create(folder.join("log")).context("the server's log")?;
    let mut command = as_account(account, &binaries.join("postgres"))?;
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // A group of its own: Ctrl-C in a terminal stops the tests first, then this program stops the server.
    command.process_group(0).spawn().context("cannot start `postgres`")
}

/// The program run by that account, told to stop (fast shutdown) should this process be killed.
fn as_account(account: Option<&Account>, program_file: &Path) -> Result<Command> {
    let setpriv = program("setpriv");
    let tells_of_death =
        |setpriv: &PathBuf| quietly(Command::new(setpriv).args(["--pdeathsig", "INT", "true"])).is_ok();
    let watched = setpriv.as_ref().is_some_and(tells_of_death);
    let mut command = match (account, setpriv) {
        (Some(account), Some(setpriv)) => {
            let mut command = Command::new(setpriv);
            command.args(["--reuid", &account.user.to_string(), "--regid", &account.group.to_string()]);
            command.arg("--clear-groups");
            command
        }
        (Some(account), None) => {
            let runuser = program("runuser")
                .context("root may not run Postgres, and there is no `setpriv` or `runuser`")?;
            let mut command = Command::new(runuser);
            command.args(["-u", &account.name, "--"]).arg(program_file);
            return Ok(command);
        }
        (None, Some(setpriv)) if watched => Command::new(setpriv),
        (None, _) => return Ok(Command::new(program_file)),
    };
    if watched {
        command.args(["--pdeathsig", "INT"]);
    }
    command.arg(program_file);
    Ok(command)
}

/// The last line of `postmaster.pid` says `ready` once connections are taken.
fn wait_until_ready(server: &mut Child, folder: &Path) -> Result<()> {
    let status = folder.join("data/postmaster.pid");
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let ended: Option<ExitStatus> = server.try_wait().context("the server")?;
        if let Some(ended) = ended {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("`postgres` ended at start: {ended}: {}", log.lines().last().unwrap_or("it said nothing"));
        }
        let lines = fs::read_to_string(&status).unwrap_or_default();
        if lines.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "`postgres` was not ready within {} s", START_TIMEOUT.as_secs());
        pause();
    }
}

/// Fast shutdown; killed when that takes too long.
fn stop(server: &mut Child) {
    let id = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
    let ended = |server: &mut Child| !matches!(server.try_wait(), Ok(None));
    let deadline = Instant::now() + STOP_TIMEOUT;
    if let Some(id) = id.filter(|_| !ended(server)) {
        let told = kill_process(id, Signal::INT);
        while told.is_ok() && !ended(server) && Instant::now() < deadline {
            pause();
        }
    }
    if !ended(server) && server.kill().and_then(|()| server.wait()).is_err() {
        eprintln!("process {} could not be stopped", server.id());
    }
}

#[expect(clippy::disallowed_methods, reason = "Postgres has no event that tells when it started or stopped")]
fn pause() {
    std::thread::sleep(POLL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_gone_when_dropped() {
        if find_binaries().is_none() {
            // `cargo xtask test` itself names what needs a Postgres that is not there.
            return;
        }
        let cluster = Cluster::start().unwrap();
        let folder = cluster.folder.path().to_owned();
        let port = cluster.url().rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(cluster);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}

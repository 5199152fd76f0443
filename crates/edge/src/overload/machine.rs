//! How much memory this process may take, and how much it takes, as Linux tells it.
//!
//! Sources: `cgroups(7)` (where a process's groups stand, `memory.max` of version 2, `memory.limit_in_bytes` of version
//! 1), `proc_pid_status(5)` (`VmRSS`), `proc_meminfo(5)` (`MemTotal`). Elsewhere than on Linux nothing is known.

use std::{fs, path::Path};

/// What this process may take, in bytes: the smallest limit of its control groups and their parents, or the machine's
/// memory if that is less.
pub(super) fn memory_max() -> Option<u64> {
    memory_max_below(Path::new("/"))
}

/// What this process takes, in bytes.
pub(super) fn resident() -> Option<u64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

fn memory_max_below(root: &Path) -> Option<u64> {
    let machine = fs::read_to_string(root.join("proc/meminfo")).ok();
    let machine = machine.and_then(|text| field(&text, "MemTotal:"));
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    groups.lines().filter_map(|line| group_max(root, line)).chain(machine).min()
}

/// A line `hierarchy:controllers:path`. In a container the path may be the host's, which is not there: then what is
/// mounted is the container's own group, and the walk up ends at it.
fn group_max(root: &Path, line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let (base, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|one| one == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let path = Path::new(path.trim_start_matches('/'));
    let limits = path.ancestors().filter_map(|group| {
        let text = fs::read_to_string(root.join(base).join(group).join(file)).ok()?;
        text.trim().parse::<u64>().ok()
    });
    limits.min()
}

/// The number of kilobytes behind `name`, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with these files; what a process that sees it may take.
    fn told(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        memory_max_below(root.path())
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemFree: 1 kB\nMemTotal:       8388608 kB\n");

    #[test]
    fn the_smallest_limit_of_a_group_and_its_parents_counts() {
        let groups = ("proc/self/cgroup", "0::/pods/one\n");
        let one = ("sys/fs/cgroup/pods/one/memory.max", "max\n");
        let pods = ("sys/fs/cgroup/pods/memory.max", "1073741824\n");
        assert_eq!(told(&[MACHINE, groups, one, pods]), Some(1 << 30));
        let one = ("sys/fs/cgroup/pods/one/memory.max", "268435456\n");
        assert_eq!(told(&[MACHINE, groups, one, pods]), Some(256 << 20));
    }

    #[test]
    fn version_1_and_paths_of_the_host_are_understood() {
        let limit = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
        let groups = ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n");
        assert_eq!(told(&[MACHINE, groups, limit]), Some(512 << 20));
        let none = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(told(&[MACHINE, groups, none]), Some(8 << 30), "no limit is the machine's");
    }

    #[test]
    fn without_a_group_the_machine_counts_and_without_linux_nothing() {
        assert_eq!(told(&[MACHINE, ("proc/self/cgroup", "0::/\n")]), Some(8 << 30));
        assert_eq!(told(&[]), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        assert!(resident().unwrap() > 0 && resident() < memory_max());
    }
}

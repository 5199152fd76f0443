//! On what the figures were measured.

use crate::process;

/// Lines about the machine, to be printed with the figures.
pub(crate) fn lines() -> Vec<String> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model);
    let processors = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let apart = if process::apart() {
        "the measured processes on one, the load tool and the upstream on another"
    } else {
        "everything wherever the kernel put it"
    };
    vec![
        format!("{processors} × {model}, Linux {}; {apart}.", kernel.trim()),
        "HTTP/1.1 with keep-alive on both sides, no TLS; 1 KiB answers, 0.7 KiB questions, chunks of about 260 bytes.".into(),
    ]
}

/// How busy the machine is with everything that runs on it: processes that run or want to, over the last minute.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

//! The memory of a running process, as whoever takes its image sees it.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

use anyhow::{Context as _, Result, ensure};

use crate::process::Process;

/// Bytes that are looked at in one go.
const PIECE: u64 = 4 * 1024 * 1024;
/// Bytes that two pieces share, so that what lies across their border is found: longer than anything that is looked for.
const OVERLAP: u64 = 4 * 1024;

/// Shows `look` all the memory that a process can read, piece by piece; how many bytes they were.
pub fn each_piece(process: &Process, mut look: impl FnMut(&[u8])) -> Result<u64> {
    let id = process.id()?;
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).context("the map of its memory")?;
    let memory = File::open(format!("/proc/{id}/mem")).context("its memory")?;
    let (mut seen, mut buffer) = (0, vec![0; usize::try_from(PIECE)?]);
    for region in maps.lines().filter_map(region) {
        let (mut at, end) = region;
        while at < end {
            let length = usize::try_from((end - at).min(PIECE))?;
            // What the process lets go of meanwhile, and what belongs to the kernel, cannot be read.
            let Ok(read) = memory.read_at(&mut buffer[..length], at) else { break };
            look(&buffer[..read]);
            seen += read as u64;
            let next = at + read as u64;
            if read == 0 || next >= end {
                break;
            }
            at = next.saturating_sub(OVERLAP).max(at + 1);
        }
    }
    ensure!(seen > 0, "nothing of the memory of process {id} could be read");
    Ok(seen)
}

/// The bounds of a region that can be read; not those of the kernel.
fn region(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_whitespace();
    let (bounds, rights) = (words.next()?, words.next()?);
    let kernel = line.ends_with("[vvar]") || line.ends_with("[vsyscall]") || line.ends_with("[vvar_vclock]");
    let (from, to) = bounds.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    (rights.starts_with('r') && !kernel).then_some((number(from)?, number(to)?))
}

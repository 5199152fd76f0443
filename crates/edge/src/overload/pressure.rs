//! How much of its memory the process has taken. It is read when somebody asks and the last reading is old, so that an idle
//! process reads nothing and a busy one no more often than it needs to.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::machine;
use crate::config::Overload;

/// How near the end of its memory the process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Far from it.
    Easy,
    /// Connections are closed behind their answers.
    Tight,
    /// New calls are refused.
    Full,
    /// New connections are closed.
    Out,
}

/// The process's memory against its limit.
#[derive(Debug)]
pub(crate) struct Pressure {
    /// In bytes; none where nothing tells it.
    max: Option<u64>,
    /// From how many bytes on which level begins, the highest first.
    steps: [(u64, Level); 3],
    look: Duration,
    born: Instant,
    /// When it was read last, in milliseconds since `born`, plus one; 0 is never.
    looked: AtomicU64,
    resident: AtomicU64,
}

impl Pressure {
    pub(super) fn new(limits: &Overload, max: Option<u64>) -> Self {
        let share = |percent: u8| max.map_or(u64::MAX, |max| max / 100 * u64::from(percent));
        Self {
            max,
            steps: [
                (share(limits.memory_out), Level::Out),
                (share(limits.memory_full), Level::Full),
                (share(limits.memory_tight), Level::Tight),
            ],
            look: limits.memory_look,
            born: Instant::now(),
            looked: AtomicU64::new(0),
            resident: AtomicU64::new(0),
        }
    }

    /// How near the end of its memory the process is.
    pub(crate) fn level(&self) -> Level {
        self.level_of(self.resident())
    }

    fn level_of(&self, resident: u64) -> Level {
        self.steps.iter().find(|(from, _)| resident >= *from).map_or(Level::Easy, |(_, level)| *level)
    }

    /// What the process takes, in bytes; 0 where nothing tells it.
    pub(crate) fn resident(&self) -> u64 {
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1;
        let looked = self.looked.load(Ordering::Acquire);
        let old = looked == 0 || Duration::from_millis(now.saturating_sub(looked)) >= self.look;
        // One of those that ask at once reads; the others take what was read before.
        if old && self.looked.compare_exchange(looked, now, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.resident.store(machine::resident().unwrap_or(0), Ordering::Release);
        }
        self.resident.load(Ordering::Acquire)
    }

    /// What the process may take, in bytes.
    pub(crate) fn max(&self) -> Option<u64> {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_what_the_process_takes() {
        let pressure = Pressure::new(&Overload::default(), Some(1000));
        for (resident, level) in [
            (0, Level::Easy),
            (849, Level::Easy),
            (850, Level::Tight),
            (919, Level::Tight),
            (920, Level::Full),
            (949, Level::Full),
            (950, Level::Out),
            (2000, Level::Out),
        ] {
            assert_eq!(pressure.level_of(resident), level, "{resident}");
        }
        assert_eq!(Pressure::new(&Overload::default(), None).level(), Level::Easy);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_beyond_its_limit_is_out_of_memory() {
        assert_eq!(Pressure::new(&Overload::default(), Some(100)).level(), Level::Out);
    }
}

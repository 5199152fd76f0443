//! `keyward doctor`: looks for what is wrong with this installation, and says what to do. Changes nothing.

mod network;
mod storage;

use std::process::ExitCode;

use store::{Clock as _, System};

use crate::{command, roles::say};

/// Before the day on which this program was written, in milliseconds since the Unix epoch: a clock that says so is wrong.
const WRITTEN_AT: i64 = 1_790_000_000_000;

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warn,
    /// Does not work.
    Fail,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Report {
    failed: bool,
}

impl Report {
    fn ok(&mut self, what: &str, said: &str) {
        self.line(Found::Ok, what, said);
    }

    fn warn(&mut self, what: &str, said: &str) {
        self.line(Found::Warn, what, said);
    }

    fn fail(&mut self, what: &str, said: &str) {
        self.line(Found::Fail, what, said);
    }

    fn line(&mut self, found: Found, what: &str, said: &str) {
        self.failed |= found == Found::Fail;
        let word = match found {
            Found::Ok => "ok",
            Found::Warn => "warn",
            Found::Fail => "FAIL",
        };
        say(&format!("{word:>4}  {what:<14} {said}\n"));
    }
}

/// Looks at everything; exit code 0 unless something does not work, then 1.
pub(crate) async fn run(arguments: &command::Doctor) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    match arguments.place.sources(&arguments.configured).ready() {
        Err(error) => report.fail("configuration", &fault::chain(error.as_ref())),
        Ok(ready) => {
            report.ok("configuration", "can be used");
            clock(&mut report);
            storage::look(&mut report, &ready).await;
            network::look(&mut report, &ready).await;
        }
    }
    Ok(if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn clock(report: &mut Report) {
    if System.now_ms() < WRITTEN_AT {
        report.fail("clock", "is years behind: certificates will not be valid; set it");
    } else {
        report.ok("clock", "could be right");
    }
}

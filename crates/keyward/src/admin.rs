//! The admin's command line: `secret`, `model`, `endpoint`, `key` and `audit`, over the management REST API.
//!
//! Exit codes: 0 done, 1 refused, 2 wrong usage (clap's), 3 Keyward was not reached, 4 the provider is at fault
//! (`endpoint test` only). Tables for people, `--json` for scripts. A secret's value is never an argument: arguments are
//! seen by every process of the machine.

mod audit;
mod client;
mod endpoint;
mod key;
mod model;
mod probe;
mod secret;
mod table;

use std::{io::Write as _, process::ExitCode};

pub(crate) use audit::AuditCommand;
pub(crate) use client::Client;
pub(crate) use endpoint::EndpointCommand;
pub(crate) use key::KeyCommand;
pub(crate) use model::ModelCommand;
pub(crate) use secret::SecretCommand;

use clap::Args;

use crate::environment;

/// Said at the end of `--help`.
pub(crate) const EXIT_CODES: &str = "Exit codes:\n  0  done\n  1  refused\n  2  wrong usage\n  3  Keyward was not reached\n  \
     4  the provider is at fault (`endpoint test` only)";

/// Where the management API is, and how to show what it says.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connection {
    /// Where Keyward listens
    #[arg(long, value_name = "URL", env = environment::URL, default_value = "http://127.0.0.1:5000")]
    pub url: String,
    /// Print the API's JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// Nobody answered at the address.
    #[error(
        "cannot reach Keyward at {url}: {why}; is `keyward serve` running? (`--url` or KEYWARD_URL says where)"
    )]
    NotReached {
        /// The address that was tried.
        url: String,
        /// In a few words.
        why: &'static str,
    },
    /// Keyward refused.
    #[error("{message} ({code})")]
    Refused {
        /// `error_code` of the answer.
        code: String,
        /// `message` of the answer.
        message: String,
    },
    /// What came is not an answer of this API.
    #[error("what answers at {url} is not Keyward's management API (HTTP {status})")]
    NotKeyward {
        /// The address.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// The input cannot be used.
    #[error("{0}")]
    Input(String),
    /// The test call failed at the provider.
    #[error("{0}")]
    Provider(String),
}

impl AdminError {
    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused { .. } | Self::Input(_) => 1,
            Self::NotReached { .. } | Self::NotKeyward { .. } => 3,
            Self::Provider(_) => 4,
        })
    }
}

/// The process's exit code for what a command came to; says on standard error what went wrong.
pub(crate) fn exit(done: Result<(), AdminError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "keyward: {error}");
            error.exit_code()
        }
    }
}

//! The binary: command line and configuration → rooms → run until told to stop.
//!
//! The only crate that names providers, databases and transports together. It holds no business rule: what a role is
//! made of stands in [`roles`], what an admin types in [`admin`], what a file may say in [`config`].

mod admin;
mod api_base;
mod bind;
mod certs;
mod command;
mod config;
mod demo;
mod doctor;
mod environment;
mod keeping;
mod lifecycle;
mod roles;

use std::{io::Write as _, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser as _;

use command::{Command, CommandLine};

/// How long the process waits at its end for calls of the operating system that cannot be broken off.
const BLOCKED_MAX: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "keyward: {}", fault::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    // One cryptographic library for everything that speaks TLS in this process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the async runtime")?;
    let done = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => roles::serve::run(arguments).await,
            Command::Edge(arguments) => roles::edge::run(arguments).await,
            Command::Store(arguments) => roles::store::run(arguments).await,
            Command::Forwarder(arguments) => roles::forwarder::run(arguments).await,
            Command::Demo(arguments) => demo::run(&arguments).await,
            Command::Check(arguments) => config::check(&arguments.configured()),
            Command::Config(arguments) => config::print(&arguments),
            Command::Certs(command) => certs::run(&command),
            Command::Doctor(arguments) => return doctor::run(&arguments).await,
            Command::Backup(arguments) => keeping::backup(&arguments).await,
            Command::Restore(arguments) => keeping::restore(&arguments).await,
            Command::Secret(command) => return Ok(admin::exit(command.run().await)),
            Command::Model(command) => return Ok(admin::exit(command.run().await)),
            Command::Endpoint(command) => return Ok(admin::exit(command.run().await)),
            Command::Key(command) => return Ok(admin::exit(command.run().await)),
            Command::Audit(command) => return Ok(admin::exit(command.run().await)),
        }
        .map(|()| ExitCode::SUCCESS)
    });
    // A look-up of a name that hangs does not hold the end of the process.
    runtime.shutdown_timeout(BLOCKED_MAX);
    done
}

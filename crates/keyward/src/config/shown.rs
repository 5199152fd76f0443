//! `keyward check` and `keyward config`.

use std::io::Write as _;

use anyhow::Context as _;

use super::Sources;
use crate::command::Configured;

/// Says whether the file can be used; all mistakes at once.
pub(crate) fn check(configured: &Configured) -> anyhow::Result<()> {
    let ready = Sources { config: configured.config.clone(), ..Sources::default() }.ready()?;
    let listeners: Vec<_> = ready.listeners.iter().map(|listener| listener.address.to_string()).collect();
    let _ = writeln!(std::io::stdout().lock(), "the configuration can be used; it would listen on {}", listeners.join(", "));
    Ok(())
}

/// Prints the effective tree as TOML. It holds no secret: a file refers to secrets by path only.
pub(crate) fn print(configured: &Configured) -> anyhow::Result<()> {
    let ready = Sources { config: configured.config.clone(), ..Sources::default() }.ready()?;
    let text = toml::to_string_pretty(&ready.written).context("show the configuration")?;
    let _ = write!(std::io::stdout().lock(), "{text}");
    Ok(())
}

//! How to reach the database, and the limits on it.

use std::{str::FromStr as _, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::OpenError;

/// Where the database is and how long anything there may take.
#[derive(Debug, Clone)]
pub struct Config {
    /// `postgres://user:password@host:port/database`. It holds a password: from a file or the environment, never an argument.
    pub url: SecretString,
    /// Connections for reading and writing; the one for `LISTEN` comes on top.
    pub connections_max: u32,
    /// How long a call waits for a connection, free or new, before it answers that the database is not available.
    pub acquire_timeout: Duration,
    /// How long one statement may take on the server.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock: a writer for the writer before it.
    pub lock_timeout: Duration,
    /// How long a transaction may lie idle before the server ends it and its lock on `meta`.
    pub idle_in_transaction_timeout: Duration,
    /// How long to ask for the outcome of a commit whose answer was lost.
    pub outcome_timeout: Duration,
}

impl Config {
    /// The limits of `spec/reliability-security.md` 4.9 for a database at that URL.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            connections_max: 10,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            idle_in_transaction_timeout: Duration::from_secs(10),
            outcome_timeout: Duration::from_secs(5),
        }
    }

    /// What a connection of the pool is opened with.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, OpenError> {
        Ok(self.plain_options()?.options([
            ("statement_timeout", milliseconds(self.statement_timeout)),
            ("lock_timeout", milliseconds(self.lock_timeout)),
            ("idle_in_transaction_session_timeout", milliseconds(self.idle_in_transaction_timeout)),
        ]))
    }

    /// Without the server's limits: migrations may take their time.
    pub(crate) fn plain_options(&self) -> Result<PgConnectOptions, OpenError> {
        // The error would quote the URL, and with it the password.
        let options =
            PgConnectOptions::from_str(self.url.expose_secret()).map_err(|_| OpenError::InvalidUrl)?;
        Ok(options.application_name("keyward"))
    }

    /// How long this side waits for the answer to a statement: a little longer than the server lets it run, so that the
    /// server's word comes first where there is a server.
    pub(crate) fn answer_timeout(&self) -> Duration {
        self.statement_timeout + Duration::from_secs(1)
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_does_not_parse_is_not_quoted() {
        let config = Config::new("postgres://user:hunter2@host:notaport/x".into());
        let error = config.options().unwrap_err();
        assert!(matches!(error, OpenError::InvalidUrl));
        assert!(!format!("{error} {error:?} {config:?}").contains("hunter2"));
    }

    #[test]
    fn the_limits_travel_with_the_connection() {
        let options = Config::new("postgres://user@host/x".into()).options().unwrap();
        let sent = options.get_options().unwrap();
        assert!(sent.contains("statement_timeout=5000ms"), "{sent}");
        assert!(sent.contains("lock_timeout=2000ms"), "{sent}");
        assert!(sent.contains("idle_in_transaction_session_timeout=10000ms"), "{sent}");
    }
}

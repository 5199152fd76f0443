//! The command line, as clap reads it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};

use crate::{config::Sources, environment};

/// One place for provider keys: applications call endpoints by name, Keyward adds the key.
#[derive(Debug, Parser)]
#[command(name = "keyward", version, about, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process on an embedded database
    Serve(Serve),
    /// Run the edge: HTTP in, for applications and admins
    Edge(Edge),
    /// Run the store, which alone has the database and the key-encryption keys
    Store(Store),
    /// Run the forwarder of one provider
    Forwarder(Forwarder),
    /// Try it without an account: a simulated provider, the gateway, and a call
    Demo(Demo),
    /// Manage secrets (provider keys)
    #[command(subcommand, after_help = crate::admin::EXIT_CODES)]
    Secret(crate::admin::SecretCommand),
    /// Manage model definitions
    #[command(subcommand, after_help = crate::admin::EXIT_CODES)]
    Model(crate::admin::ModelCommand),
    /// Manage endpoints
    #[command(subcommand, after_help = crate::admin::EXIT_CODES)]
    Endpoint(crate::admin::EndpointCommand),
    /// Manage the keys of applications
    #[command(subcommand, after_help = crate::admin::EXIT_CODES)]
    Key(crate::admin::KeyCommand),
    /// Read and verify the audit log
    #[command(subcommand, after_help = crate::admin::EXIT_CODES)]
    Audit(crate::admin::AuditCommand),
    /// Check a configuration file without starting anything
    Check(Check),
    /// Print the effective configuration, secrets masked
    Config(Configured),
    /// Make and renew certificates by which services know each other
    #[command(subcommand)]
    Certs(crate::certs::CertsCommand),
    /// Look for what is wrong with this installation
    Doctor(Doctor),
    /// Copy the embedded database into one file; the key is kept apart
    Backup(Backup),
    /// Make a data folder from a backup
    Restore(Restore),
}

/// Where the configuration file lies.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Configured {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = environment::CONFIG, global = true)]
    pub config: Option<PathBuf>,
}

/// `keyward check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Configuration file (TOML); goes before `--config`
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub configured: Configured,
}

impl Check {
    /// The file that is to be checked.
    pub(crate) fn configured(self) -> Configured {
        Configured { config: self.file.or(self.configured.config) }
    }
}

/// Where the embedded database and its key lie.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DataPlace {
    /// Folder of the embedded database [default: the user's data folder]
    #[arg(long, value_name = "DIR", env = environment::DATA_DIR)]
    pub data_dir: Option<PathBuf>,
    /// Key-encryption key: a file, or a keyring folder; outside the data folder [default: in the user's configuration folder]
    #[arg(long, value_name = "FILE", env = environment::KEY_FILE)]
    pub key_file: Option<PathBuf>,
    /// File that holds a Postgres URL, to use Postgres instead of the embedded database
    #[arg(long, value_name = "FILE", env = environment::DATABASE_URL_FILE)]
    pub database_url_file: Option<PathBuf>,
}

impl DataPlace {
    /// The same, for the configuration.
    pub(crate) fn sources(&self, configured: &Configured) -> Sources {
        Sources {
            config: configured.config.clone(),
            data_dir: self.data_dir.clone(),
            key_file: self.key_file.clone(),
            database_url_file: self.database_url_file.clone(),
            ..Sources::default()
        }
    }
}

/// How this service and others know each other.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Internal {
    /// Folder of ca.pem, cert.pem and key.pem (or ca.crt, tls.crt and tls.key), by which services know each other; see
    /// `keyward certs init`
    #[arg(long, value_name = "DIR")]
    pub tls_dir: Option<PathBuf>,
    /// Speak plain text with other services beyond loopback: whoever reaches them is believed
    #[arg(long)]
    pub insecure_internal: bool,
}

/// `keyward serve`
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen on [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS", env = environment::LISTEN, value_parser = address)]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub place: DataPlace,
    /// Let only holders of client keys call (`keyward key create`)
    #[arg(long)]
    pub client_keys: bool,
    /// Listen on an address that is not loopback although nobody needs a credential: whoever reaches it spends your money
    #[arg(long)]
    pub insecure_open: bool,
    #[command(flatten)]
    pub configured: Configured,
}

/// `keyward edge`
#[derive(Debug, Args)]
pub(crate) struct Edge {
    /// Address to listen on, for the planes that the configuration names, else for both
    #[arg(long, value_name = "ADDRESS", env = environment::LISTEN, value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// The store's address, e.g. https://store:5001, or http://127.0.0.1:5001 for plain text
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// A forwarder's address, e.g. gemini=https://forwarder-gemini:5002, or gemini=http://127.0.0.1:5002 for plain text; may be repeated
    #[arg(long, value_name = "PROVIDER=URL")]
    pub forwarder: Vec<String>,
    /// File that keeps the published state, so that a restart needs no store
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// This process's name among replicas [default: edge-<host>-<port>]
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
    /// Let only holders of client keys call (`keyward key create`)
    #[arg(long)]
    pub client_keys: bool,
    /// Listen on an address that is not loopback although nobody needs a credential
    #[arg(long)]
    pub insecure_open: bool,
    #[command(flatten)]
    pub internal: Internal,
    #[command(flatten)]
    pub configured: Configured,
}

/// `keyward store`
#[derive(Debug, Args)]
pub(crate) struct Store {
    /// What else to do than to run
    #[command(subcommand)]
    pub action: Option<StoreAction>,
    /// Address of the gRPC listener; beyond loopback it needs `--tls-dir` [default: 127.0.0.1:5001]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// File that holds the Postgres URL
    #[arg(long, value_name = "FILE", env = environment::DATABASE_URL_FILE, global = true)]
    pub database_url_file: Option<PathBuf>,
    /// Key-encryption key: a file, or a keyring folder [default: in the user's configuration folder]
    #[arg(long, value_name = "FILE", env = environment::KEY_FILE)]
    pub key_file: Option<PathBuf>,
    #[command(flatten)]
    pub internal: Internal,
    #[command(flatten)]
    pub configured: Configured,
}

/// What else the store can do.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreAction {
    /// Bring the database's tables up to date and end
    Migrate,
    /// After the database was restored from a backup: make edges and forwarders take everything anew, and end
    RenewEpoch,
}

/// `keyward forwarder PROVIDER`
#[derive(Debug, Args)]
pub(crate) struct Forwarder {
    /// Whose calls it takes, e.g. gemini
    pub provider: String,
    /// Address of the gRPC listener; beyond loopback it needs `--tls-dir`
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// The store's address, e.g. https://store:5001, or http://127.0.0.1:5001 for plain text
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// File of this forwarder's own private key; made at first start; never beside the snapshot
    #[arg(long, value_name = "FILE")]
    pub node_key: Option<PathBuf>,
    /// File that keeps this forwarder's targets, secrets sealed, so that a restart needs no store
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// This process's name among replicas [default: made of the provider and the node key]
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
    #[command(flatten)]
    pub internal: Internal,
    #[command(flatten)]
    pub configured: Configured,
}

/// `keyward demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the call instead of waiting for Ctrl-C
    #[arg(long)]
    pub once: bool,
}

/// `keyward doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub place: DataPlace,
    #[command(flatten)]
    pub configured: Configured,
}

/// `keyward backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where the copy goes; must not exist
    pub file: PathBuf,
    #[command(flatten)]
    pub place: DataPlace,
    #[command(flatten)]
    pub configured: Configured,
}

/// `keyward restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy
    pub file: PathBuf,
    #[command(flatten)]
    pub place: DataPlace,
    #[command(flatten)]
    pub configured: Configured,
}

/// An address with its port; `localhost` is this machine's own, as in RFC 6761, whatever a resolver says.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let local = text.rsplit_once(':').filter(|(host, _)| host.eq_ignore_ascii_case("localhost"));
    let parsed = match local {
        Some((_, port)) => port.parse().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into()),
        None => text.parse().ok(),
    };
    parsed.ok_or("an address and a port are needed, e.g. 127.0.0.1:5000 or localhost:5000")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, clap::Error> {
        CommandLine::try_parse_from(line.split(' ')).map(|line| line.command)
    }

    #[test]
    fn the_file_to_check_is_named_either_way() {
        for line in
            ["keyward check a.toml", "keyward check --config a.toml", "keyward check a.toml --config b.toml"]
        {
            let Ok(Command::Check(check)) = read(line) else { panic!("{line}") };
            assert_eq!(check.configured().config, Some("a.toml".into()), "{line}");
        }
    }

    #[test]
    fn localhost_is_an_address() {
        for (text, expected) in [
            ("localhost:5005", Some("127.0.0.1:5005")),
            ("LOCALHOST:0", Some("127.0.0.1:0")),
            ("[::1]:5000", Some("[::1]:5000")),
            ("0.0.0.0:80", Some("0.0.0.0:80")),
            ("localhost", None),
            ("localhost:x", None),
            ("example.com:80", None),
        ] {
            assert_eq!(address(text).ok(), expected.map(|expected| expected.parse().unwrap()), "{text}");
            for role in ["serve", "edge", "store", "forwarder gemini"] {
                assert_eq!(
                    read(&format!("keyward {role} --listen {text}")).is_ok(),
                    expected.is_some(),
                    "{role} {text}"
                );
            }
        }
    }
}

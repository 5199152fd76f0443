//! The room's leaf of the configuration, and what is built from it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    clock::{Clock, System},
    connect::Way,
    egress::{EgressAllow, Policy, Resolve, SystemResolver},
    held::Memory,
    pool::{Bounds, Pools},
    proxy::Proxy,
    tls::{TlsError, client_config},
    tokens::Tokens,
};

/// How calls leave for providers. Nothing of it comes from the environment's proxy variables.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where calls may go beyond public addresses over https on port 443: a list of `scheme://cidr[:port]`. Empty.
    pub allow: Vec<EgressAllow>,
    /// An HTTP proxy for every call, `http://[user:password@]host:port`. None.
    pub proxy: Option<Proxy>,
    /// A PEM file of certificates that are trusted beside the web's roots. None.
    pub ca_file: Option<PathBuf>,
    /// Connecting never takes longer than this, in milliseconds, whatever an endpoint's `limits.connect` says. 30000.
    pub connect_ms_max: u64,
    /// An idle connection is kept this long, in milliseconds: less than providers keep theirs. 60000.
    pub pool_idle_ms: u64,
    /// Idle connections kept for one secret at one host. 64.
    pub pool_idle_max: usize,
    /// Bytes of an answer that wait for a slow reader, per HTTP/2 stream. 131072.
    pub stream_window_bytes: u32,
    /// How long a provider's identity service may take to give a token, in milliseconds. 10000.
    pub token_ms_max: u64,
    /// The longest request body that is held until it is whole, in bytes: those that are signed (Bedrock with access keys)
    /// or sent in another form (Anthropic's models at Vertex AI and Bedrock). 33554432.
    pub held_body_bytes_max: u64,
    /// What all bodies that are held may take together, in bytes. 268435456.
    pub held_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            proxy: None,
            ca_file: None,
            connect_ms_max: 30_000,
            pool_idle_ms: 60_000,
            pool_idle_max: 64,
            stream_window_bytes: 128 * 1024,
            token_ms_max: 10_000,
            held_body_bytes_max: 32 << 20,
            held_bytes_max: 256 << 20,
        }
    }
}

impl Config {
    /// The egress rules alone, for those who check a base URL and send nothing.
    pub fn policy(&self) -> Policy {
        Policy::new(self.allow.clone())
    }

    /// Reads `ca_file` and builds the way out.
    pub fn build(self) -> Result<Arc<Outbound>, TlsError> {
        self.build_with(Arc::new(SystemResolver))
    }

    /// As [`Config::build`], with another look-up of names.
    pub fn build_with(self, resolver: Arc<dyn Resolve>) -> Result<Arc<Outbound>, TlsError> {
        self.build_at(resolver, Arc::new(System))
    }

    /// As [`Config::build_with`], at another time of day.
    pub fn build_at(
        self,
        resolver: Arc<dyn Resolve>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Outbound>, TlsError> {
        let tls = Arc::new(client_config(self.ca_file.as_deref())?);
        let way = Arc::new(Way {
            policy: self.policy(),
            resolver,
            proxy: self.proxy,
            tls: tls.into(),
            connect_max: Duration::from_millis(self.connect_ms_max),
        });
        let bounds = Bounds {
            idle_max: self.pool_idle_max,
            idle: Duration::from_millis(self.pool_idle_ms),
            stream_window: self.stream_window_bytes,
        };
        Ok(Arc::new(Outbound {
            pools: Pools::new(Arc::clone(&way), bounds),
            way,
            clock,
            tokens: Tokens::default(),
            token_within: Duration::from_millis(self.token_ms_max),
            memory: Memory::new(self.held_body_bytes_max, self.held_bytes_max),
        }))
    }
}

/// The way out, shared by the forwarders of one process.
pub struct Outbound {
    pub(crate) way: Arc<Way>,
    pub(crate) pools: Pools,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Tokens,
    pub(crate) token_within: Duration,
    pub(crate) memory: Memory,
}

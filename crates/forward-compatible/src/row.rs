//! A row that can be used: checked once, kept for the life of the process.

use std::collections::BTreeMap;

use dialect::Dialect;
use forward_http::{
    Family,
    egress::{EgressRefusal, Policy, check_url},
};
use http::{HeaderName, HeaderValue};

use crate::{WrittenCredential, WrittenRow, WrittenSpeech};

/// A provider.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) base: &'static str,
    pub(crate) hosts: &'static [&'static str],
    pub(crate) below_root: Option<String>,
    pub(crate) speaks: Vec<Speech>,
    pub(crate) dialects: &'static [Dialect],
    pub(crate) credential: Credential,
    pub(crate) paths: BTreeMap<String, String>,
    pub(crate) request_families: &'static [Family],
    pub(crate) answer_families: &'static [Family],
}

/// A dialect, and where it begins.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) dialect: Dialect,
    pub(crate) below: Below,
    /// Empty, or beginning with `/` and not ending so.
    pub(crate) path: String,
}

/// What a path is laid behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// The base as an admin wrote it, and what the row says it ends with.
    Base,
    /// The base without its version, or without what the row says it ends with.
    Root,
}

/// How a key is shown.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) header: HeaderName,
    pub(crate) prefix: String,
    pub(crate) field: String,
    pub(crate) optional: bool,
    pub(crate) none: Option<String>,
}

/// Why a row cannot be used. Messages are for the operator who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The base URL breaks the egress rules.
    #[error("`base`: {0}")]
    Base(#[from] EgressRefusal),
    /// A path that cannot be laid behind another.
    #[error("`{key}`: `{written}` must begin with `/`, not end so, and hold nothing but plain segments")]
    Path {
        /// Where it stands.
        key: &'static str,
        /// What is written.
        written: String,
    },
    /// A beginning of a dialect that is neither `{base}` nor `{root}`.
    #[error("`speaks`: `{0}` must begin with `{{base}}` or `{{root}}`")]
    Beginning(String),
    /// No dialect.
    #[error("`speaks` must name a dialect: `openai`, `anthropic` or `gemini`")]
    Mute,
    /// Not a header's name or value.
    #[error("`{0}` cannot stand in a header")]
    Header(String),
    /// A header that carries a credential or frames the connection, and is Keyward's own to set.
    #[error("`{0}` may not pass: it is Keyward's own to set")]
    Reserved(String),
    /// Not a provider's name, or a name that is taken.
    #[error("`{0}` cannot be its name: it is taken or malformed")]
    Name(String),
    /// The table itself.
    #[error("the table of providers cannot be read: {0}")]
    Table(#[from] toml::de::Error),
}

/// Headers that no row may let through: the credentials of other places, and what frames a connection.
const RESERVED: [&str; 14] = [
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "expect",
    "origin",
];

impl Row {
    /// Checks a row, and lets it live as long as the process: there are as many as were written.
    pub(crate) fn keep(written: WrittenRow, policy: &Policy) -> Result<&'static Self, RowError> {
        let WrittenRow {
            aliases: _,
            base,
            hosts,
            below_root,
            speaks,
            credential,
            paths,
            request_headers,
            answer_headers,
        } = written;
        let own = base.as_deref().map(|base| check_url(base, policy)).transpose()?;
        let hosts: Vec<String> = match (hosts.is_empty(), own) {
            (true, Some(base)) => vec![base.host_text().to_owned()],
            _ => hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        };
        let hosts: Vec<&'static str> = hosts.into_iter().map(|host| &*host.leak()).collect();
        let below_root = below_root.map(|path| plain("below_root", path)).transpose()?;
        let speaks = speeches(speaks)?;
        let dialects: Vec<Dialect> = speaks.iter().map(|speech| speech.dialect).collect();
        let paths = paths.into_iter().map(|(from, to)| Ok((plain("paths", from)?, plain("paths", to)?)));
        Ok(Box::leak(Box::new(Self {
            base: base.map_or("", |base| base.leak()),
            hosts: hosts.leak(),
            below_root,
            speaks,
            dialects: dialects.leak(),
            credential: shown(credential)?,
            paths: paths.collect::<Result<_, RowError>>()?,
            request_families: families(request_headers)?,
            answer_families: families(answer_headers)?,
        })))
    }
}

/// A path behind another: absolute, plain, nothing in it that could be read away.
fn plain(key: &'static str, written: String) -> Result<String, RowError> {
    let segment = |segment: &str| {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':');
        !matches!(segment, "" | "." | "..") && segment.bytes().all(plain)
    };
    match written.strip_prefix('/') {
        Some(rest) if rest.split('/').all(segment) => Ok(written),
        _ => Err(RowError::Path { key, written }),
    }
}

fn speeches(written: WrittenSpeech) -> Result<Vec<Speech>, RowError> {
    let WrittenSpeech { openai, anthropic, gemini } = written;
    let all = [(Dialect::OpenAi, openai), (Dialect::Anthropic, anthropic), (Dialect::Gemini, gemini)];
    let spoken = all.into_iter().filter_map(|(dialect, begins)| Some((dialect, begins?)));
    let speeches: Vec<_> =
        spoken.map(|(dialect, begins)| speech(dialect, &begins)).collect::<Result<_, _>>()?;
    if speeches.is_empty() { Err(RowError::Mute) } else { Ok(speeches) }
}

fn speech(dialect: Dialect, begins: &str) -> Result<Speech, RowError> {
    let (below, path) = match (begins.strip_prefix("{base}"), begins.strip_prefix("{root}")) {
        (Some(path), _) => (Below::Base, path),
        (_, Some(path)) => (Below::Root, path),
        (None, None) => return Err(RowError::Beginning(begins.to_owned())),
    };
    let path = if path.is_empty() { String::new() } else { plain("speaks", path.to_owned())? };
    Ok(Speech { dialect, below, path })
}

fn shown(written: WrittenCredential) -> Result<Credential, RowError> {
    let WrittenCredential { header, prefix, field, optional, none } = written;
    let Ok(name) = HeaderName::try_from(&header) else { return Err(RowError::Header(header)) };
    if HeaderValue::try_from(&prefix).is_err() {
        return Err(RowError::Header(prefix));
    }
    Ok(Credential { header: name, prefix, field, optional, none })
}

fn families(written: Vec<String>) -> Result<&'static [Family], RowError> {
    let families = written.into_iter().map(family).collect::<Result<Vec<_>, _>>()?;
    Ok(families.leak())
}

fn family(written: String) -> Result<Family, RowError> {
    let name = written.strip_suffix('*').unwrap_or(&written);
    if name.is_empty() || HeaderName::from_lowercase(name.as_bytes()).is_err() {
        return Err(RowError::Header(written));
    }
    let is_prefix = written.ends_with('*');
    let reserved = |other: &&str| if is_prefix { other.starts_with(name) } else { *other == name };
    if RESERVED.iter().any(reserved) {
        return Err(RowError::Reserved(written));
    }
    Ok(if is_prefix { Family::Prefix(name.to_owned().leak()) } else { Family::Exact(written.leak()) })
}

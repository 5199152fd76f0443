//! A row as it is written, in `providers.toml` and under `[providers.NAME]` of the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A provider, as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenRow {
    /// Other names of the same provider.
    pub aliases: Vec<String>,
    /// The address of its API, version and all, where a secret says nothing else. None: every secret must say.
    pub base: Option<String>,
    /// Hosts that its keys may be sent to where a secret has no list of its own. The base's host.
    pub hosts: Vec<String>,
    /// What a base ends with behind its root, and gets where an admin left it out. None: a version (`/v1`, `/v1beta`,
    /// `/v1alpha`), where it has one.
    pub below_root: Option<String>,
    /// Which dialects it speaks, and where each begins. OpenAI's, at the base.
    pub speaks: WrittenSpeech,
    /// How a key is shown.
    pub credential: WrittenCredential,
    /// Where it has another path than the dialect: from the dialect's, behind the version, to its own.
    pub paths: BTreeMap<String, String>,
    /// Request headers that pass beyond the common ones: names in lower case; a star at the end stands for anything.
    pub request_headers: Vec<String>,
    /// Answer headers that pass beyond the common ones.
    pub answer_headers: Vec<String>,
}

/// Where each dialect begins: at `{base}`, or at `{root}`, which is the base without its version or `below_root`; and a path
/// behind it. Where none is written, OpenAI's at `{base}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenSpeech {
    /// What stands before OpenAI's paths, without their version.
    pub openai: Option<String>,
    /// What stands before Anthropic's paths, without their version.
    pub anthropic: Option<String>,
    /// What stands before Gemini's paths, without their version.
    pub gemini: Option<String>,
}

impl Default for WrittenSpeech {
    fn default() -> Self {
        Self { openai: Some("{base}".to_owned()), anthropic: None, gemini: None }
    }
}

/// How a key is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenCredential {
    /// The header. `authorization`.
    pub header: String,
    /// What stands before the key in it. `Bearer ` with its space.
    pub prefix: String,
    /// The secret's field. `api_key`.
    pub field: String,
    /// Whether a secret may have no key. No.
    pub optional: bool,
    /// A value of the field that stands for no key. None does.
    pub none: Option<String>,
}

impl Default for WrittenCredential {
    fn default() -> Self {
        Self {
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
            field: "api_key".to_owned(),
            optional: false,
            none: None,
        }
    }
}

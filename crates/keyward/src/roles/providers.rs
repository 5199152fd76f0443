//! The table of providers: the one place that names them.
//!
//! To add one with a room of its own, add a line to [`native`]; one that speaks another's dialect is a table in
//! `forward-compatible`'s file, or in the configuration, and no line here.

use std::{collections::BTreeMap, sync::Arc};

use dialect::Dialect;
use forward::{Forward, Targets};
use forward_anthropic::Anthropic;
use forward_compatible::{Compatible, WrittenRow, catalogue};
use forward_gemini::Gemini;
use forward_http::{HttpForwarder, Outbound, Wire, egress::Policy};
use forward_openai::{Azure, OpenAi};
use forward_vertex::Vertex;
use names::Provider;

/// A provider that this program can forward to.
pub(crate) struct Known {
    /// Its name, as secrets and models carry it.
    pub name: &'static str,
    /// What it speaks; the first is its own.
    pub dialects: &'static [Dialect],
    /// Hosts of its API, where an admin says nothing else.
    pub hosts: &'static [&'static str],
    /// Whether it has a room of its own.
    pub native: bool,
    build: Box<Build>,
}

type Build = dyn Fn(Arc<dyn Targets>, Arc<Outbound>) -> Built + Send + Sync;

/// Every provider that this program can forward to.
pub(crate) struct Providers(Vec<Known>);

/// Those with a room of their own.
fn native() -> Vec<Known> {
    const OPEN_AI: &[Dialect] = &[Dialect::OpenAi];
    vec![
        known(Gemini, &[Dialect::Gemini], true),
        known(OpenAi, OPEN_AI, true),
        known(Azure::OPEN_AI, OPEN_AI, true),
        known(Azure::AI, OPEN_AI, true),
        known(Anthropic, &[Dialect::Anthropic], true),
        known(Vertex, &[Dialect::Gemini, Dialect::Anthropic, Dialect::OpenAi], true),
    ]
}

/// A forwarder, and how it is told that its targets changed.
#[derive(Clone)]
pub(crate) struct Built {
    /// Takes calls.
    pub forward: Arc<dyn Forward>,
    /// Lets go of keys and connections of targets that are gone.
    pub forget_gone: Arc<dyn Fn() + Send + Sync>,
}

impl Providers {
    /// All of them: those with a room, those of the catalogue, and an operator's own.
    pub(crate) fn new(
        own: &BTreeMap<String, WrittenRow>,
        policy: &Policy,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let mut all = native();
        match catalogue() {
            Ok(rows) => all.extend(rows.iter().copied().map(of_row)),
            Err(error) => mistakes.push(error.to_string()),
        }
        for (name, written) in own {
            match Compatible::from_config(name, written.clone(), policy) {
                Ok(rows) => all.extend(rows.into_iter().map(of_row)),
                Err(error) => mistakes.push(format!("providers.{name}: {error}")),
            }
        }
        all.sort_by_key(|known| known.name);
        for pair in all.windows(2).filter(|pair| pair[0].name == pair[1].name) {
            mistakes.push(format!("providers: there are two of the name `{}`", pair[0].name));
        }
        Self(all)
    }

    /// The provider of that name; an error names those that there are.
    pub(crate) fn find(&self, provider: &Provider) -> anyhow::Result<&Known> {
        let found = self.iter().find(|known| known.name == provider.as_str());
        found.ok_or_else(|| {
            let names: Vec<_> = self.iter().map(|known| known.name).collect();
            anyhow::anyhow!(
                "there is no forwarder for provider `{provider}`; there are: {}",
                names.join(", ")
            )
        })
    }

    /// Each, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.iter()
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter().map(|known| known.name)).finish()
    }
}

impl Known {
    /// Its name as a domain type.
    pub(crate) fn provider(&self) -> anyhow::Result<Provider> {
        Ok(Provider::parse(self.name)?)
    }

    /// Its forwarder, in this process.
    pub(crate) fn build(&self, targets: Arc<dyn Targets>, outbound: Arc<Outbound>) -> Built {
        (self.build)(targets, outbound)
    }
}

fn of_row(row: Compatible) -> Known {
    known(row, row.dialects(), false)
}

fn known<W: Wire + Copy>(wire: W, dialects: &'static [Dialect], native: bool) -> Known {
    Known {
        name: wire.provider(),
        dialects,
        hosts: wire.default_hosts(),
        native,
        build: Box::new(move |targets, outbound| built(wire, targets, outbound)),
    }
}

fn built<W: Wire>(wire: W, targets: Arc<dyn Targets>, outbound: Arc<Outbound>) -> Built {
    let forwarder = Arc::new(HttpForwarder::new(wire, targets, outbound));
    let gone = Arc::clone(&forwarder);
    Built { forward: forwarder, forget_gone: Arc::new(move || gone.forget_gone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(toml: &str) -> (Providers, Vec<String>) {
        let mut mistakes = Vec::new();
        let own = toml::from_str(toml).unwrap();
        let providers = Providers::new(&own, &Policy::default(), &mut mistakes);
        (providers, mistakes)
    }

    #[test]
    fn every_name_is_found_once_and_is_a_name() {
        let (providers, mistakes) = all("");
        assert_eq!(mistakes, Vec::<String>::new());
        for known in providers.iter() {
            assert_eq!(known.provider().unwrap().as_str(), known.name);
            assert!(std::ptr::eq(providers.find(&known.provider().unwrap()).unwrap(), known));
            assert!(!known.dialects.is_empty(), "{}", known.name);
        }
        for name in
            ["gemini", "openai", "azure", "anthropic", "groq", "ollama", "vllm", "databricks-model-serving"]
        {
            assert!(providers.find(&Provider::parse(name).unwrap()).is_ok(), "{name}");
        }
        let missing = providers.find(&Provider::parse("acme").unwrap()).map(|known| known.name).unwrap_err();
        assert!(missing.to_string().contains("there are: anthropic, azure"), "{missing}");
    }

    #[test]
    fn an_operators_own_is_one_of_them() {
        let (providers, mistakes) = all("[acme]\nbase = \"https://api.acme.example/v1\"\n");
        assert_eq!(mistakes, Vec::<String>::new());
        let acme = providers.find(&Provider::parse("acme").unwrap()).unwrap();
        assert_eq!((acme.dialects, acme.hosts), (&[Dialect::OpenAi][..], &["api.acme.example"][..]));
        let (_, mistakes) = all("[groq]\n[bad]\nbase = \"https://10.0.0.1\"\n");
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(mistakes[0].starts_with("providers.bad: `base`"), "{mistakes:?}");
        assert!(mistakes[1].contains("two of the name `groq`"), "{mistakes:?}");
    }
}

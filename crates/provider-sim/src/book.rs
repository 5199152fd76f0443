//! Which request gets which script.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::log::Received;
use crate::script::Script;

/// Which requests a script is for. What is absent matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// The method.
    pub method: Option<String>,
    /// A part of the target, path and query as they stood on the wire.
    pub target: Option<String>,
    /// A header, its name in any case, its value exactly.
    pub header: Option<(String, String)>,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests whose target contains this.
    pub fn target(part: &str) -> Self {
        Self { target: Some(part.to_owned()), ..Self::default() }
    }

    /// Requests with this header.
    pub fn header(name: &str, value: &str) -> Self {
        Self { header: Some((name.to_owned(), value.to_owned())), ..Self::default() }
    }

    /// Whether a request is one of those.
    pub fn matches(&self, received: &Received) -> bool {
        self.is_for(&received.method, &received.target, &received.headers)
    }

    fn is_for(&self, method: &str, target: &str, headers: &[(String, String)]) -> bool {
        let method = self.method.as_ref().is_none_or(|wanted| wanted == method);
        let target = self.target.as_ref().is_none_or(|part| target.contains(part.as_str()));
        let header = self.header.as_ref().is_none_or(|(name, value)| {
            headers.iter().any(|(other, held)| other.eq_ignore_ascii_case(name) && held == value)
        });
        method && target && header
    }
}

/// A request's head, in whichever protocol it came.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The scripts that wait for requests, and the gates that scripts wait at.
#[derive(Debug, Default)]
pub(crate) struct Book {
    scripts: Mutex<Vec<Page>>,
    gates: Mutex<HashMap<String, Gate>>,
}

#[derive(Debug)]
struct Page {
    wanted: Match,
    script: Script,
    once: bool,
}

impl Page {
    fn is_for(&self, head: &Head) -> bool {
        self.wanted.is_for(&head.method, &head.target, &head.headers)
    }
}

impl Book {
    pub(crate) fn add(&self, wanted: Match, script: Script, once: bool) {
        self.scripts.lock().push(Page { wanted, script, once });
    }

    pub(crate) fn clear(&self) {
        self.scripts.lock().clear();
    }

    /// The oldest script that is for one request, else the youngest that stays.
    pub(crate) fn choose(&self, head: &Head) -> Option<Script> {
        let mut scripts = self.scripts.lock();
        if let Some(place) = scripts.iter().position(|page| page.once && page.is_for(head)) {
            return Some(scripts.remove(place).script);
        }
        scripts.iter().rev().find(|page| page.is_for(head)).map(|page| page.script.clone())
    }

    pub(crate) fn gate(&self, name: &str) -> Gate {
        self.gates.lock().entry(name.to_owned()).or_insert_with(|| Gate::new(name)).clone()
    }

    pub(crate) async fn wait_at(&self, gate: Option<&String>) {
        if let Some(name) = gate {
            let gate = self.gate(name);
            gate.wait().await;
        }
    }
}

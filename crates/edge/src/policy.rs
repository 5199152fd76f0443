//! Who may call endpoints: anybody, or whoever has a client key. Keys are checked against what was pushed here, so that it
//! takes no look-up elsewhere, and goes on without the store.

use std::{cell::OnceCell, sync::Arc};

use access::{KeyId, Kind, Refused, Verifier};
use arc_swap::ArcSwapOption;
use store::{Clock, Held, Position, PublishedCaller, PublishedKey};

/// Who may call.
#[derive(Debug)]
pub enum Policy {
    /// Anybody who reaches a listener of the data plane.
    Open,
    /// Whoever presents a client key that counts.
    Keys(Keys),
}

/// The keys that were pushed here. Cheap to ask: one look-up, one MAC.
pub struct Keys {
    held: Arc<Held<PublishedCaller>>,
    clock: Arc<dyn Clock>,
    prepared: ArcSwapOption<Prepared>,
}

/// What checks keys, as of a position; made anew when it moved.
struct Prepared {
    position: Option<Position>,
    verifier: Verifier,
}

/// A key that was accepted.
#[derive(Clone)]
pub(crate) struct Accepted(Arc<PublishedCaller>);

impl Keys {
    /// Checks keys against `held`, which others keep up to date.
    pub fn new(held: Arc<Held<PublishedCaller>>, clock: Arc<dyn Clock>) -> Self {
        Self { held, clock, prepared: ArcSwapOption::empty() }
    }

    /// Whether they were loaded, from wherever. Before, nobody can be told who they are.
    pub(crate) fn are_loaded(&self) -> bool {
        self.held.position().is_some()
    }

    /// Whose key it is; none where no pepper was pushed, with which no key can be checked.
    pub(crate) fn check(&self, presented: &[u8]) -> Option<Result<Accepted, Refused>> {
        let prepared = self.prepared()?;
        let found = OnceCell::new();
        let lookup = |id: &KeyId| -> Option<&PublishedKey> {
            let found: &Option<Arc<PublishedCaller>> = found.get_or_init(|| self.held.get(id.as_str()));
            found.as_deref().and_then(PublishedCaller::as_key)
        };
        let checked = prepared.verifier.check(presented, lookup, self.clock.now_ms()).map(drop);
        match checked {
            Ok(()) => found.into_inner().flatten().map(|caller| Ok(Accepted(caller))),
            Err(refused) => Some(Err(refused)),
        }
    }

    fn prepared(&self) -> Option<Arc<Prepared>> {
        let position = self.held.position();
        if let Some(prepared) = self.prepared.load_full().filter(|prepared| prepared.position == position) {
            return Some(prepared);
        }
        let prepared = Arc::new(Prepared { position, verifier: self.verifier()? });
        self.prepared.store(Some(Arc::clone(&prepared)));
        Some(prepared)
    }

    /// Over every pepper that was pushed; they are numbered from 1.
    fn verifier(&self) -> Option<Verifier> {
        let peppers =
            (1_u32..).map_while(|serial| match self.held.get(&format!("pepper-{serial}")).as_deref() {
                Some(PublishedCaller::Pepper(pepper)) => pepper.of_clients().ok(),
                Some(PublishedCaller::Key(_)) | None => None,
            });
        peppers.fold(None, |verifier: Option<Verifier>, pepper| match verifier {
            None => Some(Verifier::new(Kind::Client, pepper)),
            Some(verifier) => verifier.with(pepper).ok(),
        })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keys").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

impl Accepted {
    /// The key, without the key.
    pub(crate) fn key(&self) -> Option<&PublishedKey> {
        self.0.as_key()
    }
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.key().map(|key| key.record.key_id);
        formatter.debug_tuple("Accepted").field(&id).finish()
    }
}

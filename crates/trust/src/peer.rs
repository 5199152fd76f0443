//! Who is at the far end of a connection that was taken.

use std::net::SocketAddr;

use names::Provider;
use tonic::Status;

use crate::identity::Identity;

/// The far end; each request of the connection has it among its extensions.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who it is.
    pub who: Who,
    /// Where it is.
    pub address: Option<SocketAddr>,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Anybody: the listener was told to take plain text.
    Anybody,
    /// A service that has shown who it is.
    Known(Identity),
    /// Somebody whom an authority of ours knows, but who is no service of this trust domain.
    Stranger,
}

/// Whether the sender of a request may have the targets of these providers: a forwarder has its own only. Where there is
/// no connection, as in one process, there is nobody to ask.
pub fn may_watch<'a>(
    extensions: &http::Extensions,
    providers: impl IntoIterator<Item = &'a Provider>,
) -> Result<(), Status> {
    let Some(peer) = extensions.get::<Peer>() else { return Ok(()) };
    let refused = match &peer.who {
        Who::Anybody => None,
        Who::Known(Identity::Forwarder(own)) => providers.into_iter().find(|asked| *asked != own),
        Who::Known(_) | Who::Stranger => providers.into_iter().next(),
    };
    match refused {
        None => Ok(()),
        Some(asked) => {
            tracing::warn!(who = ?peer.who, address = ?peer.address, provider = %asked, "refused: targets of another provider");
            Err(Status::permission_denied(format!("this certificate has no right to targets of `{asked}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(who: Who, providers: &[&str]) -> bool {
        let mut extensions = http::Extensions::new();
        extensions.insert(Peer { who, address: None });
        let providers: Vec<_> = providers.iter().map(|name| Provider::parse(name).unwrap()).collect();
        may_watch(&extensions, &providers).is_ok()
    }

    #[test]
    fn a_forwarder_has_the_targets_of_its_own_provider_only() {
        let gemini = || Who::Known(Identity::Forwarder(Provider::parse("gemini").unwrap()));
        assert!(asks(gemini(), &["gemini"]));
        assert!(!asks(gemini(), &["openai"]));
        assert!(!asks(gemini(), &["gemini", "openai"]));
        assert!(!asks(Who::Known(Identity::EdgeAdmin), &["gemini"]));
        assert!(!asks(Who::Stranger, &["gemini"]));
        assert!(asks(Who::Anybody, &["gemini", "openai"]));
    }
}

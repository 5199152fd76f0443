//! Who a service is: one URI in its certificate.

use names::Provider;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The name that all services of one house share, e.g. `keyward.internal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(String);

impl Domain {
    /// Unless told otherwise.
    pub const DEFAULT: &'static str = "keyward.internal";
    /// The longest one, in characters (SPIFFE ID, section 2.1).
    pub const MAX: usize = 255;

    /// Takes a text only if it is a trust domain: lower-case letters, digits, dots, dashes and underscores (SPIFFE ID,
    /// section 2.1).
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        let is_one = !text.is_empty() && text.len() <= Self::MAX && text.chars().all(allowed);
        is_one.then(|| Self(text.to_owned()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// An edge that serves applications only.
    Edge,
    /// An edge that has the admin plane: it may write.
    EdgeAdmin,
    /// The store.
    Store,
    /// The forwarder of a provider.
    Forwarder(Provider),
}

/// A service, whichever provider's it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Identity::Edge`]
    Edge,
    /// [`Identity::EdgeAdmin`]
    EdgeAdmin,
    /// [`Identity::Store`]
    Store,
    /// [`Identity::Forwarder`]
    Forwarder,
}

impl Identity {
    /// Its URI.
    pub fn uri(&self, domain: &Domain) -> String {
        format!("spiffe://{domain}/{self}")
    }

    /// Reads a URI of this domain.
    pub fn parse(domain: &Domain, uri: &str) -> Option<Self> {
        let path = uri.strip_prefix("spiffe://")?.strip_prefix(domain.as_str())?.strip_prefix('/')?;
        match path {
            "edge" => Some(Self::Edge),
            "edge-admin" => Some(Self::EdgeAdmin),
            "store" => Some(Self::Store),
            path => {
                let name = path.strip_prefix("forwarder/")?;
                let provider = Provider::parse(name).ok()?;
                // In one spelling only.
                (provider.as_str() == name).then_some(Self::Forwarder(provider))
            }
        }
    }

    /// Who a certificate says its holder is. A certificate with several URIs says nothing (SPIFFE X.509-SVID, section 2).
    pub(crate) fn of(domain: &Domain, certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = EndEntityCert::try_from(certificate).ok()?;
        let mut uris = certificate.valid_uri_names();
        match (uris.next(), uris.next()) {
            (Some(uri), None) => Self::parse(domain, uri),
            _ => None,
        }
    }

    /// Whichever provider's it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Edge => Kind::Edge,
            Self::EdgeAdmin => Kind::EdgeAdmin,
            Self::Store => Kind::Store,
            Self::Forwarder(_) => Kind::Forwarder,
        }
    }
}

/// The path of its URI.
impl std::fmt::Display for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Edge => formatter.write_str("edge"),
            Self::EdgeAdmin => formatter.write_str("edge-admin"),
            Self::Store => formatter.write_str("store"),
            Self::Forwarder(provider) => write!(formatter, "forwarder/{provider}"),
        }
    }
}

/// Who a process must be, or who must be at the far end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// An edge, with the admin plane or without.
    Edge,
    /// The store.
    Store,
    /// The forwarder of this provider.
    Forwarder(Provider),
}

impl Expected {
    /// Whether this is one.
    pub fn is(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Edge, Identity::Edge | Identity::EdgeAdmin) | (Self::Store, Identity::Store) => true,
            (Self::Forwarder(wanted), Identity::Forwarder(found)) => wanted == found,
            _ => false,
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Edge => formatter.write_str("edge` or `edge-admin"),
            Self::Store => formatter.write_str("store"),
            Self::Forwarder(provider) => write!(formatter, "forwarder/{provider}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_read_as_it_is_written() {
        let domain = Domain::parse("keyward.example").unwrap();
        let gemini = Identity::Forwarder(Provider::parse("gemini").unwrap());
        for identity in [Identity::Edge, Identity::EdgeAdmin, Identity::Store, gemini] {
            assert_eq!(Identity::parse(&domain, &identity.uri(&domain)), Some(identity));
        }
        for wrong in [
            "spiffe://keyward.examples/store",
            "spiffe://keyward.example.com/store",
            "spiffe://keyward.example/store/",
            "spiffe://keyward.example//store",
            "spiffe://keyward.example/forwarder/",
            "spiffe://keyward.example/forwarder/../store",
            "spiffe://keyward.example/forwarder/Gemini",
            "SPIFFE://keyward.example/store",
            "https://keyward.example/store",
            "spiffe://keyward.example/admin",
            "spiffe://keyward.example",
            "",
        ] {
            assert_eq!(Identity::parse(&domain, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_domain_is_what_spiffe_says() {
        for text in ["keyward.internal", "a", "prod_1.example-2"] {
            assert!(Domain::parse(text).is_some(), "{text}");
        }
        for text in ["", "Keyward", "a/b", "a:1", "ä", "a b", &"x".repeat(256)] {
            assert!(Domain::parse(text).is_none(), "{text}");
        }
    }
}
